"""Speech synthesis with eSpeak NG: every Canary language, no download.

Input: a text. Output: chunks of 60 ms. Read `engine` first. `library` is libespeak-ng through
ctypes; `espeak_text` removes what crashes it, so no text may reach `library` by another way.
"""
