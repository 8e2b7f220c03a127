import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnxruntime
import pytest

from rtc_server.audio.vad import Vad, load_silero, make_vad_factory, silero_model_path
from rtc_server.audio.vad import probabilities as judged
from rtc_server.errors import ConfigError
from rtc_server.pcm import Samples
from tests.support.signals import english, join, noise, russian, silence, tone

NAMES = ("silero", "webrtc")


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
    """Any number, that of a crowd among them, each with a past of its own; one fell silent."""
    make = make_vad_factory(name)
    speech = english("two coffees please")
    count, size = 40, make().window_samples
    streams = [np.roll(speech, 331 * index) * np.float32(0.02 * index) for index in range(count)]
    alone = [probabilities(make(), stream) for stream in streams]
    vads = [make() for _ in range(count)]
    together = [list[float]() for _ in range(count)]
    for window in range(speech.size // size):
        now = range(window % 30, count)  # not all have one each time
        windows = [streams[i][len(together[i]) * size :][:size] for i in now]
        for index, heard in zip(now, judged([vads[i] for i in now], windows), strict=True):
            together[index].append(heard)
    for ours, theirs in zip(together, alone, strict=True):
        np.testing.assert_allclose(ours, theirs[: len(ours)], rtol=0, atol=1e-5)
    assert max(alone[-1]) > 0.9


def test_nobody_to_judge_is_no_trouble() -> None:
    assert judged([], []) == []


def test_torch_is_not_imported() -> None:
    code = (
        "import sys; from rtc_server.audio.vad import make_vad_factory; "
        "make_vad_factory('silero'); sys.exit(bool({'torch', 'silero_vad'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_missing_wheel_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "silero_vad", None)
    with pytest.raises(ConfigError, match="pip install --no-deps silero-vad"):
        silero_model_path()


def test_an_unknown_name_lists_those_there_are() -> None:
    with pytest.raises(ConfigError, match="silero or webrtc"):
        make_vad_factory("energy")


def test_a_long_silence_makes_silero_no_deafer_than_a_short_one() -> None:
    """Asked about twenty seconds of digital silence it would miss the words that follow."""
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


def asked_of_onnxruntime(samples: Samples) -> list[float]:
    """The probabilities that the wheel's main model gives in the runtime it was made for."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    path = silero_model_path().with_name("silero_vad.onnx")
    session = onnxruntime.InferenceSession(str(path), options, ["CPUExecutionProvider"])
    state, context = np.zeros((2, 1, 128), np.float32), np.zeros(64, np.float32)
    heard = []
    for window in samples[: samples.size // 512 * 512].reshape(-1, 512):
        asked = {"input": np.append(context, window)[None], "state": state, "sr": np.array(16000)}
        output, state = session.run(None, asked)
        context = window[-64:]
        heard.append(float(output[0, 0]))
    return heard


def test_silero_in_numpy_is_silero_in_onnxruntime() -> None:
    """Over more than a minute without a break: what the state carries on stays the same too."""
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
    ours = probabilities(make_vad_factory("silero")(), sounds)
    theirs = asked_of_onnxruntime(sounds)
    assert len(ours) > 2000
    assert min(theirs) < 0.01
    assert max(theirs) > 0.99
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-4)


def test_silero_uses_one_thread() -> None:
    code = (
        "from rtc_server.audio.vad import make_vad_factory; import numpy, psutil; "
        "vad = make_vad_factory('silero')(); "
        "[vad.probability(numpy.full(512, 0.1, numpy.float32)) for _ in range(9)]; "
        "print(psutil.Process().num_threads())"
    )
    environment = {k: v for k, v in os.environ.items() if k != "OPENBLAS_NUM_THREADS"}
    done = subprocess.run(
        [sys.executable, "-c", code], check=True, env=environment, capture_output=True, text=True
    )
    assert done.stdout.split() == ["1"]


@pytest.mark.parametrize("size", [0, 1, 1000, 500_000])
def test_a_model_cut_short_is_a_sentence(tmp_path: Path, size: int) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(silero_model_path().read_bytes()[:size])
    with pytest.raises(ConfigError, match="silero-vad 6"):
        load_silero(path)


def test_another_model_is_a_sentence() -> None:
    other = silero_model_path().with_name("silero_vad_16k_sequence.onnx")
    with pytest.raises(ConfigError, match=r"no weights .* silero-vad 6"):
        load_silero(other)


def test_the_library_beneath_reports_to_nobody() -> None:
    # Where it cannot keep the number that it gives this machine, onnxruntime would complain.
    nowhere = dict.fromkeys(("HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME"), "/proc")
    environment = {k: v for k, v in os.environ.items() if k != "ORT_DISABLE_TELEMETRY"} | nowhere
    done = subprocess.run(
        [sys.executable, "-c", "import rtc_server, onnxruntime"],
        check=True,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.stderr == ""
