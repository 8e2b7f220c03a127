import os
import subprocess
import sys

import numpy as np
import pytest

from rtc_server.audio.vad import Vad, make_vad_factory, silero_model_path
from rtc_server.errors import ConfigError
from rtc_server.pcm import Samples
from tests.signals import english, join, noise, russian, silence, tone

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


def test_the_library_beneath_reports_to_nobody() -> None:
    # Where it cannot keep the number that it gives this machine, onnxruntime would complain.
    nowhere = dict.fromkeys(("HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME"), "/proc")
    environment = {k: v for k, v in os.environ.items() if k != "ORT_DISABLE_TELEMETRY"} | nowhere
    done = subprocess.run(
        [sys.executable, "-c", "import rtc_server.audio.vad"],
        check=True,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.stderr == ""
