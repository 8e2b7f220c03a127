"""The small parts around an engine's process: frames, its log, names, backoff."""

import asyncio
import json
import os
import pickle
import shlex
import struct
import sys
from dataclasses import is_dataclass
from io import FileIO
from pathlib import Path
from types import NoneType
from typing import Any, cast, get_args, get_origin, get_type_hints

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtc_server.engines import registry, wire
from rtc_server.engines.base import (
    AstRequest,
    AstResult,
    AstStatus,
    EngineOptions,
    NearPhrase,
    TtsRequest,
    WordTime,
)
from rtc_server.engines.child_log import ChildLog
from rtc_server.engines.hang import Activity, CallLimits
from rtc_server.engines.host import Restarts
from rtc_server.engines.typed import WrongType
from rtc_server.engines.watching import watching
from rtc_server.errors import EngineError, EngineUnavailable
from tests.support.fakes import AST_CAPABILITIES, TTS_CAPABILITIES


def frame(message: wire.Message) -> bytes:
    return b"".join(wire.encode(message))


@given(st.lists(st.integers(1, 300), max_size=5), st.integers(1, 700))
def test_messages_survive_any_cut_of_the_stream(sizes: list[int], piece: int) -> None:
    batch = tuple(
        AstRequest(np.linspace(-1, 1, size, dtype=np.float32), "ru", "en") for size in sizes
    )
    data = frame(wire.Translate(batch)) + frame(wire.Done())

    async def read() -> None:
        reader = asyncio.StreamReader()

        async def trickle() -> None:
            for start in range(0, len(data), piece):
                reader.feed_data(data[start : start + piece])
                await asyncio.sleep(0)
            reader.feed_eof()

        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(trickle())
            first = await wire.receive(reader)
            assert isinstance(first, wire.Translate)
            for sent, got in zip(batch, first.batch, strict=True):
                np.testing.assert_array_equal(sent.samples, got.samples)
                assert got.samples.flags.writeable  # whoever receives them may work in place
            assert await wire.receive(reader) == wire.Done()
            with pytest.raises(EOFError):
                await wire.receive(reader)

    asyncio.run(read())


async def test_an_answer_that_comes_in_pieces_is_no_standstill() -> None:
    """The server is busy and reads slowly; the engine rests meanwhile, for its pipe is full."""
    data = frame(wire.Chunk(np.zeros(48_000, np.float32)))
    pieces = [data[at : at + 20_000] for at in range(0, len(data), 20_000)]
    limits = CallLimits(quiet_s=1.5, work_s=60.0, patience_s=60.0)
    reader = asyncio.StreamReader()

    async def trickle() -> None:
        for piece in pieces:
            await asyncio.sleep(1.0)
            reader.feed_data(piece)

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(trickle())
        async with watching(limits, lambda: Activity(0.0, wants_cpu=False)) as watch:
            assert isinstance(await wire.receive(reader, watch.beat), wire.Chunk)


def test_arrays_travel_raw() -> None:
    samples = np.random.default_rng(1).standard_normal(16_000).astype(np.float32)
    data = frame(wire.Chunk(samples))
    assert samples.tobytes() in data
    assert len(data) < samples.nbytes + 500


def test_the_blocking_end_speaks_the_same() -> None:
    out_of, into = os.pipe()
    with FileIO(out_of, "r") as reader:
        with FileIO(into, "w") as writer:
            wire.send_blocking(writer, wire.Chunk(np.ones(3, np.float32)))
            message = wire.receive_blocking(reader)
        assert isinstance(message, wire.Chunk)
        assert message.samples.tolist() == [1.0, 1.0, 1.0]
        with pytest.raises(EOFError):
            wire.receive_blocking(reader)


def damaged(fields: object, kind: str = "Chunk", audio: bytes = b"") -> bytes:
    """A frame that holds something else."""
    body = json.dumps({"message": kind, "fields": fields}).encode()
    return struct.pack("!II", len(body), len(audio)) + body + audio


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (damaged({"samples": "loud"}), "cannot be read"),
        (damaged({"samples": 3}, audio=bytes(8)), "cannot be read"),
        (damaged({"samples": -1}), "cannot be read"),
        (damaged({"samples": True}), "cannot be read"),
        (damaged({"samples": 1}, audio=bytes(8)), "audio that is in no"),
        (damaged({}), "cannot be read"),
        (damaged({"samples": 0, "more": 0}), "cannot be read"),
        (damaged({"results": [{"status": "well"}]}, "Translated"), "cannot be read"),
        (damaged({"results": [{"status": "ok", "open_chars": 1.5}]}, "Translated"), "cannot be"),
        (damaged({"results": 7}, "Translated"), "cannot be read"),
        (damaged({"command": "rm"}, "System"), "cannot be read"),
        (damaged([], "Done"), "cannot be read"),
        (struct.pack("!II", 5, 0) + pickle.dumps(7)[:5], "cannot be read"),
        (struct.pack("!II", 100_000, 0) + b"[" * 100_000, "cannot be read"),
        (struct.pack("!II", 1 << 30, 0), "too large"),
        (struct.pack("!II", 0, 1 << 31), "too large"),
    ],
)
async def test_what_is_no_message_is_an_error_and_nothing_else(data: bytes, sentence: str) -> None:
    reader = asyncio.StreamReader()
    reader.feed_data(data)
    with pytest.raises(EngineError, match=sentence):
        await wire.receive(reader)


def test_only_what_a_message_holds_can_be_sent() -> None:
    for samples in (np.zeros(3), np.zeros((2, 2), np.float32), object()):
        with pytest.raises(WrongType, match="cannot be sent"):
            wire.encode(wire.Chunk(cast(Any, samples)))


def test_while_loading_a_process_may_say_why_it_cannot() -> None:
    log = ChildLog()
    assert log.feed(b"no mod", 0.0) == []
    assert log.feed(b"el file\n\n  at line 3\nand", 0.0) == ["no model file", "  at line 3"]
    assert log.last_line == "  at line 3"


def test_once_serving_only_the_places_of_a_crash_pass() -> None:
    log = ChildLog()
    log.serving = True
    passed = log.feed(
        b"heard: the secret\n"
        b"Fatal Python error: Segmentation fault\n"
        b"Current thread 0x00007f2a (most recent call first):\n"
        b'  File "/a b/engine.py", line 12 in speak\n'
        b"Fatal Python error: \xd1\x81\xd0\xb5\xd0\xba\xd1\x80\xd0\xb5\xd1\x82\n"
        b'  File "/a/engine.py", line 12 in speak the secret\n',
        0.0,
    )
    assert passed == [
        "Fatal Python error: Segmentation fault",
        "Current thread 0x00007f2a (most recent call first):",
        '  File "/a b/engine.py", line 12 in speak',
    ]


def test_the_log_is_bounded_in_rate_and_line_length() -> None:
    log = ChildLog()
    assert len(log.feed(b"x\n" * 1000, 0.0)) == 40
    assert log.feed(b"x\n" * 1000, 9.0) == []
    assert len(log.feed(b"x\n" * 1000, 10.0)) == 40
    [line] = log.feed(b"y" * 100_000 + b"\n", 30.0)
    assert len(line) == 300
    for _ in range(100):
        log.feed(b"z" * 100_000, 40.0)
    [line] = log.feed(b"\n", 50.0)
    assert len(line) == 300


def test_the_first_replacement_comes_at_once_and_failures_are_spaced() -> None:
    restarts, waits = Restarts(), []
    for _ in range(12):
        restarts.failed(lived_s=59.0)  # although each had answered
        waits.append(restarts.wait_s)
    assert waits[:3] == [0.0, 0.1, 0.2]
    assert waits == sorted(waits)
    assert waits[-1] == 10.0
    restarts.failed(lived_s=60.0)
    assert restarts.wait_s == 0.0


def test_an_unknown_engine_is_told_what_there_is() -> None:
    with pytest.raises(
        EngineUnavailable, match=r"no TTS engine named hal.* Choose espeak, .*, or "
    ):
        registry.resolve("tts", "hal")
    with pytest.raises(EngineUnavailable, match="Choose phrasebook"):
        registry.resolve("ast", "espeak")


def test_ones_own_engine_needs_no_entry() -> None:
    assert registry.resolve("ast", "my.module:create") == "my.module:create"


def test_names_and_cards_agree() -> None:
    assert registry.ast_names()[0] == "phrasebook"
    assert registry.tts_names()[0] == "espeak"
    cards = registry.cards()
    assert {card.name for card in cards} == {*registry.ast_names(), *registry.tts_names()}
    for card in cards:
        assert card.installed == (card.missing == "")
    embedded = [card for card in cards if card.name in ("phrasebook", "espeak")]
    assert all(card.installed for card in embedded)
    assert registry.resolve("tts", "espeak").startswith("rtc_server.engines.espeak")


def test_what_is_missing_is_named_with_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    [espeak] = [card for card in registry.cards() if card.name == "espeak"]
    assert not espeak.installed
    asks, command = espeak.missing.split(" Run: ")
    assert asks == "Engine espeak needs espeakng_loader, not installed here."
    python, *pip, _ = shlex.split(command)[:4]
    assert (python, pip) == (sys.executable, ["-m", "pip"])
    assert any(word.startswith("espeakng-loader") for word in shlex.split(command))
    assert not any("torch" in word for word in shlex.split(command))
    with pytest.raises(EngineUnavailable, match="needs espeakng_loader"):
        registry.resolve("tts", "espeak")


@pytest.mark.parametrize(
    "message",
    [
        wire.Load("a:b", EngineOptions(phrasebooks=(Path("/a"), Path("b")))),
        wire.Load("a:b", EngineOptions(own={"a": "b", "c": 1, "d": 1.0, "e": True, "f": ("g",)})),
        wire.AstReady(AST_CAPABILITIES),
        wire.TtsReady(TTS_CAPABILITIES),
        wire.StartRefused("No."),
        wire.Translated(
            (AstResult(AstStatus.NOT_UNDERSTOOD, "\ud800", hints=(NearPhrase("а", "b"),)),)
        ),
        wire.Translated(
            (
                AstResult(
                    AstStatus.OK,
                    "да, да",
                    "yes",
                    words=(WordTime("да,", 80), WordTime("да", 240)),
                    target_words=(WordTime("yes", 240),),
                ),
            )
        ),
        wire.Synthesize(TtsRequest("да", "ru")),
        wire.Synthesize(TtsRequest("да", "ru", voice="anna", rate=2)),
        wire.Abort(),
        wire.Working(),
        wire.Done(),
        wire.Raised("No.", "here"),
    ],
    ids=lambda message: type(message).__name__,
)
def test_every_message_comes_through(message: wire.Message) -> None:
    [frame] = wire.encode(message)
    assert wire.decode(bytes(frame[8:]), bytearray()) == message


def test_every_field_of_every_message_can_be_read() -> None:
    def holds_known(kind: Any) -> None:
        if isinstance(kind, type) and is_dataclass(kind):
            for hint in get_type_hints(kind).values():
                holds_known(hint)
        elif get_origin(kind) is not np.ndarray:
            assert kind in (str, int, float, bool, Path, AstStatus, NoneType, ...) or get_args(kind)
            for inner in get_args(kind):
                holds_known(inner)

    for kind in get_args(wire.Message):
        holds_known(kind)
