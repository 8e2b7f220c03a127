"""API keys: the file, the ring, the command."""

import json
import logging
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from rtc_server.cli import main
from rtc_server.errors import ConfigError
from rtc_server.session.quota import KeyLimits
from rtc_server.signaling.key_ring import NO_KEY, PAGE_KEY, SETTINGS_KEY, KeyRing
from rtc_server.signaling.keys import changing, digest, key_id_of, new_key, read_keys, write_keys

DAY = "2026-01-31"
DEFAULTS = KeyLimits(sessions=9, session_minutes=60)


def test_a_key_is_random_and_only_its_hash_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    keys = [new_key(f"k{i}", DAY, {}) for i in range(50)]
    assert len({key for key, _ in keys}) == 50
    for key, record in keys:
        assert key_id_of(key) == record.id
        assert record.sha256 == digest(key).hex()
    write_keys(path, [record for _, record in keys])
    text = path.read_text()
    assert not any(key in text or key.split("_", 2)[2] in text for key, _ in keys)
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(read_keys(path)) == [record for _, record in keys]
    assert [p.name for p in tmp_path.iterdir()] == ["keys.json"]


def test_a_key_has_limits_of_its_own_or_the_servers() -> None:
    _, record = new_key("k", DAY, {"sessions": 2, "session_minutes": 0})
    assert record.limits(DEFAULTS) == KeyLimits(sessions=2, session_minutes=0)
    assert new_key("k", DAY, {})[1].limits(DEFAULTS) == DEFAULTS


GOOD = {"id": "0123abcd", "name": "a", "sha256": "0" * 64, "created": DAY}


@pytest.mark.parametrize(
    "body",
    [
        "",
        "[]",
        "{}",
        '{"keys": 1}',
        '{"keys": ["x"]}',
        "\xff",
        *(
            json.dumps({"keys": [{**GOOD, **wrong}]})
            for wrong in (
                {"id": "settings"},
                {"id": 5},
                {"sha256": "0"},
                {"name": None},
                {"sessions": -1},
                {"sessions": True},
                {"sessions": "5"},
                {"surprise": 1},
            )
        ),
        json.dumps({"keys": [GOOD, {**GOOD, "name": "b"}]}),
        json.dumps({"keys": [GOOD, {**GOOD, "id": "0123abce"}]}),
    ],
)
def test_a_damaged_file_is_refused_in_a_sentence(tmp_path: Path, body: str) -> None:
    path = tmp_path / "keys.json"
    path.write_text(body, encoding="latin-1")
    with pytest.raises(ConfigError, match=r"\.$"):
        read_keys(path)


def test_the_ring_tells_keys_apart(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    key, record = new_key("k", DAY, {})
    write_keys(path, [record])
    ring = KeyRing("chosen", path, DEFAULTS)
    found, chosen = ring.find(key), ring.find_chosen("chosen")
    assert found and found.id == record.id
    assert chosen and chosen.id == SETTINGS_KEY
    other, _ = new_key("k", DAY, {})
    for wrong in ("", "chosen", key[:-1], key + "x", other, f"rk_{record.id}_{other[12:]}"):
        assert ring.find(wrong) is None
    for wrong in ("", key, "chose", "chosen ", "\udcff", "\ud800"):
        assert ring.find_chosen(wrong) is None
    assert ring.by_id(PAGE_KEY) is ring.by_id(NO_KEY) is ring.by_id("00000000") is None


def test_what_stands_for_a_key_cannot_be_sent() -> None:
    ring = KeyRing("", None, DEFAULTS, page=True)
    assert ring.by_id(PAGE_KEY) and ring.by_id(NO_KEY)
    for token in ("", PAGE_KEY, "\0" * 32):
        assert ring.find(token) is ring.find_chosen(token) is None


def test_the_ring_follows_its_file(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    path = tmp_path / "keys.json"
    (one, first), (two, second) = new_key("one", DAY, {}), new_key("two", DAY, {})
    write_keys(path, [first, second])
    ring = KeyRing("", path, DEFAULTS)
    assert ring.reload() == frozenset()
    write_keys(path, [second])
    assert ring.reload() == {first.id}
    assert ring.find(one) is None
    path.write_text("{")
    assert ring.reload() == ring.reload() == frozenset()
    assert caplog.text.count("stay as they were") == 1
    assert ring.find(two)
    path.unlink()
    assert ring.reload() == frozenset()
    assert ring.find(two)
    write_keys(path, [first])
    assert ring.reload() == {second.id}
    assert ring.find(one)
    assert one not in caplog.text and two not in caplog.text


def test_the_command_makes_lists_and_revokes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "keys.json"

    def run(*words: str) -> tuple[int, str, str]:
        code = main(["keys", words[0], "--file", str(path), *words[1:]], {})
        said = capsys.readouterr()
        return code, said.out, said.err

    code, key, _ = run("new", "shop", "--sessions", "5")
    assert code == 0 and key.endswith("\n") and key_id_of(key.strip())
    assert run("new", "Банк")[0] == 0
    code, listed, _ = run("list")
    assert code == 0
    assert [line.split("  ")[2:] for line in listed.splitlines()] == [
        ["shop", "sessions 5"],
        ["Банк"],
    ]
    assert key.strip() not in listed
    code, _, error = run("new", "shop")
    assert code == 2 and "already" in error
    code, _, error = run("revoke", "nobody")
    assert code == 2 and "shop" in error
    assert run("revoke", "shop")[0] == 0
    assert run("list")[1].endswith("Банк\n") and "shop" not in run("list")[1]
    assert run("new", "a\nb")[0] == run("new", " ")[0] == 2
    path.unlink()
    assert run("list")[0] == 2
    path = tmp_path / "no" / "keys.json"
    assert run("new", "x")[0] == 2


@pytest.mark.parametrize("mode", [0o620, 0o602])
def test_a_file_that_others_may_write_is_refused(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "keys.json"
    write_keys(path, [])
    path.chmod(mode)
    with pytest.raises(ConfigError, match="chmod go-w"):
        read_keys(path)


def test_a_link_to_the_file_stays_one(tmp_path: Path) -> None:
    path, link = tmp_path / "keys.json", tmp_path / "link"
    link.symlink_to(path)
    with changing(link) as real:
        write_keys(real, [new_key("shop", DAY, {})[1]])
    assert link.is_symlink()
    assert [key.name for key in read_keys(path)] == ["shop"]


def test_keys_made_at_the_same_time_are_all_there(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    write_keys(path, [])

    def add(number: int) -> None:
        with changing(path) as real:
            keys = read_keys(real)
            write_keys(real, [*keys, new_key(f"key {number}", DAY, {})[1]])

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(add, range(16)))
    assert len(read_keys(path)) == 16
