import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtc_server.errors import BadEvent
from rtc_server.events.client import (
    InputCommit,
    Ping,
    SessionClose,
    SessionPatch,
    SessionUpdate,
    parse_client_event,
)
from rtc_server.events.faults import checked
from rtc_server.events.segment_events import (
    CaptionHint,
    SegmentEvent,
    SegmentStatus,
    SourceCaption,
    TargetCaption,
)
from rtc_server.events.server import (
    ErrorDetail,
    ErrorEvent,
    OutputTranscriptDelta,
    elapsed_steps,
    encode,
)
from rtc_server.events.session_patch import RequestedSession


def parse(**body: object) -> object:
    return parse_client_event(json.dumps(body))


def session(value: object) -> SessionPatch:
    return checked(RequestedSession, value, "session").patch()


def test_bare_events() -> None:
    assert parse(type="session.close") == SessionClose(None)
    assert parse(type="x.input.commit", event_id="e1") == InputCommit(None, "e1")
    assert parse(type="x.ping", event_id=7) == Ping(None)


def test_a_session_update_as_openai_clients_send_it() -> None:
    event = parse(
        type="session.update",
        session={
            "type": "translation",
            "audio": {
                "output": {"language": "en-US"},
                "input": {
                    "transcription": {"model": "gpt-realtime-whisper", "language": "ru"},
                    "noise_reduction": {"type": "near_field"},
                },
            },
        },
    )
    patch = SessionPatch(source_language="ru", target_language="en", transcription=True)
    assert event == SessionUpdate(patch, None)


def test_transcription_can_be_switched_off_and_left_alone() -> None:
    assert session({"audio": {"input": {"transcription": None}}}).transcription is False
    assert session({"audio": {"input": {}}}).transcription is None


def test_extensions_in_both_places() -> None:
    flat = parse(type="x.session", source_language="RU", vad={"mode": "off", "hangover_ms": 250})
    assert flat == SessionUpdate(
        SessionPatch(source_language="ru", vad_mode="off", hangover_ms=250), None
    )
    nested = session({"x_events": ["segment"], "x": {"voice": "f1"}})
    assert nested == SessionPatch(voice="f1", x_events=frozenset({"segment"}))


def test_a_patch_over_another_keeps_what_it_does_not_name() -> None:
    below = SessionPatch(source_language="ru", target_language="en")
    assert SessionPatch(target_language="de").over(below) == SessionPatch(
        source_language="ru", target_language="de"
    )


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("{", "not JSON"),
        ("[" * 100_000, "not JSON"),
        ("[]", "not a JSON object"),
        ("{}", "has no type"),
        ('{"type":"session.updat"}', "There is no event of type 'session.updat'"),
        ('{"type":"session.update"}', "session must be an object"),
        ('{"type":"session.update","session":{"audio":[]}}', "session.audio must be"),
        ('{"type":"x.session","vad":{"mode":"loud"}}', "x.session.vad.mode must be one of"),
        ('{"type":"x.session","vad":{"hangover_ms":true}}', "hangover_ms must be a number"),
        ('{"type":"x.session","vad":{"hangover_ms":NaN}}', "hangover_ms must be a number"),
        ('{"type":"x.session","source_language":5}', "source_language must be a short string"),
        ('{"type":"session.update","session":{"x_events":["all"]}}', "has no group 'all'"),
        ('{"type":"session.update","session":{"x_events":"vad"}}', "must be a list"),
    ],
)
def test_what_does_not_fit_is_a_sentence(text: str, sentence: str) -> None:
    with pytest.raises(BadEvent, match=sentence):
        parse_client_event(text)


def test_a_refusal_names_the_event_it_answers() -> None:
    with pytest.raises(BadEvent) as caught:
        parse(type="x.session", voice=[], event_id="mine")
    assert caught.value.event_id == "mine"


json_values = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=12,
)
known_keys = st.sampled_from(
    ["session", "audio", "input", "output", "transcription", "language", "x", "vad", "x_events"]
)


@given(st.dictionaries(known_keys, json_values), st.sampled_from(["session.update", "x.session"]))
def test_any_object_is_an_event_or_a_bad_event(body: dict[str, object], kind: str) -> None:
    try:
        parse_client_event(json.dumps({**body, "type": kind}))
    except BadEvent as error:
        str(error).encode("utf-8")  # what cannot be encoded could never be sent back


@given(st.text(max_size=200))
def test_any_text_is_an_event_or_a_bad_event(text: str) -> None:
    with pytest.raises(BadEvent) as caught:
        parse_client_event(text)
    str(caught.value).encode("utf-8")


def test_the_json_of_a_segment() -> None:
    event = SegmentEvent(
        segment_id="seg_1",
        rev=2,
        final=True,
        status=SegmentStatus.NOT_UNDERSTOOD,
        source=SourceCaption("ru", "", 0, 120, 2400),
        target=TargetCaption("en", "", 0),
        hints=(CaptionHint("Где вокзал?", "Where is the station?"),),
    )
    assert json.loads(encode(event, event_id="event_1", seq=9)) == {
        "type": "x.segment",
        "event_id": "event_1",
        "seq": 9,
        "segment_id": "seg_1",
        "rev": 2,
        "final": True,
        "status": "not_understood",
        "source": {
            "language": "ru",
            "text": "",
            "stable_chars": 0,
            "start_ms": 120,
            "end_ms": 2400,
        },
        "target": {"language": "en", "text": "", "stable_chars": 0},
        "hints": [{"source": "Где вокзал?", "target": "Where is the station?"}],
    }


def test_compatible_events_carry_nothing_of_ours() -> None:
    delta = json.loads(encode(OutputTranscriptDelta("Hi", elapsed_steps(1399)), event_id="e"))
    assert delta == {
        "type": "session.output_transcript.delta",
        "event_id": "e",
        "delta": "Hi",
        "elapsed_ms": 1200,
    }
    error = ErrorEvent(ErrorDetail("server_error", "engine_crashed", "Again, please."))
    assert set(json.loads(encode(error, event_id="e"))["error"]) == {
        "type",
        "code",
        "message",
        "event_id",
    }


def test_what_json_can_spell_but_nothing_can_write_is_not_echoed() -> None:
    with pytest.raises(BadEvent) as refusal:
        parse_client_event('{"type": "x.session", "voice": "\\ud800", "event_id": "\\ud800"}')
    assert refusal.value.event_id is None
    assert str(refusal.value).encode()
