"""Meaning of the messages of both WebSocket forms, and PCM on its way in and out."""

import base64
import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtc_server.events.client import SessionClose, SessionUpdate, parse_client_event
from rtc_server.pcm import FRAME_MS, PLAYOUT_FRAME_SAMPLES, PLAYOUT_RATE, SPEECH_RATE, to_int16
from rtc_server.transport.websocket.forms import AudioIn, EventIn, Incoming, RefusedMessage
from rtc_server.transport.websocket.pcm16 import SpeechIn, SpeechOut
from rtc_server.transport.websocket.plain import PlainForm
from rtc_server.transport.websocket.translations import APPEND, TranslationsForm
from tests.support.signals import tone

PCM = bytes(range(64)) * 10
VALUES = st.none() | st.booleans() | st.floats() | st.text() | st.lists(st.integers())
JSON = st.fixed_dictionaries(
    {"type": st.sampled_from(["start", "stop", APPEND]) | VALUES},
    optional=dict.fromkeys(("audio", "source", "target", "vad", "event_id"), VALUES),
)


def append(audio: object, **more: object) -> str:
    return json.dumps({"type": APPEND, "audio": audio, **more})


def refused(message: Incoming) -> str:
    assert isinstance(message, RefusedMessage)
    return message.reason


# -------------------------------------------------------------------- /ws/audio


def test_binary_is_audio_of_any_whole_length() -> None:
    form = PlainForm()
    for pcm in (b"", b"\0\0", PCM, PCM * 100):
        assert form.read(pcm) == AudioIn(pcm)


@pytest.mark.parametrize(
    ("message", "says"),
    [
        (b"\0" * 641, "odd number"),
        (b"\0" * 65_538, "longer than 64 kB"),
        (b"RIFF\x24\0\0\0WAVEfmt ", "no header"),
        ('{"type":"x.ping","pad":"' + "x" * 20_000 + '"}', "longer than 16 kB"),
        ("я" * 9000, "longer than 16 kB"),
        ('{"type":"start","vad":"yes"}', "true or false"),
    ],
)
def test_what_the_plain_form_refuses(message: str | bytes, says: str) -> None:
    assert says in refused(PlainForm().read(message))


def test_start_and_stop_are_short_for_events() -> None:
    form = PlainForm()
    message = form.read(
        '{"type":"start","source":"ru-RU","target":"en","vad":false,"event_id":"a"}'
    )
    assert isinstance(message, EventIn)
    event = parse_client_event(message.text)
    assert isinstance(event, SessionUpdate)
    assert event.event_id == "a"
    assert (event.patch.source_language, event.patch.target_language) == ("ru", "en")
    assert event.patch.vad_mode == "off"

    message = form.read('{"type":"start"}')
    assert isinstance(message, EventIn)
    event = parse_client_event(message.text)
    assert isinstance(event, SessionUpdate)
    assert event.patch == type(event.patch)()

    message = form.read('{"type":"stop"}')
    assert isinstance(message, EventIn)
    assert isinstance(parse_client_event(message.text), SessionClose)


@pytest.mark.parametrize("text", ["", "{", "[]", "7", '{"type":"x.ping"}', '{"type":["start"]}'])
def test_other_text_is_the_sessions_to_judge(text: str) -> None:
    assert PlainForm().read(text) == EventIn(text)


# -------------------------------------------------------------------- Realtime Translations


def test_appended_audio_is_decoded() -> None:
    form = TranslationsForm()
    for pcm in (b"", b"\0\0", PCM, PCM * 1000):
        assert form.read(append(base64.b64encode(pcm).decode())) == AudioIn(pcm)


@pytest.mark.parametrize("width", [1, 64, 76])
@pytest.mark.parametrize("between", ["\n", "\r\n", " ", "\t"])
def test_white_space_in_base64_is_no_fault(width: int, between: str) -> None:
    text = base64.b64encode(PCM).decode()
    wrapped = between.join(text[at : at + width] for at in range(0, len(text), width))
    assert TranslationsForm().read(append(wrapped + between)) == AudioIn(PCM)


@pytest.mark.parametrize(
    ("message", "says"),
    [
        (append("AAA", event_id="mine"), "pad it with `=`"),
        (append("AAAAA", event_id="mine"), "one character too many"),
        (append("AA==AA==", event_id="mine"), "`=` is not at its end"),
        (append("=AAA", event_id="mine"), "`=` is not at its end"),
        (append("AAA==", event_id="mine"), "pad it with `=`"),
        (append("A-_A", event_id="mine"), "'-' belongs to the URL-safe alphabet"),
        (append("ж", event_id="mine"), "is not a base64 character"),
        (append("data:audio/wav;base64,AAAA", event_id="mine"), "begins with `data:`"),
        (append("AA==", event_id="mine"), "odd number"),
        (append(7, event_id="mine"), "must be a string"),
        (append(None, event_id="mine"), "must be a string"),
    ],
)
def test_an_append_that_is_refused_says_why_and_which(message: str, says: str) -> None:
    answer = TranslationsForm().read(message)
    assert says in refused(answer)
    assert isinstance(answer, RefusedMessage)
    assert answer.event_id == "mine"


def test_what_else_the_translations_form_refuses() -> None:
    form = TranslationsForm()
    assert "base64" in refused(form.read(PCM))
    assert "not JSON" in refused(form.read('{"type":"' + APPEND))
    assert "longer" in refused(form.read("x" * 20_000))
    big_event = json.dumps({"type": "session.update", "pad": APPEND * 1000})
    assert "longer" in refused(form.read(big_event))


def test_an_event_that_only_mentions_audio_is_an_event() -> None:
    text = json.dumps({"type": "x.ping", "event_id": APPEND})
    assert TranslationsForm().read(text) == EventIn(text)


def test_audio_without_its_type_is_no_append() -> None:
    text = json.dumps({"audio": "AAAA", "event_id": APPEND})
    assert TranslationsForm().read(text) == EventIn(text)


def test_an_audio_delta_has_every_field_of_the_public_api() -> None:
    form = TranslationsForm()
    first, second = (json.loads(form.write(PCM, elapsed_ms=1399)) for _ in range(2))
    assert first.pop("event_id") != second.pop("event_id")
    assert first == {
        "type": "session.output_audio.delta",
        "delta": base64.b64encode(PCM).decode(),
        "sample_rate": 24_000,
        "channels": 1,
        "format": "pcm16",
        "elapsed_ms": 1200,
    }


@given(st.text() | st.binary() | JSON.map(json.dumps))
def test_no_message_is_too_strange_to_read(message: str | bytes) -> None:
    for form in (PlainForm(), TranslationsForm()):
        answer = form.read(message)
        if isinstance(answer, AudioIn):
            assert len(answer.pcm) % 2 == 0
        elif isinstance(answer, RefusedMessage):
            assert answer.reason.endswith(".")


# -------------------------------------------------------------------- PCM


@pytest.mark.parametrize("rate", [16_000, 24_000])
@pytest.mark.parametrize("frames", [1, 2, 50])
def test_each_frame_gives_one_out_at_once_and_nothing_is_lost(rate: int, frames: int) -> None:
    out = SpeechOut(rate)
    sound = tone(440, frames * FRAME_MS, sample_rate=PLAYOUT_RATE)
    frame_bytes = rate * FRAME_MS // 1000 * 2
    for _ in range(2):  # a second stretch of speech is like the first
        pieces = [
            out.push(sound[at : at + PLAYOUT_FRAME_SAMPLES])
            for at in range(0, len(sound), PLAYOUT_FRAME_SAMPLES)
        ]
        assert [len(piece) for piece in pieces] == [frame_bytes] * frames
        tail = out.finish()
        assert len(tail) == frame_bytes
        heard = np.frombuffer(b"".join([*pieces, tail]), "<i2") / 32768
        wanted = tone(440, frames * FRAME_MS, sample_rate=rate)
        lag = int(np.argmax(np.correlate(heard, wanted, "valid")))
        error = heard[lag : lag + len(wanted)] - wanted
        assert lag <= rate * 3 // 1000
        assert np.sqrt(np.mean(error[20:-20] ** 2)) < 0.01
        assert out.finish() == b""


def test_what_is_above_half_the_rate_does_not_come_back_as_something_else() -> None:
    out = SpeechOut(16_000)
    sound = tone(11_000, 400, sample_rate=PLAYOUT_RATE)
    pcm = b"".join(
        out.push(sound[at : at + PLAYOUT_FRAME_SAMPLES])
        for at in range(0, len(sound), PLAYOUT_FRAME_SAMPLES)
    )
    heard = np.frombuffer(pcm, "<i2")[1600:] / 32768
    assert np.sqrt(np.mean(heard**2)) < 0.5 * 10 ** (-50 / 20)


@pytest.mark.parametrize("step", [1, 7, 480, 4800, 24_000])
def test_audio_in_is_one_stream_however_it_is_cut(step: int) -> None:
    pcm = to_int16(tone(300, 1000, sample_rate=24_000)).astype("<i2")
    speech_in = SpeechIn(24_000)
    heard = np.concatenate(
        [speech_in.push(pcm[at : at + step].tobytes()) for at in range(0, len(pcm), step)]
    )
    assert abs(len(heard) - SPEECH_RATE) <= 32
    wanted = tone(300, 1000)[: len(heard)]
    assert np.abs(heard - wanted)[100:-100].max() < 0.01
