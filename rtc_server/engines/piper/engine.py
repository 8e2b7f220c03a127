"""Piper as a `Tts` engine.

``piper-tts`` is GPL-3.0-or-later and is imported in the engine's own process only. Voices load in
well under a second and take about 100 MB each; all are loaded at start.
"""

from collections.abc import Iterator
from importlib.util import find_spec
from typing import Any

import numpy as np

from rtc_server.engines.base import EngineOptions, TtsCapabilities, TtsRequest
from rtc_server.engines.espeak.espeak_text import clean_text
from rtc_server.engines.extras import install_command
from rtc_server.engines.onnx_session import open_session, thread_count
from rtc_server.engines.piper.first_piece import first_piece
from rtc_server.engines.piper.voices import VoiceFile, find_voices
from rtc_server.engines.registry import CANARY_LANGUAGES
from rtc_server.errors import EngineUnavailable, ModelError
from rtc_server.pcm import Samples
from rtc_server.resample import resampled

DEADLINE_S = 5.0
"""For one sentence, on a slow CPU."""


def create(options: EngineOptions) -> "PiperTts":
    """Load the engine. The registry names this function.

    Raises:
        EngineUnavailable: the extra or every voice is missing, or a voice is damaged.
    """
    if find_spec("piper") is None:
        raise EngineUnavailable(
            f"Engine piper needs piper-tts, not installed here. Run: {install_command('piper')}"
        )
    voices = find_voices(options.piper_voices, options.models_dir)
    if not voices:
        raise EngineUnavailable(
            "There is no Piper voice. Fetch one (rtc-server models fetch de_DE-thorsten-high) or "
            "name files or folders of voices with --piper-voices."
        )
    return PiperTts(voices, thread_count(options.threads))


class PiperTts:
    """Speaks with any of the loaded voices, one sentence at a time."""

    def __init__(self, files: tuple[VoiceFile, ...], threads: int) -> None:
        """Load all voices; each computes on up to `threads` threads.

        Raises:
            EngineUnavailable: a model cannot be loaded.
        """
        self._loaded = {file.name: _load(file, threads) for file in files}
        self._files = {voice: file for file in files for voice in file.voices}
        languages = dict.fromkeys(file.language for file in files)
        self._capabilities = TtsCapabilities(
            name="piper",
            title=f"Piper ({', '.join(file.name for file in files)})",
            licence="; ".join(
                [
                    "GPL-3.0-or-later, in a process of its own",
                    *(f"voice {file.name}: {file.licence or 'not stated'}" for file in files),
                ]
            ),
            voices={
                language: tuple(
                    voice for file in files if file.language == language for voice in file.voices
                )
                for language in languages
            },
            sample_rate=max(file.sample_rate for file in files),
            deadline_s=DEADLINE_S,
            notes=tuple(
                f"Nothing states the licence of voice {file.name}: look for its MODEL_CARD, and "
                "put it beside the voice."
                for file in files
                if not file.licence
            ),
        )

    @property
    def capabilities(self) -> TtsCapabilities:
        """Languages and voices."""
        return self._capabilities

    def warm_up(self) -> None:
        """Speak one word with each voice's model."""
        for voice in {file.name: file.voices[0] for file in self._files.values()}.values():
            language = self._files[voice].language
            for _ in self.synthesize(TtsRequest("1", language, voice)):
                pass

    def synthesize(self, request: TtsRequest) -> Iterator[Samples]:
        """Yield one chunk for each sentence, and two for a first one with a pause."""
        from piper import SynthesisConfig  # noqa: PLC0415 (GPL, in the engine's process)

        voice = request.voice or self._capabilities.voices[request.language][0]
        file = self._files[voice]
        text = request.text
        if request.language in CANARY_LANGUAGES:  # Piper asks libespeak-ng, which odd text kills
            text = clean_text(text, request.language)
        if not any(char.isalnum() for char in text):
            return
        config = SynthesisConfig(
            speaker_id=file.speakers.get(voice.partition("/")[2]),
            length_scale=file.length_scale / request.rate,
            normalize_audio=False,  # else each sentence is as loud as its loudest moment allows
        )
        sentences = (
            sentence
            for piece in first_piece(text)
            for sentence in self._loaded[file.name].synthesize(piece, config)
        )
        yield from resampled(
            (np.asarray(sentence.audio_float_array, np.float32) for sentence in sentences),
            file.sample_rate,
            self._capabilities.sample_rate,
        )

    def close(self) -> None:
        """Do nothing: nothing outlives the process."""


def _load(file: VoiceFile, threads: int) -> Any:
    # GPL, in the engine's process. `PiperVoice.load` would read the file by its name once more, and
    # take every core.
    from piper import PiperConfig, PiperVoice  # noqa: PLC0415

    again = "Fetch it again."
    try:
        with file.open_model() as handle:
            session = open_session(
                handle, f"Voice {file.path}", threads, again, ("input", "scales")
            )
    except ModelError as exc:
        raise EngineUnavailable(str(exc)) from exc
    try:
        config = PiperConfig.from_dict(dict(file.config))
    except Exception as exc:  # whatever it misses in a configuration
        raise EngineUnavailable(
            f"Voice {file.path} cannot be loaded ({type(exc).__name__}). {again}"
        ) from exc
    return PiperVoice(session=session, config=config)
