"""Speech synthesis with eSpeak NG: every Canary language, no download, one process of its own."""
