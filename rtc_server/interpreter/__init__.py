"""Listener, speech translation, captions, speech synthesis: from PCM to PCM and captions."""
