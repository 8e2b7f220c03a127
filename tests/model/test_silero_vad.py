"""The shipped weights of Silero VAD against the silero-vad wheel, which pip fetches once."""

import subprocess
import zipfile
from pathlib import Path

import numpy as np
import onnxruntime
import pytest

from models.silero_vad import recipe
from rtc_server.audio.silero import WINDOW_SAMPLES
from rtc_server.audio.vad import make_vad_factory
from rtc_server.pcm import Samples
from rtc_server.resources import resource_folder
from tests.support.signals import english, join, noise, russian, tone


@pytest.fixture(scope="module")
def wheel(pytestconfig: pytest.Config) -> Path:
    return recipe.fetch_wheel(pytestconfig.cache.mkdir("silero-vad-wheel"))


def test_the_recipe_writes_the_file_that_is_shipped(wheel: Path, tmp_path: Path) -> None:
    path = tmp_path / "weights.npz"
    recipe.write_weights(path, recipe.read_onnx(wheel))
    shipped = resource_folder("models/silero_vad") / "weights.npz"
    assert path.read_bytes() == shipped.read_bytes()


def test_another_wheel_of_that_name_is_refused(wheel: Path, tmp_path: Path) -> None:
    other = tmp_path / wheel.name
    other.write_bytes(wheel.read_bytes()[:-1])
    with pytest.raises(subprocess.CalledProcessError):
        recipe.fetch_wheel(tmp_path)


def windows_of(samples: Samples) -> Samples:
    """Return the whole windows of `samples`, one a row."""
    whole = samples[: samples.size // WINDOW_SAMPLES * WINDOW_SAMPLES]
    return whole.reshape(-1, WINDOW_SAMPLES)


def probabilities_of_onnxruntime(wheel: Path, samples: Samples) -> list[float]:
    """Return what the wheel's main model says in the runtime it was made for, window by window."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    with zipfile.ZipFile(wheel) as archive:
        model = archive.read("silero_vad/data/silero_vad.onnx")
    session = onnxruntime.InferenceSession(model, options, ["CPUExecutionProvider"])
    state, context = np.zeros((2, 1, 128), np.float32), np.zeros(64, np.float32)
    found = []
    for window in windows_of(samples):
        asked = {"input": np.append(context, window)[None], "state": state, "sr": np.array(16000)}
        output, state = session.run(None, asked)
        context = window[-64:]
        found.append(float(output[0, 0]))
    return found


def test_silero_in_numpy_is_silero_in_onnxruntime(wheel: Path) -> None:
    """Over more than a minute without a break, the state stays the same too."""
    spoken = join(
        english("where is the train station"),
        noise(3000, level_db=-40, seed=1),
        russian("где находится вокзал"),
        tone(440, 1000, peak=1.0),
        english("two coffees please", voice="rms"),
        noise(2000, level_db=-10, seed=2),
    )
    gains = (1.0, 0.1, 0.01, 3.0)
    whole = np.clip(join(*(spoken * np.float32(gain) for gain in gains)), -1, 1)
    sounds = np.tile(join(whole, noise(500, level_db=-60, seed=3)), 2)
    vad = make_vad_factory("silero")()
    ours = [vad.probability(window) for window in windows_of(sounds)]
    theirs = probabilities_of_onnxruntime(wheel, sounds)
    assert len(ours) > 2000
    assert min(theirs) < 0.01
    assert max(theirs) > 0.99
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-4)
