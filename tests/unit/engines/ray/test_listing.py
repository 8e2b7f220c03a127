"""The list of replicas: the token, the listed replicas, and failures."""

import asyncio
import json
from collections.abc import Sequence

import pytest

from rtc_server.engines.ray.listing import KEPT_S, ReplicaList
from rtc_server.engines.ray.replica import ReplicaState
from rtc_server.engines.remote.server_lists import parse_server_list

TOKEN = "0123456789abcdef"
SHOWN = f"Bearer {TOKEN}"


def state(address: str, *, is_draining: bool = False) -> ReplicaState:
    return ReplicaState(address=address, is_draining=is_draining, calls=0)


class Replicas:
    """Replicas that answer as the test says."""

    def __init__(self, *answers: ReplicaState | BaseException) -> None:
        self.answers: Sequence[ReplicaState | BaseException] | None = answers
        self.asked = 0

    async def ask(self) -> Sequence[ReplicaState | BaseException]:
        self.asked += 1
        await asyncio.sleep(0.1)
        if self.answers is None:
            raise TimeoutError
        return self.answers

    def list_(self, certified: str = "") -> ReplicaList:
        return ReplicaList(self.ask, deployment="d", token=TOKEN, certified=certified)


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "rtc_server.engines.ray.listing.monotonic",
        lambda: asyncio.get_running_loop().time(),
    )


async def addresses(list_: ReplicaList) -> list[str]:
    status, body = await list_.answer(SHOWN)
    assert status == 200
    return [each["address"] for each in body["servers"]]


@pytest.mark.parametrize("shown", ["", "Bearer ", TOKEN[:-1], f"Bearer {TOKEN}x", "Bearer \udc80"])
async def test_a_wrong_token_is_refused_and_asks_nobody(shown: str) -> None:
    replicas = Replicas(state("ws://10.0.0.3:7070"))
    status, body = await replicas.list_().answer(shown)
    assert (status, list(body)) == (401, ["error"])
    assert replicas.asked == 0


async def test_what_is_listed_is_what_media_processes_read() -> None:
    replicas = Replicas(
        state("wss://10.0.0.3:7070"),
        state("wss://10.0.0.4:7070", is_draining=True),
        RuntimeError("The actor died."),
    )
    status, body = await replicas.list_(certified="engines.internal").answer(SHOWN)
    assert status == 200
    [server] = parse_server_list(json.dumps(body).encode()).servers
    assert (server.host, server.tls, server.certified) == ("10.0.0.3", True, "engines.internal")


async def test_replicas_are_asked_once_for_all_that_ask_at_a_time() -> None:
    replicas = Replicas(state("ws://10.0.0.3:7070"))
    list_ = replicas.list_()
    assert (
        await asyncio.gather(*(addresses(list_) for _ in range(20)))
        == [["ws://10.0.0.3:7070"]] * 20
    )
    assert replicas.asked == 1
    replicas.answers = (state("ws://10.0.0.4:7070"),)
    await asyncio.sleep(2 * KEPT_S)
    assert await addresses(list_) == ["ws://10.0.0.4:7070"]


async def test_replicas_that_cannot_be_asked_are_not_said_to_be_gone() -> None:
    replicas = Replicas(state("ws://10.0.0.3:7070"))
    list_ = replicas.list_()
    await addresses(list_)
    for answers in (None, (RuntimeError("The actor is unavailable."),)):
        replicas.answers = answers
        await asyncio.sleep(2 * KEPT_S)
        status, body = await list_.answer(SHOWN)
        assert (status, list(body)) == (503, ["error"])
    replicas.answers = (state("ws://10.0.0.3:7070"),)
    await asyncio.sleep(2 * KEPT_S)
    assert await addresses(list_) == ["ws://10.0.0.3:7070"]


async def test_no_replicas_at_all_is_an_answer() -> None:
    assert await addresses(Replicas().list_()) == []
