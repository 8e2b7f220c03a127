"""The catalogue: models and sets of models that can be fetched."""

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from rtc_server.errors import ModelError
from rtc_server.resources import resource_folder


@dataclass(frozen=True, slots=True)
class ModelFile:
    """One file of a model."""

    name: str
    """Name on disk."""
    url: str
    """URL at which its publisher serves it."""
    size_bytes: int | None
    """Size, when known."""
    sha256: str | None
    """SHA-256 in lower-case hexadecimal digits, when known."""
    optional: bool = False
    """True for one without which the model works, only slower."""


@dataclass(frozen=True, slots=True)
class Model:
    """A model that can be fetched."""

    id: str
    """Name for ``rtc-server models fetch``, and of its folder."""
    kind: str
    """The engine that loads it: ``canary``, ``silero`` or ``piper``."""
    languages: tuple[str, ...]
    """ISO 639-1 codes."""
    licence: str
    """Licence of the weights, with any restriction of use."""
    checked: int
    """Number of independent projects that were found to publish the same hashes."""
    files: tuple[ModelFile, ...]
    """All that the engine needs, the weights first."""

    @property
    def size_bytes(self) -> int:
        """Of all files whose size is known."""
        return sum(file.size_bytes or 0 for file in self.files)


@dataclass(frozen=True, slots=True)
class ModelSet:
    """Models that work together, fetched by one name."""

    id: str
    """Name for ``rtc-server models``; no model has it."""
    title: str
    """Purpose, in a few words."""
    models: tuple[Model, ...]
    """Members, in the order of fetching."""
    memory_mb: int = 0
    """Most main memory that the server takes with them, in MB; 0 when it is not known."""

    @property
    def size_bytes(self) -> int:
        """Sum over all models."""
        return sum(model.size_bytes for model in self.models)


@cache
def catalog() -> tuple[Model, ...]:
    """Return the models of ``models/catalog.toml``, in its order."""
    return read_catalog(_text())


@cache
def model_sets() -> tuple[ModelSet, ...]:
    """Return the sets of ``models/catalog.toml``, in its order."""
    return read_sets(_text(), catalog())


def read_catalog(text: str) -> tuple[Model, ...]:
    """Return the models in the text of a catalogue.

    Raises:
        ModelError: it is not one.
    """
    try:
        return tuple(_model(entry) for entry in tomllib.loads(text)["model"])
    except (tomllib.TOMLDecodeError, KeyError, TypeError, ValueError) as exc:
        raise ModelError(f"The catalogue of models cannot be read: {exc!r}.") from exc


def read_sets(text: str, models: Iterable[Model]) -> tuple[ModelSet, ...]:
    """Return the sets in the text of a catalogue.

    Args:
        text: the same text that the models were read from.
        models: what a set may name.

    Raises:
        ModelError: a set is damaged, names what is no model, or has the name of one.
    """
    known = {model.id: model for model in models}
    try:
        sets = tuple(
            ModelSet(
                id=str(entry["id"]),
                title=str(entry["title"]),
                models=tuple(known[model_id] for model_id in entry["models"]),
                memory_mb=int(entry.get("memory_mb", 0)),
            )
            for entry in tomllib.loads(text).get("set", ())
        )
    except (tomllib.TOMLDecodeError, KeyError, TypeError, ValueError) as exc:
        raise ModelError(f"The catalogue's sets of models cannot be read: {exc!r}.") from exc
    if twice := [each.id for each in sets if each.id in known]:
        raise ModelError(f"In the catalogue {twice[0]!a} is both a model and a set.")
    return sets


def expand(ids: Iterable[str]) -> list[Model]:
    """Return the models that ids of models and sets name, each once, in order.

    Raises:
        ModelError: an id names neither.
    """
    sets = {each.id: each.models for each in model_sets()}
    models = [model for each in ids for model in sets.get(each) or (find(each),)]
    return list(dict.fromkeys(models))


def find(model_id: str) -> Model:
    """Return the model of that id.

    Raises:
        ModelError: there is none.
    """
    for model in catalog():
        if model.id == model_id:
            return model
    raise ModelError(f"There is no model or set {model_id!a}. `rtc-server models list` lists them.")


def _text() -> str:
    return (resource_folder("models") / "catalog.toml").read_text("utf-8")


def _model(entry: dict[str, Any]) -> Model:
    return Model(
        id=str(entry["id"]),
        kind=str(entry["kind"]),
        languages=tuple(entry["languages"]),
        licence=str(entry["licence"]),
        checked=int(entry["checked"]),
        files=tuple(
            ModelFile(
                name=_plain_name(file["name"]),
                url=str(file["url"]),
                size_bytes=file.get("size_bytes"),
                sha256=file.get("sha256"),
                optional=bool(file.get("optional", False)),
            )
            for file in entry["file"]
        ),
    )


def _plain_name(name: str) -> str:
    if Path(name).name != name:
        raise ValueError(f"{name!a} is not a plain file name")
    return name
