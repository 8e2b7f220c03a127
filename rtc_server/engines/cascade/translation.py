"""Text to text: Firefox's translation models, directly or through English.

``fxtranslate`` reads the models that Firefox uses (Marian's binary format, 8 bits). A translator
belongs to the thread that made it, which is the one thread of the engine's process. What it cannot
take ends in a Rust panic, a ``BaseException`` that nothing further up would catch.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Protocol

from rtc_server.engines.base import Pair
from rtc_server.errors import EngineError, EngineUnavailable

HUB = "en"
"""The language that pairs without a model of their own go through."""


class Translator(Protocol):
    """One language pair."""

    def translate_long(self, text: str) -> str:
        """Return the translation of any number of sentences."""


class Translation:
    """All language pairs that some models make possible."""

    def __init__(self, translators: dict[Pair, Translator]) -> None:
        self._translators = translators
        through = (
            (source, target)
            for source, hub in translators
            for other_hub, target in translators
            if hub == other_hub == HUB and source != target
        )
        self.pairs: tuple[Pair, ...] = tuple(dict.fromkeys([*translators, *through]))
        """The direct ones first."""

    def warm_up(self) -> None:
        """Use each model once."""
        for pair in self._translators:
            self.translate("1", pair)

    def translate(self, text: str, pair: Pair) -> str:
        """Return `text` in the second language of one of `pairs`.

        Raises:
            EngineError: the model failed on this text.
        """
        for step in self._route(pair):
            with _panics_as_errors():
                text = self._translators[step].translate_long(text).strip()
        return text

    def _route(self, pair: Pair) -> Iterable[Pair]:
        return [pair] if pair in self._translators else [(pair[0], HUB), (HUB, pair[1])]


def load_translator(
    name: str,
    model: bytes,
    source_vocabulary: bytes,
    target_vocabulary: bytes,
    advice: str,
    *,
    shortlist: bytes | None = None,
) -> Translator:
    """Return the translator that these files make.

    Args:
        name: what people know the model by.
        model: Marian's binary file, not compressed.
        source_vocabulary: SentencePiece's file of the source language.
        target_vocabulary: that of the target language, which may be the same.
        advice: sentence with the next step, for when it cannot be loaded.
        shortlist: Marian's file of likely translations of each piece. Of a large vocabulary scoring
            all of it takes half of the time.

    Raises:
        EngineUnavailable: they make none.
    """
    import fxtranslate  # noqa: PLC0415 (in the engine's process)

    try:
        with _panics_as_errors():
            translator: Translator = fxtranslate.Translator(
                model, source_vocabulary, target_vocabulary, shortlist
            )
    except (ValueError, EngineError) as exc:
        raise EngineUnavailable(
            f"{name} cannot be loaded as a translation model. {advice}"
        ) from exc
    return translator


@contextmanager
def _panics_as_errors() -> Iterator[None]:
    """Turn a panic in Rust into an `EngineError`; its own text may quote what was said."""
    try:
        yield
    except BaseException as exc:
        if type(exc).__name__ != "PanicException":
            raise
        raise EngineError("This sentence could not be translated. Please say it again.") from None
