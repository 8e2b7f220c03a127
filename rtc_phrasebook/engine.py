"""The phrasebook as an AST engine."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from rtc_phrasebook import book as books
from rtc_phrasebook.book import LANGUAGES, Book
from rtc_phrasebook.fillers import examples, fill
from rtc_phrasebook.listing import own_books
from rtc_phrasebook.network import Vocabularies, matches
from rtc_phrasebook.partial import text_so_far
from rtc_server.engines.contract import (
    SPEECH_RATE,
    Ast,
    AstCapabilities,
    AstRequest,
    AstResult,
    AstStatus,
    ConfigError,
    EngineOptions,
    EngineUnavailable,
    NearPhrase,
    beat,
)

if TYPE_CHECKING:
    from rtc_phrasebook.recognizer import PhraseRecognizer

_HINTS = 3
_SHORTEST_SAMPLES = SPEECH_RATE // 10
"""Less than this holds no word."""


def create(options: EngineOptions) -> Ast:
    """Load the books and the acoustic model.

    Raises:
        EngineUnavailable: PocketSphinx or espeak-ng is missing, or a phrasebook is wrong.
    """
    try:
        from rtc_phrasebook.recognizer import PhraseRecognizer  # noqa: PLC0415
    except ImportError as error:
        raise EngineUnavailable(
            f"The phrasebook engine needs the pocketsphinx and espeakng-loader wheels: {error}."
        ) from error
    try:
        book = books.load(own_books(options))
        vocabularies = {language: Vocabularies(book, language) for language in LANGUAGES}
        return PhrasebookAst(book, vocabularies, PhraseRecognizer(book, vocabularies))
    except ConfigError as error:
        raise EngineUnavailable(str(error)) from error


class PhrasebookAst:
    """AST engine that answers with a phrase of the book, or with up to three near ones as hints."""

    def __init__(
        self, book: Book, vocabularies: dict[str, Vocabularies], recognizer: "PhraseRecognizer"
    ) -> None:
        self._book = book
        self._vocabularies = vocabularies
        self._recognizer = recognizer

    @property
    def capabilities(self) -> AstCapabilities:
        """English and Russian, both ways."""
        return AstCapabilities(
            name="phrasebook",
            title="Phrasebook (PocketSphinx)",
            licence="Apache-2.0; PocketSphinx and its en-us model BSD-2-Clause; "
            "pronunciations by espeak-ng, GPL-3.0, in this process only",
            pairs=(("en", "ru"), ("ru", "en")),
            partials=True,
            max_batch=4,
            max_audio_s=20.0,
            notes=(
                f"Understands the {len(self._book.phrases)} phrases of its book and nothing else; "
                "`rtc-server phrases` lists them.",
            ),
        )

    def warm_up(self) -> None:
        """Touch the model's pages once."""
        noise = np.random.default_rng(0).standard_normal(SPEECH_RATE, dtype=np.float32)
        for language in LANGUAGES:
            self._recognizer.understand(noise * np.float32(0.1), language)

    def translate(self, batch: Sequence[AstRequest]) -> list[AstResult]:
        """Return the results, one after the other: PocketSphinx has no batches."""
        results = []
        for one in batch:
            results.append(self._so_far(one) if one.partial else self._whole(one))
            beat()
        return results

    def close(self) -> None:
        """Do nothing: nothing outlives the process."""

    def _so_far(self, request: AstRequest) -> AstResult:
        if len(request.samples) < _SHORTEST_SAMPLES:
            return AstResult(AstStatus.OK)
        language = request.source_language
        words = self._recognizer.words_so_far(request.samples, language)
        begun = text_so_far(words, self._book, language, self._vocabularies[language])
        return AstResult(AstStatus.OK, source_text=begun.text, open_chars=begun.open_chars)

    def _whole(self, request: AstRequest) -> AstResult:
        if len(request.samples) < _SHORTEST_SAMPLES:
            return AstResult(AstStatus.NOT_UNDERSTOOD)
        source, target = request.source_language, request.target_language
        heard = self._recognizer.understand(request.samples, source)
        known = self._vocabularies[source]
        found = matches(heard.words, self._book.phrases, source, known)
        match = next(found, None) if heard.matched else None  # none for a decoy, either
        if match is not None:
            return AstResult(
                AstStatus.OK,
                source_text=fill(match.wording, match.values, self._book),
                target_text=fill(match.phrase.wordings[target][0], match.values, self._book),
            )
        if not heard.sound:  # nothing was said
            return AstResult(AstStatus.NOT_UNDERSTOOD)
        nearest = self._recognizer.nearest(heard.sound, source)[:_HINTS]
        shown = [examples(self._book.phrases[index], self._book) for index in nearest]
        hints = tuple(NearPhrase(pair[source], pair[target]) for pair in shown)
        return AstResult(AstStatus.NOT_UNDERSTOOD, hints=hints)
