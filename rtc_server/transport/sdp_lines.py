"""Lines of SDP: blocks of attributes, and the values in them. Pure.

A malformed value raises `BadOffer` with a sentence; candidates that cannot be used are left out.
"""

import ipaddress
import itertools
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from rtc_server.errors import BadOffer, PayloadTooLarge

MAX_OFFER_BYTES: Final = 64 * 1024
MAX_SECTIONS: Final = 32
"""Media sections in one offer; a conference with a section for each camera makes a dozen."""
MAX_CANDIDATES: Final = 20
"""Remote candidates that are used, best priority first."""
MAX_CANDIDATE_LINES: Final = 100
"""UDP candidates that are read; further lines are ignored. On a machine with many bridges and VPNs,
a browser writes a line for UDP and one for TCP for each of them."""

_CREDENTIALS: Final = {
    "ice-ufrag": re.compile(r"[A-Za-z0-9+/]{4,256}"),
    "ice-pwd": re.compile(r"[A-Za-z0-9+/]{22,256}"),
}
_CANDIDATE: Final = re.compile(
    r"([A-Za-z0-9+/]{1,32}) 1 udp (\d{1,10}) (\S{1,64}) (\d{1,5}) typ (host|srflx|relay)(?: |$)",
    re.IGNORECASE,
)
_DIGEST_BYTES: Final = {"sha-256": 32, "sha-384": 48, "sha-512": 64}
_LOW_PORTS: Final = (80, 443)
"""Ports below 1024 that a candidate may have, as in libwebrtc."""


@dataclass(frozen=True, slots=True)
class RemoteCandidate:
    """One UDP address of the peer, as signalled."""

    foundation: str
    """Identifier that candidates of one origin share (RFC 8445)."""
    priority: int
    """Priority; the highest is tried first."""
    address: str
    """An IP address, never a name."""
    port: int
    """UDP port."""
    kind: str
    """``host``, ``srflx`` or ``relay``."""


class Block:
    """The attributes of the session or of one media section."""

    def __init__(self, m_line: str = "") -> None:
        self.m_line = m_line
        """Value of the ``m=`` line; empty for the session."""
        self.attributes: list[tuple[str, str]] = []
        """(name, value) of the ``a=`` lines."""

    def first(self, name: str) -> str | None:
        """Return the first value of an attribute."""
        return next((value for key, value in self.attributes if key == name), None)

    def all(self, name: str) -> list[str]:
        """Return all values of an attribute."""
        return [value for key, value in self.attributes if key == name]

    def has(self, name: str) -> bool:
        """Return whether the attribute is there."""
        return any(key == name for key, _ in self.attributes)


def read_blocks(text: str) -> tuple[Block, list[Block]]:
    """Return the session's block and one for each media section.

    Raises:
        PayloadTooLarge: it is longer than `MAX_OFFER_BYTES`.
        BadOffer: it is not SDP.
    """
    if len(text) > MAX_OFFER_BYTES or len(text.encode("utf-8", "replace")) > MAX_OFFER_BYTES:
        raise PayloadTooLarge(f"The SDP is longer than {MAX_OFFER_BYTES // 1024} kB.")
    session, media = Block(), list[Block]()
    current = session
    for raw in re.split(r"\r?\n", text):
        line = raw.rstrip(" \t")  # templates and editors may leave white space
        if not line:
            continue
        if len(line) < 2 or line[1] != "=" or not line[0].isalpha():
            raise BadOffer("This is not SDP: a line does not begin with a letter and '='.")
        if line[0] == "m":
            if len(media) == MAX_SECTIONS:
                raise BadOffer(f"The SDP has more than {MAX_SECTIONS} media sections.")
            current = Block(line[2:])
            media.append(current)
        elif line[0] == "a":
            name, _, value = line[2:].partition(":")
            current.attributes.append((name, value.strip()))
    return session, media


def first_of(scopes: Iterable[Block], name: str) -> str:
    """Return the first value of an attribute in the nearest block that has it; empty
    if none does.
    """
    return next((value for scope in scopes if (value := scope.first(name)) is not None), "")


def credential(scopes: Iterable[Block], name: str) -> str:
    """Return ``ice-ufrag`` or ``ice-pwd`` from the nearest block that has it."""
    value = first_of(scopes, name)
    if _CREDENTIALS[name].fullmatch(value) is None:
        raise BadOffer(f"The SDP's a={name} is missing or malformed.")
    return value


def fingerprints(scopes: Iterable[Block]) -> tuple[tuple[str, str], ...]:
    """Return (hash function, digest) pairs with SHA-256 or better, from the nearest
    block with any.
    """
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


def setup(scopes: Iterable[Block]) -> str:
    """Return the DTLS role that the peer offers: ``actpass``, ``active`` or ``passive``."""
    value = first_of(scopes, "setup")
    if value not in ("actpass", "active", "passive"):
        raise BadOffer("The SDP's a=setup must be actpass, active or passive.")
    return value


def candidates(scopes: Iterable[Block]) -> tuple[RemoteCandidate, ...]:
    """Return the best `MAX_CANDIDATES` usable candidates of all blocks, each address once."""
    lines = (value for scope in scopes for value in scope.all("candidate"))
    for_udp = (match for line in lines if (match := _CANDIDATE.match(line)) is not None)
    read = itertools.islice(for_udp, MAX_CANDIDATE_LINES)
    usable = {(c.address, c.port): c for match in read if (c := _candidate(match)) is not None}
    best = sorted(usable.values(), key=lambda candidate: -candidate.priority)
    return tuple(best[:MAX_CANDIDATES])


def _candidate(match: re.Match[str]) -> RemoteCandidate | None:
    """Return a usable candidate; None for a host name (such as ``.local``) or an invalid port.

    Names are not looked up: a peer behind mDNS reaches us with its first check, and that makes its
    address known (a peer-reflexive candidate), without a query that may take a second to fail.
    """
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


def number(block: Block | None, name: str, default: int, high: int) -> int:
    """Return an attribute as a whole number from 0 to `high`; `default` if the attribute, or the
    block, is missing.
    """
    text = block.first(name) if block is not None else None
    if text is None:
        return default
    if re.fullmatch(r"\d{1,15}", text) is None or int(text) > high:
        raise BadOffer(f"The SDP's a={name} is malformed.")
    return int(text)
