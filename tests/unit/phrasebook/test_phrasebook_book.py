"""Phrasebook files: reading them, and refusals with file, line and reason."""

# ruff: noqa: E501 - a table of short files reads better in rows

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtc_phrasebook import listing
from rtc_phrasebook.book import LANGUAGES, load
from rtc_phrasebook.fillers import fill
from rtc_phrasebook.network import Network, Vocabularies, build, matches
from rtc_phrasebook.partial import text_so_far
from rtc_phrasebook.pattern import PatternError, spoken_words, unfold
from rtc_server.errors import ConfigError

BOOK = load()

TOPIC = '[topic.own]\ntitle = { en = "Own", ru = "Своё" }\nphrases = [\n'


def acceptor(network: Network) -> Callable[[list[str]], bool]:
    """Return a function that says whether the network has a path for words."""
    arcs = {(source, word): target for source, target, word in network.arcs}

    def accepts(words: list[str]) -> bool:
        state: int | None = 0
        for word in words:
            state = None if state is None else arcs.get((state, word))
        return state in network.finals

    return accepts


def test_the_shipped_book_has_what_it_promises() -> None:
    assert len(BOOK.phrases) >= 300
    assert {"food", "place", "day", "name", "language", "money"} <= BOOK.lists.keys()


def test_no_two_phrases_of_the_shipped_book_share_a_wording() -> None:
    for language in LANGUAGES:
        owners: dict[tuple[object, ...], str] = {}
        for phrase in BOOK.phrases:
            for wording in phrase.wordings[language]:
                owner = owners.setdefault(wording.tokens(), phrase.origin)
                assert owner == phrase.origin, f"{owner} and {phrase.origin} share {wording}"


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.unmeasured
def test_every_first_wording_has_a_path_in_the_network(language: str) -> None:
    vocabularies = Vocabularies(BOOK, language)
    wordings = [one for phrase in BOOK.phrases for one in phrase.wordings[language]]
    accepts = acceptor(build(wordings, vocabularies))
    assert not accepts([])
    for wording in wordings:
        words: list[str] = []
        for token in wording.tokens():
            words += [token] if isinstance(token, str) else next(iter(vocabularies.sayings(token)))
        assert accepts(words)
        assert not accepts([*words, "nonsense"])


def test_listing_gives_both_texts_by_topic() -> None:
    topics = listing.topics("ru", "en")
    assert topics[0].title == "Приветствия и вежливость"
    pairs = {(one.source, one.target) for topic in topics for one in topic.examples}
    assert ("Где находится вокзал?", "Where is the train station?") in pairs
    assert len(pairs) == len(BOOK.phrases)
    assert listing.topics("de", "en") == ()


def test_own_phrases_take_precedence_and_lists_grow(tmp_path: Path) -> None:
    own = tmp_path / "own.toml"
    own.write_text(
        '[list.food]\nitems = [\n  { en = { one = "dumpling", many = "dumplings", '
        'a = "a dumpling" }, '
        'ru = { nom = "пельмень", acc = "пельмень", one = "пельмень", few = "пельменя", '
        'many = "пельменей", gender = "m" } },\n]\n'
        + TOPIC
        + '  { en = "Hello.", ru = "Приветствую." },\n]\n',
        encoding="utf-8",
    )
    book = load([own])
    known = Vocabularies(book, "en")
    hello = next(matches(["hello"], book.phrases, "en", known))
    assert fill(hello.phrase.wordings["ru"][0], {}, book) == "Приветствую."
    order = next(matches(spoken_words("three dumplings please", "en"), book.phrases, "en", known))
    assert fill(order.phrase.wordings["ru"][0], order.values, book) == ("Три пельменя, пожалуйста.")


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ("[topic.own\n", 1, "Expected"),
        ("a = 1\n[stuff]\n", 1, "unknown table"),
        ('[topic.own]\nname = "x"\n', 1, "no setting “name”"),
        ("[topic.own]\nphrases = []\n", 1, "needs title"),
        (TOPIC + '  { en = "Yes sir." },\n]\n', 4, "needs en and ru"),
        (TOPIC + '  { en = "Fine.", ru = [] },\n]\n', 4, "must be a text"),
        (TOPIC + '  { en = "Fine.", ru = "Да." },\n  { en = "Room {", ru = "Да." },\n]\n', 5, "lacks"),
        (TOPIC + '  { en = "Call 911.", ru = "Да." },\n]\n', 4, "has digits"),
        (TOPIC + '  { en = "A {wine}.", ru = "Да." },\n]\n', 4, "no list “wine”"),
        (TOPIC + '  { en = "A {food}.", ru = "Да." },\n]\n', 4, "same slots"),
        (TOPIC + '  { en = "A {city:dative}.", ru = "{city}" },\n]\n', 0, ""),
        (TOPIC + '  { en = "To {city}.", ru = "К {city:dative}." },\n]\n', 4, "lacks the form ru.dative"),
        (TOPIC + '  { en = "{city} {city}", ru = "{city}" },\n]\n', 4, "stands twice"),
        (TOPIC + '  { en = "At {time:in}.", ru = "{time}" },\n]\n', 4, "no such form"),
        (TOPIC + '  { en = "{number 1-9}", ru = "{number 1-8}" },\n]\n', 4, "same slots and ranges"),
        (TOPIC + '  { en = "...", ru = "Да." },\n]\n', 4, "holds no words"),
        ('[list.food]\nitems = [\n  { en = "x" },\n]\n', 3, "an item needs en and ru"),
        ('[list.food]\nitems = [\n  { en = "x", ru = { gender = "z" } },\n]\n', 3, "gender"),
        ('[list.number]\nitems = []\n', 1, "cannot be called"),
        ('[sound.de]\nx = "y"\n', 1, "speaks en and ru"),
        ('[decoy]\nde = ["eins"]\n', 1, "decoy.* has en and ru"),
        ('[decoy]\nen = [\n  "one 2",\n]\n', 3, "has digits"),
        ('[decoy]\nru = [\n  "{wine}",\n]\n', 3, "no list “wine”"),
    ],
)  # fmt: skip
def test_a_bad_book_is_refused_by_line(tmp_path: Path, text: str, line: int, reason: str) -> None:
    own = tmp_path / "own.toml"
    own.write_text(text, encoding="utf-8")
    if not line:  # a word that never changes needs no forms
        assert load([own])
        return
    with pytest.raises(ConfigError, match=f"own.toml, line {line}: .*{reason}"):
        load([own])


def test_decoys_are_recognised_and_are_no_phrases_unless_a_book_says_so(tmp_path: Path) -> None:
    own = tmp_path / "own.toml"
    own.write_text(TOPIC + '  { en = "Pause.", ru = "Пауза." },\n]\n', encoding="utf-8")
    for book, is_phrase in ((BOOK, False), (load([own]), True)):
        known = Vocabularies(book, "en")
        assert acceptor(build(book.decoys["en"], known))(["pause"])
        assert any(matches(["pause"], book.phrases, "en", known)) is is_phrase


def test_a_book_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"nowhere\.toml cannot be read"):
        load([tmp_path / "nowhere.toml"])


def test_patterns_unfold_into_wordings() -> None:
    texts = ["".join(map(str, one.pieces)) for one in unfold("[Well, ](yes|no)[, please].", "en")]
    assert texts == ["yes.", "yes, please.", "no.", "no, please.",
                     "Well, yes.", "Well, yes, please.", "Well, no.", "Well, no, please."]  # fmt: skip


@pytest.mark.parametrize("text", ["a [b", "a ]", "(a|b", "{", "{food:}", "{food 1-2}", "a | b", ""])
def test_a_pattern_that_cannot_be_read_says_so(text: str) -> None:
    with pytest.raises(PatternError):
        unfold(text, "en")


@given(st.text(alphabet="ab ,.[](){}|:1-", max_size=20))
def test_any_text_is_a_pattern_or_an_error(text: str) -> None:
    try:
        wordings = unfold(text, "en")
    except PatternError:
        return
    assert wordings
    assert all(wording.tokens() for wording in wordings)


def test_captions_grow_word_by_word() -> None:
    known = Vocabularies(BOOK, "en")
    words = spoken_words("The train leaves at seven thirty", "en")
    seen = [text_so_far(words[:count], BOOK, "en", known) for count in range(len(words) + 1)]
    assert [begun.text for begun in seen] == [
        "", "The", "The train", "The train leaves", "The train leaves at",
        "The train leaves at seven", "The train leaves at seven thirty",
    ]  # fmt: skip
    assert [begun.open_chars for begun in seen] == [
        0,
        0,
        0,
        0,
        0,
        len("seven"),
        len("seven thirty"),
    ]
    words = spoken_words("The train leaves at seven thirty four in", "en")
    begun = text_so_far(words, BOOK, "en", known)  # the morning?
    assert begun == ("The train leaves at seven thirty four in", len("seven thirty four in"))
    begun = text_so_far(spoken_words("Где вокзал", "ru"), BOOK, "ru", Vocabularies(BOOK, "ru"))
    assert begun.text == "Где вокзал"
