import os
import subprocess
import sys
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rtc_server.audio.vad import Vad, load_silero, make_vad_factory
from rtc_server.audio.vad import probabilities as judged
from rtc_server.errors import ConfigError
from rtc_server.pcm import Samples
from rtc_server.resources import resource_folder
from tests.support.signals import english, join, noise, russian, silence, tone

NAMES = ("silero", "webrtc")
WEIGHTS = resource_folder("models/silero_vad") / "weights.npz"


def probabilities(vad: Vad, samples: Samples) -> list[float]:
    size = vad.window_samples
    starts = range(0, samples.size - size + 1, size)
    return [vad.probability(samples[at : at + size]) for at in starts]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "speech",
    [english("where is the train station"), russian("где находится вокзал")],
    ids=["en", "ru"],
)
def test_speech_is_speech_and_silence_is_not(name: str, speech: Samples) -> None:
    vad = make_vad_factory(name)()
    quiet = noise(1000, level_db=-70)
    heard = probabilities(vad, join(quiet, speech, quiet))
    size = vad.window_samples
    before, during = heard[: 16000 // size], heard[16000 // size : (16000 + speech.size) // size]
    assert max(before) < 0.35
    assert np.mean([p >= 0.5 for p in during]) > 0.75
    assert max(heard[-5:]) < 0.35


@pytest.mark.parametrize(
    "sound", [tone(440, 2000), tone(1000, 2000, peak=0.9), noise(2000, level_db=-20)]
)
def test_tones_and_noise_do_not_fool_silero(sound: Samples) -> None:
    heard = probabilities(make_vad_factory("silero")(), join(silence(500), sound))
    assert np.mean([p >= 0.5 for p in heard]) < 0.05


@pytest.mark.parametrize("name", NAMES)
def test_streams_share_the_model_and_nothing_else(name: str) -> None:
    make = make_vad_factory(name)
    speech = english("two coffees please")
    alone = probabilities(make(), speech)
    one, other = make(), make()
    size = one.window_samples
    together = []
    for index in range(speech.size // size):
        together.append(one.probability(speech[index * size : (index + 1) * size]))
        other.probability(noise(size / 16, level_db=-10, seed=index))
    assert together == alone
    one.reset()
    assert probabilities(one, speech) == alone


@pytest.mark.parametrize("name", NAMES)
def test_streams_judged_together_are_judged_as_alone(name: str) -> None:
    """Any number of streams, each with its own past, gets the same results together; one falls
    silent.
    """
    make = make_vad_factory(name)
    speech = english("two coffees please")
    count, size = 40, make().window_samples
    streams = [np.roll(speech, 331 * index) * np.float32(0.02 * index) for index in range(count)]
    alone = [probabilities(make(), stream) for stream in streams]
    vads = [make() for _ in range(count)]
    together = [list[float]() for _ in range(count)]
    for window in range(speech.size // size):
        now = range(window % 30, count)  # not all have a window each time
        windows = [streams[i][len(together[i]) * size :][:size] for i in now]
        for index, heard in zip(now, judged([vads[i] for i in now], windows), strict=True):
            together[index].append(heard)
    for ours, theirs in zip(together, alone, strict=True):
        np.testing.assert_allclose(ours, theirs[: len(ours)], rtol=0, atol=1e-5)
    assert max(alone[-1]) > 0.9


def test_nobody_to_judge_is_no_trouble() -> None:
    assert judged([], []) == []


def test_an_unknown_name_lists_those_there_are() -> None:
    with pytest.raises(ConfigError, match="silero or webrtc"):
        make_vad_factory("energy")


def test_a_long_silence_makes_silero_no_deafer_than_a_short_one() -> None:
    """Twenty seconds of digital silence must not make it miss the words that follow."""
    speech = english("where is the train station")
    vads = make_vad_factory("silero")
    size = vads().window_samples
    whole = speech[: speech.size // size * size]
    after = []
    for windows in (30, 625):
        pause = np.zeros(windows * size, np.float32)
        after.append(probabilities(vads(), join(whole, pause, whole))[-whole.size // size :])
    assert after[1] == after[0]
    assert after[1][1] > 0.5


def test_silero_uses_one_thread_in_our_own_process() -> None:
    code = (
        "from rtc_server.cli import main; main(['engines']); "
        "from rtc_server.audio.vad import make_vad_factory; import numpy, psutil; "
        "vad = make_vad_factory('silero')(); "
        "[vad.probability(numpy.full(512, 0.1, numpy.float32)) for _ in range(9)]; "
        "print(psutil.Process().num_threads())"
    )
    environment = {k: v for k, v in os.environ.items() if k != "OPENBLAS_NUM_THREADS"}
    done = subprocess.run(
        [sys.executable, "-c", code], check=True, env=environment, capture_output=True, text=True
    )
    assert done.stdout.split()[-1] == "1"


@pytest.mark.parametrize("size", [0, 1, 1000, 500_000])
def test_weights_cut_short_are_a_sentence(tmp_path: Path, size: int) -> None:
    path = tmp_path / "weights.npz"
    path.write_bytes(WEIGHTS.read_bytes()[:size])
    with pytest.raises(ConfigError, match="Install rtc-server again"):
        load_silero(path)


def test_a_flipped_bit_is_a_sentence(tmp_path: Path) -> None:
    content = bytearray(WEIGHTS.read_bytes())
    content[500_000] ^= 1
    path = tmp_path / "weights.npz"
    path.write_bytes(content)
    with pytest.raises(ConfigError, match=r"CRC.* Install rtc-server again"):
        load_silero(path)


def test_missing_weights_are_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"nothing.npz: .* Install rtc-server again"):
        load_silero(tmp_path / "nothing.npz")


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_another_model_is_a_sentence(tmp_path: Path, dtype: type) -> None:
    path = tmp_path / "weights.npz"
    weights: dict[str, Any] = {"model.stft.forward_basis_buffer": np.zeros((258, 1, 256), dtype)}
    np.savez(path, **weights)
    with pytest.raises(ConfigError, match=r"no float32 weights .* Install rtc-server again"):
        load_silero(path)


def test_a_lone_array_is_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "weights.npy"
    np.save(path, np.zeros(3))
    with pytest.raises(ConfigError, match="not an archive of weights"):
        load_silero(path)


def test_the_weights_are_those_that_the_recipe_wrote() -> None:
    recipe = (WEIGHTS.parent / "recipe.py").read_text()
    assert f'WEIGHTS_SHA256 = "{sha256(WEIGHTS.read_bytes()).hexdigest()}"' in recipe


def test_the_library_beneath_reports_to_nobody() -> None:
    # Where it cannot keep the number that it gives this machine, onnxruntime would complain.
    nowhere = dict.fromkeys(("HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME"), "/proc")
    environment = {k: v for k, v in os.environ.items() if k != "ORT_DISABLE_TELEMETRY"} | nowhere
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            "from rtc_server.cli import main; main(['engines']); import onnxruntime",
        ],
        check=True,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.stderr == ""
