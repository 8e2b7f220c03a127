"""SDP answer: the text that accepts or rejects each section of an offer (RFC 9429, 5.3). Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from rtc_server.transport.sdp import Offer
from rtc_server.transport.sdp_section import (
    DATA_CHANNEL,
    DEFAULT_SCTP_PORT,
    LEGACY_DATA_PROTOCOL,
    Section,
)

MAX_AVERAGE_BITRATE: Final = 40_000
"""Most bits per second that we ask the peer to send: transparent for mono speech with in-band
FEC."""
MAX_MESSAGE_BYTES: Final = 65_536
"""Largest data channel message that we announce. It is more than `channel.MAX_MESSAGE_BYTES`, so
that a client which sends a longer event gets an error event instead of an exception of its own."""
LEGACY_STREAMS: Final = 1024
"""SCTP streams that we announce in ``a=sctpmap``: the number that browsers announced."""

_OPUS_PARAMETERS: Final = (
    f"minptime=10;useinbandfec=1;stereo=0;sprop-stereo=0;maxaveragebitrate={MAX_AVERAGE_BITRATE}"
)


@dataclass(frozen=True, slots=True)
class LocalEnd:
    """Our side of the session description."""

    session_id: int
    """Number of the ``o=`` line."""
    ufrag: str
    """Our ICE user name fragment."""
    pwd: str
    """Our ICE password."""
    fingerprint: str
    """SHA-256 digest of our certificate."""
    setup: str
    """``active`` or ``passive``."""
    candidates: Sequence[str]
    """Values of the ``a=candidate`` lines, all of them."""
    ssrc: int
    """Synchronization source of the audio we send."""
    cname: str
    """RTCP canonical name."""
    stream_id: str
    """Media stream that the peer's ``ontrack`` reports."""
    track_id: str
    """Name of the track."""


def write_answer(offer: Offer, local: LocalEnd) -> str:
    """Return the answer to `offer`: one transport, Opus with its parameters, all candidates."""
    accepted = [section for section in offer.sections if section.accepted]
    lines = [
        "v=0",
        f"o=- {local.session_id} 1 IN IP4 127.0.0.1",
        "s=-",
        "t=0 0",
    ]
    if offer.bundle:
        lines.append("a=group:BUNDLE " + " ".join(offer.bundle))
    lines.append("a=msid-semantic: WMS *")
    for section in offer.sections:
        if not section.accepted:
            lines += _rejected(section, local)
            continue
        # All sections share the transport of the first, which lists the candidates (RFC 8843).
        candidates = local.candidates if section is accepted[0] else ()
        if section.is_data:
            lines += _data(section)
        else:
            lines += _idle(section) if section.idle else _audio(section, local)
        lines += _transport(section, local, candidates)
    return "\r\n".join(lines) + "\r\n"


def _rejected(section: Section, local: LocalEnd) -> list[str]:
    """Return a section with port 0.

    RFC 9429 requires only the ``m=`` line. But even in rejected sections Pion looks up every
    format and GStreamer a fingerprint, and both drop the whole answer where these are missing.
    """
    return [
        f"m={section.kind} 0 {section.protocol} {section.formats}",
        "c=IN IP4 0.0.0.0",
        *_no_media(section),
        *_transport(section, local, ()),
    ]


def _idle(section: Section) -> list[str]:
    """Return a section that is kept for its transport alone."""
    return [
        f"m={section.kind} 9 {section.protocol} {section.formats}",
        "c=IN IP4 0.0.0.0",
        "a=rtcp:9 IN IP4 0.0.0.0",
        *_no_media(section),
        "a=rtcp-mux",
    ]


def _no_media(section: Section) -> list[str]:
    return ["a=inactive", *(f"a=rtpmap:{rtpmap}" for rtpmap in section.rtpmaps)]


def _audio(section: Section, local: LocalEnd) -> list[str]:
    direction = {(True, True): "sendrecv", (True, False): "recvonly"}.get(
        (section.sends, section.receives), "sendonly"
    )
    payload_type = section.opus_payload_type
    lines = [
        f"m=audio 9 {section.protocol} {payload_type}",
        "c=IN IP4 0.0.0.0",
        "a=rtcp:9 IN IP4 0.0.0.0",
        f"a={direction}",
        "a=rtcp-mux",
        "a=rtcp-mux-only",
        f"a=rtpmap:{payload_type} opus/48000/2",
        f"a=fmtp:{payload_type} {_OPUS_PARAMETERS}",
        "a=ptime:20",
    ]
    if section.receives:
        lines.append(f"a=msid:{local.stream_id} {local.track_id}")
        lines.append(f"a=ssrc:{local.ssrc} cname:{local.cname}")
        lines.append(f"a=ssrc:{local.ssrc} msid:{local.stream_id} {local.track_id}")
    return lines


def _data(section: Section) -> list[str]:
    legacy = section.protocol == LEGACY_DATA_PROTOCOL
    formats = DEFAULT_SCTP_PORT if legacy else DATA_CHANNEL
    return [
        f"m=application 9 {section.protocol} {formats}",
        "c=IN IP4 0.0.0.0",
        f"a=sctpmap:{DEFAULT_SCTP_PORT} {DATA_CHANNEL} {LEGACY_STREAMS}"
        if legacy
        else f"a=sctp-port:{DEFAULT_SCTP_PORT}",
        f"a=max-message-size:{MAX_MESSAGE_BYTES}",
    ]


def _transport(section: Section, local: LocalEnd, candidates: Sequence[str]) -> list[str]:
    lines = [f"a=mid:{section.mid}"] if section.mid else []
    lines += [f"a=ice-ufrag:{local.ufrag}", f"a=ice-pwd:{local.pwd}"]
    lines += [f"a=fingerprint:sha-256 {local.fingerprint}", f"a=setup:{local.setup}"]
    if candidates:
        lines += [f"a=candidate:{candidate}" for candidate in candidates]
        lines.append("a=end-of-candidates")
    return lines
