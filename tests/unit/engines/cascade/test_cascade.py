"""One segment through both halves of the cascade; the halves answer from a script."""

import numpy as np
import pytest

from rtc_server.catalog import find
from rtc_server.engines.base import AstRequest, AstResult, AstStatus, WordTime
from rtc_server.engines.cascade.cascade import SILENT, TOO_LONG, CascadeAst
from rtc_server.engines.cascade.engine import recognizer_of_each_language
from rtc_server.engines.cascade.recognizer import Transcript
from rtc_server.engines.cascade.translation import Translation
from rtc_server.errors import EngineError, EngineUnavailable
from rtc_server.pcm import Samples

SPEECH = (0.1 * np.random.default_rng(0).standard_normal(32_000)).astype(np.float32)


class ScriptedRecognizer:
    """Recogniser that returns a given text for any audio."""

    languages = ("en",)

    def __init__(self, text: str = "Good morning.") -> None:
        self.text = text
        self.heard: list[Samples] = []
        self.partials: list[bool] = []

    def transcribe(self, samples: Samples, language: str, *, partial: bool = False) -> Transcript:
        self.heard.append(samples)
        self.partials.append(partial)
        return Transcript(
            tuple(WordTime(word, 100 * place) for place, word in enumerate(self.text.split(), 1))
        )


class ScriptedTranslator:
    """Translator that knows one sentence, and returns any other unchanged."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def translate_long(self, text: str) -> str:
        self.asked.append(text)
        return "Доброе утро." if text == "Good morning." else text


def cascade(recognizer: ScriptedRecognizer, translator: ScriptedTranslator) -> CascadeAst:
    translation = Translation(
        {("en", "ru"): translator, ("de", "en"): translator, ("en", "fr"): translator}
    )
    return CascadeAst({"en": recognizer}, translation, title="Scripted", licence="none")


def ask(
    samples: Samples = SPEECH,
    text: str = "Good morning.",
    target: str = "ru",
    *,
    partial: bool = False,
    wants_target: bool = False,
) -> AstResult:
    engine = cascade(ScriptedRecognizer(text), ScriptedTranslator())
    (result,) = engine.translate([AstRequest(samples, "en", target, partial, wants_target)])
    return result


def test_it_can_do_what_it_both_hears_and_translates() -> None:
    capabilities = cascade(ScriptedRecognizer(), ScriptedTranslator()).capabilities
    assert capabilities.pairs == (("en", "ru"), ("en", "fr"))
    assert capabilities.partials
    assert capabilities.target_partials
    assert capabilities.word_times
    assert capabilities.max_batch == 1


TIMES = (WordTime("Good", 100), WordTime("morning.", 200))


def test_a_segment_gives_both_texts_and_where_each_word_ends() -> None:
    assert ask() == AstResult(AstStatus.OK, "Good morning.", "Доброе утро.", words=TIMES)


def test_an_open_segment_is_translated_if_that_is_wanted() -> None:
    assert ask(partial=True) == AstResult(AstStatus.OK, "Good morning.", words=TIMES)
    assert ask(partial=True, wants_target=True) == ask()
    assert ask(text="no " * 30, partial=True).reason == "too_long"


@pytest.mark.parametrize(
    ("samples", "text", "reason"),
    [
        (np.zeros(16_000, np.float32), "Good morning.", SILENT),
        (np.full(16_000, np.nan, np.float32), "Good morning.", SILENT),
        (np.tile(SPEECH, 20), "Good morning.", TOO_LONG),
        (SPEECH, "", "empty"),
        (SPEECH, "…", "empty"),
        (SPEECH, "no " * 30, "too_long"),
        (SPEECH, "Доброе утро.", "script"),
        (SPEECH, "Nobody understands this sentence.", "script"),
    ],
)
def test_what_is_not_believed_is_not_understood_with_a_reason(
    samples: Samples, text: str, reason: str
) -> None:
    assert ask(samples, text) == AstResult(AstStatus.NOT_UNDERSTOOD, reason=reason)


def test_a_tenth_of_a_second_is_heard_with_silence_behind_it() -> None:
    recognizer = ScriptedRecognizer("Yes.")
    engine = cascade(recognizer, ScriptedTranslator())
    engine.translate([AstRequest(SPEECH[:1600], "en", "ru")])
    (heard,) = recognizer.heard
    assert len(heard) == 8000
    assert not heard[1600:].any()


def test_one_segment_in_several_languages_is_heard_once() -> None:
    recognizer, translator = ScriptedRecognizer("Linux"), ScriptedTranslator()
    engine = cascade(recognizer, translator)
    for target in ("ru", "fr"):
        engine.translate([AstRequest(SPEECH, "en", target)])
    assert len(recognizer.heard) == 1
    assert translator.asked == ["Linux", "Linux"]
    for start in range(10):
        engine.translate([AstRequest(SPEECH[start:], "en", "ru")])
    engine.translate([AstRequest(SPEECH[1:], "en", "ru")])
    assert len(recognizer.heard) == 11, "what is long past is forgotten"


def test_a_recogniser_is_told_that_more_is_being_said_and_asked_anew_when_it_was() -> None:
    recognizer = ScriptedRecognizer()
    engine = cascade(recognizer, ScriptedTranslator())
    for partial in (True, True, False):
        engine.translate([AstRequest(SPEECH, "en", "ru", partial)])
    assert recognizer.partials == [True, False]


def test_a_quiet_voice_is_heard_as_loud_as_any_other() -> None:
    recognizer = ScriptedRecognizer()
    engine = cascade(recognizer, ScriptedTranslator())
    engine.translate([AstRequest(SPEECH * np.float32(0.05) + np.float32(0.01), "en", "ru")])
    engine.translate([AstRequest(SPEECH, "en", "ru")])
    quiet, loud = recognizer.heard
    np.testing.assert_allclose(quiet, loud, atol=1e-3)


def test_another_pair_is_refused() -> None:
    with pytest.raises(EngineError, match="from en to de"):
        ask(target="de")


def test_warming_up_uses_every_model_once() -> None:
    recognizer, translator = ScriptedRecognizer(), ScriptedTranslator()
    cascade(recognizer, translator).warm_up()
    assert len(recognizer.heard) == 1
    assert translator.asked == ["1", "1", "1"]


def test_files_of_different_models_are_told_at_the_start() -> None:
    class Mixed(ScriptedRecognizer):
        def transcribe(
            self, samples: Samples, language: str, *, partial: bool = False
        ) -> Transcript:
            raise IndexError(language)

    with pytest.raises(EngineUnavailable, match=r"en fails .* rtc-server models verify"):
        cascade(Mixed(), ScriptedTranslator()).warm_up()


def test_the_recogniser_of_fewest_languages_hears_a_language() -> None:
    ids = ("whisper-base", "parakeet-tdt-0.6b-v3", "gigaam-v3-e2e-ctc", "parakeet-tdt-0.6b-v2")
    models = [find(each) for each in ids]
    assigned = recognizer_of_each_language(models, {"ru", "en", "de", "tr"})
    assert {language: model.id for language, model in assigned.items()} == {
        "ru": "gigaam-v3-e2e-ctc",
        "en": "parakeet-tdt-0.6b-v2",
        "de": "parakeet-tdt-0.6b-v3",
        "tr": "whisper-base",
    }
    assert recognizer_of_each_language(models, ()) == {}
