"""Pion, WebRTC in Go, in all roles; it looks up the codecs of each rejected section."""

import os
import shutil
import subprocess
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest

from rtc_server.pcm import Samples
from tests.support.opus_peer import OpusPeer, opus_peer
from tests.support.rooms import server
from tests.support.server import CALLS, said

pytestmark = pytest.mark.slow  # compiling Pion takes 20 s of CPU
SOURCE = Path(__file__).parents[1] / "clients" / "pion"
PHRASE = "where is the train station"
DEBIANS_GO = "/usr/share/gocode"

Pion = Callable[..., AbstractAsyncContextManager[OpusPeer]]


@pytest.fixture(scope="module")
def pion(tmp_path_factory: pytest.TempPathFactory) -> Pion:
    """Build the peer with Debian's Pion, which lies in a GOPATH, not in modules."""
    gopath = tmp_path_factory.mktemp("go")
    package = shutil.copytree(SOURCE, gopath / "src" / "pion-peer")
    environment = os.environ | {"GO111MODULE": "off", "GOPATH": f"{gopath}:{DEBIANS_GO}"}
    subprocess.run(["go", "build", "."], cwd=package, env=environment, check=True, timeout=200)

    def run(
        role: str, url: str, speech: Samples | None = None
    ) -> AbstractAsyncContextManager[OpusPeer]:
        return opus_peer("./pion-peer", role, url, folder=package, speech=speech)

    return run


async def test_pion_calls(pion: Pion) -> None:
    async with (
        server() as running_server,
        pion("caller", f"{running_server.url}{CALLS}?source=en&target=ru", said(PHRASE)) as caller,
    ):
        await caller.printed("event session.created")
        await caller.heard()


async def test_pion_speaks_by_whip_and_listens_by_whep(pion: Pion) -> None:
    async with (
        server() as running_server,
        pion("speaker", f"{running_server.url}/whip/hall?source=en", said(PHRASE)) as speaker,
    ):
        await speaker.printed("connected")
        async with pion("listener", f"{running_server.url}/whep/hall?language=de") as listener:
            await listener.heard()
