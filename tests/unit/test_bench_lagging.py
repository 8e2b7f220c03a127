"""Lagging of captions, against examples that were computed by hand."""

import pytest

from bench.lagging import Emission, Lagging, Sentence, emissions, laal


def test_lagging_is_the_mean_delay_behind_an_even_translator() -> None:
    # An even translator says 4 words of 4 s at 0, 1, 2 and 3 s.
    assert laal([1000, 2000, 3500, 4000], 4000, 4) == pytest.approx((1000 + 1000 + 1500 + 1000) / 4)
    # 5 words, one in 0.8 s; words after the end do not count.
    assert laal([1000, 2000, 3500, 4000, 9000], 4000, 4) == pytest.approx(
        (1000 + 1200 + 1900 + 1600) / 4
    )
    # Two words of four: still one in a second, so that saying less does not pay.
    assert laal([1000, 2000], 4000, 4) == pytest.approx(1000)
    assert laal([5000, 6000], 4000, 2) == 5000


def test_words_count_from_when_they_are_committed() -> None:
    def segment(name: str, text: str, stable: int, end_ms: int, *, final: bool = False) -> dict:  # type: ignore[type-arg]
        target = {"text": text, "stable_chars": stable}
        kind = "x.segment"
        return {
            "type": kind,
            "segment_id": name,
            "final": final,
            "target": target,
            "source": {"end_ms": end_ms},
        }

    events = [
        segment("a", "one tw", 0, 500),
        {"type": "x.metrics"},
        segment("a", "one two", 3, 900),
        segment("b", "three", 0, 1500),
        segment("a", "one two", 0, 1200, final=True),
        segment("b", "three", 0, 2000, final=True),
    ]
    came = emissions(events, [10.6, 10.7, 11.0, 11.6, 11.7, 12.2], began_s=10.0)
    assert [(each.word, each.unaware_ms) for each in came] == [
        ("one", 900),
        ("two", 1500),  # the segment ends at 1200, but audio up to 1500 was used
        ("three", 2000),
    ]
    assert [each.aware_ms for each in came] == pytest.approx([1000, 1700, 2200])


def test_a_talk_has_the_mean_of_its_sentences() -> None:
    def sentence(start_ms: float, *delays_ms: float) -> Sentence:
        came = (Emission("x", start_ms + each, start_ms + each + 100) for each in delays_ms)
        return Sentence(start_ms, 2000, ("x",) * len(delays_ms), tuple(came))

    lagging = Lagging.of([sentence(0, 1000, 1500), sentence(2000, 500, 1500)], 4000)
    assert lagging.laal_ms == pytest.approx((750 + 500) / 2)
    assert lagging.laal_aware_ms - lagging.laal_ms == pytest.approx(100)
    if lagging.yaal_ms is not None and lagging.yaal_aware_ms is not None:  # OmniSTEval is there
        assert lagging.yaal_ms == pytest.approx(625)
        assert lagging.yaal_aware_ms == pytest.approx(725)
