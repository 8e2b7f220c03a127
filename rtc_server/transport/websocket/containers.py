"""Containers and codecs that clients send by mistake in place of bare samples. Pure.

Each is recognised by bytes with which samples do not begin by chance: four or more fixed bytes, or
two MPEG frame headers at the right distance.
"""

import re
import struct
from collections.abc import Callable
from typing import Final

_FOUR_CHARACTERS: Final = {
    b"\x1aE\xdf\xa3": "WebM or Matroska",
    b"OggS": "Ogg",
    b"fLaC": "FLAC",
    b"caff": "CAF",
    b"FORM": "AIFF",
    b".snd": "AU",
    b"#!AM": "AMR",
}
"""Formats by the first four bytes of a file."""
_MP4_BOXES: Final = (b"ftyp", b"styp", b"moof", b"moov")
"""Types of the first box of MP4 (ISO/IEC 14496-12), which follow its length."""
_WHOLE_HEADERS: Final = {
    "WebM or Matroska": re.compile(
        rb"\x1aE\xdf\xa3.{0,60}\x42\x82.{1,8}(webm|matroska)", re.DOTALL
    ),
    "Ogg": re.compile(rb"OggS\0\x02\0{8}"),  # version 0, first page, position 0
    "FLAC": re.compile(rb"fLaC[\0\x80]\0\0\x22"),  # STREAMINFO, 34 bytes
    "CAF": re.compile(rb"caff\0\x01\0\0"),
    "AIFF": re.compile(rb"FORM.{4}AIF[FC]", re.DOTALL),
    "AU": re.compile(rb"\.snd\0\0.{6}\0\0\0[\x01-\x1d]", re.DOTALL),  # offset, size, encoding
    "AMR": re.compile(rb"#!AMR(-WB)?\n"),
    "MP4": re.compile(rb"\0\0\0.[fs]typ[ -~]{4}|\0\0..(moof.{4}mfhd|moov.{4}mvhd)", re.DOTALL),
    "MP3": re.compile(rb"ID3[\x02-\x04]\0[\0\x10\x20\x40\x80][\0-\x7f]{4}"),
}
"""Headers with all of their fixed fields, 48 bits and more: no hour of audio has one by chance."""
HEADER_BYTES: Final = 80
"""Bytes of a message within which any of these headers ends."""
_MP3_KBPS: Final = (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)
_MP3_KBPS_LOW: Final = (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)
"""Bit rates of layer III in MPEG-1, and in MPEG-2 and 2.5."""
_MP3_RATES: Final = (44_100, 48_000, 32_000)
"""Sample rates of MPEG-1; MPEG-2 has half of them, 2.5 a quarter."""
_WAV_FORMATS: Final = {1: "integers", 3: "floats", 6: "A-law", 7: "µ-law"}
"""Format tags of WAV."""


def container_of(head: bytes) -> str | None:
    """Return the name of the container or codec that a stream begins with; None for samples.

    WAV is not included; see `is_wav`.
    """
    if name := _FOUR_CHARACTERS.get(head[:4]):
        return name
    if head[4:8] in _MP4_BOXES:
        return "MP4"
    if head[:3] == b"ID3" and 2 <= head[3:4].ljust(1)[0] <= 4:
        return "MP3"
    if _follow_each_other(head, _mp3_frame_bytes):
        return "MP3"
    if _follow_each_other(head, _adts_frame_bytes):
        return "AAC"
    return None


def header_of(message: bytes) -> str | None:
    """Return the name of the container whose whole header is at the beginning of a message.

    For every message of a stream: over hours, `container_of` would take samples for a container.
    """
    head = message[:HEADER_BYTES]
    return next((name for name, header in _WHOLE_HEADERS.items() if header.match(head)), None)


def is_wav(head: bytes) -> bool:
    """Return whether this is the beginning of a WAV file."""
    return head[:4] in (b"RIFF", b"RF64") and head[8:12] == b"WAVE"


def wav_format(head: bytes) -> tuple[int, int, str] | None:
    """Return sample rate, channels and sample format (such as "16-bit integers") of a WAV file.

    None if the beginning of the file does not contain them.
    """
    at = head.find(b"fmt ", 12)
    if at < 0 or len(head) < at + 24:
        return None
    tag, channels, sample_rate, _, _, bits = struct.unpack_from("<HHIIHH", head, at + 8)
    if tag == 0xFFFE and len(head) >= at + 34:  # the tag proper is in the extension
        (tag,) = struct.unpack_from("<H", head, at + 32)
    return sample_rate, channels, f"{bits}-bit {_WAV_FORMATS.get(tag, f'format {tag}')}"


def _follow_each_other(head: bytes, frame_bytes: Callable[[bytes], int]) -> bool:
    """Return whether a frame begins here, and a frame of the same kind where it ends."""
    size = frame_bytes(head[:8])
    return size > 0 and head[size : size + 2] == head[:2] and frame_bytes(head[size:]) > 0


def _mp3_frame_bytes(header: bytes) -> int:
    """Return the length in bytes of an MPEG audio frame of layer III; 0 if this is no header."""
    if len(header) < 4 or header[0] != 0xFF or header[1] & 0xE6 != 0xE2:
        return 0
    version, kbps, rate = header[1] >> 3 & 3, header[2] >> 4, header[2] >> 2 & 3
    if version == 1 or kbps in (0, 15) or rate == 3:
        return 0
    is_first = version == 3
    sample_rate = _MP3_RATES[rate] // (1 if is_first else 2 if version == 2 else 4)
    bits_per_s = (_MP3_KBPS if is_first else _MP3_KBPS_LOW)[kbps] * 1000
    return (144 if is_first else 72) * bits_per_s // sample_rate + (header[2] >> 1 & 1)


def _adts_frame_bytes(header: bytes) -> int:
    """Return the length in bytes of an ADTS frame of AAC; 0 if this is no header."""
    if len(header) < 7 or header[0] != 0xFF or header[1] & 0xF6 != 0xF0:
        return 0
    if header[2] >> 2 & 15 > 12:
        return 0
    size = (header[3] & 3) << 11 | header[4] << 3 | header[5] >> 5
    return size if size > 7 else 0
