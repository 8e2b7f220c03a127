"""RTP and Opus without aiortc's media stack: pure objects fed packets and time.

Input: decrypted RTP packets and the number of the tick. Output: 16 kHz mono PCM without holes, and
RTP packets with 48 kHz speech as Opus. Counters of lost and concealed packets are in `counters`.

Read `receiver` and `sender` first. `receiver` asks `jitter_buffer` for the next step at each packet
and tick, and `opus` to decode, recover or conceal. `sender` encodes, with the bit rate and the loss
protection of `opus.EncoderSettings`. `tick` is the 20 ms clock of all sessions.

Nothing here touches sockets or keys. `tick` alone waits; all else takes the time as an argument.
"""
