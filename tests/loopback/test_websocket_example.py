"""The example client, run as its documentation says."""

import asyncio
import sys
import wave
from pathlib import Path

import numpy as np

from rtc_server.app.server import running
from rtc_server.config import HttpSettings, Settings
from rtc_server.pcm import SPEECH_RATE
from tests.support.patient import PATIENT
from tests.support.signals import join, russian, silence
from tests.support.wav import write_wav

EXAMPLE = Path(__file__).parents[2] / "examples" / "ws_client.py"


async def run(*arguments: str, key: str = "") -> tuple[int, str, str]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        str(EXAMPLE),
        *arguments,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={"RTC_API_KEY": key, "PYTHONIOENCODING": "utf-8"},
    )
    out, err = await process.communicate()
    assert process.returncode is not None
    return process.returncode, out.decode(), err.decode()


async def test_a_recording_becomes_captions_and_a_recording(tmp_path: Path) -> None:
    question, answer = tmp_path / "question.wav", tmp_path / "answer.wav"
    write_wav(
        question, join(silence(300), russian("где находится вокзал"), silence(300)), SPEECH_RATE
    )
    http = HttpSettings(port=0, api_key="let-me-in-please")
    async with running(Settings(http=http, engines=PATIENT)) as running_server:
        url = running_server.url.replace("http", "ws")
        code, out, err = await run(str(question), str(answer), "--url", url, key="let-me-in-please")
        assert (code, err) == (0, "")
        assert "train station" in out
        with wave.open(str(answer)) as file:
            assert (file.getframerate(), file.getnchannels()) == (SPEECH_RATE, 1)
            heard = np.frombuffer(file.readframes(file.getnframes()), np.int16)
        assert len(heard) > 0.5 * SPEECH_RATE
        assert np.abs(heard).max() > 1000

        code, _, err = await run(str(question), str(answer), "--url", url)
        assert code == 1
        assert "401" in err
    code, _, err = await run(str(question), str(answer), "--url", url)
    assert code == 1
    assert "does not answer" in err
    write_wav(question, silence(100), 48_000)
    code, _, err = await run(str(question), str(answer), "--url", url)
    assert code == 1
    assert "16 kHz mono" in err
