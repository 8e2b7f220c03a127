"""Speech synthesis with Piper: most languages, a voice a file, on the CPU."""
