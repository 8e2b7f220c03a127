"""DSP on PCM: voice activity, endpointing, own-voice detection, playout. Pure objects, no I/O.

Input: mono float32 at `rtc_server.pcm.SPEECH_RATE` (received) or `PLAYOUT_RATE` (synthesized), with
its position on the session's audio clock. Output: probabilities, the start and end of speech,
judgements, and 20 ms frames to send.

Read `endpointer` first: it turns the probabilities of `vad` into start and end of speech, and holds
the hangover, whose default is in `interpreter.segmenter_settings`. `tape` keeps the last seconds,
`own_voice` recognises translated speech that a microphone picked up again, `playout` orders
segments of translated speech and fades them, `pauses` shortens silence in them, and `unconfirmed`
keeps what the client has not confirmed.

Nothing here awaits, reads a clock, logs, or knows sessions, engines or transports.
"""
