"""Minutes of keys over a restart."""

import asyncio
import stat
from pathlib import Path

import pytest

from rtc_server.app.quota_file import QuotaFile, kept_quotas
from rtc_server.errors import ConfigError
from rtc_server.session.quota import DAY_S, KeyLimits, Quotas

pytestmark = pytest.mark.real_time  # a thread reads and writes
MORNING_S = 20_000.0 * DAY_S


def test_days_are_kept_apart_and_old_ones_forgotten(tmp_path: Path) -> None:
    file = QuotaFile(tmp_path / "quota.db")
    assert file.load(1) == {}
    assert stat.S_IMODE((tmp_path / "quota.db").stat().st_mode) == 0o600
    file.save(1, {"a": 10.0, "b": 20.0})
    file.save(1, {"a": 15.0, "b": 19.0})
    assert file.load(1) == {"a": 15.0, "b": 20.0}, "nothing is taken back"
    file.save(2, {"a": 1.0})
    assert (file.load(1), file.load(2)) == ({}, {"a": 1.0})


@pytest.mark.parametrize("name", ["none/quota.db", "damaged.db"])
def test_a_file_that_cannot_be_used_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "damaged.db").write_text("not a data base, and long enough to be read as one" * 9)
    with pytest.raises(ConfigError, match="Cannot use the quota file"):
        QuotaFile(tmp_path / name).load(1)


async def test_a_restart_forgets_nothing(tmp_path: Path) -> None:
    now_s, file = 0.0, QuotaFile(tmp_path / "quota.db")

    def clock() -> float:
        return now_s

    def wall() -> float:
        return MORNING_S + now_s

    before = Quotas()
    async with kept_quotas(before, file, clock, wall):
        before.admit("k", KeyLimits(minutes_a_day=10), clock(), wall())
        now_s = 540.0
    after = Quotas()
    async with kept_quotas(after, file, clock, wall):
        lease = after.admit("k", KeyLimits(minutes_a_day=10), clock(), wall())
        assert lease.left_s(clock(), wall()) == 60.0


async def test_without_a_file_nothing_is_kept() -> None:
    quotas = Quotas()
    async with kept_quotas(quotas, None, lambda: 0.0, lambda: MORNING_S):
        await asyncio.sleep(0)
    assert quotas.used_s(0.0, MORNING_S) == {}
