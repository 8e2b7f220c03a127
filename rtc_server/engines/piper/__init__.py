"""Speech synthesis with Piper: most languages, one file for each voice, on the CPU.

Input: a text. Output: one chunk of PCM for each sentence. Read `engine` first; `voices` finds voice
files and reads their configuration. Nothing is downloaded, and a model is loaded only by
`engine.create`.
"""
