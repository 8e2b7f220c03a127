"""Piper voices on disk: ``NAME.onnx`` with its ``NAME.onnx.json`` beside it."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

from rtc_server import catalog, model_files
from rtc_server.errors import EngineUnavailable, ModelError

_CARD = "MODEL_CARD"
"""File beside a voice, as Piper's authors publish it."""


@dataclass(frozen=True, slots=True)
class VoiceFile:
    """A voice that can be loaded. Nothing but its configuration has been read."""

    path: Path
    """The model, for its name and for messages; read it through `open_model`."""
    open_model: Callable[[], BinaryIO]
    """Opens it; of a fetched voice what is read has the right hash, or `ModelError` is raised."""
    config: Mapping[str, Any]
    """Configuration of the voice."""
    language: str
    """ISO 639-1 code."""
    sample_rate: int
    """Of what it makes."""
    length_scale: float
    """Pace of the voice: larger is slower."""
    speakers: dict[str, int]
    """Names of its speakers and their numbers; empty for a voice of one."""
    licence: str
    """Licence in the catalogue's words or those of its card; empty when nothing states one."""

    @property
    def name(self) -> str:
        """The file's name without its ending, such as ``de_DE-thorsten-high``."""
        return self.path.stem

    @property
    def voices(self) -> tuple[str, ...]:
        """Names that a caller may ask for: the name, or for several speakers ``name/speaker``."""
        return tuple(f"{self.name}/{speaker}" for speaker in self.speakers) or (self.name,)


def find_voices(places: Iterable[Path], models_dir: Path) -> tuple[VoiceFile, ...]:
    """Return the voices in files and folders, in the order given, within a folder by name; then
    those of the catalogue that were fetched to `models_dir`. Of one name the first counts.

    Raises:
        EngineUnavailable: a place is not there or holds no voice, a configuration is damaged, or a
            fetched one is not the catalogue's.
    """
    voices = [_voice_at(path) for place in places for path in _models_in(place)]
    voices += _fetched(models_dir)
    return tuple({voice.name: voice for voice in reversed(voices)}.values())[::-1]


def _fetched(models_dir: Path) -> Iterator[VoiceFile]:
    for model in catalog.catalog():
        if model.kind != "piper" or not model_files.is_present(models_dir, model):
            continue
        weights, config = model.files
        try:
            with model_files.open_verified(models_dir, model, config) as handle:
                text = handle.read()
        except ModelError as exc:
            raise EngineUnavailable(str(exc)) from exc
        path = model_files.path_of(models_dir, model, weights)
        open_model = partial(model_files.open_verified, models_dir, model, weights)
        yield _voice(path, open_model, text, model.licence)


def _voice_at(path: Path) -> VoiceFile:
    config_path = path.with_name(path.name + ".json")
    if not path.is_file():
        raise EngineUnavailable(f"There is no Piper voice at {path}.")
    if not config_path.is_file():
        raise EngineUnavailable(
            f"Voice {path} needs its configuration {config_path.name} beside it. Put it there; it "
            "comes with the voice."
        )
    try:
        text = config_path.read_bytes()
    except OSError as exc:
        raise EngineUnavailable(f"Cannot read {config_path}: {exc.strerror}.") from exc
    return _voice(path, lambda: path.open("rb"), text, _licence_in_card(path.with_name(_CARD)))


def _licence_in_card(path: Path) -> str:
    """Return what a voice's card says of its recordings' licence and of what it was made from."""
    try:
        card = path.read_text("utf-8", "replace")
    except OSError:
        return ""
    lines = (line.strip(" *\t") for line in card.splitlines())
    told = [line for line in lines if line.lower().startswith(("license:", "fine-tuned from"))]
    return "; ".join(line.partition(":")[2].strip() if ":" in line[:8] else line for line in told)


def _voice(path: Path, open_model: Callable[[], BinaryIO], text: bytes, licence: str) -> VoiceFile:
    """Return a voice with the configuration in `text`."""
    try:
        config = json.loads(text)
        return VoiceFile(
            path=path,
            open_model=open_model,
            config=config,
            language=_language(config),
            sample_rate=int(config["audio"]["sample_rate"]),
            length_scale=float(config.get("inference", {}).get("length_scale", 1.0)),
            speakers={str(k): int(v) for k, v in (config.get("speaker_id_map") or {}).items()},
            licence=licence,
        )
    except (ValueError, KeyError, TypeError, AttributeError) as exc:
        raise EngineUnavailable(
            f"{path}.json is no configuration of a Piper voice ({type(exc).__name__}). Fetch the "
            "voice again."
        ) from exc


def _models_in(place: Path) -> Iterator[Path]:
    place = place.expanduser()
    if not place.is_dir():
        yield place
        return
    found = sorted(place.rglob("*.onnx"))
    if not found:
        raise EngineUnavailable(f"There is no Piper voice (.onnx) in {place}.")
    yield from found


def _language(config: dict[str, Any]) -> str:
    """Return the voice's own language, or that of its phonemizer in older files."""
    language = config.get("language") or {}
    code = language.get("family") or language.get("code") or config["espeak"]["voice"]
    return str(code).replace("_", "-").split("-")[0].lower()
