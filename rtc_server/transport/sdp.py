"""Reads an SDP offer (RFC 8866, RFC 9429) and says at once whether it can be accepted. Pure.

An offer is text from a stranger: everything in it is checked here, with a sentence for what is
wrong, so that nothing behind this module ever sees a malformed value.
"""

import re
from dataclasses import dataclass, replace
from enum import Enum
from typing import Final

from rtc_server.errors import BadOffer, TooManyTracks
from rtc_server.transport import sdp_lines
from rtc_server.transport.sdp_lines import Block, RemoteCandidate

DEFAULT_SCTP_PORT: Final = 5000
DEFAULT_MAX_MESSAGE_BYTES: Final = 65536
"""What RFC 8841 assumes when the offer does not say."""
_TOKEN: Final = re.compile(r"[A-Za-z0-9!#$%&'*+\-.^_`{|}~]{1,64}")
_M_LINE: Final = re.compile(
    r"([a-z]{1,16}) (\d{1,5})(?:/\d{1,5})? ([A-Za-z/]{1,32}) ([!-~][ -~]{0,512})"
)
_MEDIA_PROTOCOLS: Final = ("UDP/TLS/RTP/SAVPF", "UDP/TLS/RTP/SAVP", "RTP/SAVPF")
_DATA_PROTOCOLS: Final = ("UDP/DTLS/SCTP", "TCP/DTLS/SCTP")
_DIRECTIONS: Final = ("sendrecv", "sendonly", "recvonly", "inactive")


class Role(Enum):
    """What a peer does here, and so the direction of its audio."""

    CALLER = "speaks and listens"
    SPEAKER = "speaks only: the answer is recvonly (RFC 9725)"
    LISTENER = "listens only: the answer is sendonly (WHEP)"


@dataclass(frozen=True, slots=True)
class Section:
    """One media section of an offer and what becomes of it."""

    kind: str
    """``audio``, ``video``, ``application`` or whatever the offer says."""
    protocol: str
    """Transport protocol of the ``m=`` line, echoed in the answer."""
    formats: str
    """Formats of the ``m=`` line, echoed when the section is rejected."""
    mid: str
    """Identification tag; empty when the offer has none."""
    sends: bool = False
    """The peer will send media here and we will receive it."""
    receives: bool = False
    """The peer is ready to receive here and we will send."""
    opus_payload_type: int = -1
    """RTP payload type of Opus; -1 where the section has none."""
    is_data: bool = False
    """The section that carries the data channel."""

    @property
    def accepted(self) -> bool:
        """Whether the answer keeps the section rather than rejecting it with port 0."""
        return self.sends or self.receives or self.is_data


@dataclass(frozen=True, slots=True)
class Offer:
    """An offer that can be answered."""

    sections: tuple[Section, ...]
    """In the order of the offer, rejected ones included."""
    ufrag: str
    """The peer's ICE user name fragment."""
    pwd: str
    """The peer's ICE password."""
    ice_lite: bool
    """The peer is an ICE-lite agent: we control."""
    fingerprints: tuple[tuple[str, str], ...]
    """(hash function, digest) of the peer's DTLS certificate."""
    setup: str
    """``actpass``, ``active`` or ``passive``: who may start DTLS."""
    candidates: tuple[RemoteCandidate, ...]
    """Usable remote candidates, at most `MAX_CANDIDATES`."""
    sctp_port: int = DEFAULT_SCTP_PORT
    """The peer's SCTP port."""
    max_message_bytes: int = DEFAULT_MAX_MESSAGE_BYTES
    """Largest data channel message the peer takes; 0 for any size."""

    @property
    def incoming(self) -> Section | None:
        """The section whose audio we receive; None from a listener."""
        return next((section for section in self.sections if section.sends), None)

    @property
    def outgoing(self) -> Section | None:
        """The section we send audio in, if the peer is ready to receive any."""
        return next((section for section in self.sections if section.receives), None)

    @property
    def has_data(self) -> bool:
        """Whether a data channel was offered."""
        return any(section.is_data for section in self.sections)


@dataclass(frozen=True, slots=True)
class Fragment:
    """A trickle ICE fragment (RFC 8840)."""

    ufrag: str
    """Credentials the candidates belong to; empty when not given."""
    pwd: str
    """Their password; empty when not given."""
    candidates: tuple[RemoteCandidate, ...]
    """Usable candidates of it."""


def parse_offer(text: str, role: Role = Role.CALLER) -> Offer:
    """The offer, checked.

    Raises:
        PayloadTooLarge: it is longer than `sdp_lines.MAX_OFFER_BYTES`.
        BadOffer: it is not SDP, or holds nothing that a peer of that role needs.
        TooManyTracks: a speaker or listener offers more than one.
    """
    session, media = sdp_lines.read_blocks(text)
    sections = _choose_sections([_section(block) for block in media], role)
    accepted = [
        (block, section) for block, section in zip(media, sections, strict=True) if section.accepted
    ]
    _check_bundle(session, [section for _, section in accepted])
    for block, section in accepted:
        if not section.is_data and not block.has("rtcp-mux"):
            raise BadOffer("An audio section lacks a=rtcp-mux, which this server needs.")
    scopes = [*(block for block, _ in accepted), session]
    data = next((block for block, section in accepted if section.is_data), None)
    return Offer(
        sections=tuple(sections),
        ufrag=sdp_lines.credential(scopes, "ice-ufrag"),
        pwd=sdp_lines.credential(scopes, "ice-pwd"),
        ice_lite=session.has("ice-lite"),
        fingerprints=sdp_lines.fingerprints(scopes),
        setup=sdp_lines.setup(scopes),
        candidates=sdp_lines.candidates([session, *media]),
        sctp_port=sdp_lines.number(data, "sctp-port", DEFAULT_SCTP_PORT, 65535),
        max_message_bytes=sdp_lines.number(
            data, "max-message-size", DEFAULT_MAX_MESSAGE_BYTES, 1 << 40
        ),
    )


def parse_fragment(text: str) -> Fragment:
    """A ``application/trickle-ice-sdpfrag`` body.

    Raises:
        PayloadTooLarge: it is longer than an offer may be.
        BadOffer: it is not an SDP fragment.
    """
    session, media = sdp_lines.read_blocks(text)
    scopes = [session, *media]
    if not any(scope.attributes for scope in scopes):
        raise BadOffer("The fragment holds no ICE attributes (a=candidate, a=end-of-candidates).")
    ufrag, pwd = (
        sdp_lines.credential(scopes, name) if any(scope.has(name) for scope in scopes) else ""
        for name in ("ice-ufrag", "ice-pwd")
    )
    return Fragment(ufrag, pwd, sdp_lines.candidates(scopes))


def _section(block: Block) -> Section:
    match = _M_LINE.fullmatch(block.m_line.strip())
    if match is None:
        raise BadOffer("A media line (m=) of the offer is malformed.")
    kind, port, protocol, formats = match.groups()
    mid = block.first("mid") or ""
    if mid and _TOKEN.fullmatch(mid) is None:
        raise BadOffer("A media section's a=mid is malformed.")
    section = Section(kind=kind, protocol=protocol, formats=formats, mid=mid)
    if int(port) == 0 and not block.has("bundle-only"):
        return section
    if kind == "application":
        is_data = protocol in _DATA_PROTOCOLS and formats == "webrtc-datachannel"
        return replace(section, is_data=is_data)
    payload_type = _opus_payload_type(block, formats) if kind == "audio" else -1
    if payload_type < 0 or protocol not in _MEDIA_PROTOCOLS:
        return section
    directions = [name for name, _ in block.attributes if name in _DIRECTIONS]
    direction = directions[0] if directions else "sendrecv"
    return replace(
        section,
        sends=direction in ("sendrecv", "sendonly"),
        receives=direction in ("sendrecv", "recvonly"),
        opus_payload_type=payload_type,
    )


def _opus_payload_type(block: Block, formats: str) -> int:
    listed = formats.split()
    for value in block.all("rtpmap"):
        payload_type, _, codec = value.partition(" ")
        name, _, rest = codec.partition("/")
        # Payload types from 72 to 76 would look like RTCP on a shared port (RFC 5761).
        if name.lower() == "opus" and rest in ("48000/2", "48000") and payload_type in listed:
            number = int(payload_type) if re.fullmatch(r"\d{1,3}", payload_type) else -1
            if 35 <= number <= 127 and not 64 <= number <= 95:
                return number
    return -1


def _choose_sections(sections: list[Section], role: Role) -> list[Section]:
    """Keep what the role needs: a section to receive in, one to send in, one data channel."""
    if not any(section.kind == "audio" for section in sections):
        raise BadOffer("The offer has no audio section. Add a microphone or tab track to it.")
    speaks = [i for i, section in enumerate(sections) if section.sends]
    hears = [i for i, section in enumerate(sections) if section.receives]
    channels = [i for i, section in enumerate(sections) if section.is_data]
    incoming = outgoing = data = None
    match role:
        case Role.CALLER:
            if not speaks:
                raise BadOffer(
                    "The offer has no audio section that sends Opus. Add a microphone or tab "
                    "track to it."
                )
            incoming, data = speaks[0], next(iter(channels), None)
            outgoing = incoming if incoming in hears else next(iter(hears), None)
        case Role.SPEAKER:
            incoming = _only(speaks, "sends")
        case Role.LISTENER:
            outgoing, data = _only(hears, "receives"), next(iter(channels), None)
    return [
        replace(section, sends=i == incoming, receives=i == outgoing, is_data=i == data)
        for i, section in enumerate(sections)
    ]


def _only(indices: list[int], does: str) -> int:
    if not indices:
        raise BadOffer(f"The offer has no audio section that {does} Opus.")
    if len(indices) > 1:
        raise TooManyTracks(f"The offer has several audio sections that {does}; one is allowed.")
    return indices[0]


def _check_bundle(session: Block, accepted: list[Section]) -> None:
    if len(accepted) < 2:
        return
    mids = [section.mid for section in accepted]
    groups = [group.split() for group in session.all("group")]
    bundled = [set(group[1:]) for group in groups if group and group[0] == "BUNDLE"]
    if "" in mids or len(set(mids)) < len(mids) or not any(set(mids) <= group for group in bundled):
        raise BadOffer("Audio and data channel must share one transport (a=group:BUNDLE).")
