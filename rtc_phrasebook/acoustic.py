"""Acoustic model of one language: the model in PocketSphinx's wheel, adapted.

PocketSphinx's model is a folder. A phonetically tied model has, for each phone, 128 Gaussians in
each of three streams (cepstra, their slopes, their curvature). Speech of another language, or
English in noise, is not where these Gaussians are, so their means are moved there
(`python -m bench.phrasebook.adapt`). Each state of a phone in its context, a senone, mixes the
Gaussians of its phone; these weights are changed as well. Only the changes are stored, those of
means in sixteenths of a standard deviation; the rest is the wheel's own.
"""

import zipfile
import zlib
from dataclasses import dataclass, field
from lzma import LZMAError
from pathlib import Path

import numpy as np
import numpy.typing as npt

from rtc_server.engines.contract import ConfigError, install_command

STEP = 1 / 16
"""Unit of the moves of means, in standard deviations: small compared with a Gaussian."""
WEIGHT_STEP = 8
"""Unit of the moves of weights, in steps of the model's own eight bits."""
MEANS, VARIANCES, WEIGHTS = "means", "variances", "sendump"
_LEAST_VARIANCE = 1e-4
"""Smallest variance that PocketSphinx uses."""
_STREAMS = 3
_SIZES = 4 + _STREAMS + 1
"""Numbers before the values: a magic number, the shape with a width for each stream, the count."""
_MAGIC = 0x11223344
_END_OF_HEADER = b"endhdr\n"
_DAMAGE = (OSError, EOFError, KeyError, ValueError, zipfile.BadZipFile, LZMAError)
"""Errors of `numpy.load` with a file that is missing, cut short, changed or of another kind."""

Gaussians = npt.NDArray[np.float32]
"""Shape (phones, streams, Gaussians, values)."""
Weights = npt.NDArray[np.uint8]
"""Logarithms, negated, in the model's own steps, shape (streams, Gaussians, senones)."""
_Floats = npt.NDArray[np.floating]


@dataclass(frozen=True, slots=True)
class Moves:
    """Moves of the means, and of some mixture weights, of a model for one language."""

    model: int
    """CRC-32 of the file of means to which they apply."""
    steps: npt.NDArray[np.int8]
    """Move of each mean, in `STEP` standard deviations."""
    senones: npt.NDArray[np.uint16] = field(default_factory=lambda: np.zeros(0, np.uint16))
    """Senones whose mixture weights are moved."""
    weights: npt.NDArray[np.int8] = field(default_factory=lambda: np.zeros((0, 0, 0), np.int8))
    """Move of each of their weights, in `WEIGHT_STEP`, shape (streams, Gaussians, senones)."""


def moves_file(language: str) -> Path:
    """Return the path of the file with a language's moves."""
    return Path(__file__).parent / "data" / f"{language}-means.npz"


def checksum(model: Path) -> int:
    """Return a checksum that distinguishes one model's means from another's."""
    return zlib.crc32((model / MEANS).read_bytes())


def read_gaussians(file: Path) -> Gaussians:
    """Return the means or variances of a model.

    Raises:
        ConfigError: the file is not one of PocketSphinx's with three streams of one width.
    """
    data = file.read_bytes().partition(_END_OF_HEADER)[2]
    sizes = np.frombuffer(data, "<u4", min(len(data) // 4, _SIZES)).tolist()
    magic, phones, streams, gaussians, *widths, count = sizes or [0] * _SIZES
    shape = (phones, streams, gaussians, widths[0])
    if magic != _MAGIC or len(set(widths)) != 1 or np.prod(shape) != count:
        raise ConfigError(f"{file.name} of the acoustic model is of an unknown kind.")
    return np.frombuffer(data, "<f4", count, 4 * _SIZES).reshape(shape)


def write_gaussians(file: Path, values: Gaussians) -> None:
    """Write what `read_gaussians` reads."""
    head = np.array([_MAGIC, *values.shape[:3], *values.shape[3:] * _STREAMS, values.size], "<u4")
    header = b"s3\nversion 1.0\n" + _END_OF_HEADER
    file.write_bytes(header + head.tobytes() + values.astype("<f4").tobytes())


def read_weights(file: Path) -> tuple[bytes, Weights]:
    """Return what precedes the mixture weights in a model's file, and the weights."""
    data, at = file.read_bytes(), 0
    while length := int.from_bytes(data[at : at + 4], "little"):
        at += 4 + length  # a description in words
    gaussians, senones = np.frombuffer(data, "<u4", 2, at + 4)
    start = at + 12
    weights = np.frombuffer(data, np.uint8, offset=start).reshape(_STREAMS, gaussians, senones)
    return data[:start], weights


def read_moves(file: Path) -> Moves:
    """Read what `write_moves` wrote.

    Raises:
        ConfigError: the file is missing or damaged.
    """
    try:
        with file.open("rb") as stored, np.load(stored, allow_pickle=False) as kept:
            weights = {name: kept[name] for name in ("senones", "weights") if name in kept}
            return Moves(int(kept["model"]), kept["steps"], **weights)
    except _DAMAGE as error:
        raise ConfigError(
            f"The phrasebook's acoustic file {file} cannot be read ({error}): install rtc-server "
            "again."
        ) from error


def write_moves(file: Path, moves: Moves) -> None:
    """Write moves; the same moves always make the same file.

    `numpy.load` reads LZMA as well as NumPy's own compression, which takes a fifth more.
    """
    arrays: dict[str, npt.NDArray[np.integer]] = {
        "model": np.array(moves.model, np.int64),
        "steps": moves.steps,
    }
    if moves.senones.size:
        arrays |= {"senones": moves.senones, "weights": moves.weights}
    with zipfile.ZipFile(file, "w") as packed:
        for name, values in arrays.items():
            entry = zipfile.ZipInfo(f"{name}.npy")  # of a fixed date
            entry.compress_type = zipfile.ZIP_LZMA
            with packed.open(entry, "w") as part:
                np.lib.format.write_array(part, values, allow_pickle=False)


def moves_between(before: _Floats, after: _Floats, variances: _Floats) -> npt.NDArray[np.int8]:
    """Return the steps that lead from one set of means to the other, as far as eight bits reach."""
    steps = np.rint((after - before) / (STEP * _deviations(variances)))
    return np.clip(steps, -127, 127).astype(np.int8)


def _deviations(variances: _Floats) -> _Floats:
    return np.asarray(np.sqrt(np.maximum(variances, np.float32(_LEAST_VARIANCE))))


def adapted(model: Path, moves: Moves, folder: Path) -> Path:
    """Return `folder`, filled with the adapted model; unchanged files are symlinks.

    Raises:
        ConfigError: the moves are for another model.
    """
    if moves.model != checksum(model):
        raise ConfigError(
            "The acoustic model in the pocketsphinx wheel is not the one that the phrasebook "
            f"was adapted to. Run: {install_command(only='pocketsphinx')}"
        )
    written = {MEANS, WEIGHTS} if moves.senones.size else {MEANS}
    for file in model.iterdir():
        if file.name not in written:
            (folder / file.name).symlink_to(file.resolve())
    if WEIGHTS in written:
        head, weights = read_weights(model / WEIGHTS)
        (folder / WEIGHTS).write_bytes(head + moved_weights(weights, moves).tobytes())
    deviations = _deviations(read_gaussians(model / VARIANCES))
    means = read_gaussians(model / MEANS) + deviations * (moves.steps * np.float32(STEP))
    write_gaussians(folder / MEANS, means.astype(np.float32))
    return folder


def moved_weights(weights: Weights, moves: Moves) -> Weights:
    """Return mixture weights with those of the moves' senones moved."""
    moved = weights.astype(np.int16)
    moved[:, :, moves.senones] += moves.weights * np.int16(WEIGHT_STEP)
    return np.clip(moved, 0, 255).astype(np.uint8)
