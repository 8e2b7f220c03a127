"""Properties of an Opus packet that are read without decoding it (RFC 6716)."""

OPUS_RATE = 48_000
"""Rate of Opus' RTP clock in Hz, whatever the audio's own rate (RFC 7587, section 4.1)."""
MAX_PACKET_MS = 120
"""Longest audio in one Opus packet (RFC 6716, section 3.2.5)."""


def _toc_durations() -> tuple[int, ...]:
    silk, hybrid, celt = (480, 960, 1920, 2880), (480, 960), (120, 240, 480, 960)
    frames = silk * 3 + hybrid * 2 + celt * 4
    return tuple(frames[toc >> 3] * (1, 2, 2, 0)[toc & 3] for toc in range(256))


_DURATIONS = _toc_durations()


def packet_duration(payload: bytes) -> int:
    """Return the length of an Opus packet's audio in 1/48000 s; 0 when it is no valid packet.

    RFC 6716, section 3.1 (the TOC byte) and 3.2.5 (code 3).
    """
    if not payload:
        return 0
    duration = _DURATIONS[payload[0]]
    if duration == 0 and len(payload) > 1:  # code 3: the next byte has the number of frames
        duration = _DURATIONS[payload[0] & 0xFC] * (payload[1] & 0x3F)
    return duration if duration <= MAX_PACKET_MS * OPUS_RATE // 1000 else 0


def frame_duration(payload: bytes) -> int:
    """Return the length of one of the packet's frames in 1/48000 s; `payload` is not empty."""
    return _DURATIONS[payload[0] & 0xFC]


def carries_previous(payload: bytes) -> bool:
    """Return whether a packet has in-band FEC (LBRR) of the one before it (RFC 6716, 4.2.4)."""
    if not payload or payload[0] & 0x80:  # CELT only
        return False
    first = _first_frame(payload)
    if first >= len(payload):
        return False
    silk_frames = max(1, frame_duration(payload) // 960)
    header = payload[first]
    if header >> (7 - silk_frames) & 1:
        return True
    stereo = payload[0] & 4
    return bool(stereo and header >> (6 - 2 * silk_frames) & 1)


def _first_frame(payload: bytes) -> int:
    """Return the offset of the first frame's data (RFC 6716, section 3.2); the packet's length or
    more if it is malformed.
    """
    code = payload[0] & 3
    at, lengths = 1, 0
    if code == 2:
        lengths = 1
    elif code == 3 and len(payload) > 1:
        at = 2
        if payload[1] & 0x40:  # padding: each 255 says that another byte follows
            while at < len(payload) and payload[at] == 255:
                at += 1
            at += 1
        if payload[1] & 0x80:
            lengths = (payload[1] & 0x3F) - 1
    for number in range(lengths):
        if at >= len(payload):
            return at
        if number == 0 and payload[at] == 0:
            return len(payload)  # the first frame is empty
        at += 2 if payload[at] >= 252 else 1
    return at


def is_pause(payload: bytes) -> bool:
    """Return whether a packet marks silence (DTX), after which the sender may send few packets."""
    return 0 < len(payload) <= 2


def pause_packet(payload: bytes) -> bytes:
    """Return a one-byte DTX packet in the mode of `payload`: one frame without data."""
    return bytes((payload[0] & 0xFC,))
