"""DSP on PCM: resampling, voice activity, endpointing, playout. Pure objects, no I/O."""
