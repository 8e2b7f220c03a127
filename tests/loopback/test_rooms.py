"""Rooms as a whole: real offers, real media, engines in their own processes."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import numpy as np

from rtc_server.app.server import RunningServer, running
from rtc_server.config import EngineSettings, HttpSettings, RoomSettings, Settings
from tests.loopback.test_server import of, said
from tests.rtc_client import RtcClient

WORDS = ("yes", "where is the train station", "thank you")


@asynccontextmanager
async def server(**rooms: float) -> AsyncIterator[RunningServer]:
    settings = Settings(
        http=HttpSettings(port=0),
        engines=EngineSettings(ast="tests.loopback.server_engines:many"),
        rooms=RoomSettings(**rooms),  # type: ignore[arg-type]
    )
    async with running(settings) as house:
        yield house


def speaker(house: RunningServer, *words: str, room: str = "hall") -> RtcClient:
    audio = said(*words) if words else None
    return RtcClient(f"{house.url}/whip/{room}?source=en", audio=audio, channel=None)


def listener(house: RunningServer, language: str, room: str = "hall") -> RtcClient:
    return RtcClient(f"{house.url}/whep/{room}?language={language}", listens_only=True)


def finals(client: RtcClient) -> list[dict[str, Any]]:
    return of(client, "x.segment", final=True)


def total(house: RunningServer, name: str, **labels: str) -> float:
    return house.metrics.registry.get_sample_value(f"rtc_{name}", labels) or 0.0


async def test_a_speaker_is_heard_in_two_languages_and_in_the_original() -> None:
    async with server() as house, speaker(house, *WORDS) as spoken:
        assert "a=recvonly" in spoken.answer_sdp
        async with (
            listener(house, "ru") as russian,
            listener(house, "de") as german,
            listener(house, "en") as original,
        ):
            assert "a=sendonly" in russian.answer_sdp
            for client in (russian, german, original):
                await client.until(lambda client=client: len(finals(client)) >= 3)  # type: ignore[misc]
            for client, code in ((russian, "ru"), (german, "de"), (original, "en")):
                assert {each["target"]["language"] for each in finals(client)} == {code}
                assert np.abs(client.heard()).max() > 0.05
            assert [e["source"]["text"] for e in finals(russian)] == [
                e["target"]["text"] for e in finals(original)
            ]
