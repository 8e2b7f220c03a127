"""RTP and Opus without aiortc's media stack: pure objects that take packets and the time.

Input: decrypted RTP packets, and 48 kHz frames of 20 ms. Output: 16 kHz mono PCM without holes, and
RTP packets with Opus. `counters` counts lost and concealed audio.

Read `receiver` and `sender` first. At each packet and tick, `receiver` takes the next step from
`jitter_buffer`, and `opus` decodes, recovers or conceals. `sender` encodes, with the bitrate and
the complexity of `opus.EncoderSettings`. `tick` numbers the 20 ms ticks of all sessions.

Nothing here touches sockets or keys, or waits: the time is an argument.
"""
