"""Weights of Silero VAD 6 for 16 kHz, and the recipe that makes them from the silero-vad wheel.

In: the wheel that `wheel.txt` names, by version and hash. Out: `weights.npz`, which the package
ships and `rtc_server.audio.silero` reads. The recipe needs the onnx package (extra ``test``).
"""
