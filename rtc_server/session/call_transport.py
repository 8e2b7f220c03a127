"""Transports that were negotiated by an offer and an answer."""

from collections.abc import Awaitable, Callable
from typing import Protocol, TypeVar

from rtc_server.transport.transport_api import Transport, TransportObserver


class CallTransport(Transport, Protocol):
    """A transport that was negotiated by an offer and an answer."""

    @property
    def answer_sdp(self) -> str:
        """SDP answer with all candidates."""

    async def add_ice_fragment(self, fragment: str) -> None:
        """Add candidates that came later (RFC 8840)."""


AnyTransport = TypeVar("AnyTransport", bound=Transport)

ConnectCall = Callable[[TransportObserver], Awaitable[CallTransport]]
"""Function that makes the transport of an offer; if it raises, everything was freed."""
Negotiate = Callable[[str], ConnectCall]
"""Function that parses an offer; raises `BadOffer`, `TooManyTracks` or `PayloadTooLarge`."""
