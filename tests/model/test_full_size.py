"""Stand-ins of the laptop set's real sizes: they load, give the expected texts, and fit."""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from models.fixture.full_size import PIECES, write
from models.fixture.full_size_translators import ANSWERS
from rtc_server.catalog import find
from rtc_server.engines.cascade.vocabulary import Token, Vocabulary

pytestmark = pytest.mark.slow

MOST_MB = 1600


def said(sentence: str) -> str:
    """Return the sentence of a stand-in as it is written."""
    pieces = sentence.split()
    tokens = [Token(number, 0) for number in range(len(pieces))]
    return Vocabulary([*pieces, "<blk>"]).transcript(tokens).text


def test_the_whole_set_is_of_the_published_size_and_takes_no_more_memory_than_told(
    tmp_path: Path,
) -> None:
    with tempfile.TemporaryDirectory(dir=tmp_path) as folder:  # 0.9 GB, which pytest would keep
        check(Path(folder))


def check(folder: Path) -> None:
    write(folder)
    for model in ("gigaam-v3-e2e-ctc", "parakeet-tdt-0.6b-v2"):
        for file in find(model).files:
            if file.name.startswith(("v3_e2e_ctc.int8", "encoder")):
                assert file.size_bytes
                made = (folder / model / file.name).stat().st_size
                assert made == pytest.approx(file.size_bytes, rel=0.06)
    command = [sys.executable, "-m", "bench.laptop", str(folder), "--alone", "1"]
    figures = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
    assert figures["used_mb"] <= MOST_MB
    for language, sentence in PIECES.items():
        assert figures[f"{language} says"].startswith(said(sentence))
    for pair, language in (("mt-en-ru", "ru"), ("mt-ru-en", "en")):
        assert figures[f"{pair} says"] == said(ANSWERS[language])
