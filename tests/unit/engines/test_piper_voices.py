"""Piper voices on disk, and what is known of their licences."""

import json
from pathlib import Path

import pytest

from rtc_server import catalog
from rtc_server.catalog import find
from rtc_server.cli.download import record
from rtc_server.engines.piper.voices import find_voices
from rtc_server.model_files import path_of

CONFIGURATION = json.dumps({"audio": {"sample_rate": 22050}, "language": {"family": "de"}})
CARD = """# Model card for thorsten (high)

* Language: de_DE (German, Germany)
* Samplerate: 22,050Hz

## Dataset

* URL: https://example.org/thorsten
* License: CC0

## Training

Fine-tuned from U.S. English voice lessac (medium quality).
"""


def write_voice(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"weights")
    path.with_name(path.name + ".json").write_text(CONFIGURATION)


@pytest.mark.parametrize(
    ("card", "licence"),
    [
        (CARD, "CC0; Fine-tuned from U.S. English voice lessac (medium quality)."),
        (CARD.replace("* License: CC0", ""), "Fine-tuned from U.S. English voice lessac "
         "(medium quality)."),
        ("# Model card", ""),
        (None, ""),
    ],
    ids=["both", "made from", "neither", "no card"],
)  # fmt: skip
def test_a_licence_is_read_from_the_card_beside_a_voice(
    card: str | None, licence: str, tmp_path: Path
) -> None:
    write_voice(tmp_path / "de.onnx")
    if card is not None:
        (tmp_path / "MODEL_CARD").write_text(card)
    (found,) = find_voices([tmp_path], tmp_path / "models")
    assert found.licence == licence


def test_of_a_fetched_voice_it_is_the_catalogues(tmp_path: Path) -> None:
    model = find("es_ES-davefx-medium")
    weights, configuration = (path_of(tmp_path, model, file) for file in model.files)
    write_voice(weights)
    assert configuration.is_file()
    for path in (weights, configuration):
        record(path)
    (found,) = find_voices((), tmp_path)
    assert found.licence == "recordings CC0; fine-tuned from lessac, whose recordings are for " \
        "research only"  # fmt: skip


def test_no_set_has_a_voice_with_a_doubtful_licence() -> None:
    voices = {model for each in catalog.model_sets() for model in each.models}
    for voice in voices:
        if voice.kind == "piper":
            assert "lessac" not in voice.licence
            assert "not seen" not in voice.licence
