"""Committed part of a hypothesis: it only grows."""

from hypothesis import given
from hypothesis import strategies as st

from rtc_server.interpreter.commit_policy import (
    Agreement,
    Attention,
    CommitPolicy,
    CommittedText,
    Consecutive,
    Hypothesis,
)

WORDS = st.sampled_from(["we", "meet", "at", "20", "5", "%", "Dr.", "Smith", "now.", "so,"])
HYPOTHESES = st.lists(
    st.tuples(st.lists(WORDS, max_size=8), st.integers(0, 300), st.integers(0, 3)), max_size=12
)
POLICIES = st.one_of(
    st.just(Consecutive()),
    st.builds(Agreement, passes=st.integers(1, 3), held_words=st.integers(0, 2)),
    st.builds(Attention, frontier_ms=st.integers(0, 900)),
)


def fed(policy: CommitPolicy, *texts: str) -> list[str]:
    """Return the committed text after each hypothesis."""
    text = CommittedText(policy)
    out = []
    for number, words in enumerate(texts):
        text.feed(1000 * number, Hypothesis(tuple(words.split())))
        out.append(" ".join(text.words))
    return out


@given(policy=POLICIES, hypotheses=HYPOTHESES, last=st.lists(WORDS, max_size=8))
def test_whatever_the_hypotheses_do_committed_text_only_grows(
    policy: CommitPolicy, hypotheses: list[tuple[list[str], int, int]], last: list[str]
) -> None:
    text = CommittedText(policy)
    before: tuple[str, ...] = ()
    for number, (words, spread_ms, open_words) in enumerate(hypotheses, 1):
        ends = tuple(spread_ms * n for n in range(1, len(words) + 1))
        new = text.feed(500 * number, Hypothesis(tuple(words), ends, open_words))
        assert text.words == before + new
        assert len(text.ends_ms) == len(text.words)
        assert text.shown[: len(text.words)] == text.words
        before = text.words
    new = text.finish(10_000, tuple(last))
    assert text.words == before + new
    assert text.tail == ()


def test_consecutive_commits_nothing_before_the_end() -> None:
    text = CommittedText(Consecutive())
    assert text.feed(1000, Hypothesis(("where", "is", "the"))) == ()
    assert text.finish(2000, ("where", "is", "it?")) == ("where", "is", "it?")


def shown(*texts: str, with_times: bool = False) -> list[str]:
    """Return the text worth showing after each hypothesis."""
    text = CommittedText(Agreement(passes=3, held_words=1))
    out = []
    for number, words in enumerate(map(str.split, texts), 1):
        ends_ms = tuple(100 * n for n in range(len(words))) if with_times else ()
        text.feed(1000 * number, Hypothesis(tuple(words), ends_ms))
        out.append(" ".join(text.shown))
    return out


def test_one_word_more_is_shown_than_the_pass_before_has_too() -> None:
    assert shown("where", "where is", "where is the", "where is the station please") == [
        "where",
        "where is",
        "where is the",
        "where is the station",
    ]
    guesses = "my name is Anna", "I need a doctor", "I need a train", "where is the train"
    assert shown(*guesses) == ["my", "I", "I need a train", "where"]


def test_all_words_whose_times_are_known_are_shown() -> None:
    guesses = "my name is Anna", "I need a doctor"
    assert shown(*guesses, with_times=True) == list(guesses)


def test_agreement_commits_what_passes_share_but_never_the_last_word() -> None:
    policy = Agreement(passes=2, held_words=0)
    assert fed(policy, "where is the", "where is the station", "where is the station now") == [
        "",
        "where is the",
        "where is the station",
    ]
    held = Agreement(passes=2, held_words=1)
    assert fed(held, "where is the", "where is the station")[-1] == "where is"
    three = Agreement(passes=3, held_words=0)
    assert fed(three, "a b c", "a b x y", "a b c d")[-1] == "a b"


def test_attention_withholds_words_that_rest_on_the_newest_audio() -> None:
    text = CommittedText(Attention(frontier_ms=400))
    assert text.feed(1000, Hypothesis(("one", "two", "three"), (300, 600, 900))) == ("one", "two")
    assert text.ends_ms == (300, 600)
    assert text.feed(1200, Hypothesis(("one", "two", "three"))) == ()  # without times, nothing


def test_a_number_waits_until_it_is_complete() -> None:
    policy = Agreement(passes=1, held_words=0)
    assert fed(policy, "we pay 20", "we pay 20 5", "we pay 20 5 % for", "we pay 20 5 % for it") == [
        "we pay",
        "we pay",
        "we pay",
        "we pay 20 5 % for",
    ]
    assert fed(policy, "room 20, then we", "room 20, then we go")[0] == "room 20, then"


def test_words_that_the_engine_leaves_open_are_not_committed() -> None:
    text = CommittedText(Agreement(passes=1, held_words=0))
    assert text.feed(1000, Hypothesis(("we", "meet", "half", "past"), open_words=2)) == (
        "we",
        "meet",
    )


def test_an_engine_that_denies_what_is_committed_is_continued_where_it_fits_best() -> None:
    text = CommittedText(Agreement(passes=1, held_words=0))
    text.feed(1000, Hypothesis(("I", "go", "home", "now")))
    assert text.words == ("I", "go", "home")
    assert text.finish(2000, ("I", "went", "home.", "It", "rains.")) == ("It", "rains.")
    assert text.finish(2000, ()) == ()


def test_passes_agree_on_what_follows_a_pause_whose_text_was_committed() -> None:
    text = CommittedText(Agreement(passes=2, held_words=0))
    text.feed(1000, Hypothesis(("one", "two")))
    assert text.finish(1400, ("one", "two")) == ("one", "two")
    assert text.feed(2000, Hypothesis(("one", "two", "three", "four"))) == ()
    assert text.feed(2400, Hypothesis(("one", "two", "three", "four", "five"))) == ("three", "four")
    assert text.finish(2800, ("one", "two", "three", "four", "five")) == ("five",)
    text = CommittedText(Agreement(passes=2, held_words=0))
    text.feed(1000, Hypothesis(("one", "two", "three")))
    text.finish(1400, ("one", "two"))
    assert text.feed(1800, Hypothesis(("one", "two", "three", "four"))) == ("three",)


def test_a_time_that_is_not_known_is_that_of_the_first_sight() -> None:
    text = CommittedText(Agreement(passes=2, held_words=0))
    text.feed(400, Hypothesis(("one", "two")))
    text.feed(800, Hypothesis(("one", "two", "three")))
    assert text.ends_ms == (400, 400)


def test_what_lies_behind_a_cut_moves_on_with_its_times() -> None:
    text = CommittedText(Attention(frontier_ms=0))
    text.feed(2000, Hypothesis(("a", "b.", "c", "d"), (300, 600, 900, 1900)))
    words, ends_ms = text.split(2, 700)
    assert (text.words, words, ends_ms) == (("a", "b."), ("c",), (200,))
    later = CommittedText(Attention(frontier_ms=0))
    later.begin_with(words, ends_ms)
    assert later.feed(1400, Hypothesis(("c", "d", "e"), (200, 1200, 1400))) == ("d",)
