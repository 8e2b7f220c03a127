"""Silero as a `Tts` engine.

The models of all chosen languages are loaded at start. Loading a model at its first use would make
the first listener of a language wait, perhaps past the deadline. With little memory,
`--silero-models` loads fewer.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING

from rtc_server import catalog, model_files
from rtc_server.engines.base import EngineOptions, TtsCapabilities, TtsRequest
from rtc_server.engines.extras import install_command
from rtc_server.engines.silero.clauses import clauses
from rtc_server.engines.silero.silero_text import speakable
from rtc_server.engines.silero.stress import Accentor, load_accentor
from rtc_server.engines.silero.voices import (
    SPEAKING,
    Speaking,
    languages_of,
    usual_models,
    voices_of,
)
from rtc_server.errors import EngineUnavailable, ModelError
from rtc_server.pcm import Samples

if TYPE_CHECKING:
    from rtc_server.engines.silero.model import SileroModel

_NEEDS = ("torch", "ru_normalizr", "num2words")
DEADLINE_S = 10.0
"""Deadline: enough for a clause of 200 characters, tried twice, on a slow CPU."""
_WARM_UP = {
    "ru": "Проверка голоса.",
    "uk": "Перевірка голосу.",
    "en": "This is a check.",
    "de": "Dies ist eine Probe.",
    "es": "Esto es una prueba.",
    "fr": "Ceci est un essai.",
}


def create(options: EngineOptions) -> "SileroTts":
    """Load the engine. The registry names this function.

    Raises:
        EngineUnavailable: the extra, every model or the GPU is missing, or a file is not the
            catalogue's; the sentence names the command.
    """
    return SileroTts(options)


@dataclass(frozen=True, slots=True)
class _Voice:
    """Loaded model of one language."""

    speaking: Speaking
    """Model id and speakers."""
    model: "SileroModel"
    """Loaded model; two languages may share one."""
    accentor: Accentor | None
    """Function that sets stress marks; None if the model needs none."""


class SileroTts:
    """TTS engine with the loaded models of Silero; 48 kHz."""

    def __init__(self, options: EngineOptions) -> None:
        """Load the models. Raises as `create`."""
        if missing := [module for module in _NEEDS if find_spec(module) is None]:
            raise EngineUnavailable(
                f"Engine silero needs {' and '.join(missing)}, not installed here. "
                f"Run: {install_command('silero')}"
            )
        chosen = _choose(options)
        self._voices = _load(chosen, options)
        self._capabilities = _capabilities(self._voices)

    @property
    def capabilities(self) -> TtsCapabilities:
        """Languages and voices."""
        return self._capabilities

    def warm_up(self) -> None:
        """Speak two short texts in each language."""
        for language, voice in self._voices.items():
            default = self._capabilities.voices[language][0]
            voice.model.warm_up(default, speakable(_WARM_UP[language], language))

    def synthesize(self, request: TtsRequest) -> Iterator[Samples]:
        """Yield one chunk for each clause, the first of them short."""
        voice = self._voices[request.language]
        speaker = request.voice or self._capabilities.voices[request.language][0]
        text = speakable(request.text, request.language, voice.model.alphabet)
        if voice.accentor is not None and text:
            text = voice.accentor(text)
        for clause in clauses(text):
            samples = voice.model.speak(clause, speaker, request.rate)
            if samples.size:
                yield samples

    def close(self) -> None:
        """Do nothing: nothing outlives the process."""


def _choose(options: EngineOptions) -> dict[str, Speaking]:
    """Return model and speakers of each language: of the chosen models, else of the default ones
    that were fetched.

    A damaged or incomplete file counts, so that loading it reports that, instead of a language
    that is silently missing.
    """
    known = {speaking.model_id for speaking in SPEAKING}
    if options.silero_models:
        for model_id in options.silero_models:
            if model_id not in known:
                raise EngineUnavailable(
                    f"Silero has no model {model_id!a}. There is: {', '.join(sorted(known))}."
                )
        return dict(languages_of(options.silero_models))
    fetched = tuple(
        model_id
        for model_id in usual_models()
        if model_files.is_present(options.models_dir, catalog.find(model_id))
    )
    if not fetched:
        raise EngineUnavailable(
            f"No model of Silero is in {options.models_dir}. For Russian and English run: "
            "rtc-server models fetch v5_5_ru v3_en"
        )
    return dict(languages_of(fetched))


def _load(chosen: dict[str, Speaking], options: EngineOptions) -> dict[str, _Voice]:
    from rtc_server.engines.canary.device import choose_device  # noqa: PLC0415 (imports torch)
    from rtc_server.engines.silero.model import SileroModel  # noqa: PLC0415 (imports torch)

    device = choose_device(options.device)
    models: dict[str, SileroModel] = {}
    voices: dict[str, _Voice] = {}
    for language, speaking in chosen.items():
        entry = catalog.find(speaking.model_id)
        if entry.id not in models:
            try:
                handle = model_files.open_verified(options.models_dir, entry, entry.files[0])
            except ModelError as exc:
                raise EngineUnavailable(str(exc)) from exc
            models[entry.id] = SileroModel(entry.id, handle, device)
        model = models[entry.id]
        if not voices_of(speaking, model.speakers):
            raise EngineUnavailable(f"The file of {entry.id} has no speakers for {language}.")
        accentor = load_accentor(speaking.stress) if speaking.stress else None
        voices[language] = _Voice(speaking, model, accentor)
    return voices


def _capabilities(voices: dict[str, _Voice]) -> TtsCapabilities:
    models = {voice.speaking.model_id: voice for voice in voices.values()}
    licences: dict[str, list[str]] = {}
    for model_id in models:
        licences.setdefault(catalog.find(model_id).licence, []).append(model_id)
    device = next(iter(voices.values())).model.device
    return TtsCapabilities(
        name="silero",
        title=f"Silero {', '.join(models)} on {device}",
        licence="; ".join(f"{', '.join(ids)}: {licence}" for licence, ids in licences.items()),
        voices={
            language: voices_of(voice.speaking, voice.model.speakers)
            for language, voice in voices.items()
        },
        sample_rate=48_000,
        deadline_s=DEADLINE_S,
        notes=(*_licence_notes(licences), *_stress_notes(voices)),
    )


def _licence_notes(licences: dict[str, list[str]]) -> Iterator[str]:
    for licence, ids in licences.items():
        if "not for commercial use" in licence:
            yield (
                f"Silero's {', '.join(ids)} may not be used commercially (CC BY-NC-SA 4.0). "
                "v5_cis_base (Russian, Ukrainian) may: MIT."
            )


def _stress_notes(voices: dict[str, _Voice]) -> Iterator[str]:
    bare = [lang for lang, voice in voices.items() if voice.speaking.stress and not voice.accentor]
    if bare:
        yield (
            f"Words of {' and '.join(bare)} are read without stress marks, so many sound "
            "wrong: the model sets none itself, and silero-stress, a package of the extra "
            "silero, is not installed."
        )
