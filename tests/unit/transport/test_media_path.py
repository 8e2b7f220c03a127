"""The shell around the media core: it frees everything, whatever fails."""

import numpy as np
import pylibsrtp
import pytest

from rtc_server.pcm import PLAYOUT_FRAME_SAMPLES, Pcm, Samples
from rtc_server.transport.media.counters import MediaCounters
from rtc_server.transport.media.opus_library import OpusError
from rtc_server.transport.media_path import MediaPath, Streams
from tests.support.packet_scripts import PAYLOAD_TYPE, encoded, rtp

KEY = bytes(range(30))
FRAME = np.zeros(PLAYOUT_FRAME_SAMPLES, np.float32)


def srtp(ssrc_type: int) -> pylibsrtp.Session:
    return pylibsrtp.Session(pylibsrtp.Policy(key=KEY, ssrc_type=ssrc_type))


class Call:
    """A media path, the peer's keys, and a socket that can break."""

    def __init__(self) -> None:
        self.peer = srtp(pylibsrtp.Policy.SSRC_ANY_OUTBOUND)
        self.sent: list[bytes] = []
        self.heard: list[Pcm] = []
        self.broken = False
        self.path = MediaPath(
            Streams(PAYLOAD_TYPE, PAYLOAD_TYPE, 7, "name"),
            srtp(pylibsrtp.Policy.SSRC_ANY_INBOUND),
            srtp(pylibsrtp.Policy.SSRC_ANY_OUTBOUND),
            counters=MediaCounters(),
            send=self._send,
            on_pcm=self.heard.append,
            next_frame=self._next_frame,
            clock=lambda: 0.0,
        )

    def receive(self, index: int) -> None:
        self.path.received(self.peer.protect(rtp(index, encoded(1.0)[index])))

    def _send(self, data: bytes) -> bool:
        if self.broken:
            raise OSError("no route")
        self.sent.append(data)
        return True

    def _next_frame(self) -> Samples:
        return FRAME


def test_closing_sends_a_bye_and_frees_the_codecs() -> None:
    call = Call()
    call.receive(0)
    call.path.tick(0, 0.0)
    assert (len(call.heard), len(call.sent)) == (1, 1)
    call.path.close()
    call.path.close()
    assert all(192 <= each[1] <= 223 for each in call.sent[1:]), "RTCP"
    assert_freed(call)


def test_a_bye_that_fails_frees_the_codecs_all_the_same() -> None:
    call = Call()
    call.receive(0)
    call.broken = True
    with pytest.raises(OSError, match="no route"):
        call.path.close()
    call.broken = False
    assert_freed(call)


def assert_freed(call: Call) -> None:
    with pytest.raises(OpusError, match="decoder is closed"):
        call.receive(1)
    with pytest.raises(OpusError, match="encoder is closed"):
        call.path.tick(1, 0.0)
