"""``rtc-server models``: listing, fetching, checking and removing models, and their paths.

Wherever a model is named, a set of models may be.
"""

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path

from rtc_server import catalog
from rtc_server.catalog import Model, ModelFile, ModelSet, expand
from rtc_server.cli.download import record
from rtc_server.cli.fetching import Source, fetch_models
from rtc_server.config import EngineSettings, load
from rtc_server.errors import ModelError
from rtc_server.model_files import (
    FileState,
    expected_sha256,
    is_present,
    models_folder,
    partial_path,
    path_of,
    record_path,
    state_of,
)


def run(arguments: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Run one action; return 1 if `verify` found a wrong file."""
    (settings,) = load(arguments, environ, EngineSettings)
    folder = models_folder(settings.models_dir, environ)
    match arguments.action:
        case "list":
            _list(folder, arguments.ids)
        case "fetch":
            source = Source.chosen(arguments.source, environ)
            fetch_models(expand(arguments.ids), folder, source, trust=arguments.trust_download)
        case "verify":
            return _verify(arguments, folder)
        case "remove":
            _remove(expand(arguments.ids), folder)
        case _:
            for path in _paths(arguments.id, folder):
                print(path)
    return 0


def describe_set(each: ModelSet, folder: Path) -> list[str]:
    """Return the lines about a set: size, members, licences and what is installed."""
    absent = [model.id for model in each.models if presence(model, folder) != "fetched"]
    here = f"not fetched: {', '.join(absent)}" if absent else "fetched"
    licences = dict.fromkeys(model.licence for model in each.models)
    memory = [f"  memory: up to {each.memory_mb / 1000:.1f} GB"] if each.memory_mb else []
    return [
        f"{each.id}  (set, {each.size_bytes / 1e6:.0f} MB, {here})",
        f"  {each.title}",
        f"  models: {', '.join(model.id for model in each.models)}",
        *memory,
        f"  licences: {'; '.join(licences)}",
    ]


def presence(model: Model, folder: Path) -> str:
    """Return a phrase that says how much of a model is installed, judged by file sizes."""
    states = {state_of(folder, model, file) for file in model.files}
    if FileState.WRONG in states:
        return "not the catalogue's file: fetch it again"
    if states <= {FileState.VERIFIED, FileState.UNPINNED}:
        return "fetched"
    return "not fetched" if states == {FileState.ABSENT} else "fetched in part"


def _list(folder: Path, ids: Sequence[str]) -> None:
    print(f"Models in {folder}\n")
    for each in catalog.model_sets():
        if each.id in ids or not ids:
            print("\n".join(describe_set(each, folder)))
    for model in expand(ids) if ids else catalog.catalog():
        size = f"{model.size_bytes / 1e6:.0f} MB" if model.size_bytes else "size not known"
        print(f"{model.id}  ({model.kind}, {size}, {presence(model, folder)})")
        print(f"  languages: {', '.join(model.languages)}")
        print(f"  licence: {model.licence}")
        print(f"  hash: {_evidence(model)}")
    print("\nrtc-server models fetch ID… downloads models and sets.")


def _evidence(model: Model) -> str:
    unknown = [file.name for file in model.files if file.sha256 is None]
    if len(unknown) == len(model.files):
        return "not known; fetching needs --trust-download"
    if unknown:
        return f"not known of {', '.join(unknown)}; fetching needs --trust-download"
    return f"as {model.checked} independent projects publish it"


def _verify(arguments: argparse.Namespace, folder: Path) -> int:
    chosen = expand(arguments.ids) or [m for m in catalog.catalog() if is_present(folder, m)]
    if not chosen:
        print(f"No models in {folder}")
    right = True
    for model in chosen:
        for file in model.files:
            path = path_of(folder, model, file)
            state = state_of(folder, model, file, hashed=True)
            if arguments.trust_download and state in (FileState.UNPINNED, FileState.WRONG):
                sha256 = record(path)
                print(f"{path}: trusted from now on as {sha256}")
                continue
            print(f"{path}: {_verdict(state, path, file)}")
            right = right and state is FileState.VERIFIED
    return 0 if right else 1


def _verdict(state: FileState, path: Path, file: ModelFile) -> str:
    match state:
        case FileState.VERIFIED:
            trusted = expected_sha256(path, file) != file.sha256
            return "right (the hash you chose to trust)" if trusted else "right"
        case FileState.WRONG:
            return "WRONG: another file, or a damaged one"
        case FileState.UNPINNED:
            return "its right hash is not known"
        case FileState.PARTIAL:
            return "fetched in part"
        case _:
            return "not here"


def _remove(models: Sequence[Model], folder: Path) -> None:
    """Delete the catalogue's files of `models`, and their folders where nothing else is in them."""
    freed = 0
    for model in models:
        for file in model.files:
            path = path_of(folder, model, file)
            for each in (path, partial_path(path), record_path(path)):
                try:
                    size = each.stat().st_size
                    each.unlink()
                except FileNotFoundError:
                    continue
                except OSError as exc:
                    raise ModelError(f"Cannot remove {each}: {exc.strerror}.") from exc
                freed += size
                print(f"removed {each}")
        place = folder / model.id
        if place.is_dir() and not any(place.iterdir()):
            place.rmdir()
    print(f"{freed / 1e6:.0f} MB freed" if freed else f"None of these is in {folder}")


def _paths(model_id: str | None, folder: Path) -> list[Path]:
    """Return the folder of all models, or where the first file of each named one belongs."""
    if model_id is None:
        return [folder]
    return [path_of(folder, model, model.files[0]) for model in expand([model_id])]
