"""Small models in the layouts of the laptop engine's, and speech that they know."""

import shutil
from pathlib import Path

import numpy as np

from models.fixture.phrases import PHRASES
from models.fixture.voices import espeak
from rtc_server.engines.base import Pair
from rtc_server.pcm import Samples
from tests.support.recordings import recorded

MODELS = Path(__file__).parents[2] / "models" / "fixture" / "laptop_models"
"""A models' folder with everything for English and Russian."""
TEXTS = {("en", "ru"): PHRASES, ("ru", "en"): tuple((ru, en) for en, ru in PHRASES)}
"""(said, meant) for each pair."""
_VOICES = {"en": "en-us+m7", "ru": "ru+m7"}
"""None that the models were trained on."""


def say(text: str, language: str) -> Samples:
    """Return `text` spoken, with pauses as segments have them."""
    spoken = recorded(
        f"espeak-{language}-m7",
        text,
        lambda: espeak().speak(text, _VOICES[language], 160, 50),
    )
    return np.pad(spoken, (4000, 4800))


def said(pair: Pair, index: int) -> Samples:
    """Return one of the phrases, spoken in the first language of `pair`."""
    return say(TEXTS[pair][index][0], pair[0])


def copied_models(folder: Path) -> Path:
    """Return a copy of `MODELS` below `folder`, to be damaged."""
    return shutil.copytree(MODELS, folder / "models")
