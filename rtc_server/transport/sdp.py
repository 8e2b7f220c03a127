"""Reads an SDP offer (RFC 8866, RFC 9429) and says at once whether it can be accepted. Pure.

An offer is text from a stranger: everything in it is checked here, with a sentence for what is
wrong, so that nothing behind this module ever sees a malformed value.
"""

import ipaddress
import re
from dataclasses import dataclass
from typing import Final

from rtc_server.errors import BadOffer, PayloadTooLarge

MAX_OFFER_BYTES: Final = 64 * 1024
MAX_SECTIONS: Final = 8
"""Media sections in one offer; a browser with audio, video and a data channel makes three."""
MAX_CANDIDATES: Final = 20
"""Remote candidates that are used, best priority first."""
MAX_CANDIDATE_LINES: Final = 100
"""Candidate lines that one text may hold; more are no browser's."""

DEFAULT_SCTP_PORT: Final = 5000
DEFAULT_MAX_MESSAGE_BYTES: Final = 65536
"""What RFC 8841 assumes when the offer does not say."""

_TOKEN: Final = re.compile(r"[A-Za-z0-9!#$%&'*+\-.^_`{|}~]{1,64}")
_ICE_UFRAG: Final = re.compile(r"[A-Za-z0-9+/]{4,256}")
_ICE_PWD: Final = re.compile(r"[A-Za-z0-9+/]{22,256}")
_M_LINE: Final = re.compile(
    r"([a-z]{1,16}) (\d{1,5})(?:/\d{1,5})? ([A-Za-z/]{1,32}) ([!-~][ -~]{0,512})"
)
_CANDIDATE: Final = re.compile(
    r"([A-Za-z0-9+/]{1,32}) 1 udp (\d{1,10}) (\S{1,64}) (\d{1,5}) typ (host|srflx|relay)(?: |$)",
    re.IGNORECASE,
)
_DIGEST_BYTES: Final = {"sha-256": 32, "sha-384": 48, "sha-512": 64}
_DIRECTIONS: Final = ("sendrecv", "sendonly", "recvonly", "inactive")
_LOW_PORTS: Final = (80, 443)
"""Ports below 1024 that a real candidate may use, as libwebrtc has it."""


@dataclass(frozen=True, slots=True)
class RemoteCandidate:
    """One UDP address of the peer, as signalled."""

    foundation: str
    """Groups candidates of one origin (RFC 8445)."""
    priority: int
    """Higher is tried first."""
    address: str
    """An IP address, never a name."""
    port: int
    """UDP port."""
    kind: str
    """``host``, ``srflx`` or ``relay``."""


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
    audio_ssrcs: tuple[int, ...]
    """Synchronization sources announced for the audio we receive, possibly none."""
    sctp_port: int = DEFAULT_SCTP_PORT
    """The peer's SCTP port."""
    max_message_bytes: int = DEFAULT_MAX_MESSAGE_BYTES
    """Largest data channel message the peer takes; 0 for any size."""

    @property
    def incoming(self) -> Section:
        """The section whose audio we receive."""
        return next(section for section in self.sections if section.sends)

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


class _Block:
    """The attributes of the session or of one media section."""

    def __init__(self, m_line: str = "") -> None:
        self.m_line = m_line
        self.attributes: list[tuple[str, str]] = []

    def first(self, name: str) -> str | None:
        return next((value for key, value in self.attributes if key == name), None)

    def all(self, name: str) -> list[str]:
        return [value for key, value in self.attributes if key == name]

    def has(self, name: str) -> bool:
        return any(key == name for key, _ in self.attributes)


def parse_offer(text: str) -> Offer:
    """The offer, checked.

    Raises:
        PayloadTooLarge: it is longer than `MAX_OFFER_BYTES`.
        BadOffer: it is not SDP, or holds nothing this server can translate.
    """
    session, media = _blocks(text)
    if not any(section.m_line.startswith("audio ") for section in media):
        raise BadOffer("The offer has no audio section. Add a microphone or tab track to it.")
    sections = _choose_sections([_section(block) for block in media])
    accepted = [block for block, section in zip(media, sections, strict=True) if section.accepted]
    _check_bundle(session, [section for section in sections if section.accepted])
    incoming = next(block for block, section in zip(media, sections, strict=True) if section.sends)
    data = next(
        (block for block, section in zip(media, sections, strict=True) if section.is_data), None
    )
    for block, section in zip(media, sections, strict=True):
        if (section.sends or section.receives) and not block.has("rtcp-mux"):
            raise BadOffer("An audio section lacks a=rtcp-mux, which this server needs.")
    scopes = [*accepted, session]
    return Offer(
        sections=tuple(sections),
        ufrag=_credential(scopes, "ice-ufrag", _ICE_UFRAG),
        pwd=_credential(scopes, "ice-pwd", _ICE_PWD),
        ice_lite=session.has("ice-lite"),
        fingerprints=_fingerprints(incoming, session),
        setup=_setup(incoming, session),
        candidates=_candidates([session, *media]),
        audio_ssrcs=_ssrcs(incoming),
        sctp_port=_number(data, "sctp-port", DEFAULT_SCTP_PORT, 65535),
        max_message_bytes=_number(data, "max-message-size", DEFAULT_MAX_MESSAGE_BYTES, 1 << 40),
    )


def parse_fragment(text: str) -> Fragment:
    """A ``application/trickle-ice-sdpfrag`` body.

    Raises:
        PayloadTooLarge: it is longer than an offer may be.
        BadOffer: it is not an SDP fragment.
    """
    session, media = _blocks(text)
    scopes = [session, *media]
    if not any(scope.attributes for scope in scopes):
        raise BadOffer("The fragment holds no ICE attributes (a=candidate, a=end-of-candidates).")

    def credential(name: str, pattern: re.Pattern[str]) -> str:
        if not any(scope.has(name) for scope in scopes):
            return ""
        return _credential(scopes, name, pattern)

    return Fragment(
        ufrag=credential("ice-ufrag", _ICE_UFRAG),
        pwd=credential("ice-pwd", _ICE_PWD),
        candidates=_candidates(scopes),
    )


def _blocks(text: str) -> tuple[_Block, list[_Block]]:
    if len(text) > MAX_OFFER_BYTES or len(text.encode("utf-8", "replace")) > MAX_OFFER_BYTES:
        raise PayloadTooLarge(f"The SDP is longer than {MAX_OFFER_BYTES // 1024} kB.")
    session, media = _Block(), list[_Block]()
    current = session
    for line in re.split(r"\r?\n", text):
        if not line:
            continue
        if len(line) < 2 or line[1] != "=" or not line[0].isalpha():
            raise BadOffer("This is not SDP: a line does not begin with a letter and '='.")
        if line[0] == "m":
            if len(media) == MAX_SECTIONS:
                raise BadOffer(f"The SDP has more than {MAX_SECTIONS} media sections.")
            current = _Block(line[2:])
            media.append(current)
        elif line[0] == "a":
            name, _, value = line[2:].partition(":")
            current.attributes.append((name, value.strip()))
    return session, media


def _section(block: _Block) -> Section:
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
    if kind == "audio" and protocol in ("UDP/TLS/RTP/SAVPF", "UDP/TLS/RTP/SAVP", "RTP/SAVPF"):
        payload_type = _opus_payload_type(block, formats)
        if payload_type < 0:
            return section
        directions = [name for name, _ in block.attributes if name in _DIRECTIONS]
        direction = directions[0] if directions else "sendrecv"
        return Section(
            kind=kind,
            protocol=protocol,
            formats=formats,
            mid=mid,
            sends=direction in ("sendrecv", "sendonly"),
            receives=direction in ("sendrecv", "recvonly"),
            opus_payload_type=payload_type,
        )
    is_data = (
        kind == "application"
        and protocol in ("UDP/DTLS/SCTP", "TCP/DTLS/SCTP")
        and formats == "webrtc-datachannel"
    )
    return Section(kind=kind, protocol=protocol, formats=formats, mid=mid, is_data=is_data)


def _opus_payload_type(block: _Block, formats: str) -> int:
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


def _choose_sections(sections: list[Section]) -> list[Section]:
    """Keep one section to receive in, one to send in (the same if it can) and one data channel."""
    incoming = next((i for i, section in enumerate(sections) if section.sends), None)
    if incoming is None:
        raise BadOffer(
            "The offer has no audio section that sends Opus. Add a microphone or tab track to it."
        )
    outgoing: int | None = incoming
    if not sections[incoming].receives:
        outgoing = next((i for i, section in enumerate(sections) if section.receives), None)
    data = next((i for i, section in enumerate(sections) if section.is_data), None)
    return [
        Section(
            kind=section.kind,
            protocol=section.protocol,
            formats=section.formats,
            mid=section.mid,
            sends=i == incoming,
            receives=i == outgoing,
            opus_payload_type=section.opus_payload_type,
            is_data=i == data,
        )
        for i, section in enumerate(sections)
    ]


def _check_bundle(session: _Block, accepted: list[Section]) -> None:
    if len(accepted) < 2:
        return
    mids = [section.mid for section in accepted]
    groups = [group.split() for group in session.all("group")]
    bundled = [set(group[1:]) for group in groups if group and group[0] == "BUNDLE"]
    if "" in mids or len(set(mids)) < len(mids) or not any(set(mids) <= group for group in bundled):
        raise BadOffer("Audio and data channel must share one transport (a=group:BUNDLE).")


def _credential(scopes: list[_Block], name: str, pattern: re.Pattern[str]) -> str:
    value = next((found for scope in scopes if (found := scope.first(name)) is not None), "")
    if pattern.fullmatch(value) is None:
        raise BadOffer(f"The SDP's a={name} is missing or malformed.")
    return value


def _fingerprints(*scopes: _Block) -> tuple[tuple[str, str], ...]:
    for scope in scopes:
        found = []
        for value in scope.all("fingerprint"):
            algorithm, _, digest = value.partition(" ")
            size = _DIGEST_BYTES.get(algorithm.lower())
            if size is None:
                continue
            if re.fullmatch(rf"[0-9A-Fa-f]{{2}}(:[0-9A-Fa-f]{{2}}){{{size - 1}}}", digest) is None:
                raise BadOffer("The SDP's a=fingerprint is malformed.")
            found.append((algorithm.lower(), digest))
        if found:
            return tuple(found[:4])
    raise BadOffer("The SDP has no a=fingerprint with SHA-256 or better.")


def _setup(*scopes: _Block) -> str:
    value = next((found for scope in scopes if (found := scope.first("setup")) is not None), "")
    if value not in ("actpass", "active", "passive"):
        raise BadOffer("The SDP's a=setup must be actpass, active or passive.")
    return value


def _candidates(scopes: list[_Block]) -> tuple[RemoteCandidate, ...]:
    lines = [value for scope in scopes for value in scope.all("candidate")]
    if len(lines) > MAX_CANDIDATE_LINES:
        raise BadOffer(f"The SDP has more than {MAX_CANDIDATE_LINES} ICE candidates.")
    usable = {(c.address, c.port): c for line in lines if (c := _candidate(line)) is not None}
    best = sorted(usable.values(), key=lambda candidate: -candidate.priority)
    return tuple(best[:MAX_CANDIDATES])


def _candidate(line: str) -> RemoteCandidate | None:
    """A usable candidate; None for TCP, names (``.local`` too) and what makes no sense.

    Names are not looked up: a peer behind mDNS reaches us with its first check, which makes its
    address known (a peer-reflexive candidate) without a query that may take a second to fail.
    """
    match = _CANDIDATE.match(line)
    if match is None:
        return None
    foundation, priority, name, port_text, kind = match.groups()
    port = int(port_text)
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        return None
    usable = port <= 65535 and (port >= 1024 or port in _LOW_PORTS)
    scoped = isinstance(address, ipaddress.IPv6Address) and address.scope_id is not None
    if not usable or scoped:
        return None
    return RemoteCandidate(
        foundation, min(int(priority), (1 << 32) - 1), str(address), port, kind.lower()
    )


def _ssrcs(block: _Block) -> tuple[int, ...]:
    numbers = (value.partition(" ")[0] for value in block.all("ssrc"))
    found = {int(n): None for n in numbers if re.fullmatch(r"\d{1,10}", n) and int(n) < 1 << 32}
    return tuple(found)[:4]


def _number(block: _Block | None, name: str, default: int, high: int) -> int:
    text = block.first(name) if block is not None else None
    if text is None:
        return default
    if re.fullmatch(r"\d{1,15}", text) is None or int(text) > high:
        raise BadOffer(f"The SDP's a={name} is malformed.")
    return int(text)
