"""Piper voices on disk: ``NAME.onnx`` with its ``NAME.onnx.json`` beside it."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rtc_server.errors import EngineUnavailable


@dataclass(frozen=True, slots=True)
class VoiceFile:
    """A voice that can be loaded. Nothing but its configuration has been read."""

    path: Path
    """The model."""
    language: str
    """ISO 639-1 code."""
    sample_rate: int
    """Of what it makes."""
    length_scale: float
    """Its own pace: larger is slower."""
    speakers: dict[str, int]
    """Names of its speakers and their numbers; empty for a voice of one."""

    @property
    def name(self) -> str:
        """The file's name without its ending, such as ``de_DE-thorsten-high``."""
        return self.path.stem

    @property
    def voices(self) -> tuple[str, ...]:
        """What a caller may ask for: the name, or for several speakers ``name/speaker``."""
        return tuple(f"{self.name}/{speaker}" for speaker in self.speakers) or (self.name,)


def find_voices(places: Iterable[Path]) -> tuple[VoiceFile, ...]:
    """The voices in files and folders, in the order given; within a folder by name.

    Raises:
        EngineUnavailable: a place is not there or holds no voice, or a configuration is damaged.
    """
    voices = [read_voice(path) for place in places for path in _models_in(place)]
    return tuple({voice.name: voice for voice in reversed(voices)}.values())[::-1]


def read_voice(path: Path) -> VoiceFile:
    """A voice from the file of its model.

    Raises:
        EngineUnavailable: the model or its configuration is missing or damaged.
    """
    config_path = path.with_name(path.name + ".json")
    if not path.is_file():
        raise EngineUnavailable(f"There is no Piper voice at {path}.")
    if not config_path.is_file():
        raise EngineUnavailable(
            f"Voice {path} needs its configuration {config_path.name} beside it. Put it there; it "
            "comes with the voice."
        )
    try:
        config = json.loads(config_path.read_text("utf-8"))
        return VoiceFile(
            path=path,
            language=_language(config),
            sample_rate=int(config["audio"]["sample_rate"]),
            length_scale=float(config.get("inference", {}).get("length_scale", 1.0)),
            speakers={str(k): int(v) for k, v in (config.get("speaker_id_map") or {}).items()},
        )
    except (ValueError, KeyError, TypeError, AttributeError, OSError) as exc:
        raise EngineUnavailable(
            f"{config_path} is no configuration of a Piper voice ({type(exc).__name__}). Fetch the "
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
    """From the voice's own language, or from its phonemizer's in older files."""
    language = config.get("language") or {}
    code = language.get("family") or language.get("code") or config["espeak"]["voice"]
    return str(code).replace("_", "-").split("-")[0].lower()
