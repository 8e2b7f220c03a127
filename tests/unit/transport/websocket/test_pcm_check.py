"""Distinction of other forms from bare samples, and that real audio always passes."""

import io
from functools import cache
from typing import Any

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from rtc_server.pcm import SPEECH_RATE, Samples, from_int16, to_int16
from rtc_server.transport.websocket.forms import AudioIn, RefusedMessage
from rtc_server.transport.websocket.pcm_check import HEAD_BYTES, WARN_AGAIN_BYTES, PcmCheck
from tests.support.recordings import all_recorded
from tests.support.signals import english, join, noise, silence, tone

SIZES = (128, 256, 512, 640, 1000, 4096, 9600, 65_536)
"""Message sizes in bytes."""


recordings = cache(all_recorded)


def pcm16(samples: Samples) -> bytes:
    return to_int16(samples).astype("<i2").tobytes()


def encoded(container: str, codec: str, sample_rate: int = 48_000, layout: str = "mono") -> bytes:
    """Return one second of a tone in that container."""
    file = io.BytesIO()
    with av.open(file, "w", format=container) as output:
        stream: Any = output.add_stream(codec, rate=sample_rate)
        stream.layout = layout
        resampler = av.AudioResampler(stream.format, layout, sample_rate)
        sound = to_int16(tone(440, 1000, sample_rate=sample_rate))
        frame = av.AudioFrame.from_ndarray(sound[None, :], format="s16", layout="mono")
        frame.sample_rate = sample_rate
        for ready in [*resampler.resample(frame), *resampler.resample(None)]:
            output.mux(stream.encode(ready))
        output.mux(stream.encode(None))
    return file.getvalue()


def sent(data: bytes, size: int, check: PcmCheck | None = None) -> list[AudioIn | RefusedMessage]:
    check = check or PcmCheck(SPEECH_RATE)
    return [check.read(data[at : at + size]) for at in range(0, len(data), size)]


def refusals(answers: list[AudioIn | RefusedMessage]) -> list[str]:
    return [answer.reason for answer in answers if isinstance(answer, RefusedMessage)]


CONTAINERS = [
    ("webm", "libopus", "WebM"),
    ("ogg", "libopus", "Ogg"),
    ("mp4", "aac", "MP4"),
    ("flac", "flac", "FLAC"),
    ("mp3", "libmp3lame", "MP3"),
    ("aiff", "pcm_s16be", "AIFF"),
    ("caf", "pcm_s16le", "CAF"),
    ("au", "pcm_s16be", "AU"),
]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(("container", "codec", "name"), [*CONTAINERS, ("adts", "aac", "AAC")])
def test_a_container_is_named_once_and_passed_over(
    container: str, codec: str, name: str, size: int
) -> None:
    answers = sent(encoded(container, codec), size)
    [reason] = refusals(answers)
    assert f"This is {name}" in reason
    assert "Send bare 16 kHz mono Int16LE samples" in reason
    heard = sum(len(a.pcm) for a in answers if isinstance(a, AudioIn))
    assert heard < HEAD_BYTES


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(("container", "codec", "name"), CONTAINERS)
def test_a_container_in_the_middle_of_the_audio_is_named(
    container: str, codec: str, name: str, size: int
) -> None:
    """A gateway sends a hum until there is a recording to send."""
    check = PcmCheck(SPEECH_RATE)
    assert not refusals(sent(pcm16(noise(1000, level_db=-40)), 640, check))
    answers = sent(encoded(container, codec), size, check)
    [reason] = refusals(answers)
    assert f"This is {name}" in reason
    assert not any(answer.pcm for answer in answers if isinstance(answer, AudioIn))


def test_audio_later_on_may_begin_like_a_container() -> None:
    check = PcmCheck(SPEECH_RATE)
    sent(pcm16(noise(1000, level_db=-40)), 640, check)
    hum = pcm16(noise(20, level_db=-40))
    for begin in (
        b"\x1aE\xdf\xa3",
        b"OggS",
        b"fLaC",
        b"caff",
        b"FORM",
        b".snd",
        b"#!AM",
        b"ID3\x04",
    ):
        assert check.read(begin + hum) == AudioIn(begin + hum)
    assert check.read(hum[:4] + b"ftyp" + hum) == AudioIn(hum[:4] + b"ftyp" + hum)


def test_mp3_without_a_tag_is_known_by_its_frames() -> None:
    for rate in (48_000, 44_100, 22_050):
        data = encoded("mp3", "libmp3lame", rate)
        bare = data[10 + int.from_bytes(data[6:10], "big") :]  # a short tag: no byte above 127
        assert bare[0] == 0xFF
        [reason] = refusals(sent(bare, 640))
        assert "This is MP3" in reason


def test_a_wav_file_of_the_right_form_costs_its_header_only() -> None:
    [header, *rest] = sent(encoded("wav", "pcm_s16le", SPEECH_RATE), 640)
    assert isinstance(header, RefusedMessage)
    assert header.reason.endswith("no header.")
    assert not refusals(rest)
    assert sum(len(a.pcm) for a in rest if isinstance(a, AudioIn)) > SPEECH_RATE


@pytest.mark.parametrize(
    ("codec", "rate", "layout", "says"),
    [
        ("pcm_s16le", 44_100, "mono", "44100 Hz, 1 channels, 16-bit integers"),
        ("pcm_s16le", 16_000, "stereo", "16000 Hz, 2 channels, 16-bit integers"),
        ("pcm_f32le", 16_000, "mono", "16000 Hz, 1 channels, 32-bit floats"),
        ("pcm_mulaw", 16_000, "mono", "16000 Hz, 1 channels, 8-bit µ-law"),
    ],
)
def test_a_wav_file_of_another_form_is_passed_over(
    codec: str, rate: int, layout: str, says: str
) -> None:
    [reason] = refusals(sent(encoded("wav", codec, rate, layout), 640))
    assert says in reason


def test_who_goes_on_is_told_again() -> None:
    check = PcmCheck(SPEECH_RATE)
    sent(encoded("webm", "libopus"), 640, check)
    answers = sent(pcm16(noise(25_000, level_db=-20)), 640, check)
    assert len(refusals(answers)) == 25_000 * 32 // WARN_AGAIN_BYTES
    assert {a.pcm for a in answers if isinstance(a, AudioIn)} == {b""}


@pytest.mark.parametrize("size", [size for size in SIZES if size % 4 == 0])
def test_floats_are_told_apart(size: int) -> None:
    hiss = noise(300, level_db=-60)
    for sound in (
        *recordings()[:5],
        english("where is the train station"),
        tone(440, 1000),
        noise(1000, level_db=-90),
        from_int16(to_int16(recordings()[0])),  # of which most lower halves are zero
        np.clip(recordings()[1] * 100, -1, 1),
        join(silence(700), hiss),
    ):
        [reason] = refusals(sent(sound.astype("<f4").tobytes()[:200_000], size))
        assert "32-bit floats" in reason


def assert_taken(pcm: NDArray[np.int16]) -> None:
    data = pcm.astype("<i2").tobytes()
    for size in SIZES:
        assert not refusals(sent(data[: max(size, 2 * HEAD_BYTES)], size))


@given(
    which=st.integers(0, 1000),
    at=st.integers(0, 100_000),
    gain=st.floats(0.001, 1000),
    hiss_db=st.floats(-120, 0),
    offset=st.integers(-32_768, 32_767),
)
def test_no_recording_is_refused_however_loud_noisy_or_shifted(
    which: int, at: int, gain: float, hiss_db: float, offset: int
) -> None:
    sound = recordings()[which % len(recordings())]
    piece = np.roll(sound, -at)[: 2 * HEAD_BYTES]
    piece = piece * gain + noise(1000, level_db=hiss_db)[: piece.size] + offset / 32_768
    assert_taken(to_int16(np.clip(piece, -1, 1).astype(np.float32)))


@pytest.mark.parametrize("peak", [1, 2, 100, 14_000, 15_000, 16_000, 16_256, 17_000, 32_767])
@pytest.mark.parametrize("period", [1, 2, 3, 4, 7, 80])
def test_no_square_wave_is_refused(peak: int, period: int) -> None:
    """Clipped speech looks so; the peaks are those of floats among others."""
    sign = np.where(np.arange(HEAD_BYTES) // period % 2, 1, -1)
    assert_taken((sign * peak).astype(np.int16))
    assert_taken((sign * peak - 300).clip(-32_768, 32_767).astype(np.int16))


@pytest.mark.parametrize("value", [*range(-32_768, 32_768, 997), 0, -1, 32_767, 0x3A98, -16_600])
def test_no_constant_is_refused(value: int) -> None:
    assert_taken(np.full(HEAD_BYTES, value, np.int16))


def test_no_noise_is_refused() -> None:
    generator = np.random.default_rng(1)
    for _ in range(50):
        assert_taken(generator.integers(-32_768, 32_768, HEAD_BYTES).astype(np.int16))


def test_what_is_judged_has_an_end() -> None:
    check = PcmCheck(SPEECH_RATE)
    assert not refusals(sent(pcm16(noise(1000, level_db=-20)), 640, check))
    assert not refusals(sent(noise(1000, level_db=-20).astype("<f4").tobytes(), 640, check))


def test_an_odd_number_of_bytes_is_refused_and_the_next_message_taken() -> None:
    check = PcmCheck(SPEECH_RATE)
    answer = check.read(b"\0" * 641, "mine")
    assert isinstance(answer, RefusedMessage)
    assert "odd number" in answer.reason
    assert answer.event_id == "mine"
    assert check.read(b"\0" * 640) == AudioIn(b"\0" * 640)
