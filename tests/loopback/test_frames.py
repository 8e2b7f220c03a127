"""The road of audio through our own code, counted: a received packet's, and a tick's.

Each function that only passes audio on is one more to read, and costs a session twice 50 calls a
second.
"""

import sys
from types import FrameType
from typing import Self

import numpy as np
import pytest

import rtc_server
from tests.support.server import call, server
from tests.support.signals import english
from tests.support.until import until

PACKAGE = rtc_server.__path__[0]
PACKET_FRAMES = 9
"""Most frames from the socket to the endpointer's decision, both ends included."""
TICK_FRAMES = 7
"""Most frames from the timer to the playout, both ends included."""


class OurFrames:
    """The functions of ours that are under way when one of them is called."""

    def __init__(self, first: str, last: str) -> None:
        self._first, self._last = first, last
        self._stack: list[str] = []
        self.found: tuple[str, ...] = ()
        """Frames from `first` to `last`, the first time that the one called the other."""

    def __enter__(self) -> Self:
        sys.setprofile(self._note)
        return self

    def __exit__(self, *exception: object) -> None:
        sys.setprofile(None)

    def _note(self, frame: FrameType, event: str, _argument: object) -> None:
        code = frame.f_code
        if not code.co_filename.startswith(PACKAGE):
            return
        if event == "call":
            self._stack.append(code.co_qualname)
            if code.co_qualname == self._last and self._stack[0] == self._first:
                self.found = self.found or tuple(self._stack)
        elif event == "return" and self._stack:
            self._stack.pop()


@pytest.mark.parametrize(
    ("first", "last", "most"),
    [
        ("DatagramReader._read", "Endpointer.step", PACKET_FRAMES),
        ("MediaScheduler._wake", "Playout.pull", TICK_FRAMES),
    ],
    ids=["packet", "tick"],
)
async def test_audio_takes_a_short_road(first: str, last: str, most: int) -> None:
    async with (
        server() as running_server,
        call(running_server, np.tile(english("one"), 50)) as client,
    ):
        await client.event("session.created")
        with OurFrames(first, last) as frames:
            await until(lambda: bool(frames.found))
    assert len(frames.found) <= most, "\n".join(frames.found)
