"""WebSocket transport in virtual time, with its client in the test's hands."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from rtc_server.pcm import Samples, to_int16
from rtc_server.transport.media_scheduler import MediaScheduler
from rtc_server.transport.websocket.forms import Form
from rtc_server.transport.websocket.plain import PlainForm
from rtc_server.transport.websocket.socket_port import Control
from rtc_server.transport.websocket.translations import APPEND
from rtc_server.transport.websocket.transport import WebSocketTransport
from tests.support.fake_socket import FakeSocket
from tests.support.peers import Recorder

TIMEOUT_S = 8.0


@dataclass
class WebSocketPeer:
    """Transport, its client's socket and its session."""

    wire: WebSocketTransport
    socket: FakeSocket
    session: Recorder

    def send(self, message: str | bytes | Control) -> None:
        self.socket.incoming.put_nowait(message)

    @property
    def heard(self) -> Samples:
        return np.concatenate([np.zeros(0, np.float32), *(p.samples for p in self.session.pcm)])

    @property
    def binary(self) -> list[bytes]:
        return [m for m in self.socket.sent if isinstance(m, bytes)]

    @property
    def events(self) -> list[dict[str, Any]]:
        return [json.loads(m) for m in self.socket.sent if isinstance(m, str)]


def transport(
    socket: FakeSocket, session: Recorder, form: Form | None = None
) -> WebSocketTransport:
    """Return a transport that runs on the loop's clock."""
    return WebSocketTransport(
        socket,
        form or PlainForm(),
        session,
        dead_peer_timeout_s=TIMEOUT_S,
        clock=asyncio.get_running_loop().time,
        scheduler=MediaScheduler(),
    )


@asynccontextmanager
async def peer(
    form: Form | None = None, playout: Samples | None = None
) -> AsyncIterator[WebSocketPeer]:
    socket, session = FakeSocket(), Recorder(playout)
    wire = transport(socket, session, form)
    try:
        yield WebSocketPeer(wire, socket, session)
    finally:
        await wire.close()
        assert len(session.reasons) == 1


def appended(samples: Samples) -> str:
    pcm = to_int16(samples).astype("<i2").tobytes()
    return json.dumps({"type": APPEND, "audio": base64.b64encode(pcm).decode()})
