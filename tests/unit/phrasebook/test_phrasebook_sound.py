"""Pronunciations, noise removal and nearness: the signal side, without the acoustic model."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from rtc_phrasebook.book import LANGUAGES, load
from rtc_phrasebook.decoder import PHONES, as_dictionary, dictionary, moves_of
from rtc_phrasebook.denoise import ROOM_SAMPLES, denoise, with_room
from rtc_phrasebook.espeak_phonemes import EspeakPhonemes
from rtc_phrasebook.nearest import Nearest
from rtc_phrasebook.network import Network, Vocabularies, build
from rtc_phrasebook.pronounce import Phones, Pronunciations, english, russian
from rtc_server.pcm import SPEECH_RATE, Samples


def power(samples: Samples) -> float:
    return float(np.mean(np.square(samples)))


def test_every_word_of_the_book_can_be_pronounced() -> None:
    book, espeak = load(), EspeakPhonemes()
    for language in LANGUAGES:
        wordings = [one for phrase in book.phrases for one in phrase.wordings[language]]
        words = build(wordings, Vocabularies(book, language)).words()
        found = (
            english(words, dictionary(), {}, espeak)
            if language == "en"
            else russian(words, {}, espeak)
        )
        assert found.keys() == words
        for ways in found.values():
            assert all(way and set(way) <= set(PHONES) for way in ways)


def test_each_pronunciation_is_a_move_under_its_name_in_the_dictionary() -> None:
    no: list[Phones] = [("N", "OW"), ("N", "AO"), ("N", "AH")]
    ways: Pronunciations = {"yes": [("Y", "EH", "S")], "no": no}
    _, moves = moves_of(Network(((0, 1, "no"), (1, 2, "yes")), (2,)), ways)
    said = [(move[0], move[1], *move[3:]) for move in moves if move[0] != move[1]]
    assert said == [(0, 1, "no"), (0, 1, "no(2)"), (0, 1, "no(3)"), (1, 2, "yes"), (2, 3)]
    listed = {line.split()[0] for line in as_dictionary(ways).splitlines()}
    assert listed == {"yes", "no", "no(2)", "no(3)"}


def test_unknown_english_words_are_pronounced_by_espeak_and_respellings_win() -> None:
    espeak = EspeakPhonemes()
    found = english({"kvass", "moscow"}, dictionary(), {"kvass": "kavoss"}, espeak)
    assert found["moscow"][0] == ("M", "AA", "S", "K", "OW")
    assert found["kvass"] == english({"kavoss"}, dictionary(), {}, espeak)["kavoss"]
    assert found["kvass"] != english({"kvass"}, dictionary(), {}, espeak)["kvass"]


def test_good_bye_has_more_pronunciations_unless_a_book_respells_it() -> None:
    espeak = EspeakPhonemes()
    nasal = ("G", "UH", "D", "M", "B", "AY")
    plain = ("G", "UH", "D", "B", "AY")
    as_n = ("G", "UH", "D", "N", "AY")
    assert english({"goodbye"}, dictionary(), {}, espeak)["goodbye"] == [plain, nasal, as_n]
    assert nasal not in english({"goodbye"}, dictionary(), {"goodbye": "bye"}, espeak)["goodbye"]


def test_prepositions_of_one_letter_are_not_spelled_out() -> None:
    assert russian({"в"}, {}, EspeakPhonemes())["в"] == [("V",), ("F",)]


def test_a_soft_r_at_the_end_is_heard_as_r() -> None:
    assert russian({"дверь"}, {}, EspeakPhonemes())["дверь"][0] == ("D", "V", "EH", "R")


def test_noise_goes_and_speech_like_sound_stays() -> None:
    chance = np.random.default_rng(1)
    time = np.arange(2 * SPEECH_RATE) / SPEECH_RATE
    noise = 0.05 * chance.standard_normal(len(time))
    syllables = np.sin(2 * np.pi * 300 * time) * (np.sin(2 * np.pi * 2 * time) > 0)
    clean = denoise((syllables + noise).astype(np.float32))
    quiet, loud = slice(5000, 7500), slice(1000, 3500)  # on and off for halves of the first second
    assert len(clean) == len(time)
    assert power(clean[quiet]) < 0.5 * power(noise[quiet].astype(np.float32))
    assert 0.8 < power(clean[loud]) / power(syllables[loud].astype(np.float32)) < 1.2


@given(st.integers(1, 40_000), st.integers(0, 2**32 - 1))
def test_margins_are_even_and_nothing_loud_is_lost(length: int, seed: int) -> None:
    samples = np.random.default_rng(seed).standard_normal(length).astype(np.float32)
    framed = with_room(samples)
    if length < SPEECH_RATE // 100:
        assert framed is samples
        return
    silence = ROOM_SAMPLES * 2 // 3
    assert len(framed) <= length + 2 * silence
    assert not framed[:silence].any()
    assert not framed[-silence:].any()
    assert framed.max() == samples.max() or framed.min() == samples.min()


def test_noise_around_speech_is_cut_away() -> None:
    chance = np.random.default_rng(2)
    samples = 0.02 * chance.standard_normal(2 * SPEECH_RATE)
    samples[SPEECH_RATE : SPEECH_RATE * 3 // 2] += np.sin(np.arange(SPEECH_RATE // 2))
    framed = with_room(samples.astype(np.float32))
    assert abs(len(framed) - (SPEECH_RATE // 2 + 2 * ROOM_SAMPLES)) < SPEECH_RATE // 10


PHONE_RUNS = st.lists(st.sampled_from(PHONES), min_size=1, max_size=12).map(tuple)


@given(st.lists(PHONE_RUNS, min_size=1, max_size=6), st.data())
def test_the_same_sound_is_the_nearest(runs: list[tuple[str, ...]], data: st.DataObject) -> None:
    chosen = data.draw(st.integers(0, len(runs) - 1))
    nearest = Nearest(runs)
    distances = nearest.distances(runs[chosen])
    assert distances[chosen] == 0
    assert ((distances >= 0) & (distances <= 1)).all()
    assert runs[nearest.rank(runs[chosen])[0]] == runs[chosen]
    assert {runs[index] for index in nearest.rank(runs[chosen], within=0)} == {runs[chosen]}


def test_russian_clitics_are_known_without_stress() -> None:
    ways = russian({"до"}, {}, EspeakPhonemes())["до"]
    assert ways[0] == ("D", "AO")
    assert ("D", "AH") in ways


def test_the_last_vowel_of_a_russian_word_may_fade() -> None:
    ways = russian({"свидания", "да"}, {}, EspeakPhonemes())
    assert {way[-1] for way in ways["свидания"]} == {"AA", "AH"}
    assert ways["да"] == [("D", "AA"), ("D", "AH")]  # as its styles have it, and no more
