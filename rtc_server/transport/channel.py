"""Data channel for events, over aiortc's SCTP."""

import contextlib
import logging
import struct
from collections.abc import Callable
from typing import Any, Final

from aiortc import RTCDataChannel, RTCDataChannelParameters, RTCSctpTransport
from aiortc.rtcdtlstransport import RTCDtlsTransport
from aiortc.rtcsctptransport import (
    CHUNK_TYPES,
    SCTP_COMMON_HEADER_LENGTH,
    WEBRTC_DCEP,
    AbortChunk,
    BaseInitChunk,
    BaseParamsChunk,
    Chunk,
    DataChunk,
    tsn_plus_one,
)

from rtc_server.transport.event_inbox import EventInbox
from rtc_server.transport.outbox import Outbox, Stored
from rtc_server.transport.websocket.forms import EventIn, RefusedMessage

logger = logging.getLogger(__name__)

LABEL: Final = "oai-events"
"""Label that OpenAI's clients use. If a peer opens several channels, this one is used."""
MAX_MESSAGE_BYTES: Final = 16 * 1024
"""Largest client event."""
SEND_AHEAD_BYTES: Final = 64 * 1024
"""Bytes that SCTP may hold unsent; the rest waits in the outbox, where it can still be dropped."""
RECEIVE_WINDOW_BYTES: Final = 256 * 1024
"""Receive window that we announce. Data beyond twice as much is dropped until some was handled."""

MAX_STREAMS: Final = 64
"""SCTP streams that a peer may use; a data channel takes one."""
MAX_FRAGMENTS: Final = 512
"""Pieces of unfinished messages that are kept on one stream."""
MAX_MISORDERED: Final = 256
"""Pieces that are kept while an earlier one is missing. Fewer than `MAX_FRAGMENTS`, or they could
fill a stream so that the missing piece finds no room."""

_PEER_ERRORS: Final = (
    AssertionError,
    AttributeError,
    IndexError,
    KeyError,
    TypeError,
    ValueError,
    struct.error,
)
"""Exceptions that aiortc's SCTP raises on malformed input. Uncaught, they would end the task that
reads DTLS, and with it the call."""


_PARAMETERS_AT: Final = {
    number: 16 if issubclass(kind, BaseInitChunk) else 0
    for number, kind in CHUNK_TYPES.items()
    if issubclass(kind, BaseInitChunk | BaseParamsChunk)
}
"""Offset of the parameters in the body of a chunk, by its type."""
_HEADER: Final = struct.Struct("!BBH")
"""Header of a chunk: type, flags, length. A parameter has a type of two bytes, then its length."""


def has_endless_parameters(packet: bytes) -> bool:
    """Return whether an SCTP packet holds a parameter shorter than its own header (RFC 9260,
    3.2.1).

    aiortc steps from one parameter to the next by their lengths. At a length of 0 it would loop for
    ever and collect the same parameter until the machine has no memory left.
    """
    position = SCTP_COMMON_HEADER_LENGTH
    while position + _HEADER.size <= len(packet):
        kind, _, length = _HEADER.unpack_from(packet, position)
        if length < _HEADER.size:
            return False  # aiortc refuses such a packet itself
        end = min(position + length, len(packet))
        if kind in _PARAMETERS_AT:
            inner = position + _HEADER.size + _PARAMETERS_AT[kind]
            while inner + _HEADER.size <= end:
                step = int.from_bytes(packet[inner + 2 : inner + 4], "big")
                if step < _HEADER.size:
                    return True
                inner += _padded(step)
        position += _padded(length)
    return False


def _padded(length: int) -> int:
    return length + -length % 4


class GuardedSctp(RTCSctpTransport):
    """aiortc's SCTP with bounds, in which malformed packets are ignored and do not end the call."""

    def __init__(self, transport: RTCDtlsTransport) -> None:
        super().__init__(transport)
        self._advertised_rwnd = RECEIVE_WINDOW_BYTES
        self._known_streams: set[int] = set()
        """Numbers (16 bits) of the streams on which a message came since their last reset."""
        self.on_unreadable: Callable[[str], None] = lambda reason: None
        """Callback with the reason, for a message that is not text."""
        self.may_receive: Callable[[], bool] = lambda: True
        """Callback that returns whether there is room for more of what the peer sends."""
        self.on_aborted: Callable[[], None] = lambda: None
        """Callback after the peer ended the association, as browsers do on ``close()``."""

    async def _handle_data(self, data: bytes) -> None:
        try:
            if has_endless_parameters(data):
                raise ValueError("a parameter without a length")
            await super()._handle_data(data)
        except _PEER_ERRORS as error:
            logger.warning("SCTP packet ignored: %s", type(error).__name__)

    async def _receive_chunk(self, chunk: Chunk) -> None:
        await super()._receive_chunk(chunk)
        if isinstance(chunk, AbortChunk):
            self.on_aborted()

    async def _receive_data_chunk(self, chunk: DataChunk) -> None:
        if self.may_receive() and self._has_room(chunk):
            await super()._receive_data_chunk(chunk)

    def _has_room(self, chunk: DataChunk) -> bool:
        """Return whether to keep a piece of a message. One that is dropped is not acknowledged, so
        the peer sends it again.
        """
        last = self._last_received_tsn
        if last is None or self._advertised_rwnd <= -RECEIVE_WINDOW_BYTES:
            return False
        is_next = chunk.tsn == tsn_plus_one(last)
        if not is_next and len(self._sack_misordered) >= MAX_MISORDERED:
            return False
        stream = self._inbound_streams.get(chunk.stream_id)
        if stream is None:
            return len(self._inbound_streams) < MAX_STREAMS
        return len(stream.reassembly) < MAX_FRAGMENTS

    async def _data_channel_receive(self, stream_id: int, pp_id: int, data: bytes) -> None:
        if stream_id not in self._known_streams:
            self._known_streams.add(stream_id)
            if pp_id != WEBRTC_DCEP:
                self._adopt(stream_id)
        try:
            await super()._data_channel_receive(stream_id, pp_id, data)
        except UnicodeDecodeError:
            self.on_unreadable("The message is not UTF-8 text.")

    def _adopt(self, stream_id: int) -> None:
        """Take a channel that was not announced (``negotiated: true``) at its first message.

        SDP does not contain its number, so it cannot be known earlier. A message on a known stream
        opens no channel: it may still belong to a channel that was refused.
        """
        parameters = RTCDataChannelParameters(negotiated=True, id=stream_id)
        self.emit("datachannel", RTCDataChannel(self, parameters))

    def _data_channel_closed(self, stream_id: int) -> None:
        # Both directions are reset: messages with this number now belong to another channel.
        super()._data_channel_closed(stream_id)
        self._known_streams.discard(stream_id)

    async def _send_chunk(self, chunk: Chunk) -> None:
        # A timer may fire after the transport has closed; then there is nothing left to send to.
        with contextlib.suppress(ConnectionError):
            await super()._send_chunk(chunk)


class EventChannel:
    """Events of one peer both ways: sends in order, as fast as the peer takes them; checks and
    paces what it receives.
    """

    def __init__(
        self,
        *,
        on_open: Callable[[], None],
        on_message: Callable[[str], None],
        on_bad_message: Callable[[str], None],
    ) -> None:
        self._on_open = on_open
        self._on_message = on_message
        self._on_bad_message = on_bad_message
        self._outbox = Outbox[str]()
        self._channel: RTCDataChannel | None = None
        self._was_open = False
        self._inbox: EventInbox | None = None

    @property
    def dropped(self) -> int:
        """Messages dropped because the peer was too slow."""
        return self._outbox.dropped

    def listen(self, sctp: GuardedSctp) -> None:
        """Take the channel that the peer opens on `sctp`."""
        inbox = self._inbox = EventInbox(self._handle)
        sctp.on_unreadable = self._refuse
        sctp.may_receive = lambda: not inbox.is_full
        sctp.on("datachannel", self._announced)

    def send(self, text: str, *, droppable: bool) -> Stored:
        """Send an event, or keep it until the peer can take it. Before the peer has opened its
        channel, the oldest events are dropped when there is no more room.
        """
        unread = self._channel is None
        stored = self._outbox.put(text, droppable=droppable, unread=unread)
        self._pump()
        return stored

    def _announced(self, channel: RTCDataChannel) -> None:
        # An announced channel is already open: no "open" event will follow.
        old = self._channel
        if old is not None and not (channel.label == LABEL and old.label != LABEL):
            channel.close()
            return
        if old is not None:
            old.remove_all_listeners()
            old.close()
        self._channel = channel
        channel.bufferedAmountLowThreshold = SEND_AHEAD_BYTES // 4
        channel.on("bufferedamountlow", self._pump)
        channel.on("message", self._received)
        channel.on("close", lambda: self._closed(channel))
        if not self._was_open:
            self._was_open = True
            self._on_open()
        self._pump()

    def _closed(self, channel: RTCDataChannel) -> None:
        if self._channel is channel:
            self._channel = None

    def close(self) -> None:
        """Stop handling events, including those that wait."""
        if self._inbox is not None:
            self._inbox.close()

    def _received(self, message: Any) -> None:
        if not isinstance(message, str):
            self._refuse("The message is binary; events are JSON text.")
        elif len(message) > MAX_MESSAGE_BYTES or len(message.encode()) > MAX_MESSAGE_BYTES:
            self._refuse(f"The message is longer than {MAX_MESSAGE_BYTES // 1024} kB.")
        elif self._inbox is not None:
            self._inbox.put(EventIn(message))

    def _refuse(self, reason: str) -> None:
        if self._inbox is not None:
            self._inbox.put(RefusedMessage(reason))

    def _handle(self, event: EventIn | RefusedMessage) -> None:
        match event:
            case EventIn(text):
                self._on_message(text)
            case RefusedMessage(reason):
                self._on_bad_message(reason)

    def _pump(self) -> None:
        channel = self._channel
        while (
            channel is not None
            and channel.readyState == "open"
            and channel.bufferedAmount < SEND_AHEAD_BYTES
            and len(self._outbox)
        ):
            text = self._outbox.take()
            try:
                channel.send(text)
            except ValueError:
                self._outbox.dropped += 1  # larger than the peer's own limit
