"""Recorded scenes between clients and server, byte for byte except random ids."""

import pytest

from tests.support.golden_record import FOLDER, Record
from tests.support.golden_scenes import SCENES, golden_file


@pytest.mark.unmeasured
@pytest.mark.parametrize("name", SCENES)
async def test_a_scene_is_what_it_was(name: str) -> None:
    record = Record()
    await SCENES[name](record)
    recorded = golden_file(name).read_text("utf-8").splitlines()
    told = record.text().splitlines()
    for number, (was, now) in enumerate(zip(recorded, told, strict=False), 1):
        assert now == was, f"{name}.jsonl:{number} (if clients are to see it: {REWRITE} {name})"
    assert len(told) == len(recorded)


REWRITE = "python -m tests.support.golden_scenes"


def test_each_file_has_its_scene() -> None:
    assert {path.stem for path in FOLDER.iterdir()} == set(SCENES)
