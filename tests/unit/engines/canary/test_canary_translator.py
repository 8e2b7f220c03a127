"""Requests to Canary and the use of its answers, with a model that answers as set up."""

from collections.abc import Sequence

import numpy as np
import pytest

from rtc_server.engines.base import AstRequest, AstStatus, Pair, Texts
from rtc_server.engines.canary.translator import (
    MAX_AUDIO_S,
    TOO_LONG,
    WARM_BATCHES,
    CanaryAst,
    OutOfMemory,
    Wanted,
    Written,
    longest_text,
    padded,
    without_repeats,
)
from rtc_server.errors import EngineError
from rtc_server.pcm import SPEECH_RATE, Samples

TEXTS = {
    ("en", "en"): "<|emo:undefined|> Where is the station ?",
    ("en", "ru"): "Где вокзал?<|endoftext|>",
    ("ru", "ru"): "Где вокзал?",
    ("ru", "en"): "Where is the station?",
}


class Told:
    """`Writer` that writes the same for any audio, and keeps its requests."""

    title, device, precision, languages = "Told", "cpu", "float32", ("en", "ru")

    def __init__(
        self,
        texts: dict[Pair, str] = TEXTS,
        room: int = 64,
        *,
        continues: bool = False,
        frames: Sequence[int] = (),
    ) -> None:
        """`frames`: one for each letter of a text; more are ignored."""
        self.continues, self.aligns, self._frames = continues, bool(frames), frames
        self.texts = texts
        self.room = room
        self.calls: list[list[tuple[int, tuple[Wanted, ...], int]]] = []

    def write(
        self, waves: Sequence[Samples], wanted: Sequence[Sequence[Wanted]], limits: Sequence[int]
    ) -> list[list[Written]]:
        asked = zip(waves, wanted, limits, strict=True)
        self.calls.append([(len(wave), tuple(texts), limit) for wave, texts, limit in asked])
        if len(waves) > self.room:
            raise OutOfMemory
        return [
            [self._written(self.texts[text.source, text.language]) for text in texts]
            for texts in wanted
        ]

    def _written(self, text: str) -> Written:
        return Written(text, True, tuple(zip(text, self._frames, strict=False)))


def engine(writer: Told) -> CanaryAst:
    return CanaryAst(writer, "canary", "a licence")


def wanted(source: str, *languages: str) -> tuple[Wanted, ...]:
    return tuple(Wanted(source, language) for language in languages)


def speech(seconds: float = 2.0) -> Samples:
    return 0.1 * np.sin(np.arange(int(seconds * SPEECH_RATE))).astype(np.float32)


def test_transcript_and_translation_come_clean_from_one_call() -> None:
    told = Told()
    requests = [AstRequest(speech(), "en", "ru"), AstRequest(speech(3.0), "ru", "en")]
    first, second = engine(told).translate(requests)
    assert (first.source_text, first.target_text) == ("Where is the station?", "Где вокзал?")
    assert (second.source_text, second.target_text) == ("Где вокзал?", "Where is the station?")
    assert told.calls == [
        [
            (2 * SPEECH_RATE, wanted("en", "en", "ru"), longest_text(2 * SPEECH_RATE)),
            (3 * SPEECH_RATE, wanted("ru", "ru", "en"), longest_text(3 * SPEECH_RATE)),
        ]
    ]


def test_a_partial_asks_for_the_transcript_alone() -> None:
    told = Told()
    (result,) = engine(told).translate([AstRequest(speech(), "en", "ru", partial=True)])
    assert (result.source_text, result.target_text) == ("Where is the station?", "")
    assert told.calls[0][0][1] == wanted("en", "en")


def test_a_partial_may_ask_for_its_translation_and_both_texts_continue() -> None:
    told = Told(continues=True)
    request = AstRequest(
        speech(), "en", "ru", partial=True, wants_target=True, committed=Texts("Where is", "Где")
    )
    (result,) = engine(told).translate([request])
    assert (result.source_text, result.target_text) == ("Where is the station?", "Где вокзал?")
    ((_, texts, _),) = told.calls[0]
    assert texts == (Wanted("en", "en", "Where is"), Wanted("en", "ru", "Где"))


def test_a_doubtful_translation_of_a_partial_is_withheld_too() -> None:
    told = Told(TEXTS | {("en", "ru"): "Where is the station?"})
    request = AstRequest(speech(), "en", "ru", partial=True, wants_target=True)
    (result,) = engine(told).translate([request])
    assert result.reason == "script"


@pytest.mark.parametrize("continues", [False, True])
def test_its_capabilities_say_if_answers_continue_what_is_committed(continues: bool) -> None:
    assert engine(Told(continues=continues)).capabilities.prefix == continues


def test_an_engine_that_sees_where_words_are_says_so_and_when_each_was_said() -> None:
    texts = {("en", "en"): "It is one.", ("en", "ru"): "Уже час."}
    aligning = engine(Told(texts, frames=[2, 2, 0, 9, 5, 0, 20, 4, 4, 4]))
    told = aligning.capabilities
    assert told.word_times and told.alignment and told.target_partials
    (result,) = aligning.translate([AstRequest(speech(1.5), "en", "ru")])
    assert [(word.text, word.end_ms) for word in result.words] == [
        ("It", 240),
        ("is", 800),
        ("one.", 1500),
    ]
    assert [(word.text, word.end_ms) for word in result.target_words] == [
        ("Уже", 240),
        ("час.", 1500),
    ]


def test_times_of_short_audio_count_from_its_own_beginning() -> None:
    texts = {("en", "en"): "One.", ("en", "ru"): "Час."}
    request = AstRequest(speech(0.5), "en", "ru", partial=True)
    (result,) = engine(Told(texts, frames=[5] * 4)).translate([request])
    assert [word.end_ms for word in result.words] == [230], "80 ms a frame, less 250 ms before it"
    assert result.target_words == ()


def test_one_that_does_not_see_where_words_are_translates_open_speech_all_the_same() -> None:
    told = engine(Told()).capabilities
    assert not (told.word_times or told.alignment)
    assert told.partials and told.target_partials


def test_what_cannot_be_heard_never_reaches_the_model() -> None:
    told = Told()
    unheard = [
        np.zeros(SPEECH_RATE, dtype=np.float32),
        np.full(SPEECH_RATE, np.nan, dtype=np.float32),
        speech(MAX_AUDIO_S + 1),
    ]
    batch = [AstRequest(samples, "en", "ru") for samples in (unheard[0], speech(), *unheard[1:])]
    results = engine(told).translate(batch)
    assert [result.status for result in results] == [
        AstStatus.NOT_UNDERSTOOD,
        AstStatus.OK,
        AstStatus.NOT_UNDERSTOOD,
        AstStatus.NOT_UNDERSTOOD,
    ]
    assert [result.reason for result in results] == ["silence", "", "silence", TOO_LONG]
    assert [len(call) for call in told.calls] == [1]


def test_doubtful_text_is_withheld_whole() -> None:
    told = Told(TEXTS | {("en", "ru"): "Where is the station?"})  # it did not translate
    (result,) = engine(told).translate([AstRequest(speech(), "en", "ru")])
    assert result.status is AstStatus.NOT_UNDERSTOOD
    assert (result.source_text, result.target_text) == ("", "")
    assert result.reason == "script"


def test_out_of_memory_goes_on_in_halves() -> None:
    told = Told(room=2)
    results = engine(told).translate([AstRequest(speech(), "en", "ru")] * 5)
    assert [result.status for result in results] == [AstStatus.OK] * 5
    assert [len(call) for call in told.calls] == [5, 2, 3, 1, 2]


def test_no_memory_for_one_is_an_error_that_says_what_to_do() -> None:
    with pytest.raises(EngineError, match="not enough memory for one segment"):
        engine(Told(room=0)).translate([AstRequest(speech(), "en", "ru")])


@pytest.mark.parametrize("pair", [("en", "de"), ("ru", "ru"), ("xx", "en")])
def test_a_pair_it_does_not_have_is_refused(pair: Pair) -> None:
    told = Told()
    with pytest.raises(EngineError, match=f"from {pair[0]} to {pair[1]}"):
        engine(told).translate([AstRequest(speech(), *pair)])
    assert not told.calls


def test_a_quiet_voice_with_an_offset_is_heard_as_loud_as_any_other() -> None:
    heard: list[Samples] = []

    class ListeningModel(Told):
        def write(
            self,
            waves: Sequence[Samples],
            wanted: Sequence[Sequence[Wanted]],
            limits: Sequence[int],
        ) -> list[list[Written]]:
            heard.extend(waves)
            return super().write(waves, wanted, limits)

    loud = speech()
    quiet = loud * np.float32(0.05) + np.float32(0.02)
    engine(ListeningModel()).translate([AstRequest(each, "en", "ru") for each in (loud, quiet)])
    np.testing.assert_allclose(heard[1], heard[0], atol=1e-3)


def test_short_audio_is_padded_on_both_sides() -> None:
    wave = padded(np.ones(1000, dtype=np.float32))
    assert len(wave) == SPEECH_RATE
    assert wave[7500:8500].all()
    assert not wave[:7500].any()
    assert not wave[8500:].any()
    assert len(padded(speech(2.0))) == 2 * SPEECH_RATE


def test_text_is_bounded_by_the_audio() -> None:
    assert longest_text(0) == 16
    assert longest_text(10 * SPEECH_RATE) == 141
    assert longest_text(int(MAX_AUDIO_S) * SPEECH_RATE) < 1024 - 10


def test_what_is_the_same_is_found_among_what_is_not() -> None:
    one, other = speech(), speech(3.0)
    distinct, among = without_repeats([one, other, one.copy(), one[:-1], other])
    assert [len(wave) for wave in distinct] == [len(one), len(other), len(one) - 1]
    assert among == [0, 1, 0, 2, 1]


def test_warming_up_never_asks_twice_of_the_same_audio(monkeypatch: pytest.MonkeyPatch) -> None:
    """Otherwise it would warm up smaller batches than it reports."""
    monkeypatch.setitem(WARM_BATCHES, "cpu", (4,))
    seen: list[int] = []

    class Noting(Told):
        def write(
            self,
            waves: Sequence[Samples],
            wanted: Sequence[Sequence[Wanted]],
            limits: Sequence[int],
        ) -> list[list[Written]]:
            seen.append(len(without_repeats(waves)[0]))
            return super().write(waves, wanted, limits)

    engine(Noting()).warm_up()
    assert seen == [4, 4]
