"""Directories of engine servers over real HTTP: the token, and every kind of failure on the way."""

import asyncio
import json
from pathlib import Path

import pytest

from rtc_server.app.engine_channel import connector
from rtc_server.app.engine_directory import directory_of, fetcher, warn_of_plain_directories
from rtc_server.app.engines import Engines
from rtc_server.app.shared_lookups import SharedLookups
from rtc_server.config import EngineSettings
from rtc_server.engines.remote.directory import NamedServers, ServerAddress
from rtc_server.errors import ConfigError, EngineUnavailable
from rtc_server.metrics import Metrics
from tests.support.certificates import self_signed
from tests.support.engine_directory import directory_site
from tests.support.until import until

pytestmark = pytest.mark.real_time

TOKEN = "0123456789abcdef"
SERVERS = {"deployment": "d", "servers": [{"address": "10.0.0.3:7070"}]}


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait long for answers, because the machine may be busy."""
    monkeypatch.setattr("rtc_server.app.engine_directory.ANSWER_S", 60.0)


async def test_a_list_is_asked_for_with_the_token_and_joined_with_addresses() -> None:
    settings = EngineSettings(engine_token=TOKEN)
    async with directory_site("10.0.0.3:7070") as made:
        directory = directory_of(("10.0.0.9:7070", f"{made.url}/engines"), settings)
        found = await directory.addresses()
    assert [each.name for each in found] == ["10.0.0.9:7070", "10.0.0.3:7070"]
    assert made.tokens == [f"Bearer {TOKEN}"]


async def test_a_directory_is_believed_by_the_certificates_of_engine_servers(
    tmp_path: Path,
) -> None:
    certificate = self_signed(tmp_path)
    async with directory_site("10.0.0.3:7070", certificate=certificate) as made:
        url = f"{made.url}/engines"
        known = fetcher(EngineSettings(engine_ca=str(certificate[0])))
        assert json.loads(await known(url)) == SERVERS
        with pytest.raises(EngineUnavailable, match="see --engine-ca"):
            await fetcher(EngineSettings())(url)


@pytest.mark.parametrize(
    ("path", "sentence"),
    [
        ("/silent", "no answer within"),
        ("/endless", "its answer has more than"),
        ("/elsewhere", "HTTP 302"),
        ("/token", "refused our token"),
        ("/starting", "HTTP 503"),
    ],
)
async def test_what_is_no_answer_is_said_in_a_sentence(
    path: str, sentence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if path == "/silent":
        monkeypatch.setattr("rtc_server.app.engine_directory.ANSWER_S", 0.2)
    async with directory_site("10.0.0.3:7070") as made:
        with pytest.raises(EngineUnavailable, match=sentence):
            await fetcher(EngineSettings(engine_token=TOKEN))(made.url + path)


async def test_a_directory_that_is_gone_is_said_in_a_sentence() -> None:
    async with directory_site("10.0.0.3:7070") as made:
        pass
    with pytest.raises(EngineUnavailable, match="cannot be reached"):
        await fetcher(EngineSettings())(f"{made.url}/engines")


async def test_a_directory_by_name_is_looked_up_once_while_dns_hangs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    begun: list[asyncio.Future[list[str]]] = []

    def begin(_host: str) -> asyncio.Future[list[str]]:
        begun.append(asyncio.get_running_loop().create_future())
        return begun[-1]

    async with directory_site("10.0.0.3:7070") as made:
        url = made.url.replace("127.0.0.1", "ray.internal") + "/engines"
        lookups = SharedLookups(begin)
        with monkeypatch.context() as hurried:
            hurried.setattr("rtc_server.app.engine_directory.ANSWER_S", 0.1)
            for _ in range(3):
                with pytest.raises(EngineUnavailable, match="no answer within"):
                    await fetcher(EngineSettings(), lookups)(url)
        [hanging] = begun
        hanging.set_result(["127.0.0.1"])
        asked = asyncio.ensure_future(fetcher(EngineSettings(), lookups)(url))
        await until(lambda: len(begun) == 2)
        begun[1].set_exception(OSError("no DNS"))  # the last answer counts
        assert json.loads(await asked) == SERVERS


async def test_what_can_be_no_name_is_said_in_a_sentence() -> None:
    with pytest.raises(EngineUnavailable, match="cannot be reached"):
        await fetcher(EngineSettings())("http://ray..internal/engines")
    address = ServerAddress("a..b:7070", host="a..b", port=7070)
    with pytest.raises(EngineUnavailable, match="cannot be reached"):
        await connector("ast", "m", EngineSettings())(address)


def test_a_directory_without_tls_is_warned_of_unless_its_network_is_private(
    caplog: pytest.LogCaptureFixture,
) -> None:
    warned = ["http://ray.example:8000/engines", "http://198.41.0.4/x", "http://[2600::7]/x"]
    calm = [
        "https://ray.example/x",
        "http://10.0.0.1:8000/x",
        "http://localhost:8000/x",
        "http://127.0.0.1/x",
        "http://[::1]:8000/x",
        "ws://198.41.0.4:7070",
        "unix:/e",
    ]
    warn_of_plain_directories([*calm, *warned, *warned])
    said = [record.getMessage() for record in caplog.records]
    assert [each.split()[2] for each in said] == warned
    caplog.clear()
    settings = EngineSettings(
        ast_servers=(warned[0],), tts_servers=(warned[0], "10.0.0.9:7070"), engine_token=TOKEN
    )
    Engines(settings, Metrics())
    assert caplog.text.count("asked without TLS") == 1
    assert TOKEN not in caplog.text


def test_addresses_alone_need_no_http() -> None:
    assert isinstance(directory_of(("10.0.0.9:7070",), EngineSettings()), NamedServers)


def test_a_name_that_is_neither_is_refused() -> None:
    for text in ("http://a b", "http://ray..internal/x", "gpu", "ftp://a:1"):
        with pytest.raises(ConfigError):
            directory_of((text,), EngineSettings())
