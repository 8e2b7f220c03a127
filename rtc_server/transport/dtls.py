"""DTLS of one peer: aiortc's, in which OpenSSL's errors end the connection and nothing else."""

from aiortc.rtcdtlstransport import RTCDtlsTransport
from OpenSSL import SSL


class GuardedDtls(RTCDtlsTransport):
    """aiortc's DTLS, which raises `ConnectionError` where OpenSSL raises `SSL.Error`.

    aiortc expects `ConnectionError` from a connection that is over. It gets `SSL.Error` when a
    handshake is repeated too often, and when something is sent after the peer's fatal alert or
    close. That would be lost in a task that nobody awaits, or end the session as a bug of ours.
    """

    async def _recv_next(self) -> None:
        try:
            await super()._recv_next()
        except SSL.Error as error:
            raise ConnectionError("The DTLS connection failed.") from error

    async def _send_data(self, data: bytes) -> None:
        try:
            await super()._send_data(data)
        except SSL.Error as error:
            raise ConnectionError("The DTLS connection is over.") from error
