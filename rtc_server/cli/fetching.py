"""Fetching of models: the source of each file, and refusals before the first byte."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from rtc_server.catalog import Model, ModelFile
from rtc_server.cli.download import Fetch, check_room
from rtc_server.cli.progress_bar import ProgressBar
from rtc_server.errors import ModelError
from rtc_server.model_files import FileState, partial_path, path_of, state_of

_HUGGING_FACE = "https://huggingface.co"


@dataclass(frozen=True, slots=True)
class Source:
    """Source of model files."""

    mirror: str = ""
    """Folder or URL with ``ID/NAME``; empty for each file's publisher."""
    hugging_face: str = _HUGGING_FACE
    """Site to use in place of huggingface.co."""

    @classmethod
    def chosen(cls, mirror: str | None, environ: Mapping[str, str]) -> "Source":
        """Return the source for ``--from`` and the environment (``HF_ENDPOINT``)."""
        endpoint = environ.get("HF_ENDPOINT", "").rstrip("/")
        return cls(mirror or "", endpoint or _HUGGING_FACE)

    def of(self, model: Model, file: ModelFile) -> str | Path:
        """Return the URL or the path of a file.

        Raises:
            ModelError: the folder does not have it.
        """
        if not self.mirror:
            path = file.url.removeprefix(_HUGGING_FACE + "/")
            return file.url if path == file.url else f"{self.hugging_face}/{path}"
        if self.mirror.startswith(("http://", "https://")):
            return f"{self.mirror.rstrip('/')}/{model.id}/{file.name}"
        folder = Path(self.mirror).expanduser()
        for copy in (folder / model.id / file.name, folder / file.name):
            if copy.is_file():
                return copy
        raise ModelError(f"There is no {file.name} in {folder}, nor in {folder / model.id}.")


def fetch_models(
    models: Sequence[Model], folder: Path, source: Source, *, trust: bool = False
) -> None:
    """Fetch all files of `models` that are not in `folder` yet.

    What can be refused is refused before the first download.

    Raises:
        ModelError: a file cannot be had, is not the catalogue's, or has no known hash and `trust`
            was not given.
    """
    wanted: list[tuple[Model, ModelFile, str | Path]] = []
    for model in models:
        print(f"{model.id}: licence {model.licence}")
        for file in model.files:
            path = path_of(folder, model, file)
            if state_of(folder, model, file, hashed=True) is FileState.VERIFIED:
                print(f"{path} is here already")
            elif file.sha256 is None and not trust:
                raise ModelError(
                    f"The right hash of {file.name} (model {model.id}) is not known. To fetch it "
                    "and trust the file, add --trust-download; its hash is recorded then."
                )
            else:
                wanted.append((model, file, source.of(model, file)))
    if wanted:
        check_room(folder, needed_bytes(folder, wanted))
    for model, file, place in wanted:
        path = path_of(folder, model, file)
        with ProgressBar(file.name) as bar:
            Fetch(file, path, place, bar.show, trust=trust).run()
        print(path)


def needed_bytes(folder: Path, wanted: Iterable[tuple[Model, ModelFile, str | Path]]) -> int:
    """Return what is still to come of files, each with its source, as far as sizes are known."""
    total = 0
    for model, file, place in wanted:
        if isinstance(place, Path):  # a copy is begun anew, and may be a stand-in of another size
            total += place.stat().st_size
            continue
        part = partial_path(path_of(folder, model, file))
        begun = part.stat().st_size if part.is_file() else 0
        total += max((file.size_bytes or 0) - begun, 0)
    return total
