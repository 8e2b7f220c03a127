"""Write `weights.npz` anew: ``python -m models.silero_vad.recipe``.

The arrays are the initializers of the ONNX model, by name and bit for bit. The file is the same on
every machine: its members are sorted, not compressed, and carry no time.
"""

import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import onnx
from onnx import numpy_helper

Weights: TypeAlias = dict[str, npt.NDArray[np.float32]]

FOLDER = Path(__file__).parent
WEIGHTS = FOLDER / "weights.npz"
WEIGHTS_SHA256 = "914dd3e57241d741a890c64577e5e72a341d08ab0789ef94b1698c56f790b5ca"
LIST = FOLDER / "wheel.txt"
WHEEL = "silero_vad-*.whl"
ONNX_MODEL = "silero_vad/data/silero_vad_16k_op15.onnx"
"""The smallest ONNX file in the wheel with all weights of the 16 kHz model."""


def fetch_wheel(folder: Path) -> Path:
    """Return the silero-vad wheel in `folder`, fetched by pip the first time; the hash is checked.

    Raises:
        subprocess.CalledProcessError: there is no package registry, or it has another file.
    """
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input", "--quiet"]
    wanted = ["--no-deps", "--only-binary=:all:", "--require-hashes"]
    # What the folder has is not asked for again, but its hash is checked like that of a new file.
    source = ["--no-index", "--find-links", str(folder)] if any(folder.glob(WHEEL)) else []
    subprocess.run([*pip, "download", *wanted, *source, "-r", LIST, "-d", folder], check=True)
    return next(folder.glob(WHEEL))


def read_onnx(wheel: Path) -> Weights:
    """Return the float32 initializers of the wheel's 16 kHz model."""
    with zipfile.ZipFile(wheel) as archive:
        model = onnx.load_from_string(archive.read(ONNX_MODEL))
    return {tensor.name: numpy_helper.to_array(tensor) for tensor in model.graph.initializer}


def write_weights(path: Path, weights: Weights) -> None:
    """Write the arrays to an ``.npz`` file."""
    members: dict[str, Any] = dict(sorted(weights.items()))
    np.savez(path, **members)


if __name__ == "__main__":
    cache = FOLDER.parents[1] / ".cache"
    cache.mkdir(exist_ok=True)
    write_weights(WEIGHTS, read_onnx(fetch_wheel(cache)))
    print(f"Wrote {WEIGHTS}; its SHA-256 goes into WEIGHTS_SHA256.")
