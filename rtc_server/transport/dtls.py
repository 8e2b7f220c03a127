"""DTLS of one peer: aiortc's, whose failures end it and go no further."""

from aiortc.rtcdtlstransport import RTCDtlsTransport
from OpenSSL import SSL


class GuardedDtls(RTCDtlsTransport):
    """aiortc's DTLS, which raises nothing of OpenSSL's.

    aiortc expects `ConnectionError` of a connection that is over, and gets `SSL.Error` in places:
    when a handshake is repeated too often, and when something is sent after the peer's fatal alert
    or close. Those ended in tasks that nobody awaits, or ended the session as a fault of ours.
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
