"""OpenSSL's errors end a DTLS connection, and nothing else."""

import asyncio
from typing import Any, cast

import pytest
from aiortc import RTCCertificate, RTCIceGatherer, RTCIceTransport
from aiortc.rtcdtlstransport import State
from aiortc.rtcsctptransport import CookieAckChunk
from OpenSSL import SSL

from rtc_server.transport.channel import GuardedSctp
from rtc_server.transport.dtls import GuardedDtls


class WornOut:
    """OpenSSL's connection whose handshake was repeated as often as it may be."""

    def do_handshake(self) -> None:
        raise SSL.WantReadError

    def bio_read(self, _size: int) -> bytes:
        raise SSL.WantReadError

    def DTLSv1_get_timeout(self) -> float:  # noqa: N802 - OpenSSL's name
        return 1.0

    def DTLSv1_handle_timeout(self) -> bool:  # noqa: N802
        raise SSL.Error([("SSL routines", "", "read timeout expired")])


def dtls(connection: Any) -> GuardedDtls:
    ice = RTCIceTransport(RTCIceGatherer(iceServers=[]))
    cast(Any, ice)._recv = asyncio.Event().wait  # nothing comes
    made = GuardedDtls(ice, [RTCCertificate.generateCertificate()])
    made._ssl = connection
    return made


async def test_a_handshake_that_is_never_answered_fails() -> None:
    waiting = dtls(WornOut())
    await waiting._do_handshake()
    assert waiting.state == "failed"


async def test_data_sent_after_a_close_is_lost_without_an_error() -> None:
    over = SSL.Connection(SSL.Context(SSL.DTLS_METHOD))
    over.set_connect_state()
    over.set_shutdown(SSL.SENT_SHUTDOWN)
    connection = dtls(over)
    connection._state = State.CONNECTED  # nothing has reported it yet
    with pytest.raises(SSL.Error):
        over.send(b"x")
    with pytest.raises(ConnectionError):
        await connection._send_data(b"x")
    sctp = GuardedSctp(connection)
    sctp._remote_port = 5000
    await sctp._send_chunk(CookieAckChunk())
