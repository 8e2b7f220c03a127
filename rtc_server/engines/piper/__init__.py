"""Speech synthesis with Piper: most languages, a voice a file, on the CPU.

In goes a text; out comes one chunk of PCM for each sentence. Read `engine` first; `voices` finds
voice files and reads their configuration. Nothing is downloaded, and a model is loaded only by
`engine.create`.
"""
