"""Records in a file."""

import fcntl
import json
import os
import stat
from pathlib import Path

import pytest

from rtc_server.app.usage.file import UsageFile
from rtc_server.app.usage.usage_outbox import DeliveryError, Outgoing
from rtc_server.errors import ConfigError

pytestmark = pytest.mark.real_time  # a thread writes


async def test_each_record_is_a_line_that_only_the_server_reads(tmp_path: Path) -> None:
    path = tmp_path / "usage.jsonl"
    file = UsageFile(path)
    for number in range(2):
        await file.deliver(Outgoing(str(number), json.dumps({"session": number})))
    path.rename(tmp_path / "yesterday.jsonl")
    await file.deliver(Outgoing("2", json.dumps({"session": 2})))
    lines = [*(tmp_path / "yesterday.jsonl").read_text().splitlines(), path.read_text()]
    assert [json.loads(line)["session"] for line in lines] == [0, 1, 2]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


async def test_half_of_a_line_is_taken_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, write = tmp_path / "usage.jsonl", os.write
    file = UsageFile(path)
    await file.deliver(Outgoing("1", "{}"))

    def short(where: int, line: bytes) -> int:
        with path.open("ab") as another, pytest.raises(BlockingIOError):  # it waits for the lock
            fcntl.flock(another, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return write(where, line[:1])

    monkeypatch.setattr(os, "write", short)
    with pytest.raises(DeliveryError, match="disk is full"):
        await file.deliver(Outgoing("2", "{}"))
    assert path.read_text() == "{}\n"
    monkeypatch.undo()
    await file.deliver(Outgoing("3", "[]"))
    assert path.read_text() == "{}\n[]\n"


async def test_a_file_that_cannot_be_written_is_refused_at_start(tmp_path: Path) -> None:
    file = UsageFile(tmp_path / "none" / "usage.jsonl")
    with pytest.raises(ConfigError, match=r"usage\.jsonl: No such file"):
        file.check()
    with pytest.raises(DeliveryError, match="No such file"):
        await file.deliver(Outgoing("1", "{}"))
