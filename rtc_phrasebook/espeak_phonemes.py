"""Text to phonemes by espeak-ng, in this process, with the library in its wheel."""

import ctypes
import shutil
import tempfile
from collections.abc import Iterable
from pathlib import Path

import espeakng_loader

_SYNCHRONOUS = 2
_DONT_EXIT = 0x8000
_UTF8 = 1
_SEPARATED = ord("_") << 8
_VOICES = {"en": b"en-us", "ru": b"ru"}


class EspeakPhonemes:
    """Converter of text to espeak-ng's phoneme mnemonics.

    The library has one global state, and initialising it again would disturb other users in this
    process. So a copy of the file is loaded under another name, which has a state of its own.
    """

    def __init__(self) -> None:
        self._library = _own_copy(Path(espeakng_loader.get_library_path()))
        self._library.espeak_Initialize.argtypes = [
            ctypes.c_int, ctypes.c_int, ctypes.c_char_p, ctypes.c_int,
        ]  # fmt: skip
        self._library.espeak_TextToPhonemes.restype = ctypes.c_char_p
        self._library.espeak_TextToPhonemes.argtypes = [
            ctypes.POINTER(ctypes.c_char_p), ctypes.c_int, ctypes.c_int,
        ]  # fmt: skip
        data = espeakng_loader.get_data_path().encode()
        if self._library.espeak_Initialize(_SYNCHRONOUS, 0, data, _DONT_EXIT) < 0:
            raise RuntimeError("espeak-ng found no data")

    def phonemes(self, texts: Iterable[str], language: str) -> list[list[str]]:
        """Return the phonemes of each text; stress marks stay on their vowels."""
        self._library.espeak_SetVoiceByName(_VOICES[language])
        return [self._of(text) for text in texts]

    def _of(self, text: str) -> list[str]:
        at = ctypes.c_char_p(text.encode())
        said: list[str] = []
        while at.value:
            clause = self._library.espeak_TextToPhonemes(ctypes.byref(at), _UTF8, _SEPARATED)
            for phoneme in (clause or b"").decode().replace(" ", "_").split("_"):
                if phoneme == ";" and said:  # softness belongs to the consonant before it
                    said[-1] += phoneme
                elif phoneme:
                    said.append(phoneme)
        return said


def _own_copy(library: Path) -> ctypes.CDLL:
    try:
        with tempfile.TemporaryDirectory() as folder:
            return ctypes.CDLL(shutil.copy(library, folder))
    except OSError:  # the folder is not writable or executable; alone in a process it is no matter
        return ctypes.CDLL(str(library))
