"""Waits of the server's own event loop: exact, and ended early by ready sockets."""

import asyncio
import select
import selectors
import socket
import sys
from typing import Any

import pytest

from rtc_server.cli.exact_timers import ExactSelector, new_loop


def test_it_waits_to_the_microsecond(monkeypatch: pytest.MonkeyPatch) -> None:
    waits = list[float]()

    def note(*asked: Any) -> tuple[list[int], list[int], list[int]]:
        waits.append(asked[-1])
        return [], [], []

    monkeypatch.setattr(select, "select", note)
    with ExactSelector() as selector:
        for timeout in (0.0123, 0, -1):
            assert selector.select(timeout) == []
    assert waits == [0.0123]


@pytest.mark.real_time
def test_it_wakes_for_what_is_ready_and_waits_for_ever_when_asked_to() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs, ExactSelector() as selector:
        selector.register(ours, selectors.EVENT_READ)
        theirs.send(b"x")
        for timeout in (None, 60):
            assert [key.fileobj for key, _ in selector.select(timeout)] == [ours]


@pytest.mark.parametrize("platform", ["darwin", "freebsd14"])
def test_elsewhere_the_loop_is_the_systems_own(
    monkeypatch: pytest.MonkeyPatch, platform: str
) -> None:
    made = list[selectors.BaseSelector]()
    own = asyncio.SelectorEventLoop

    def make(selector: selectors.BaseSelector | None = None) -> asyncio.AbstractEventLoop:
        made.extend([selector] if selector is not None else [])
        return own(selector)

    monkeypatch.setattr(asyncio, "SelectorEventLoop", make)
    with asyncio.Runner(loop_factory=new_loop):
        assert [type(each) for each in made] == [ExactSelector]
    monkeypatch.setattr(sys, "platform", platform)
    with asyncio.Runner(loop_factory=new_loop):
        assert len(made) == 1
