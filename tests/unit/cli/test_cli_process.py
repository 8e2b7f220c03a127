"""``rtc-server serve`` as a process: its start, its signals, its exit code."""

import signal
from pathlib import Path

import aiohttp
import numpy as np
import pytest
import scipy

from rtc_server.cli.audio_files import read_recording, write_speech
from rtc_server.pcm import SPEECH_RATE, Samples
from tests.support.command import command, serving
from tests.support.signals import english, russian

pytestmark = pytest.mark.real_time
FAKES = ("--ast", "tests.support.engine_fakes:ast", "--tts", "tests.support.engine_fakes:tts")
"""Engines that need no loading, where nothing is translated."""


@pytest.mark.parametrize("name", [signal.SIGINT, signal.SIGTERM])
async def test_it_announces_itself_serves_and_stops_at_a_signal(name: signal.Signals) -> None:
    async with serving() as started:
        assert "Translation: Fake" in started.banner
        assert "Voice: " in started.banner
        async with aiohttp.ClientSession(started.url) as client:
            async with client.get("/readyz") as response:
                assert response.status == 200
            async with client.get("/") as response:
                assert response.status == 200
        started.process.send_signal(name)
        _, errors = await started.process.communicate()
        assert started.process.returncode == 0
        assert "Traceback" not in errors.decode()
        assert "GET / 200" in errors.decode()
        assert "/readyz" not in errors.decode(), "probes are no news"


async def test_a_quiet_log_still_announces() -> None:
    async with serving("--log-level", "error") as started:
        started.process.send_signal(signal.SIGTERM)
        _, errors = await started.process.communicate()
        assert errors == b""


async def test_a_signal_during_the_warm_up_ends_it() -> None:
    engines = (
        "--ast",
        "tests.support.engine_fakes:never_ready",
        "--tts",
        "tests.support.engine_fakes:tts",
    )
    async with command("serve", "--port", "0", *engines) as process:
        assert process.stderr
        while b"warming" not in await process.stderr.readline():
            pass
        process.send_signal(signal.SIGTERM)
        _, errors = await process.communicate()
        assert process.returncode == 0
        assert "Traceback" not in errors.decode()


async def test_an_engine_that_cannot_start_is_one_sentence() -> None:
    engines = (
        "--ast",
        "tests.support.engine_fakes:refuses",
        "--tts",
        "tests.support.engine_fakes:tts",
    )
    async with command("serve", "--port", "0", "--log-level", "error", *engines) as process:
        out, errors = await process.communicate()
        assert process.returncode == 2
        assert out == b""
        assert errors.startswith(b"rtc-server: ")
        assert errors.count(b"\n") == 1


async def translated(tmp_path: Path, speech: Samples, *argv: str) -> tuple[int, str, Samples]:
    """Run ``translate``, with the embedded engines unless `argv` names others.

    Return exit code, captions and translated speech.
    """
    recording, out = tmp_path / "in.wav", tmp_path / "out.wav"
    quiet = np.zeros(SPEECH_RATE // 2, np.float32)
    write_speech(
        recording, scipy.signal.resample_poly(np.concatenate([quiet, speech, quiet]), 3, 1)
    )
    async with command("translate", str(recording), "-o", str(out), *argv) as process:
        captions, errors = await process.communicate()
        assert not errors, errors.decode()
        assert process.returncode is not None
        return process.returncode, captions.decode(), read_recording(out)


async def test_a_russian_recording_becomes_english_speech(tmp_path: Path) -> None:
    code, captions, speech = await translated(tmp_path, russian("Где находится вокзал?"))
    assert captions.endswith(" s] ru: Где находится вокзал? → en: Where is the train station?\n")
    assert code == 0
    heard = np.flatnonzero(np.abs(speech) > 0.05)
    assert heard[-1] - heard[0] > SPEECH_RATE // 2


async def test_an_english_recording_becomes_russian_speech(tmp_path: Path) -> None:
    pair = ("--source", "en", "--target", "ru")
    code, captions, speech = await translated(
        tmp_path, english("Where is the train station?"), *pair
    )
    assert captions.endswith(" s] en: Where is the train station? → ru: Где находится вокзал?\n")
    assert code == 0
    assert np.abs(speech).max() > 0.05


async def test_what_was_not_understood_is_said_and_spoken_by_nobody(
    tmp_path: Path,
) -> None:
    speech = english("Quantum chromodynamics remains asymptotically free at short distances.")
    pair = ("--source", "en", "--target", "ru")
    code, captions, spoken = await translated(tmp_path, speech, *pair)
    assert "en: not understood" in captions
    assert "perhaps: " not in captions  # no phrase of the book sounds similar
    assert code == 1
    assert not spoken.any()


async def test_a_recording_without_speech(tmp_path: Path) -> None:
    code, captions, spoken = await translated(tmp_path, np.zeros(SPEECH_RATE, np.float32), *FAKES)
    assert captions == "No speech was heard.\n"
    assert code == 1
    assert not spoken.any()


async def test_a_pair_that_is_not_there_is_one_sentence(tmp_path: Path) -> None:
    recording = tmp_path / "in.wav"
    write_speech(recording, np.zeros(4800, np.float32))
    async with command("translate", str(recording), "--target", "de", *FAKES[:2]) as process:
        out, errors = await process.communicate()
        assert process.returncode == 2
        assert out == b""
        assert errors.startswith(b"rtc-server: ")
        assert errors.count(b"\n") == 1
