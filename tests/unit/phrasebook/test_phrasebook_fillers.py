"""Numbers, clock times, agreement and writing, in both languages."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtc_phrasebook import clock_times, number_words
from rtc_phrasebook.book import LANGUAGES, Book, load
from rtc_phrasebook.clock_times import ClockTime
from rtc_phrasebook.fillers import Value, fill, sayings, write
from rtc_phrasebook.network import Vocabularies, matches
from rtc_phrasebook.pattern import Slot, spoken_words, unfold

BOOK = load()
VOCABULARIES = {language: Vocabularies(BOOK, language) for language in LANGUAGES}


def item(kind: str, english: str) -> int:
    """Index of the item whose first English form is `english`."""
    return next(n for n, one in enumerate(BOOK.lists[kind]) if one.text("en", "") == english)


def translate(text: str, source: str, book: Book = BOOK) -> str:
    """Return the meaning of the words of `text` in the other language."""
    words = spoken_words(text, source)
    match = next(matches(words, book.phrases, source, VOCABULARIES[source]))
    return fill(match.phrase.wordings["ru" if source == "en" else "en"][0], match.values, book)


@pytest.mark.parametrize(
    ("english", "russian"),
    [
        ("two coffees please", "Два кофе, пожалуйста."),
        ("one pizza please", "Одну пиццу, пожалуйста."),
        ("two pizzas please", "Две пиццы, пожалуйста."),
        ("five pizzas please", "Пять пицц, пожалуйста."),
        ("one beer please", "Одно пиво, пожалуйста."),
        ("eleven pancakes please", "Одиннадцать блинов, пожалуйста."),
        ("one tea and two salads please", "Один чай и два салата, пожалуйста."),
        ("it costs five rubles", "Это стоит пять рублей."),
        ("it costs twenty one rubles", "Это стоит двадцать один рубль."),
        ("it costs three hundred and fifty two rubles", "Это стоит триста пятьдесят два рубля."),
        ("it costs twelve dollars", "Это стоит двенадцать долларов."),
        ("it costs two thousand rubles", "Это стоит две тысячи рублей."),
        ("it costs one thousand rubles", "Это стоит одну тысячу рублей."),
        ("wait one minute please", "Подождите одну минуту, пожалуйста."),
        ("in two weeks", "Через две недели."),
        ("in twelve hours", "Через двенадцать часов."),
        ("i am twenty one years old", "Мне двадцать один год."),
        ("i am thirty two years old", "Мне тридцать два года."),
        ("i am twelve years old", "Мне двенадцать лет."),
        ("the train leaves at seven thirty", "Поезд отправляется в семь тридцать."),
        ("the bus leaves at half past seven", "Автобус отправляется в семь тридцать."),
        ("breakfast is at eight in the morning", "Завтрак в восемь часов утра."),
        ("take me to the pharmacy please", "Отвезите меня в аптеку, пожалуйста."),
        ("how far is it to the hospital", "Далеко до больницы?"),
        ("i'm at the train station", "Я на вокзале."),
        ("let's meet on wednesday at five oh five", "Давайте встретимся в среду в пять ноль пять."),
        ("see you on tuesday", "Увидимся во вторник."),
        ("i'd like a pizza please", "Мне, пожалуйста, пиццу."),
        ("do you have pizza", "У вас есть пицца?"),
        ("do you have sandwiches", "У вас есть бутерброды?"),
        ("i'm from moscow", "Я из Москвы."),
        ("do you speak german", "Вы говорите по-немецки?"),
        ("i'm learning german", "Я учу немецкий язык."),
        ("a table for two please", "Столик на двоих, пожалуйста."),
        ("take this three times a day", "Принимайте это три раза в день."),
        ("my head hurts", "У меня болит голова."),
        ("my bag was stolen", "У меня украли сумку."),
        ("my room number is three oh five", "Номер моей комнаты 305."),
        ("i'm looking for the train station", "Я ищу вокзал."),
        ("i'm looking for the pharmacy", "Я ищу аптеку."),
        ("it's one minute on foot", "Это одна минута пешком."),
        ("i have one thousand rubles", "У меня есть одна тысяча рублей."),
        ("is this seat taken", "Здесь занято?"),
        ("is this seat free", "Здесь свободно?"),
        ("the plane leaves at seven thirty", "Самолёт вылетает в семь тридцать."),
    ],
)
def test_english_becomes_right_russian(english: str, russian: str) -> None:
    assert translate(english, "en") == russian


@pytest.mark.parametrize(
    ("russian", "english"),
    [
        ("два кофе пожалуйста", "Two coffees, please."),
        ("двадцать пицц пожалуйста", "20 pizzas, please."),
        ("поезд отправляется в половине восьмого", "The train leaves at 7:30."),
        ("поезд отправляется в полвосьмого", "The train leaves at 7:30."),
        ("автобус приходит без четверти девять", "The bus arrives at 8:45."),
        ("автобус приходит без пяти час", "The bus arrives at 12:55."),
        ("ужин в девятнадцать тридцать", "Dinner is at 7:30 p.m."),
        ("сейчас час", "It is 1 o'clock."),
        ("сейчас четверть пятого", "It is 4:15."),
        ("сегодня понедельник", "Today is Monday."),
        ("где находится вокзал", "Where is the train station?"),
        ("через одну минуту", "In one minute."),
        ("я потеряла кошелёк", "I lost my wallet."),
        ("с вас пять рублей", "It costs five rubles."),
        ("я еду во францию в пятницу", "I'm going to France on Friday."),
    ],
)
def test_russian_becomes_right_english(russian: str, english: str) -> None:
    assert translate(russian, "ru") == english


def test_one_minute_alone_stands_in_the_nominative() -> None:
    minute = item("unit", "minute")
    assert write(Slot("unit", "count unit", "nom", counted=True), "ru", (1, minute), BOOK) == (
        "одна минута"
    )
    assert write(Slot("unit", "count unit", "", counted=True), "ru", (1, minute), BOOK) == (
        "одну минуту"
    )


@given(st.integers(0, number_words.HIGHEST))
def test_every_number_is_heard_as_itself(number: int) -> None:
    slot = Slot("number", "number", "", counted=False, low=0, high=number_words.HIGHEST)
    for language, words in (
        ("en", number_words.english(number)),
        ("ru", number_words.russian(number)),
    ):
        assert VOCABULARIES[language].sayings(slot)[words] == number
    for words in number_words.english_spoken(number):
        assert VOCABULARIES["en"].sayings(slot)[words] == number


def test_numbers_that_sound_alike_are_never_two() -> None:
    for language in LANGUAGES:
        slot = Slot("number", "number", "", counted=False, low=0, high=number_words.HIGHEST)
        said = sayings(slot, language, BOOK)
        assert set(said.values()) == set(range(number_words.HIGHEST + 1))


TIMES = st.one_of(
    st.builds(ClockTime, st.integers(1, 12), st.integers(0, 59)),
    st.builds(ClockTime, st.integers(0, 23), st.integers(0, 59), st.just(True)),
)


@given(TIMES, st.sampled_from(("", "at")))
def test_written_russian_times_are_heard_as_themselves(time: ClockTime, form: str) -> None:
    words = tuple(clock_times.write(time, "ru", form).split())
    assert VOCABULARIES["ru"].sayings(Slot("time", "time", form))[words] == time


@pytest.mark.parametrize(
    ("time", "written"),
    [
        (ClockTime(7, 30), "7:30"),
        (ClockTime(7, 0), "7 o'clock"),
        (ClockTime(7, 5), "7:05"),
        (ClockTime(19, 30, exact=True), "7:30 p.m."),
        (ClockTime(0, 0, exact=True), "12 a.m."),
        (ClockTime(12, 0, exact=True), "12 p.m."),
    ],
)
def test_english_times_are_written_in_digits(time: ClockTime, written: str) -> None:
    assert clock_times.write(time, "en", "") == written


def test_a_sentence_does_not_end_in_two_dots() -> None:
    (wording,) = unfold("It is {time}.", "en")
    values: dict[str, Value] = {"time": ClockTime(19, 0, exact=True)}
    assert fill(wording, values, BOOK) == "It is 7 p.m."


@given(st.data())
def test_what_is_said_by_the_book_is_understood_as_itself(data: st.DataObject) -> None:
    language = data.draw(st.sampled_from(LANGUAGES))
    phrase = data.draw(st.sampled_from(BOOK.phrases))
    wording = data.draw(st.sampled_from(phrase.wordings[language]))
    words: list[str] = []
    for token in wording.tokens():
        if isinstance(token, Slot):
            said = VOCABULARIES[language].sayings(token)
            words += data.draw(st.sampled_from(sorted(said)))
        else:
            words.append(token)
    # The first reading counts; another phrase may share the words only if it means the same.
    found = list(matches(words, BOOK.phrases, language, VOCABULARIES[language]))
    other = "ru" if language == "en" else "en"
    meanings = {fill(one.phrase.wordings[other][0], one.values, BOOK) for one in found}
    assert phrase in [one.phrase for one in found]
    assert len(meanings) == 1
