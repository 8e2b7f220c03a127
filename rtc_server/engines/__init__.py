"""Speech translation (AST) and synthesis (TTS) engines, and the processes they run in."""
