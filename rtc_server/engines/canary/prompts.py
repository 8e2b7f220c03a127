"""Languages of a Canary model, and the prompts for its texts.

Canary's second prompt format has no token for the task: a target that equals the source is a
transcription, any other is a translation. A code that the model does not know would silently become
``<unk>``, so languages are checked here.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from rtc_server.engines.base import AstRequest, Pair
from rtc_server.engines.registry import CANARY_LANGUAGES
from rtc_server.errors import EngineError

HUB = "en"
"""Canary translates from and into English only."""

SLOTS = {
    "decodercontext": "",
    "emotion": "<|emo:undefined|>",
    "pnc": "<|pnc|>",
    "itn": "<|noitn|>",
    "timestamp": "<|notimestamp|>",
    "diarize": "<|nodiarize|>",
}
"""The parts of a prompt that never change: punctuation and capitals, nothing else."""


def known_languages(is_known: Callable[[str], bool]) -> tuple[str, ...]:
    """Return Canary's languages that have a token in this model, by a test of the token."""
    return tuple(code for code in CANARY_LANGUAGES if is_known(f"<|{code}|>"))


def translated_pairs(languages: Iterable[str]) -> tuple[Pair, ...]:
    """Return every (source, target) among `languages`."""
    others = [code for code in languages if code != HUB]
    return tuple((HUB, code) for code in others) + tuple((code, HUB) for code in others)


def check_pairs(batch: Sequence[AstRequest], pairs: Sequence[Pair]) -> None:
    """Refuse a batch with a pair that the model does not have.

    Raises:
        EngineError: names the first such pair.
    """
    for request in batch:
        if (request.source_language, request.target_language) not in pairs:
            raise EngineError(
                f"This Canary model does not translate from {request.source_language} to "
                f"{request.target_language}. `rtc-server engines` lists the pairs it has."
            )


class NemoPrompts:
    """Prompts as NeMo's own formatter writes them, each made once."""

    def __init__(self, model: Any) -> None:
        self._formatter = model.prompt
        self._made: dict[Pair, tuple[int, ...]] = {}

    def tokens(self, source: str, target: str) -> tuple[int, ...]:
        """Return the prompt for one pair; all have the same length."""
        pair = (source, target)
        if pair not in self._made:
            languages = {"source_lang": f"<|{source}|>", "target_lang": f"<|{target}|>"}
            turn = {"role": "user", "slots": SLOTS | languages}
            self._made[pair] = tuple(self._formatter.encode_dialog([turn])["context_ids"].tolist())
        return self._made[pair]
