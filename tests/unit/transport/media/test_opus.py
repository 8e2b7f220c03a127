"""libopus: the contract with it, and our wrapping of it. Runs on every copy there is here."""

import ctypes
import gc
from typing import Any

import numpy as np
import pytest
import scipy

from rtc_server.pcm import Samples
from rtc_server.transport.media.opus import EncoderSettings, OpusDecoder, OpusEncoder
from rtc_server.transport.media.opus_library import OpusError, library_paths, load
from rtc_server.transport.media.opus_packet import (
    carries_previous,
    is_pause,
    packet_duration,
    pause_packet,
)
from tests.support.packet_scripts import encoded, voiced


def libraries() -> dict[str, ctypes.PyDLL]:
    found = {}
    for path in library_paths():
        try:
            found[path.rsplit("/", 1)[-1]] = load(path)
        except OSError:
            continue
    return found


LIBRARIES = libraries()
every_library = pytest.mark.parametrize("library", LIBRARIES.values(), ids=LIBRARIES.keys())


def frames(audio: Samples) -> list[Samples]:
    return [audio[at : at + 960] for at in range(0, len(audio), 960)]


def rms(samples: Samples) -> float:
    return float(np.sqrt(np.mean(samples**2)))


def likeness(a: Samples, b: Samples) -> float:
    """Cosine of two signals at their best alignment."""
    products = scipy.signal.correlate(a, b, method="fft")
    return float(np.max(products) / (np.linalg.norm(a) * np.linalg.norm(b)))


def test_the_copy_in_the_pav_wheel_is_among_those_tested() -> None:
    assert any(name.startswith("libopus-") for name in LIBRARIES)


@every_library
@pytest.mark.parametrize("loss_percent", [0, 10])
def test_speech_survives_the_round_trip(library: ctypes.PyDLL, loss_percent: int) -> None:
    audio = voiced(2.0)
    with OpusEncoder(library=library) as encoder, OpusDecoder(library=library) as decoder:
        encoder.expect_loss(loss_percent)
        packets = [encoder.encode(frame) for frame in frames(audio)]
        heard = np.concatenate([decoder.decode(packet) for packet in packets])
    assert heard.dtype == np.float32
    assert heard.shape == (len(audio) // 3,)
    assert rms(heard) == pytest.approx(rms(audio), rel=0.1)
    assert likeness(heard, audio[::3]) > 0.8
    bitrate = np.mean([len(packet) for packet in packets]) * 8 * 50
    assert 0.6 < bitrate / EncoderSettings().bitrate < 1.15


@every_library
def test_only_expected_loss_makes_packets_carry_the_one_before(library: ctypes.PyDLL) -> None:
    audio = voiced(2.0)
    with OpusEncoder(library=library) as encoder, OpusDecoder(library=library) as decoder:
        clean = [encoder.encode(frame) for frame in frames(audio)]
        encoder.expect_loss(1)
        lossy = [encoder.encode(frame) for frame in frames(audio)]
        encoder.expect_loss(0)
        after = [encoder.encode(frame) for frame in frames(audio)]
        assert not any(map(carries_previous, clean + after[5:]))
        assert np.mean([carries_previous(each) for each in lossy]) > 0.4

        whole = [decoder.decode(packet) for packet in lossy]
    similar = []
    for lost in range(20, 90, 7):
        with OpusDecoder(library=library) as decoder:
            for packet in lossy[:lost]:
                decoder.decode(packet)
            similar.append(likeness(decoder.recover(lossy[lost + 1], 320), whole[lost]))
    assert np.median(similar) > 0.8


@every_library
def test_the_sound_goes_on_where_fec_is_switched_on_and_off(library: ctypes.PyDLL) -> None:
    audio = (0.3 * np.sin(2 * np.pi * 300 * np.arange(96_000) / 48_000)).astype(np.float32)
    with OpusEncoder(library=library) as encoder, OpusDecoder(library=library) as decoder:
        heard = []
        for number, frame in enumerate(frames(audio)):
            if number in (40, 70):
                encoder.expect_loss(10 if number == 40 else 0)
            heard.append(decoder.decode(encoder.encode(frame)))
    steady = rms(heard[30])
    for number in range(38, 74):
        assert rms(heard[number]) == pytest.approx(steady, rel=0.25)


@every_library
@pytest.mark.parametrize("loss_percent", [0, 10])
def test_after_silence_nothing_is_left_of_the_speech(
    library: ctypes.PyDLL, loss_percent: int
) -> None:
    with OpusEncoder(library=library) as encoder, OpusDecoder(library=library) as decoder:
        encoder.expect_loss(loss_percent)
        for frame in frames(voiced(1.0) + np.float32(0.05)):
            decoder.decode(encoder.encode(frame))
        decoder.decode(encoder.encode(np.zeros(960, np.float32)))
        for _ in range(4):
            silence = decoder.decode(encoder.silence())
        assert rms(silence) < 0.001
        invented = [decoder.conceal(320) for _ in range(20)]
        assert max(map(rms, invented)) < 0.001
        again = [decoder.decode(encoder.encode(frame)) for frame in frames(voiced(0.5))]
    assert rms(np.concatenate(again[2:])) == pytest.approx(rms(voiced(0.5)[1920:]), rel=0.15)


@every_library
def test_concealment_goes_on_with_the_sound_and_then_fades(library: ctypes.PyDLL) -> None:
    with OpusDecoder(library=library) as decoder:
        last = [decoder.decode(packet) for packet in encoded(1.0)][-1]
        invented = [decoder.conceal(320) for _ in range(25)]
    assert rms(invented[0]) > 0.3 * rms(last)
    assert rms(invented[-1]) < 0.5 * rms(invented[0])


@every_library
def test_every_refusal_is_an_error(library: ctypes.PyDLL) -> None:
    with pytest.raises(OpusError, match="-1"):
        OpusDecoder(44_100, library)
    with pytest.raises(OpusError, match="-1"):
        OpusEncoder(EncoderSettings(complexity=11), library)
    with OpusDecoder(library=library) as decoder:
        for corrupt in (b"", b"\x03", b"\xff\x00", b"\xf9abc"):
            with pytest.raises(OpusError) as caught:
                decoder.decode(corrupt)
            assert caught.value.status == -4
        for size in (-1, 0, 100, 1921):
            with pytest.raises(OpusError):
                decoder.conceal(size)
    with OpusEncoder(library=library) as encoder:
        doubles: Any = np.zeros(960)
        for frame in (np.zeros(959, np.float32), doubles, np.zeros((2, 960), np.float32)):
            with pytest.raises(OpusError):
                encoder.encode(frame)
        with pytest.raises(OpusError):
            encoder.expect_loss(101)


@every_library
def test_a_frame_need_not_be_contiguous(library: ctypes.PyDLL) -> None:
    audio = np.repeat(voiced(0.02), 2)
    with OpusEncoder(library=library) as one, OpusEncoder(library=library) as other:
        assert one.encode(audio[::2]) == other.encode(audio[::2].copy())


def test_a_closed_codec_refuses_and_closing_twice_is_harmless() -> None:
    decoder, encoder = OpusDecoder(), OpusEncoder()
    for codec in (decoder, encoder):
        codec.close()
        codec.close()
    with pytest.raises(OpusError):
        decoder.decode(encoded(0.1)[0])
    with pytest.raises(OpusError):
        decoder.conceal(320)
    with pytest.raises(OpusError):
        encoder.encode(np.zeros(960, np.float32))
    with pytest.raises(OpusError):
        encoder.expect_loss(5)


class _Counting:
    """libopus that counts the encoders and decoders that are made and freed."""

    def __init__(self, library: ctypes.PyDLL) -> None:
        self._library = library
        self.alive = 0

    def __getattr__(self, name: str) -> object:
        function = getattr(self._library, name)
        if name.endswith("_create"):
            self.alive += 1
        if name.endswith("_destroy"):

            def destroy(state: int) -> None:
                self.alive -= 1
                function(state)

            return destroy
        return function


def test_codecs_are_freed_once_by_close_and_at_the_latest_with_their_owner() -> None:
    counting = _Counting(next(iter(LIBRARIES.values())))
    library: ctypes.PyDLL = counting  # type: ignore[assignment]
    decoder, encoder = OpusDecoder(library=library), OpusEncoder(library=library)
    assert counting.alive == 2
    decoder.close()
    encoder.close()
    decoder.close()
    assert counting.alive == 0
    decoder = OpusDecoder(library=library)
    assert counting.alive == 1
    del decoder
    gc.collect()
    assert counting.alive == 0


@every_library
def test_packet_durations_are_libopus_own(library: ctypes.PyDLL) -> None:
    count = library.opus_packet_get_nb_samples
    count.argtypes = [ctypes.c_char_p, ctypes.c_int, ctypes.c_int]
    packets = [bytes((toc, frames)) for toc in range(256) for frames in range(64)]
    for packet in packets:
        assert packet_duration(packet) == max(0, count(packet, len(packet), 48_000))
    assert packet_duration(b"") == 0
    assert packet_duration(b"\x03") == 0


@every_library
@pytest.mark.parametrize("packet_ms", [10, 20, 40, 60])
@pytest.mark.parametrize("channels", [1, 2])
def test_fec_is_found_where_libopus_finds_it(
    library: ctypes.PyDLL, packet_ms: int, channels: int
) -> None:
    packets = [*encoded(3.0, fec=True, packet_ms=packet_ms, channels=channels), *encoded(0.5)]
    found = [carries_previous(packet) for packet in packets]
    assert any(found)
    assert not all(found)
    if hasattr(library, "opus_packet_has_lbrr"):  # since 1.5
        theirs = [library.opus_packet_has_lbrr(packet, len(packet)) for packet in packets]
        assert found == [each == 1 for each in theirs]


def test_a_pause_packet_is_one_silent_frame_of_the_same_kind() -> None:
    packet = encoded(0.5)[-1]
    pause = pause_packet(packet)
    assert is_pause(pause)
    assert not is_pause(packet)
    assert packet_duration(pause) == packet_duration(packet)
    with OpusEncoder() as encoder, OpusDecoder() as decoder:
        quiet = [encoder.encode(np.zeros(960, np.float32)) for _ in range(5)]
        for each in quiet:
            decoder.decode(each)
        assert np.abs(decoder.decode(pause_packet(quiet[-1]))).max() < 1e-3
