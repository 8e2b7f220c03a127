"""SDP offers and trickle ICE fragments, parsed and checked (RFC 8866, RFC 9429). Pure.

An offer is text from a stranger. Everything in it is checked here, so that no other module gets a
malformed value; `BadOffer` says in a sentence what is wrong.
"""

from dataclasses import dataclass, replace
from enum import Enum
from typing import Final

from rtc_server.errors import BadOffer, TooManyTracks
from rtc_server.transport import sdp_lines
from rtc_server.transport.sdp_lines import RemoteCandidate
from rtc_server.transport.sdp_section import DEFAULT_SCTP_PORT, Section, read_section

DEFAULT_MAX_MESSAGE_BYTES: Final = 65536
"""Limit that RFC 8841 assumes when the offer does not say."""


class Role(Enum):
    """Role of a peer, and so the direction of its audio."""

    CALLER = "speaks and listens"
    SPEAKER = "speaks only: the answer is recvonly (RFC 9725)"
    LISTENER = "listens only: the answer is sendonly (WHEP)"


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
    """True if the peer is an ICE-lite agent, so that we have the controlling role."""
    fingerprints: tuple[tuple[str, str], ...]
    """(hash function, digest) of the peer's DTLS certificate."""
    setup: str
    """DTLS role that the peer offers: ``actpass``, ``active`` or ``passive``."""
    candidates: tuple[RemoteCandidate, ...]
    """Usable remote candidates, at most `MAX_CANDIDATES`."""
    sctp_port: int = DEFAULT_SCTP_PORT
    """The peer's SCTP port."""
    max_message_bytes: int = DEFAULT_MAX_MESSAGE_BYTES
    """Largest data channel message that the peer accepts; 0 for any size."""
    bundle: tuple[str, ...] = ()
    """Identification tags (mid) of the accepted sections, if the offer groups them (RFC 9143)."""

    @property
    def incoming(self) -> Section | None:
        """Section in which the peer sends audio; None from a listener."""
        return next((section for section in self.sections if section.sends), None)

    @property
    def outgoing(self) -> Section | None:
        """Section in which we send audio; None if the peer receives none."""
        return next((section for section in self.sections if section.receives), None)

    @property
    def has_data(self) -> bool:
        """True if a data channel was offered."""
        return any(section.is_data for section in self.sections)


@dataclass(frozen=True, slots=True)
class Fragment:
    """A trickle ICE fragment (RFC 8840)."""

    ufrag: str
    """ICE user name fragment that the candidates belong to; empty if not given."""
    pwd: str
    """ICE password for that fragment; empty if not given."""
    candidates: tuple[RemoteCandidate, ...]
    """Usable candidates."""


def parse_offer(text: str, role: Role = Role.CALLER) -> Offer:
    """Parse an offer and check it.

    Raises:
        PayloadTooLarge: it is longer than `sdp_lines.MAX_OFFER_BYTES`.
        BadOffer: it is not SDP, or lacks what a peer of that role needs.
        TooManyTracks: a speaker or a listener offers more than one audio section.
    """
    session, media = sdp_lines.read_blocks(text)
    groups = [group.split()[1:] for group in session.all("group") if group.startswith("BUNDLE ")]
    sections = _choose_sections([read_section(block, session) for block in media], role)
    sections = _keep_bundle_transport(sections, groups)
    if any(section.carries_media and not section.multiplexed for section in sections):
        raise BadOffer("An audio section lacks a=rtcp-mux, which this server needs.")
    accepted = [
        (block, section) for block, section in zip(media, sections, strict=True) if section.accepted
    ]
    bundle = _bundle([section for _, section in accepted], groups)
    blocks = [block for block, _ in accepted]
    scopes = [*blocks, session]
    ufrag = sdp_lines.credential(scopes, "ice-ufrag")
    # The transport is that of the first accepted section. The other sections of its bundle list the
    # same addresses, with ports that the peer closes when it reads the answer. But a bundle that
    # begins with a rejected section may have all its candidates there.
    others = [block for block in media if block not in blocks and block.first("ice-ufrag") == ufrag]
    found = (sdp_lines.candidates([session, block]) for block in [*blocks, *others])
    data, channel = next(
        ((block, section) for block, section in accepted if section.is_data), (None, None)
    )
    return Offer(
        sections=tuple(sections),
        ufrag=ufrag,
        pwd=sdp_lines.credential(scopes, "ice-pwd"),
        ice_lite=session.has("ice-lite"),
        fingerprints=sdp_lines.fingerprints(scopes),
        setup=sdp_lines.setup(scopes),
        candidates=next((each for each in found if each), ()),
        sctp_port=channel.sctp_port if channel else DEFAULT_SCTP_PORT,
        max_message_bytes=sdp_lines.number(
            data, "max-message-size", DEFAULT_MAX_MESSAGE_BYTES, 1 << 40
        ),
        bundle=bundle,
    )


def parse_fragment(text: str) -> Fragment:
    """Parse an ``application/trickle-ice-sdpfrag`` body.

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


def _choose_sections(sections: list[Section], role: Role) -> list[Section]:
    """Keep what the role needs: a section to receive in, one to send in, one data channel."""
    if not any(section.kind == "audio" for section in sections):
        raise BadOffer("The offer has no audio section. Add a microphone or tab track to it.")
    sending = [i for i, section in enumerate(sections) if section.sends]
    receiving = [i for i, section in enumerate(sections) if section.receives]
    channels = [i for i, section in enumerate(sections) if section.is_data]
    incoming = outgoing = data = None
    match role:
        case Role.CALLER:
            if not sending:
                raise BadOffer(
                    "The offer has no audio section that sends Opus. Add a microphone or tab "
                    "track to it."
                )
            incoming, data = sending[0], next(iter(channels), None)
            outgoing = incoming if incoming in receiving else next(iter(receiving), None)
        case Role.SPEAKER:
            incoming = _only(sending, "sends")
        case Role.LISTENER:
            outgoing, data = _only(receiving, "receives"), next(iter(channels), None)
    return [
        replace(section, sends=i == incoming, receives=i == outgoing, is_data=i == data)
        for i, section in enumerate(sections)
    ]


def _only(indices: list[int], verb: str) -> int:
    if not indices:
        raise BadOffer(f"The offer has no audio section that {verb} Opus.")
    if len(indices) > 1:
        raise TooManyTracks(f"The offer has several audio sections that {verb}; one is allowed.")
    return indices[0]


def _keep_bundle_transport(sections: list[Section], groups: list[list[str]]) -> list[Section]:
    """Keep the section whose transport a bundle of accepted sections uses (RFC 9143, 7.2).

    The RFC allows us to reject it. But webrtcbin (GStreamer 1.22) then waits for a transport that
    the answer does not describe, and its pipelines often begin with a video section.
    """
    accepted = {section.mid for section in sections if section.accepted}
    tagged = {group[0] for group in groups if accepted.intersection(group)}
    return [
        replace(section, idle=not section.accepted)
        if section.mid in tagged and section.multiplexed
        else section
        for section in sections
    ]


def _bundle(accepted: list[Section], groups: list[list[str]]) -> tuple[str, ...]:
    """Return the tags of the accepted sections, if one group of the offer contains them all."""
    mids = [section.mid for section in accepted]
    if len(set(mids)) == len(mids) and any(set(mids) <= set(group) for group in groups):
        return tuple(mids)
    if len(mids) < 2:
        return ()
    raise BadOffer(
        "Audio and data channel must share one transport (a=group:BUNDLE). Set the client's "
        "bundle policy to max-bundle."
    )
