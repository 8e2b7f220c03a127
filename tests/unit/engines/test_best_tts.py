"""``--tts auto``: which engine speaks which language, and what an operator is told."""

from collections.abc import Iterator

import numpy as np
import pytest

from rtc_server.engines.base import EngineOptions, Tts, TtsCapabilities, TtsRequest
from rtc_server.engines.best_tts import BestTts, Factory
from rtc_server.errors import EngineUnavailable
from rtc_server.pcm import Samples
from tests.support.signals import loudest_hz

OPTIONS = EngineOptions()


class Toned:
    """Speaks half a second of its own pitch in chunks of 10 ms."""

    def __init__(self, name: str, rate: int, hz: float, languages: tuple[str, ...]) -> None:
        self.warm = False
        self.closed = False
        self.stopped = False
        self._hz = hz
        self.capabilities = TtsCapabilities(
            name=name,
            title=name,
            licence=f"licence of {name}",
            voices=dict.fromkeys(languages, (f"{name} voice",)),
            sample_rate=rate,
            deadline_s=rate / 10_000,
            notes=(f"note of {name}",),
        )

    def warm_up(self) -> None:
        self.warm = True

    def synthesize(self, request: TtsRequest) -> Iterator[Samples]:
        rate = self.capabilities.sample_rate
        phase = np.arange(rate // 2) * 2 * np.pi * self._hz / rate
        try:
            yield from np.split(
                np.sin(phase).astype(np.float32), range(rate // 100, rate // 2, rate // 100)
            )
        finally:
            self.stopped = True

    def close(self) -> None:
        self.closed = True


def gives(engine: Tts) -> Factory:
    return lambda _: engine


def lacks(sentence: str) -> Factory:
    def create(_options: EngineOptions) -> Tts:
        raise EngineUnavailable(sentence)

    return create


def test_the_first_engine_that_has_a_language_speaks_it_at_one_rate() -> None:
    best = Toned("Best", 48_000, 400, ("ru", "en"))
    good = Toned("Good", 22_050, 700, ("ru", "de"))
    plain = Toned("Plain", 16_000, 1000, ("ru", "en", "de", "it"))
    factories = tuple((e.capabilities.title, gives(e)) for e in (best, good, plain))
    tts = BestTts(factories, OPTIONS)
    tts.warm_up()
    assert all(engine.warm for engine in (best, good, plain))
    capabilities = tts.capabilities
    assert capabilities.title == "Best: ru, en; Good: de; Plain: it"
    assert dict(capabilities.voices) == {
        "ru": ("Best voice",), "en": ("Best voice",), "de": ("Good voice",), "it": ("Plain voice",)
    }  # fmt: skip
    assert capabilities.sample_rate == 48_000
    assert capabilities.deadline_s == 4.8
    assert "Good: licence of Good" in capabilities.licence
    for language, hz in (("ru", 400), ("de", 700), ("it", 1000)):
        speech = np.concatenate(list(tts.synthesize(TtsRequest("text", language))))
        assert speech.size == pytest.approx(24_000, abs=60)
        assert loudest_hz(speech, 48_000) == pytest.approx(hz, abs=3)
    tts.close()
    assert all(engine.closed for engine in (best, good, plain))


def test_what_is_absent_and_why_is_told() -> None:
    plain = Toned("Plain", 16_000, 1000, ("ru",))
    factories = (("Best", lacks("Fetch it with this command.")), ("Plain", gives(plain)))
    tts = BestTts(factories, OPTIONS)
    assert tts.capabilities.title == "Plain: ru"
    assert tts.capabilities.notes == (
        "Best is not used. Fetch it with this command.",
        "note of Plain",
    )


def test_closing_early_stops_the_engine_that_speaks() -> None:
    plain = Toned("Plain", 16_000, 1000, ("ru",))
    speech = BestTts((("Plain", gives(plain)),), OPTIONS).synthesize(TtsRequest("text", "ru"))
    next(speech)
    assert not plain.stopped
    speech.close()  # type: ignore[attr-defined]
    assert plain.stopped


def test_none_at_all_is_one_sentence_after_the_other() -> None:
    with pytest.raises(EngineUnavailable, match=r"No Silero\. No Piper\."):
        BestTts((("S", lacks("No Silero.")), ("P", lacks("No Piper."))), OPTIONS)
