"""PocketSphinx: samples to words, phones and scores. The only module that imports it.

The acoustic model is the English one in the wheel, adapted to each language (see `acoustic`). A
second and faster search runs a loop over the model's phones. It shows how well the same sound is
explained by any sequence of phones, with which a match is compared.
"""

# ruff: noqa: SIM905 - a row of words reads better than a list of strings

import math
import tempfile
import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pocketsphinx

from rtc_phrasebook.acoustic import Moves, adapted
from rtc_phrasebook.network import Network
from rtc_phrasebook.pronounce import Phones, Pronunciations
from rtc_server.engines.contract import SPEECH_RATE, Samples, to_int16

PHONES = (
    "AA AE AH AO AW AY B CH D DH EH ER EY F G HH IH IY JH K L M N NG OW OY P R S SH T TH UH UW "
    "V W Y Z ZH"
).split()
PAUSE = "<sil>"
_PAUSE_PROBABILITY = 0.005
_BEAM, _WORD_BEAM = 1e-60, 1e-40
"""Beams, wider than the defaults, which lose one phrase in twenty. Wider beams only take time."""
_MOST_ACTIVE = 800
"""Most HMMs that are active in a frame. Twice as many take time without any gain."""
_WORDS, _LOOP, _ROOM = "words", "phones", "room"
_LOOP_STRIDE = 2
"""Frames per evaluation of the acoustic model in the loop of phones: half the work, at little loss
for the comparison. Words would be recognised less well."""
FILLERS = {"<s>": "SIL", "</s>": "SIL", PAUSE: "SIL", "[NOISE]": "+NSN+", "[SPEECH]": "+SPN+"}

PEAK = 0.5
"""Peak to which every segment is scaled, because the model expects one loudness."""
_SCORE_SCALE = 1024.0
"""Factor of acoustic scores, which PocketSphinx shifts right by ten bits (SENSCR_SHIFT)."""

FLOOR = 0.003
"""Level of the noise that is added to every segment, because digital silence disturbs the model's
noise removal. It is always the same, so that the same speech gives the same result."""

_NOISE_BYTES = 2 * SPEECH_RATE
"""Audio from which the noise is estimated: one second."""

Move = tuple[int, int, float, str] | tuple[int, int, float]
"""(from state, to state, probability, word); without a word, an empty move."""


@dataclass(frozen=True, slots=True)
class Heard:
    """Word, or phone of the loop, with its position in the audio."""

    text: str
    """The word as in the network; `PAUSE` for silence; ``+AA+`` for a phone."""
    start: int
    """First frame of 10 ms."""
    end: int
    """Frame after the last one."""
    score: float
    """Acoustic log likelihood, relative to the best active sound of each frame."""


def dictionary() -> Path:
    """Return the English dictionary in the wheel."""
    return Path(pocketsphinx.get_model_path("en-us/cmudict-en-us.dict"))


def acoustic_model() -> Path:
    """Return the folder of the English model in the wheel."""
    return Path(pocketsphinx.get_model_path("en-us/en-us"))


class Decoder:
    """Decoder of one language: a network of words, and a loop of phones. Not thread-safe."""

    def __init__(self, network: Network, pronunciations: Pronunciations, moves: Moves) -> None:
        pocketsphinx.set_loglevel("FATAL")  # "does not match the grammar" is an answer here
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            (folder / "model").mkdir()
            model = adapted(acoustic_model(), moves, folder / "model")
            words, fillers = folder / "words.dict", folder / "fillers.dict"
            words.write_text(as_dictionary(pronunciations), encoding="utf-8")
            phones = {_as_filler(phone): phone for phone in PHONES}
            fillers.write_text(
                "".join(f"{word} {phone}\n" for word, phone in {**FILLERS, **phones}.items()),
                encoding="utf-8",
            )
            self._words = _load(model, words, fillers)
            self._phones = _load(model, words, fillers, stride=_LOOP_STRIDE)
        _add(self._words, _WORDS, *moves_of(network, pronunciations))
        loop = [(0, 0, 1 / len(PHONES), word) for word in (*phones, PAUSE, "[NOISE]")]
        _add(self._phones, _LOOP, 0, loop)
        for decoder in (self._words, self._phones):
            _add(decoder, _ROOM, 0, [(0, 0, 1.0, PAUSE)])

    @staticmethod
    def condition(samples: Samples) -> bytes:
        """Return samples as the searches need them: one loudness, a floor of noise, int16."""
        peak = float(np.abs(samples).max())
        scaled = samples * (PEAK / peak) if peak > 0 else samples
        noise = np.random.default_rng(0).standard_normal(len(samples), dtype=np.float32)
        return to_int16(scaled + FLOOR * noise).tobytes()

    def words(self, audio: bytes) -> list[Heard]:
        """Return the best complete path through the network; empty if there is none."""
        return _decode(self._words, audio, _WORDS, complete=True)

    def words_so_far(self, audio: bytes) -> list[Heard]:
        """Return the best path through the network up to the end of the audio, complete or not."""
        return _decode(self._words, audio, _WORDS, complete=False)

    def phones(self, audio: bytes) -> list[Heard]:
        """Return the audio as a free sequence of phones."""
        return _decode(self._phones, audio, _LOOP, complete=True)


def _load(model: Path, words: Path, fillers: Path, *, stride: int = 1) -> pocketsphinx.Decoder:
    """Load the acoustic model, starting anew at every `stride`-th frame."""
    return pocketsphinx.Decoder(
        hmm=str(model),
        dict=str(words),
        fdict=str(fillers),
        lm=None,
        fsgusefiller=False,  # pauses are arcs of ours, phones must stay in their loop
        fsgusealtpron=False,  # so are a word's other pronunciations, see `moves_of`
        bestpath=False,
        beam=_BEAM,
        pbeam=_BEAM,
        wbeam=_WORD_BEAM,
        maxhmmpf=_MOST_ACTIVE,
        ds=stride,
        loglevel="FATAL",
    )


def moves_of(network: Network, pronunciations: Pronunciations) -> tuple[int, list[Move]]:
    """Return the network's end state and its moves, with an optional pause in every state.

    Each pronunciation of a word is a move of its own. PocketSphinx could add the alternatives
    itself, but searches all moves for each of them, which took half of the start's time.
    """
    states = {state for arc in network.arcs for state in arc[:2]}
    end = max(states) + 1
    moves: list[Move] = [
        (source, target, 1.0, name)
        for source, target, word in network.arcs
        for name in _names(word, pronunciations[word])
    ]
    moves += [(state, state, _PAUSE_PROBABILITY, PAUSE) for state in states]
    moves += [(state, end, 1.0) for state in network.finals]
    return end, moves


def _add(decoder: pocketsphinx.Decoder, name: str, end: int, moves: Sequence[Move]) -> None:
    decoder.add_fsg(name, decoder.create_fsg(name, 0, end, moves))


def _decode(
    decoder: pocketsphinx.Decoder, audio: bytes, name: str, *, complete: bool
) -> list[Heard]:
    _learn_noise(decoder, audio)
    decoder.activate_search(name)
    decoder.start_utt()
    decoder.process_raw(audio, no_search=False, full_utt=True)
    if complete:
        decoder.end_utt()
    found = [] if decoder.hyp() is None else [_heard(segment) for segment in decoder.seg()]
    if not complete:
        decoder.end_utt()
    return [heard for heard in found if heard.text != "(NULL)"]


def _learn_noise(decoder: pocketsphinx.Decoder, audio: bytes) -> None:
    """Set the state of the model's noise removal, which adapts while it decodes: drop that of other
    segments, and process the beginning of this audio first. So the same audio always gives the
    same result.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # "not necessary"
        decoder.start_stream()
    decoder.activate_search(_ROOM)  # some search is required; this one takes hardly any time
    decoder.start_utt()
    decoder.process_raw(audio[:_NOISE_BYTES], no_search=False, full_utt=True)
    decoder.end_utt()


def _heard(segment: pocketsphinx.Segment) -> Heard:
    score = math.log(segment.ascore) * _SCORE_SCALE
    word = segment.word
    if word.endswith(")") and word != "(NULL)":
        word = word[: word.rindex("(")]  # which pronunciation it was
    return Heard(word, segment.start_frame, segment.end_frame + 1, score)


def _as_filler(phone: str) -> str:
    return f"+{phone}+"


def is_phone(heard: Heard) -> bool:
    """Return whether it is a phone of the loop rather than silence or noise."""
    return heard.text.startswith("+")


def as_phones(heard: Iterable[Heard]) -> Phones:
    """Return the phones of a loop result, without silences and noises."""
    return tuple(one.text.strip("+") for one in heard if is_phone(one))


def as_dictionary(words: Pronunciations) -> str:
    """Return pronunciations as the text of a CMU dictionary."""
    lines = []
    for word, ways in words.items():
        for name, phones in zip(_names(word, ways), ways, strict=True):
            lines.append(f"{name} {' '.join(phones)}\n")
    return "".join(lines)


def _names(word: str, ways: Sequence[Phones]) -> list[str]:
    """Return a dictionary's names for the pronunciations of a word."""
    return [word, *(f"{word}({number})" for number in range(2, len(ways) + 1))]
