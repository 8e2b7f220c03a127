"""One session's audio between SRTP datagrams and PCM.

The shell around the pure `media` package: it encrypts and decrypts, reads the clock, and moves
packets. All of it runs on the event loop, because a frame costs less than handing it to a thread.
"""

from collections.abc import Callable
from dataclasses import dataclass

import pylibsrtp

from rtc_server.clock import Clock
from rtc_server.pcm import Pcm, Samples
from rtc_server.transport.media.counters import MediaCounters
from rtc_server.transport.media.receiver import Receiver
from rtc_server.transport.media.rtp import is_rtcp
from rtc_server.transport.media.sender import Sender
from rtc_server.transport.rtcp import Rtcp, SenderState
from rtc_server.transport.transport_api import NextPacket


@dataclass(frozen=True, slots=True)
class Streams:
    """Media streams agreed on by SDP."""

    payload_type_in: int | None
    """RTP payload type of the Opus that we receive; None if the peer sends no audio."""
    payload_type_out: int | None
    """RTP payload type of the Opus that we send; None if the peer receives no audio."""
    ssrc: int
    """Our synchronization source."""
    cname: str
    """Our RTCP canonical name."""


class MediaPath:
    """Audio of one peer, both ways, from the moment the SRTP keys are known."""

    def __init__(
        self,
        streams: Streams,
        srtp_in: pylibsrtp.Session,
        srtp_out: pylibsrtp.Session,
        *,
        counters: MediaCounters,
        send: Callable[[bytes], bool],
        on_pcm: Callable[[Pcm], None],
        next_frame: Callable[[], Samples | None],
        next_packet: NextPacket | None = None,
        clock: Clock,
    ) -> None:
        self._srtp_in, self._srtp_out = srtp_in, srtp_out
        self._send_datagram = send
        self._on_pcm, self._next_frame, self._next_packet = on_pcm, next_frame, next_packet
        self._clock = clock
        self._counters = counters
        payload_type_in, payload_type_out = streams.payload_type_in, streams.payload_type_out
        self._receiver = (
            None if payload_type_in is None else Receiver(payload_type_in, self._counters)
        )
        self._sender = (
            None
            if payload_type_out is None
            else Sender(
                payload_type_out,
                streams.ssrc,
                self._counters,
                forwards=next_packet is not None,
            )
        )
        self._rtcp = Rtcp(streams.ssrc, streams.cname)
        self.last_seen_s = clock()
        """Time of the last packet with the peer's authentication tag."""

    def update_counters(self) -> None:
        """Compute those counters that are not kept up to date with each packet."""
        if self._receiver is not None:
            self._receiver.counters(self._clock())

    @property
    def round_trip_s(self) -> float | None:
        """Round trip measured by RTCP; None until it is known."""
        return self._rtcp.round_trip_s

    def received(self, data: bytes) -> None:
        """Take one SRTP or SRTCP datagram from a validated address."""
        now_s = self._clock()
        if is_rtcp(data):
            reports = self._unprotected(self._srtp_in.unprotect_rtcp, data)
            if reports is not None:
                self.last_seen_s = now_s
                self._read_reports(reports, now_s)
            return
        packet = self._unprotected(self._srtp_in.unprotect, data)
        if packet is not None and self._receiver is not None:
            self.last_seen_s = now_s
            for pcm in self._receiver.push(packet, now_s):
                self._on_pcm(pcm)

    def authenticates(self, data: bytes) -> bool:
        """Return whether a datagram has the peer's tag and is no replay. Afterwards it is one."""
        unprotect = self._srtp_in.unprotect_rtcp if is_rtcp(data) else self._srtp_in.unprotect
        return self._unprotected(unprotect, data) is not None

    def tick(self, number: int, now_s: float) -> None:
        """Do the work of a 20 ms tick: fill what did not come, send the next frame, send RTCP."""
        if self._receiver is not None:
            for pcm in self._receiver.pull(now_s):
                self._on_pcm(pcm)
        if self._next_packet is not None:
            encoded = self._next_packet(number)
            packet = self._sender.forward(encoded, number) if self._sender else None
        else:
            frame = self._next_frame()  # even if the peer receives no audio: playout time goes on
            packet = self._sender.send(frame, number) if self._sender else None
        if packet is not None:
            self._send_datagram(self._srtp_out.protect(packet))
        if self._rtcp.is_due(number):
            reception = self._receiver.report() if self._receiver else None
            reports = self._rtcp.write(now_s, self._state(number), reception)
            self._send_datagram(self._srtp_out.protect_rtcp(reports))

    def close(self) -> None:
        """Send RTCP BYE and free the codecs. Idempotent."""
        try:
            self._send_datagram(self._srtp_out.protect_rtcp(self._rtcp.bye()))
        finally:
            if self._receiver is not None:
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
            self._counters.packets_invalid += 1
            return None
