"""Clips that teach Canary's test model."""

import numpy as np
import pytest

from models.fixture import corpus
from models.fixture.corpus import Clip
from models.fixture.voices import espeak
from rtc_server.engines.espeak.library import Library
from rtc_server.pcm import Samples

WORDS_MS = 300
PIECES = ({"en": "The meeting", "ru": "Встреча"}, {"en": "starts now.", "ru": "начинается."})


def clip() -> Clip:
    ends = tuple(WORDS_MS * 16 * n for n in range(1, 5))
    texts = {each: " ".join(piece[each] for piece in PIECES) for each in ("en", "ru")}
    return Clip(np.zeros(ends[-1], np.float32), "en", texts, ends, PIECES)


def test_a_phrase_that_has_begun_has_the_words_that_were_said_by_then() -> None:
    random = np.random.default_rng(1)
    seen = set()
    for _ in range(200):
        begun = corpus.begun(clip(), random)
        said = len(begun.samples) // (WORDS_MS * 16)
        assert begun.texts["en"].split() == ["The", "meeting", "starts", "now."][:said]
        assert begun.texts["ru"] == ("Встреча" if said >= 2 else ""), "pieces that are complete"
        seen.add(said)
    assert seen == {0, 1, 2, 3}


@pytest.mark.parametrize("language", ["en", "ru"])
def test_words_of_synthetic_speech_end_in_order_within_it(language: str) -> None:
    for each in corpus.known(["m3"], 1, np.random.default_rng(1)):
        if each.language == language:
            assert len(each.word_ends) == len(each.texts[language].split())
            assert list(each.word_ends) == sorted(each.word_ends)
            assert 0 < each.word_ends[0] <= each.word_ends[-1] == len(each.samples)


def test_synthetic_speech_and_the_voice_of_the_server_share_one_process() -> None:
    """The library calls back whoever set a callback last, freed or not."""

    def fixture_speaks() -> bool:
        return espeak().speak("good morning", "en-us+m3", 150, 50).size > 0

    def server_speaks(voice: Library) -> bool:
        sizes = []

        def sink(chunk: Samples) -> bool:
            sizes.append(chunk.size)
            return True

        voice.speak("one two", "en", 170, sink)
        return sum(sizes) > 0

    assert fixture_speaks()
    voice = Library()
    for _ in range(2):
        assert server_speaks(voice)
        assert fixture_speaks()
    del voice
    assert fixture_speaks()
