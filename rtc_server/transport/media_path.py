"""One session's audio between SRTP datagrams and its listener.

The shell around the pure media core: decrypts and encrypts, asks the clock, moves packets. All of
it inline on the event loop, where one frame costs less than handing it to a thread.
"""

from collections.abc import Callable
from dataclasses import dataclass

import pylibsrtp

from rtc_server.clock import Clock
from rtc_server.pcm import Pcm, Samples
from rtc_server.transport.media.quality import Quality
from rtc_server.transport.media.receiver import Receiver
from rtc_server.transport.media.sender import Sender
from rtc_server.transport.rtcp import Rtcp, SenderState


@dataclass(frozen=True, slots=True)
class Streams:
    """What SDP agreed on."""

    payload_type_in: int
    """RTP payload type of the Opus we receive."""
    payload_type_out: int | None
    """That of the Opus we send; None when the peer takes none."""
    ssrc: int
    """Our synchronization source."""
    cname: str
    """Our RTCP canonical name."""


class MediaPath:
    """Audio both ways, from the moment the SRTP keys are known."""

    def __init__(
        self,
        streams: Streams,
        srtp_in: pylibsrtp.Session,
        srtp_out: pylibsrtp.Session,
        *,
        send: Callable[[bytes], bool],
        on_pcm: Callable[[Pcm], None],
        next_frame: Callable[[], Samples | None],
        clock: Clock,
    ) -> None:
        self._srtp_in, self._srtp_out = srtp_in, srtp_out
        self._send_datagram = send
        self._on_pcm, self._next_frame = on_pcm, next_frame
        self._clock = clock
        self._quality = Quality()
        self._receiver = Receiver(streams.payload_type_in, self._quality)
        self._sender = (
            None
            if streams.payload_type_out is None
            else Sender(streams.payload_type_out, streams.ssrc, self._quality)
        )
        self._rtcp = Rtcp(streams.ssrc, streams.cname)
        self.last_heard_s = clock()
        """When a packet with the peer's authentication tag last came."""

    @property
    def quality(self) -> Quality:
        """Counters since the start."""
        return self._receiver.quality(self._clock())

    @property
    def round_trip_s(self) -> float | None:
        """From RTCP; None until it is known."""
        return self._rtcp.round_trip_s

    def received(self, data: bytes) -> None:
        """Take one SRTP or SRTCP datagram from a validated address."""
        now_s = self._clock()
        if 192 <= data[1] <= 223:  # RFC 5761
            reports = self._unprotected(self._srtp_in.unprotect_rtcp, data)
            if reports is not None:
                self.last_heard_s = now_s
                self._read_reports(reports, now_s)
            return
        packet = self._unprotected(self._srtp_in.unprotect, data)
        if packet is not None:
            self.last_heard_s = now_s
            for pcm in self._receiver.push(packet, now_s):
                self._on_pcm(pcm)

    def authenticates(self, data: bytes) -> bool:
        """Whether a datagram carries the peer's tag and is no replay. It is used up by this."""
        is_rtcp = 192 <= data[1] <= 223
        unprotect = self._srtp_in.unprotect_rtcp if is_rtcp else self._srtp_in.unprotect
        return self._unprotected(unprotect, data) is not None

    def tick(self, number: int, now_s: float) -> None:
        """Every 20 ms: fill what did not come, send the next frame, report."""
        for pcm in self._receiver.pull(now_s):
            self._on_pcm(pcm)
        frame = self._next_frame()  # taken even when nobody hears it: playout time goes on
        if self._sender is not None:
            packet = self._sender.send(frame, number)
            if packet is not None:
                self._send_datagram(self._srtp_out.protect(packet))
        if self._rtcp.is_due(number):
            reports = self._rtcp.write(now_s, self._state(number), self._receiver.report())
            self._send_datagram(self._srtp_out.protect_rtcp(reports))

    def close(self) -> None:
        """Say goodbye to the peer's receiver and free the codecs. Idempotent."""
        try:
            self._send_datagram(self._srtp_out.protect_rtcp(self._rtcp.goodbye()))
        finally:
            self._receiver.close()
            if self._sender is not None:
                self._sender.close()

    def _state(self, tick: int) -> SenderState | None:
        sender = self._sender
        if sender is None:
            return None
        return SenderState(sender.timestamp(tick), sender.packets_sent, sender.payload_bytes_sent)

    def _read_reports(self, data: bytes, now_s: float) -> None:
        self._rtcp.read(data, now_s)
        if self._sender is not None and self._rtcp.peer_loss is not None:
            self._sender.report_loss(self._rtcp.peer_loss)

    def _unprotected(self, unprotect: Callable[[bytes], bytes], data: bytes) -> bytes | None:
        try:
            return unprotect(data)
        except pylibsrtp.Error:
            self._quality.packets_invalid += 1
            return None
