"""Whisper's recogniser over a network that answers from a script."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from rtc_server.engines.base import WordTime
from rtc_server.engines.cascade.byte_pairs import BytePairs
from rtc_server.engines.cascade.features import HOP_MS, Floats
from rtc_server.engines.cascade.recognizer import Transcript
from rtc_server.engines.cascade.whisper import WhisperRecognizer
from rtc_server.engines.cascade.whisper_model import DecodedWindow
from rtc_server.pcm import SPEECH_RATE, Samples, ms_to_samples

STEERING = (
    "<|endoftext|>",
    "<|startoftranscript|>",
    "<|en|>",
    "<|ru|>",
    "<|transcribe|>",
    "<|notimestamps|>",
)
PIECES = ("ĠGood", "Ġmor", "ning", ".", "ĠÐ", "´", "Ð°", "ĠSubtitles", "Ġby", *STEERING)
GOOD, MOR, NING, STOP, D_BEGINS, D_ENDS, A, SUBTITLES, BY = range(9)
TOKENS = BytePairs(PIECES)
THREE_SECONDS = np.zeros(3 * SPEECH_RATE, np.float32)
SHORT_FRAMES, WHOLE_FRAMES = 800, 3000


def frames_of(samples: Samples, /) -> Floats:
    return np.zeros((1, 80, len(samples) // ms_to_samples(HOP_MS, SPEECH_RATE)), np.float32)


class Network:
    """Network that writes `texts` one after the other; token n begins in step 10 n."""

    def __init__(self, *texts: DecodedWindow) -> None:
        self.texts = list(texts)
        self.windows: list[int] = []
        """Number of frames of each call."""
        self.prompts: list[list[int]] = []
        self.most: list[int] = []

    def encode(self, features: Floats) -> Any:
        self.windows.append(features.shape[2])
        return features

    def decode(self, encoded: Any, prompt: Sequence[int], most_tokens: int) -> DecodedWindow:
        self.prompts.append(list(prompt))
        self.most.append(most_tokens)
        return self.texts.pop(0)

    def align(
        self, encoded: Any, prompt: Sequence[int], tokens: Sequence[int], frames: int
    ) -> list[tuple[int, int]]:
        assert frames == 300
        return [(place, 10 * place + step) for place in range(len(tokens) + 1) for step in (0, 5)]


def written(*tokens: int, sure: float = -0.1, no_speech: float = 0.0) -> DecodedWindow:
    return DecodedWindow(tokens, sure, no_speech)


def transcribed(network: Network, language: str = "en", *, partial: bool = False) -> Transcript:
    recognizer = WhisperRecognizer(network, TOKENS, frames_of, ("en", "ru"))
    return recognizer.transcribe(THREE_SECONDS, language, partial=partial)


def test_a_word_ends_where_the_next_one_begins() -> None:
    network = Network(written(GOOD, MOR, NING, STOP))
    assert transcribed(network).words == (WordTime("Good", 200), WordTime("morning.", 800))
    assert network.windows == [SHORT_FRAMES]


def test_a_letter_may_be_spelt_by_two_tokens_and_steering_ones_spell_nothing() -> None:
    network = Network(written(D_BEGINS, D_ENDS, A, TOKENS.end))
    assert transcribed(network, "ru").text == "да"


def test_the_language_is_asked_for_and_times_are_not() -> None:
    network = Network(written(A))
    transcribed(network, "ru")
    asked = [PIECES[token] for token in network.prompts[0]]
    assert asked == ["<|startoftranscript|>", "<|ru|>", "<|transcribe|>", "<|notimestamps|>"]


LOOP = written(*[GOOD] * 52)
"""As many tokens as three seconds may have."""
GUESS = written(GOOD, sure=-1.2)
NOISE = written(GOOD, sure=-0.7, no_speech=0.8)


@pytest.mark.parametrize("doubtful", [LOOP, GUESS, NOISE], ids=["loop", "guess", "noise"])
def test_what_is_doubtful_is_heard_once_more_in_the_whole_window(doubtful: DecodedWindow) -> None:
    network = Network(doubtful, written(GOOD))
    assert transcribed(network).text == "Good"
    assert network.windows == [SHORT_FRAMES, WHOLE_FRAMES]
    assert network.most == [52, 52]
    assert transcribed(Network(doubtful, doubtful)) == Transcript()


@pytest.mark.parametrize("doubtful", [LOOP, GUESS, NOISE], ids=["loop", "guess", "noise"])
def test_what_is_doubtful_in_an_open_segment_waits_for_more_of_it(doubtful: DecodedWindow) -> None:
    network = Network(doubtful, written(GOOD))
    assert transcribed(network, partial=True) == Transcript()
    assert network.windows == [SHORT_FRAMES], "the long window holds up every final"
    assert transcribed(Network(written(GOOD)), partial=True).text == "Good"


def test_a_sure_answer_is_speech_whatever_the_token_for_none_says() -> None:
    assert transcribed(Network(written(GOOD, sure=-0.3, no_speech=0.9))).text == "Good"


def test_audio_that_fills_the_window_is_heard_once_and_tokens_are_bounded() -> None:
    network = Network(GUESS)
    recognizer = WhisperRecognizer(network, TOKENS, frames_of, ("en",))
    assert recognizer.transcribe(np.zeros(26 * SPEECH_RATE, np.float32), "en") == Transcript()
    assert network.windows == [WHOLE_FRAMES]
    assert network.most == [224]


def test_no_token_at_all_is_nothing_said() -> None:
    assert transcribed(Network(written(TOKENS.end))) == Transcript()


def test_the_credits_of_a_film_are_nothing_said() -> None:
    assert transcribed(Network(written(SUBTITLES, BY, GOOD))) == Transcript()
    assert transcribed(Network(written(GOOD, SUBTITLES))).text == "Good Subtitles"


def test_a_vocabulary_of_another_model_is_refused() -> None:
    assert BytePairs.parse("\n".join(PIECES) + "\n").end == len(PIECES) - len(STEERING)
    with pytest.raises(ValueError, match="transcribe"):
        BytePairs.parse("\n".join(PIECES).replace("<|transcribe|>", "x"))
    with pytest.raises(ValueError, match=r"no <\|de\|>"):
        WhisperRecognizer(Network(), TOKENS, frames_of, ("en", "de"))
