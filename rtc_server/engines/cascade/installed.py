"""Models of the cascade that were fetched. A file is opened only after its hash was checked."""

import gzip
import logging
from collections.abc import Callable, Collection
from pathlib import Path
from typing import BinaryIO, TypeVar

from rtc_server import catalog, model_files
from rtc_server.catalog import Model
from rtc_server.engines.base import Pair
from rtc_server.engines.cascade import ctc, tdt
from rtc_server.engines.cascade.byte_pairs import BytePairs
from rtc_server.engines.cascade.ctc import CtcRecognizer
from rtc_server.engines.cascade.features import GigaamMel, NemoMel, WhisperMel
from rtc_server.engines.cascade.recognizer import Recognizer
from rtc_server.engines.cascade.tdt import TdtRecognizer
from rtc_server.engines.cascade.translation import Translator, load_translator
from rtc_server.engines.cascade.vocabulary import Vocabulary
from rtc_server.engines.cascade.whisper import WhisperRecognizer
from rtc_server.engines.cascade.whisper_model import open_model
from rtc_server.engines.onnx_session import open_session
from rtc_server.errors import EngineUnavailable, ModelError
from rtc_server.model_files import FileState

RECOGNIZER = "recognizer"
"""Kind of a speech recogniser in the catalogue."""
TRANSLATION = "translation"
"""Kind of a model that translates from the first of its languages to the second."""

_Tokens = TypeVar("_Tokens")
_log = logging.getLogger(__name__)


def installed(folder: Path, kind: str) -> tuple[Model, ...]:
    """Return the models of a kind that are in `folder`, whole or not, in the catalogue's order."""
    return tuple(
        model
        for model in catalog.catalog()
        if model.kind == kind and model_files.is_present(folder, model)
    )


def pair_of(model: Model) -> Pair:
    """Return (from, to) of a translation model."""
    source, target = model.languages
    return source, target


def load_recognizer(folder: Path, model: Model, threads: int) -> Recognizer:
    """Return the recogniser that a model of the catalogue is, in the layout its files show.

    Raises:
        EngineUnavailable: a file is missing, damaged, or not what the catalogue names.
    """
    files = _Files(folder, model)
    if files.has("model.bin"):
        tokens = files.vocabulary(BytePairs.parse)
        network = open_model(files.everything(), model.id, threads, files.advice)
        return WhisperRecognizer(network, tokens, WhisperMel(), model.languages)
    vocabulary = files.vocabulary(Vocabulary.parse)
    if files.has("encoder-model"):
        return TdtRecognizer(
            files.session("encoder-model", tdt.ENCODER_INPUTS, threads),
            files.session("decoder_joint-model", tdt.JOINT_INPUTS, threads),
            vocabulary,
            NemoMel(),
            model.languages,
        )
    session = files.session("v3_e2e_ctc.", ctc.INPUTS, threads)
    return CtcRecognizer(session, vocabulary, GigaamMel(), model.languages[0])


def load_translation(folder: Path, model: Model) -> Translator:
    """Return the translator that a model of the catalogue is.

    Raises:
        EngineUnavailable: a file is missing, damaged, or not what the catalogue names.
    """
    files = _Files(folder, model)
    shared = files.unpacked("vocab.") if files.has("vocab.") else None
    return load_translator(
        model.id,
        files.unpacked("model."),
        shared or files.unpacked("srcvocab."),
        shared or files.unpacked("trgvocab."),
        files.advice,
        shortlist=files.shortlist(),
    )


class _Files:
    """The files of one model, by how their names begin; each is read through a checked handle."""

    def __init__(self, folder: Path, model: Model) -> None:
        self._folder = folder
        self._model = model
        self.advice = f"Fetch it again: rtc-server models fetch {model.id}"

    def has(self, prefix: str) -> bool:
        """Return whether the catalogue names such a file."""
        return any(file.name.startswith(prefix) for file in self._model.files)

    def open(self, prefix: str) -> BinaryIO:
        """Return such a file, open for reading, its hash checked."""
        file = next(file for file in self._model.files if file.name.startswith(prefix))
        try:
            return model_files.open_verified(self._folder, self._model, file)
        except ModelError as exc:
            raise EngineUnavailable(str(exc)) from exc

    def read(self, prefix: str) -> bytes:
        """Return what such a file holds."""
        with self.open(prefix) as handle:
            return handle.read()

    def everything(self) -> dict[str, bytes]:
        """Return what each file holds, by name."""
        return {file.name: self.read(file.name) for file in self._model.files}

    def unpacked(self, prefix: str) -> bytes:
        """Return what a ``.gz`` file holds, unpacked in memory."""
        try:
            return gzip.decompress(self.read(prefix))
        except (OSError, EOFError) as exc:
            raise EngineUnavailable(f"{self._model.id} cannot be unpacked. {self.advice}") from exc

    def shortlist(self) -> bytes | None:
        """Return a translation model's shortlist; None, and a warning, where it was not fetched."""
        file = next((file for file in self._model.files if file.name.startswith("lex.")), None)
        if file is None:
            return None
        state = model_files.state_of(self._folder, self._model, file)
        if state in (FileState.ABSENT, FileState.PARTIAL):
            _log.warning(
                "Model %s takes twice the time without %s. Run: rtc-server models fetch %s",
                self._model.id, file.name, self._model.id,
            )  # fmt: skip
            return None
        return self.unpacked(file.name)

    def session(self, prefix: str, inputs: Collection[str], threads: int) -> object:
        """Return an ``onnxruntime.InferenceSession`` that asks for these tensors."""
        with self.open(prefix) as handle:
            return open_session(handle, self._model.id, threads, self.advice, inputs)

    def vocabulary(self, parse: Callable[[str], _Tokens]) -> _Tokens:
        """Return the tokens of a recogniser, read from their text by `parse`."""
        file = next(file for file in self._model.files if "vocab" in file.name)
        try:
            return parse(self.read(file.name).decode("utf-8"))
        except ValueError as exc:
            raise EngineUnavailable(
                f"The vocabulary of {self._model.id} cannot be read ({exc}). {self.advice}"
            ) from exc
