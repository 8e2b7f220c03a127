"""RTCP of one audio session (RFC 3550 section 6): our reports, and those of the peer. Pure.

It has what a speech session needs: sender and receiver reports, the canonical name, and BYE. We
ignore feedback messages, because lost audio is recovered from FEC or concealed, never sent again.
"""

import random
import struct
from dataclasses import dataclass
from typing import Final

from rtc_server.transport.media.counters import ReceptionReport

INTERVAL_TICKS: Final = 50
"""Average interval of our reports, one second: the peer soon learns of loss and switches FEC on."""

_HEADER: Final = struct.Struct("!BBH")
_SENDER: Final = struct.Struct("!IQIII")
_BLOCK: Final = struct.Struct("!IIIIII")
_SENDER_REPORT, _RECEIVER_REPORT, _DESCRIPTION, _BYE = 200, 201, 202, 203
_MIDDLE: Final = 1 << 32


@dataclass(frozen=True, slots=True)
class SenderState:
    """Statistics of our stream, for a sender report."""

    rtp_timestamp: int
    """RTP time of the present tick."""
    packets: int
    """RTP packets sent so far."""
    payload_bytes: int
    """Payload bytes of these packets."""


class Rtcp:
    """RTCP of one stream: writes our reports and reads the peer's."""

    def __init__(self, ssrc: int, cname: str) -> None:
        self._ssrc = ssrc
        self._description = _describe(ssrc, cname)
        self._due_tick: int | None = None
        self._last_report = 0
        self._last_report_s = 0.0
        self.peer_loss: float | None = None
        """Share of our packets that the peer lost lately, 0 to 1; None until it has reported."""
        self.round_trip_s: float | None = None
        """Round trip from the peer's last report; None until it is known."""

    def is_due(self, tick: int) -> bool:
        """Return whether to send a report on this tick. Intervals vary by half (RFC 3550, 6.2)."""
        if self._due_tick is None or tick >= self._due_tick:
            was_scheduled = self._due_tick is not None
            self._due_tick = tick + random.randint(INTERVAL_TICKS // 2, INTERVAL_TICKS * 3 // 2)
            return was_scheduled
        return False

    def write(
        self, now_s: float, sender: SenderState | None, reception: ReceptionReport | None
    ) -> bytes:
        """Return a compound packet. `now_s` may be any clock: only its differences are used."""
        block = self._block(now_s, reception) if reception is not None else b""
        count = 1 if block else 0
        if sender is not None and sender.packets:
            head = _SENDER.pack(
                self._ssrc,
                _ntp(now_s),
                sender.rtp_timestamp,
                sender.packets & 0xFFFFFFFF,
                sender.payload_bytes & 0xFFFFFFFF,
            )
            report = _packet(_SENDER_REPORT, count, head + block)
        else:
            report = _packet(_RECEIVER_REPORT, count, struct.pack("!I", self._ssrc) + block)
        return report + self._description

    def bye(self) -> bytes:
        """Return a compound packet with the BYE that ends our stream."""
        empty = _packet(_RECEIVER_REPORT, 0, struct.pack("!I", self._ssrc))
        return empty + _packet(_BYE, 1, struct.pack("!I", self._ssrc))

    def read(self, data: bytes, now_s: float) -> None:
        """Take in a compound packet. Never raises, whatever the bytes."""
        position = 0
        while position + 8 <= len(data):
            first, kind, words = _HEADER.unpack_from(data, position)
            end = position + 4 * (words + 1)
            if first >> 6 != 2 or end > len(data):
                return
            if kind == _SENDER_REPORT and end - position >= 28:
                ntp = struct.unpack_from("!Q", data, position + 8)[0]
                self._last_report = (ntp >> 16) & 0xFFFFFFFF
                self._last_report_s = now_s
                self._read_blocks(data[position + 28 : end], first & 0x1F, now_s)
            elif kind == _RECEIVER_REPORT:
                self._read_blocks(data[position + 8 : end], first & 0x1F, now_s)
            position = end

    def _read_blocks(self, data: bytes, count: int, now_s: float) -> None:
        for i in range(min(count, len(data) // _BLOCK.size)):
            ssrc, lost, _, _, last_report, delay = _BLOCK.unpack_from(data, i * _BLOCK.size)
            if ssrc != self._ssrc:
                continue
            self.peer_loss = (lost >> 24) / 256
            if last_report:
                now = (_ntp(now_s) >> 16) & 0xFFFFFFFF
                round_trip = (now - last_report - delay) % _MIDDLE
                if round_trip < _MIDDLE // 2:  # a negative one is the peer's rounding
                    self.round_trip_s = round_trip / 65536

    def _block(self, now_s: float, reception: ReceptionReport) -> bytes:
        lost = max(-0x800000, min(0x7FFFFF, reception.packets_lost)) & 0xFFFFFF
        delay = round((now_s - self._last_report_s) * 65536) if self._last_report else 0
        return _BLOCK.pack(
            reception.ssrc,
            reception.fraction_lost << 24 | lost,
            reception.highest_sequence,
            reception.jitter,
            self._last_report,
            min(max(delay, 0), 0xFFFFFFFF),
        )


def _ntp(now_s: float) -> int:
    return int(now_s * _MIDDLE) & 0xFFFFFFFFFFFFFFFF


def _packet(kind: int, count: int, body: bytes) -> bytes:
    return _HEADER.pack(0x80 | count, kind, len(body) // 4) + body


def _describe(ssrc: int, cname: str) -> bytes:
    name = cname.encode()
    item = struct.pack("!IBB", ssrc, 1, len(name)) + name
    return _packet(_DESCRIPTION, 1, item + bytes(4 - len(item) % 4))
