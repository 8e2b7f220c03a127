"""``rtc-server models``: what can be fetched, fetching it, checking it, and where it lies."""

import argparse
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from rtc_server.catalog import (
    Model,
    ModelFile,
    State,
    catalog,
    expected_sha256,
    find,
    models_folder,
    path_of,
    state_of,
)
from rtc_server.cli.download import Fetch, record
from rtc_server.config import EngineSettings, load
from rtc_server.errors import ModelError

_BAR_WIDTH = 24
_BETWEEN_UPDATES_S = 0.2


def run(arguments: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Do it; 1 when `verify` found a file that is not right."""
    (settings,) = load(arguments, environ, EngineSettings)
    folder = models_folder(settings.models_dir, environ)
    match arguments.action:
        case "list":
            return _list(folder)
        case "fetch":
            return _fetch(arguments, folder)
        case "verify":
            return _verify(arguments, folder)
        case _:
            print(_path(arguments.id, folder))
            return 0


def _list(folder: Path) -> int:
    print(f"Models in {folder}\n")
    for model in catalog():
        states = {state_of(folder, model, file) for file in model.files}
        here = "fetched" if states <= {State.VERIFIED, State.UNPINNED} else "not fetched"
        if State.WRONG in states:
            here = "not the catalogue's file: fetch it again"
        elif State.PARTIAL in states:
            here = "fetched in part"
        print(f"{model.id}  ({model.kind}, {model.size_bytes / 1e6:.0f} MB, {here})")
        print(f"  languages: {', '.join(model.languages)}")
        print(f"  licence: {model.licence}")
        print(f"  hash: as {model.checked} independent projects publish it")
    print("\nrtc-server models fetch ID… brings them.")
    return 0


def _fetch(arguments: argparse.Namespace, folder: Path) -> int:
    for model in [find(model_id) for model_id in arguments.ids]:
        print(f"{model.id}: licence {model.licence}")
        for file in model.files:
            path = path_of(folder, model, file)
            if state_of(folder, model, file, hashed=True) is State.VERIFIED:
                print(f"{path} is here already")
                continue
            if file.sha256 is None and not arguments.trust_download:
                raise ModelError(
                    f"The right hash of {file.name} is not known. To fetch it and trust what "
                    "comes, add --trust-download; its hash is recorded then."
                )
            source = _source(arguments.source, model, file)
            with _Bar(file.name) as bar:
                Fetch(file, path, source, bar.show, trust=arguments.trust_download).run()
            print(path)
    return 0


def _source(given: str | None, model: Model, file: ModelFile) -> str | Path:
    """Where to take a file from.

    Raises:
        ModelError: the folder does not have it.
    """
    if given is None:
        return file.url
    if given.startswith(("http://", "https://")):
        return f"{given.rstrip('/')}/{model.id}/{file.name}"
    folder = Path(given).expanduser()
    for copy in (folder / model.id / file.name, folder / file.name):
        if copy.is_file():
            return copy
    raise ModelError(f"There is no {file.name} in {folder}, nor in {folder / model.id}.")


def _verify(arguments: argparse.Namespace, folder: Path) -> int:
    chosen = [find(model_id) for model_id in arguments.ids] or list(_present(folder))
    if not chosen:
        print(f"No models in {folder}")
    right = True
    for model in chosen:
        for file in model.files:
            path = path_of(folder, model, file)
            state = state_of(folder, model, file, hashed=True)
            if arguments.trust_download and state in (State.UNPINNED, State.WRONG):
                sha256 = record(path)
                print(f"{path}: trusted from now on as {sha256}")
                continue
            print(f"{path}: {_verdict(state, path, file)}")
            right = right and state is State.VERIFIED
    return 0 if right else 1


def _verdict(state: State, path: Path, file: ModelFile) -> str:
    match state:
        case State.VERIFIED:
            trusted = expected_sha256(path, file) != file.sha256
            return "right (the hash you chose to trust)" if trusted else "right"
        case State.WRONG:
            return "WRONG: another file, or a damaged one"
        case State.UNPINNED:
            return "its right hash is not known"
        case State.PARTIAL:
            return "fetched in part"
        case _:
            return "not here"


def _present(folder: Path) -> Iterator[Model]:
    for model in catalog():
        states = {state_of(folder, model, file) for file in model.files}
        if states != {State.ABSENT}:
            yield model


def _path(model_id: str | None, folder: Path) -> Path:
    if model_id is None:
        return folder
    model = find(model_id)
    return path_of(folder, model, model.files[0])


class _Bar:
    """How far a transfer is, on stderr: a bar on a terminal, elsewhere a line each tenth."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._terminal = sys.stderr.isatty()
        self._shown_at = 0.0
        self._tenths = -1

    def __enter__(self) -> "_Bar":
        return self

    def __exit__(self, *_: object) -> None:
        if self._terminal and self._shown_at:
            print(file=sys.stderr)

    def show(self, there: int, total: int | None) -> None:
        """Called with each piece."""
        now = time.monotonic()
        done = there == total
        if self._terminal:
            if done or now - self._shown_at >= _BETWEEN_UPDATES_S:
                self._shown_at = now
                print(f"\r{self._line(there, total)}", end="", file=sys.stderr, flush=True)
            return
        tenths = 10 * there // total if total else there // 10**8
        if tenths != self._tenths:
            self._tenths = tenths
            print(self._line(there, total), file=sys.stderr)

    def _line(self, there: int, total: int | None) -> str:
        if not total:
            return f"{self._name}  {there / 1e6:.1f} MB"
        filled = _BAR_WIDTH * there // total
        bar = "█" * filled + "░" * (_BAR_WIDTH - filled)
        return f"{self._name}  {bar} {there / 1e6:.1f} of {total / 1e6:.1f} MB"
