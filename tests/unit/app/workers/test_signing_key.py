"""Key with which all workers of a run sign."""

import os
import stat
from pathlib import Path

from rtc_server.app.workers.signing_key import SigningKey


def test_a_key_that_was_removed_is_the_same_for_the_next_worker(tmp_path: Path) -> None:
    key = SigningKey(tmp_path / "run" / "secret")
    key.write()
    first = key.path.read_text()
    key.path.unlink()
    key.path.parent.rmdir()
    key.write()
    assert key.path.read_text() == first
    assert stat.S_IMODE(key.path.stat().st_mode) == 0o600
    assert first not in repr(key)


def test_a_worker_that_is_reading_the_key_sees_all_of_it(tmp_path: Path) -> None:
    key = SigningKey(tmp_path / "secret")
    key.write()
    with key.path.open() as read_by_one:
        key.write()  # for another run
        assert not os.path.samestat(key.path.stat(), os.fstat(read_by_one.fileno()))
        assert read_by_one.read() == key.path.read_text()
    assert [each.name for each in tmp_path.iterdir()] == ["secret"]
