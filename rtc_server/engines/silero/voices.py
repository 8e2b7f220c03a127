"""Silero models by language, and their voices."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Speaking:
    """One language of one model, and its speakers."""

    model_id: str
    """Id of the model in the catalogue."""
    language: str
    """ISO 639-1 code."""
    first: str
    """Speaker of the default voice."""
    prefix: str = ""
    """Prefix of the language's speakers, in a model of several languages."""
    stress: str = ""
    """Language of ``silero-stress`` for a model that needs its stress marks; empty for others."""


SPEAKING = (
    Speaking("v5_5_ru", "ru", "xenia"),
    Speaking("v3_en", "en", "en_0"),
    Speaking("v3_de", "de", "eva_k"),
    Speaking("v3_es", "es", "es_0"),
    Speaking("v3_fr", "fr", "fr_0"),
    Speaking("v4_ua", "uk", "mykyta"),
    Speaking("v5_cis_base", "ru", "ru_eduard", prefix="ru_", stress="ru"),
    Speaking("v5_cis_base", "uk", "ukr_igor", prefix="ukr_", stress="ukr"),
    Speaking("v5_cis_ext", "uk", "ukr_mykyta", prefix="ukr_", stress="ukr"),
)
"""All models by language; the first model of a language is its default."""

_NO_VOICE = frozenset({"random"})
"""Speakers of older models that use another voice at each call."""


def usual_models() -> tuple[str, ...]:
    """Return the default models, one for each language."""
    usual: dict[str, str] = {}
    for speaking in SPEAKING:
        usual.setdefault(speaking.language, speaking.model_id)
    return tuple(usual.values())


def languages_of(model_ids: tuple[str, ...]) -> Mapping[str, Speaking]:
    """Return for each language the first of these models that speaks it."""
    chosen: dict[str, Speaking] = {}
    for model_id in model_ids:
        for speaking in SPEAKING:
            if speaking.model_id == model_id:
                chosen.setdefault(speaking.language, speaking)
    return chosen


def voices_of(speaking: Speaking, speakers: tuple[str, ...]) -> tuple[str, ...]:
    """Return the language's voices among a model's speakers, the default first."""
    voices = [name for name in speakers if name.startswith(speaking.prefix)]
    voices = [name for name in voices if name not in _NO_VOICE]
    return tuple(sorted(voices, key=lambda name: name != speaking.first))  # stable
