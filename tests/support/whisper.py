"""The laptop engine with Whisper's published weights, and a translator that needs none."""

from rtc_server.catalog import find
from rtc_server.engines.base import EngineOptions
from rtc_server.engines.cascade.cascade import CascadeAst
from rtc_server.engines.cascade.installed import load_recognizer
from rtc_server.engines.cascade.translation import Translation

_LATIN, _CYRILLIC = "abvgdejziklmnoprstufhcyq", "абвгдежзиклмнопрстуфхцыя"
_OTHER_SCRIPT = str.maketrans(_LATIN + _CYRILLIC, _CYRILLIC + _LATIN)


class Transliterator:
    """Recogniser that writes the words in the other script: a text of the same length that looks
    like another language.
    """

    def translate_long(self, text: str) -> str:
        """Return `text` letter by letter."""
        return text.casefold().translate(_OTHER_SCRIPT)


def create(options: EngineOptions) -> CascadeAst:
    """Return the engine; the folder of models holds ``whisper-base``."""
    whisper = load_recognizer(options.models_dir, find("whisper-base"), threads=1)
    other = Transliterator()
    translation = Translation({("en", "ru"): other, ("ru", "en"): other})
    return CascadeAst(
        {"en": whisper, "ru": whisper}, translation, title="Whisper base", licence="MIT"
    )
