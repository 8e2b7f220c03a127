"""Media section of an SDP offer (RFC 8866, RFC 9429). Pure."""

import re
from dataclasses import dataclass, replace
from typing import Final

from rtc_server.errors import BadOffer
from rtc_server.transport import sdp_lines
from rtc_server.transport.sdp_lines import Block

DEFAULT_SCTP_PORT: Final = 5000
"""Port that RFC 8841 assumes when the offer does not say."""
_TOKEN: Final = re.compile(r"[A-Za-z0-9!#$%&'*+\-.^_`{|}~]{1,64}")
_M_LINE: Final = re.compile(
    r"([a-z]{1,16}) (\d{1,5})(?:/\d{1,5})? ([A-Za-z/]{1,32}) ([!-~][ -~]{0,512})"
)
_MEDIA_PROTOCOLS: Final = ("UDP/TLS/RTP/SAVPF", "UDP/TLS/RTP/SAVP", "RTP/SAVPF")
_DATA_PROTOCOLS: Final = ("UDP/DTLS/SCTP", "TCP/DTLS/SCTP")
LEGACY_DATA_PROTOCOL: Final = "DTLS/SCTP"
"""Protocol of drafts before RFC 8841: the format is the SCTP port, and ``a=sctpmap`` names what it
carries."""
DATA_CHANNEL: Final = "webrtc-datachannel"
"""Format of a section with a data channel (RFC 8832)."""
_DIRECTIONS: Final = ("sendrecv", "sendonly", "recvonly", "inactive")
_RTPMAP: Final = re.compile(r"(\d{1,3}) [A-Za-z0-9!#$%&'*+\-.^_`{|}~]{1,64}/\d{1,9}(?:/\d{1,3})?")


@dataclass(frozen=True, slots=True)
class Section:
    """One media section of an offer, and what the answer does with it."""

    kind: str
    """Kind of media: ``audio``, ``video``, ``application``, or another word of the offer."""
    protocol: str
    """Transport protocol of the ``m=`` line, echoed in the answer."""
    formats: str
    """Formats of the ``m=`` line, echoed when the section has no media in the answer."""
    mid: str
    """Identification tag; empty when the offer has none."""
    sends: bool = False
    """True if the peer sends media in this section, which we receive."""
    receives: bool = False
    """True if the peer receives media in this section, which we send."""
    rtpmaps: tuple[str, ...] = ()
    """Values of the ``a=rtpmap`` lines of its formats, echoed like `formats`."""
    multiplexed: bool = False
    """True if RTP and RTCP share a port (RFC 5761), which this server needs."""
    idle: bool = False
    """True if it is kept without media, because accepted sections share its transport."""
    opus_payload_type: int = -1
    """RTP payload type of Opus; -1 if the section has no Opus."""
    is_data: bool = False
    """True if it has the data channel that we use."""
    sctp_port: int = -1
    """The peer's SCTP port if the section can have a data channel, else -1."""

    @property
    def carries_media(self) -> bool:
        """True if RTP is sent in it, in either direction."""
        return self.sends or self.receives

    @property
    def accepted(self) -> bool:
        """True if the answer keeps the section rather than rejecting it with port 0."""
        return self.carries_media or self.is_data or self.idle


def read_section(block: Block, session: Block) -> Section:
    """Read a media section. Its direction may be an attribute of the session's block.

    Raises:
        BadOffer: its lines are malformed.
    """
    match = _M_LINE.fullmatch(block.m_line)
    if match is None:
        raise BadOffer("A media line (m=) of the offer is malformed.")
    kind, port, protocol, formats = match.groups()
    mid = block.first("mid") or ""
    if mid and _TOKEN.fullmatch(mid) is None:
        raise BadOffer("A media section's a=mid is malformed.")
    section = Section(
        kind=kind, protocol=protocol, formats=formats, mid=mid, rtpmaps=_rtpmaps(block, formats)
    )
    if int(port) == 0 and not block.has("bundle-only"):
        return section
    if kind == "application":
        sctp_port = _sctp_port(block, protocol, formats)
        return replace(section, is_data=sctp_port >= 0, sctp_port=sctp_port)
    if protocol not in _MEDIA_PROTOCOLS:
        return section
    section = replace(section, multiplexed=block.has("rtcp-mux"))
    payload_type = _opus_payload_type(section.rtpmaps) if kind == "audio" else -1
    if payload_type < 0:
        return section
    directions = (
        name for scope in (block, session) for name, _ in scope.attributes if name in _DIRECTIONS
    )
    direction = next(directions, "sendrecv")
    return replace(
        section,
        sends=direction in ("sendrecv", "sendonly"),
        receives=direction in ("sendrecv", "recvonly"),
        opus_payload_type=payload_type,
    )


def _rtpmaps(block: Block, formats: str) -> tuple[str, ...]:
    """Return the values of the section's ``a=rtpmap`` lines, in the order of the formats."""
    found: dict[str, str] = {}
    for value in block.all("rtpmap"):
        match = _RTPMAP.fullmatch(value)
        if match is not None:
            found.setdefault(match[1], value)
    return tuple(found[each] for each in dict.fromkeys(formats.split()) if each in found)


def _opus_payload_type(rtpmaps: tuple[str, ...]) -> int:
    for value in rtpmaps:
        payload_type, _, codec = value.partition(" ")
        name, _, rest = codec.partition("/")
        number = int(payload_type)
        # On a shared port, payload types from 64 to 95 can look like RTCP (RFC 5761, section 4).
        usable = 35 <= number <= 127 and not 64 <= number <= 95
        if usable and name.lower() == "opus" and rest in ("48000/2", "48000"):
            return number
    return -1


def _sctp_port(block: Block, protocol: str, formats: str) -> int:
    """Return the SCTP port of an application section; -1 if it is not for a data channel."""
    if protocol in _DATA_PROTOCOLS and formats == DATA_CHANNEL:
        return sdp_lines.number(block, "sctp-port", DEFAULT_SCTP_PORT, 65535)
    if protocol == LEGACY_DATA_PROTOCOL and re.fullmatch(r"\d{1,5}", formats):
        maps = [value.split() for value in block.all("sctpmap")]
        if any(each[:2] == [formats, DATA_CHANNEL] for each in maps) and int(formats) <= 65535:
            return int(formats)
    return -1
