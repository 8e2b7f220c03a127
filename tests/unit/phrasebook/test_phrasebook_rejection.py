"""Judgement of a match, on runs of words and phones made by hand."""

from dataclasses import replace
from typing import Any

import pytest

from rtc_phrasebook.book import LANGUAGES
from rtc_phrasebook.decoder import PAUSE, Heard
from rtc_phrasebook.pronounce import Pronunciations
from rtc_phrasebook.rejection import Evidence, evidence, is_match

SPOKEN: Pronunciations = {"two": [("T", "UW")], "tea": [("T", "IY"), ("CH", "IY", "IY")]}
MATCH = [
    Heard(PAUSE, 0, 10, -10.0),
    Heard("two", 10, 30, -40.0),
    Heard(PAUSE, 30, 80, -60.0),
    Heard("tea", 80, 90, -50.0),
]
FREE = [
    Heard("+T+", 10, 20, -10.0),
    Heard("+UW+", 20, 40, -20.0),
    Heard("+T+", 80, 85, -10.0),
    Heard("+IY+", 85, 90, -10.0),
]


def judged(match: list[Heard], free: list[Heard]) -> Evidence:
    found = evidence(match, free, spoken=SPOKEN, freedom=1.5, noise=0.1)
    assert found is not None
    return found


def test_the_measures_are_what_they_say() -> None:
    found = judged(MATCH, FREE)
    assert found.loss == (160 - 50) / 90
    assert found.pause_s == 0.5
    assert found.missed == 10 / 40
    assert found.distance == 0
    assert found.phones == 4
    assert found.pace == 0.75
    assert found.rush == 0.5  # "tea": 10 frames for two phones
    assert (found.freedom, found.noise) == (1.5, 0.1)
    assert found.inner_loss == pytest.approx((40 + 60 + 50 - 50) / 80)  # from "two" to "tea"


def test_another_way_to_pronounce_it_is_no_further_away() -> None:
    other = [
        *FREE[:2],
        Heard("+CH+", 80, 84, -10.0),
        *(Heard("+IY+", at, at + 3, -5.0) for at in (84, 87)),
    ]
    assert judged(MATCH, other).distance == 0
    assert judged(MATCH, FREE[:2]).distance == 0.5


def test_pauses_alone_are_no_match() -> None:
    assert evidence(MATCH[:1], FREE, spoken=SPOKEN, freedom=0, noise=0) is None


def test_what_fits_is_taken_and_what_does_not_is_refused_in_every_language() -> None:
    good = Evidence(loss=0.2, pause_s=0, missed=0, distance=0.1, phones=14, pace=0.7, rush=0.6,
                    freedom=4.0, noise=0.05, inner_loss=0.3)  # fmt: skip
    for language in LANGUAGES:
        assert is_match(good, language)
        assert not is_match(replace(good, loss=4.5, distance=0.9), language)


def test_a_match_that_leaves_most_of_the_speech_unexplained_is_refused() -> None:
    good = Evidence(loss=0.2, pause_s=0, missed=0.2, distance=0.1, phones=14, pace=0.7, rush=0.6,
                    freedom=4.0, noise=0.5, inner_loss=0.3)  # fmt: skip
    for language in LANGUAGES:
        assert is_match(good, language)
        assert not is_match(replace(good, missed=0.55), language)


def test_stretched_words_and_a_fit_beyond_the_phones_prove_nothing_more() -> None:
    calm = Evidence(loss=0.0, pause_s=0, missed=0, distance=0.5, phones=4, pace=1.0, rush=1.0,
                    freedom=4.0, noise=0, inner_loss=0.0)  # fmt: skip
    stretched = replace(calm, loss=-2.0, pace=4.0, rush=3.0)
    assert stretched.measures() == calm.measures()


FORCED = Evidence(loss=0.55, pause_s=0, missed=0, distance=0.66, phones=7, pace=0.5, rush=0.5,
                  freedom=6.0, noise=0, inner_loss=3.1)  # fmt: skip
"""Measures of “От”, said by a woman over the telephone and found as “холодно”."""


def test_a_short_word_that_is_forced_into_a_phrase_is_refused() -> None:
    assert not is_match(FORCED, "ru")
    assert is_match(
        replace(FORCED, inner_loss=1.9), "ru"
    )  # by the weights alone it would be accepted


@pytest.mark.parametrize(
    "good", [{"phones": 17}, {"pace": 0.75}, {"inner_loss": 1.9}, {"distance": 0.49}]
)
def test_one_good_measure_is_enough_not_to_be_forced(good: dict[str, Any]) -> None:
    assert FORCED.is_forced
    assert not replace(FORCED, **good).is_forced
