"""Lists of engine servers over HTTP: reading them, and servers that stay when a list is lost."""

import asyncio
import json
from collections.abc import Sequence
from typing import Any

import pytest

from rtc_server.engines.remote.directory import NamedServers, parse_address
from rtc_server.engines.remote.roster import LOOK_S
from rtc_server.engines.remote.server_lists import (
    MOST_LISTED,
    JoinedDirectories,
    ListedServers,
    is_directory,
    parse_directory,
    parse_server_list,
)
from rtc_server.errors import ConfigError, EngineUnavailable
from tests.support.engine_pool import HeldServer, HeldServers, asked, talk, translating

URL, OTHER = "http://10.0.0.1:8000/engines", "http://10.0.0.2:8000/engines"


def listing(*addresses: str, deployment: str = "one") -> bytes:
    servers = [{"address": each} for each in addresses]
    return json.dumps({"deployment": deployment, "servers": servers}).encode()


class Lists:
    """Answers by URL; a URL without an answer cannot be reached."""

    def __init__(self) -> None:
        self.answers: dict[str, bytes] = {}

    async def fetch(self, url: str) -> bytes:
        if url not in self.answers:
            raise EngineUnavailable("cannot be reached")
        return self.answers[url]


def names(found: Sequence[Any]) -> list[str]:
    return [each.name for each in found]


@pytest.mark.parametrize("text", [URL, "https://ray.internal/engines", "http://[::1]:8000"])
def test_a_url_is_a_directory(text: str) -> None:
    assert is_directory(text)
    assert parse_directory(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "http://",
        "http://u:p@a/x",
        "http://a/x?y",
        "http://a:1:2",
        "https://a b/",
        "ftp://a",
        "http://ray..internal/x",
        "http://" + "a" * 64,
        "http://a:99999",
        "http://a:0",
        "http://[::1::]/",
    ],
)
def test_what_is_no_url_of_a_directory_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="https://HOST:PORT/PATH"):
        parse_directory(text)


def test_a_server_is_read_with_the_name_of_its_certificate() -> None:
    entries = [
        {"address": "10.0.0.3:7070", "certified": "engines.internal"},
        {"address": "ws://10.0.0.4:7071", "more": "that later versions say"},
    ]
    found = parse_server_list(json.dumps({"deployment": "d", "servers": entries}).encode())
    assert [(s.host, s.port, s.tls, s.certified) for s in found.servers] == [
        ("10.0.0.3", 7070, True, "engines.internal"),
        ("10.0.0.4", 7071, False, ""),
    ]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"[]",
        b"{}",
        b"\xff",
        b"[" * 60_000,
        json.dumps({"deployment": "", "servers": []}).encode(),
        json.dumps({"deployment": 1, "servers": []}).encode(),
        json.dumps({"deployment": "d", "servers": {"address": "a:1"}}).encode(),
        json.dumps({"deployment": "d", "servers": 3}).encode(),
        json.dumps({"deployment": "d", "servers": ["10.0.0.3:7070"]}).encode(),
        json.dumps({"deployment": "d", "servers": [{"address": 7070}]}).encode(),
        json.dumps(
            {"deployment": "d", "servers": [{"address": "a:1", "certified": "b c"}]}
        ).encode(),
        json.dumps({"deployment": "d", "servers": [{"address": "a:1", "certified": 7}]}).encode(),
        json.dumps(
            {"deployment": "d", "servers": [{"address": "a:1", "certified": None}]}
        ).encode(),
        listing("unix:/run/somebody-else"),
        listing("nothing"),
        listing(*(f"10.0.0.3:{port}" for port in range(1, MOST_LISTED + 2))),
    ],
)
def test_what_is_no_list_is_refused_and_not_quoted(body: bytes) -> None:
    with pytest.raises(EngineUnavailable, match=r"^it answers with no list of engine servers$"):
        parse_server_list(body)


async def test_an_entry_that_names_no_server_takes_no_other_away_and_is_logged_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    lists = Lists()
    listed = ListedServers([URL], lists.fetch)
    bad: list[object] = ["ray..internal:7070", "unix:/run/x", 7, None]
    for number, address in enumerate(bad, start=1):
        lists.answers[URL] = json.dumps(
            {
                "deployment": "one",
                "servers": [
                    {"address": address},
                    {"address": "10.0.0.3:7070"},
                    {"address": f"10.0.0.4:{number}"},
                ],
            }
        ).encode()
        for _ in range(3):
            assert names(await listed.addresses()) == ["10.0.0.3:7070", f"10.0.0.4:{number}"]
        assert len(caplog.records) == number
    assert "1 of its entries name no server" in caplog.text
    assert "ray..internal" not in caplog.text


async def test_a_bad_entry_that_moves_in_its_list_is_logged_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    lists = Lists()
    listed = ListedServers([URL], lists.fetch)
    for answer in (listing("nothing", "10.0.0.3:7070"), listing("10.0.0.3:7070", "nothing")):
        lists.answers[URL] = answer
        assert names(await listed.addresses()) == ["10.0.0.3:7070"]
    assert len(caplog.records) == 1


async def test_entries_that_change_each_time_do_not_fill_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    lists = Lists()
    listed = ListedServers([URL], lists.fetch)
    hour = int(3600 / LOOK_S)
    for number in range(hour):
        lists.answers[URL] = listing("10.0.0.3:7070", f"nothing-{number}")
        assert names(await listed.addresses()) == ["10.0.0.3:7070"]
        await asyncio.sleep(LOOK_S)
    assert 1 <= len(caplog.records) < 20


async def test_complaints_that_take_turns_do_not_fill_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    lists = Lists()
    listed = ListedServers([URL], lists.fetch)
    for _ in range(int(1800 / LOOK_S)):
        for answer in (listing(), b"<html>"):
            lists.answers[URL] = answer
            await listed.addresses()
            await asyncio.sleep(LOOK_S)
    assert 5 < len(caplog.records) < 5 + 3600 * 0.01 + 2
    assert "more not logged" in caplog.messages[-1]


async def test_a_server_whose_entry_cannot_be_read_any_more_is_off_the_list() -> None:
    lists = Lists()
    listed = ListedServers([URL], lists.fetch)
    lists.answers[URL] = listing("10.0.0.3:7070", "10.0.0.4:7070")
    assert names(await listed.addresses()) == ["10.0.0.3:7070", "10.0.0.4:7070"]
    lists.answers[URL] = listing("10.0.0.3:7070", "10.0.0.4")
    assert names(await listed.addresses()) == ["10.0.0.3:7070"]


async def test_a_directory_that_is_lost_or_lists_nobody_takes_no_server_away(
    caplog: pytest.LogCaptureFixture,
) -> None:
    lists = Lists()
    listed = ListedServers([URL], lists.fetch)
    assert await listed.addresses() == []
    lists.answers[URL] = listing("10.0.0.3:7070", "10.0.0.4:7070")
    both = names(await listed.addresses())
    assert both == ["10.0.0.3:7070", "10.0.0.4:7070"]
    for answer in (listing(), b"<html>", None):
        lists.answers[URL] = answer or b""
        if answer is None:
            del lists.answers[URL]
        for _ in range(3):
            assert names(await listed.addresses()) == both
    said = [record.getMessage() for record in caplog.records]
    assert [each.partition(": ")[2] for each in said] == [
        "cannot be reached",
        "it lists no server",
        "it answers with no list of engine servers",
        "cannot be reached",
    ]
    lists.answers[URL] = listing("10.0.0.4:7070", "10.0.0.5:7070")
    assert names(await listed.addresses()) == ["10.0.0.4:7070", "10.0.0.5:7070"]


async def test_what_a_lost_url_said_is_void_once_another_lists_the_same_deployment() -> None:
    lists = Lists()
    listed = ListedServers([URL, OTHER], lists.fetch)
    lists.answers = {URL: listing("10.0.0.3:7070"), OTHER: listing("10.0.0.3:7070")}
    assert names(await listed.addresses()) == ["10.0.0.3:7070"]
    lists.answers = {OTHER: listing("10.0.0.4:7070")}
    assert names(await listed.addresses()) == ["10.0.0.4:7070"]
    lists.answers = {}
    assert names(await listed.addresses()) == ["10.0.0.4:7070"]  # nor does it come back


async def test_servers_of_another_deployment_stay_while_its_directory_is_lost() -> None:
    lists = Lists()
    listed = ListedServers([URL, OTHER], lists.fetch)
    lists.answers = {
        URL: listing("10.0.0.3:7070"),
        OTHER: listing("10.0.1.3:7070", deployment="two"),
    }
    assert names(await listed.addresses()) == ["10.0.0.3:7070", "10.0.1.3:7070"]
    del lists.answers[OTHER]
    lists.answers[URL] = listing("10.0.0.4:7070")
    assert set(names(await listed.addresses())) == {"10.0.0.4:7070", "10.0.1.3:7070"}


async def test_servers_by_address_and_from_a_list_are_one_pool() -> None:
    lists = Lists()
    lists.answers[URL] = listing("10.0.0.3:7070", "10.0.0.9:7070")
    joined = JoinedDirectories(
        [NamedServers([parse_address("10.0.0.9:7070")]), ListedServers([URL], lists.fetch)]
    )
    assert names(await joined.addresses()) == ["10.0.0.9:7070", "10.0.0.3:7070"]


async def test_no_list_changes_how_a_server_is_spoken_to_that_the_option_names() -> None:
    lists = Lists()
    lists.answers[URL] = listing("ws://10.0.0.9:7070", "ws://10.0.0.3:7070")
    joined = JoinedDirectories(
        [NamedServers([parse_address("10.0.0.9:7070")]), ListedServers([URL], lists.fetch)]
    )
    tls = {each.name: each.tls for each in await joined.addresses()}
    assert tls == {"10.0.0.9:7070": True, "10.0.0.3:7070": False}


class ListedHeldServers(HeldServers):
    """Engine servers that a list over HTTP names; their names are addresses."""

    def __init__(self, *servers: HeldServer) -> None:
        super().__init__(*servers)
        self.lists = Lists()
        self.lists.answers[URL] = listing(*self.by_name)
        self.directory = ListedServers([URL], self.lists.fetch)

    async def addresses(self) -> Sequence[Any]:
        return await self.directory.addresses()


async def test_calls_go_on_without_the_directory_and_new_servers_come_with_it() -> None:
    first, second = HeldServer("10.0.0.3:7070"), HeldServer("10.0.0.4:7070")
    servers = ListedHeldServers(first, second)
    servers.lists.answers[URL] = listing("10.0.0.3:7070")
    async with translating(servers) as ast:
        servers.lists.answers = {}
        await asyncio.sleep(3 * LOOK_S)
        answer = ast.submit(asked(talk(1.0)), session_id="s")
        await asyncio.sleep(0.1)
        first.ast.answer()
        assert (await answer).target_text == "word"
        servers.lists.answers[URL] = listing("10.0.0.4:7070")  # the first was replaced meanwhile
        await asyncio.sleep(2 * LOOK_S)
        answer = ast.submit(asked(talk(1.0)), session_id="t")
        await asyncio.sleep(0.1)
        second.ast.answer()
        assert (await answer).target_text == "word"
