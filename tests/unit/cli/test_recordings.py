"""Recordings that the command reads and writes."""

import wave
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rtc_server.cli import main
from rtc_server.cli.audio_files import read_recording, write_speech
from rtc_server.errors import ConfigError
from tests.support.signals import tone

Capture = pytest.CaptureFixture[str]


def write_wav(path: Path, channels: list[np.ndarray[Any, Any]], rate: int, width: int = 2) -> Path:
    """Write a PCM WAV of 1, 2 or 3 bytes a sample."""
    mixed = np.stack(channels, axis=1).ravel()
    if width == 1:
        data = np.round(mixed * 127 + 128).astype(np.uint8).tobytes()
    elif width == 2:
        data = np.round(mixed * 32767).astype("<i2").tobytes()
    else:
        whole = np.round(mixed * (2**23 - 1)).astype("<i4")
        data = whole.view(np.uint8).reshape(-1, 4)[:, :3].tobytes()
    with wave.open(str(path), "wb") as out:
        out.setnchannels(len(channels))
        out.setsampwidth(width)
        out.setframerate(rate)
        out.writeframes(data)
    return path


@pytest.mark.parametrize("rate", [8000, 11_025, 16_000, 44_100, 48_000])
@pytest.mark.parametrize("width", [1, 2, 3])
def test_any_wav_is_read_at_its_own_pitch_and_length(tmp_path: Path, rate: int, width: int) -> None:
    samples = read_recording(
        write_wav(tmp_path / "in.wav", [tone(440, 1000, sample_rate=rate)], rate, width)
    )
    assert samples.dtype == np.float32
    assert samples.ndim == 1
    assert abs(len(samples) - 16_000) <= 32
    spectrum = np.abs(np.fft.rfft(samples[:16_000]))
    assert abs(int(spectrum.argmax()) * 16_000 / len(samples[:16_000]) - 440) <= 2
    assert abs(np.sqrt(np.mean(samples**2)) - 0.5 / np.sqrt(2)) < 0.02


def test_channels_are_mixed(tmp_path: Path) -> None:
    left, right = (tone(hz, 500, sample_rate=48_000) for hz in (440, 1000))
    samples = read_recording(write_wav(tmp_path / "in.wav", [left, right], 48_000))
    spectrum = np.abs(np.fft.rfft(samples[:8000]))
    assert {int(i) * 2 for i in np.argsort(spectrum)[-2:]} == {440, 1000}


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    path = tmp_path / "out.wav"
    write_speech(
        path, np.concatenate([tone(440, 500, sample_rate=48_000), np.full(480, 1.5, np.float32)])
    )
    with wave.open(str(path)) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, 48_000)
        written = np.frombuffer(file.readframes(file.getnframes()), "<i2")
    assert written[-1] == 32_767, "too loud is clipped, not wrapped"
    assert np.allclose(written[:24_000] / 32_767, tone(440, 500, sample_rate=48_000), atol=1e-4)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (None, "No such file"),
        (b"", "not an audio file"),
        (b"RIFF\x00\x00\x00\x00WAVEjunk", "audio"),
        (b"hello\n" * 100, "not an audio file"),
    ],
)
def test_what_is_no_recording_is_refused(
    tmp_path: Path, capsys: Capture, content: bytes | None, sentence: str
) -> None:
    path = tmp_path / "in.wav"
    if content is not None:
        path.write_bytes(content)
    assert main(["translate", str(path)], {}) == 2
    captured = capsys.readouterr()
    assert sentence in captured.err
    assert str(path) in captured.err
    assert captured.err.count("\n") == 1
    assert not captured.out


def test_a_wav_without_samples_is_empty(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="is empty"):
        read_recording(write_wav(tmp_path / "in.wav", [np.zeros(0)], 16_000))


def test_a_folder_is_no_recording(tmp_path: Path, capsys: Capture) -> None:
    assert main(["translate", str(tmp_path)], {}) == 2
    assert "Is a directory" in capsys.readouterr().err
