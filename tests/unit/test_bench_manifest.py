"""Manifests of the published layouts of FLEURS and MuST-C."""

import json
from dataclasses import asdict
from pathlib import Path

import numpy as np

from bench.manifest import Item, fixture, fleurs, must_c, read
from models.fixture.phrases import PHRASES
from rtc_server.pcm import PLAYOUT_RATE
from tests.support.opus_codec import read_wav


def test_fleurs_joins_the_languages_by_the_sentence_number(tmp_path: Path) -> None:
    for code, rows in (
        ("en_us", ['7\ta.wav\tGood "morning".\tgood morning\tg o\t960\tMALE', "8\tb.wav\tNo.\tno"]),
        ("ru_ru", ["7\tc.wav\tДоброе утро.\tдоброе утро\tд о\t960\tFEMALE"]),
    ):
        (tmp_path / code).mkdir()
        (tmp_path / code / "test.tsv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    audio = str(tmp_path / "en_us" / "audio" / "test" / "a.wav")
    expected = Item(audio, "en", "ru", 'Good "morning".', "Доброе утро.")
    assert list(fleurs(tmp_path, "en", "ru", "test")) == [expected]


def test_must_c_says_where_in_a_talk_a_sentence_is(tmp_path: Path) -> None:
    data = tmp_path / "en-ru" / "data" / "tst-COMMON"
    (data / "txt").mkdir(parents=True)
    places = "- {duration: 3.5, offset: 16.08, rW: 5, uW: 0, speaker_id: spk.1, wav: ted_1.wav}\n"
    (data / "txt" / "tst-COMMON.yaml").write_text(places * 2)
    (data / "txt" / "tst-COMMON.en").write_text("Yes.\nNo.\n")
    (data / "txt" / "tst-COMMON.ru").write_text("Да.\nНет.\n", encoding="utf-8")
    first, second = must_c(tmp_path, "en", "ru", "tst-COMMON")
    audio = str(data / "wav" / "ted_1.wav")
    assert first == Item(audio, "en", "ru", "Yes.", "Да.", 16.08, 3.5)
    assert (second.transcript, second.reference) == ("No.", "Нет.")


def test_a_manifest_is_read_as_it_was_written(tmp_path: Path) -> None:
    item = Item("a.wav", "en", "ru", "Yes.", "Да.", 1.0, 2.0)
    path = tmp_path / "manifest.jsonl"
    path.write_text(json.dumps(asdict(item)) + "\n\n", encoding="utf-8")
    assert read(path) == [Item(str(tmp_path / "a.wav"), "en", "ru", "Yes.", "Да.", 1.0, 2.0)]


def test_the_phrases_of_the_fixture_are_said_and_have_their_translations(tmp_path: Path) -> None:
    items = list(fixture(tmp_path, "ru", "en", 2))
    assert [(item.transcript, item.reference) for item in items] == [
        (russian, english) for english, russian in PHRASES[:2]
    ]
    for item in items:
        samples = read_wav(Path(item.audio))
        assert len(samples) > PLAYOUT_RATE // 4
        assert np.abs(samples).max() > 0.1
