"""Speech synthesis with Silero's models: six languages at 48 kHz, on a CPU or a GPU."""
