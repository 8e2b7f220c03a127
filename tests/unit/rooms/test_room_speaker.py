"""The speaker's seat of a room, by itself."""

import asyncio

import numpy as np

from rtc_server.config import InterpreterSettings, RoomSettings, SegmenterSettings
from rtc_server.metrics import Metrics
from rtc_server.pcm import Pcm
from rtc_server.rooms.peer import Peer
from rtc_server.rooms.room_speaker import RoomSpeaker
from rtc_server.session.admission import Admission, AdmissionLimits
from rtc_server.session.places import Kind, Place, PlaceState
from rtc_server.session.services import Services
from rtc_server.session.session_api import Claimant, Owner
from tests.support.fakes import FakeAst, FakeTts, LoudnessVad

WAIT_S = 30.0
PIECE = np.zeros(320, np.float32)


def seat() -> RoomSpeaker:
    services = Services(
        ast=FakeAst(),
        tts=FakeTts(),
        make_vad=LoudnessVad,
        segmenter=SegmenterSettings(),
        interpreter=InterpreterSettings(),
        metrics=Metrics(),
        clock=asyncio.get_running_loop().time,
    )
    return RoomSpeaker(services, RoomSettings(room_wait_s=WAIT_S))


def peer(name: str, owner: Owner | None = None) -> Peer:
    return Peer(name, owner or Owner(), Metrics(), on_connected=lambda: None, on_over=lambda: None)


def place() -> Place:
    now_s = asyncio.get_running_loop().time()
    return Admission(AdmissionLimits(1)).admit(Kind.SESSION, Claimant(), now_s, now_s)


async def test_the_clock_of_a_room_goes_on_from_one_transport_to_the_next() -> None:
    speaker, one, other = seat(), peer("one"), peer("other")
    speaker.take(one, place())
    assert speaker.placed(Pcm(PIECE, 0)).start_samples == 0
    assert speaker.placed(Pcm(PIECE, 320)).start_samples == 320
    speaker.hand_over(other)
    assert speaker.placed(Pcm(PIECE, 0)).start_samples == 640
    assert not speaker.leave(one)  # replaced before: the seat is another's
    assert speaker.leave(other)
    assert speaker.peer is None


async def test_a_room_waits_for_a_speaker_who_left_and_for_nobody_while_one_is_there() -> None:
    speaker, one = seat(), peer("one")
    await asyncio.sleep(WAIT_S / 2)
    loop = asyncio.get_running_loop()
    assert not speaker.is_missed(loop.time())
    speaker.take(one, place())
    await asyncio.sleep(2 * WAIT_S)
    assert not speaker.is_missed(loop.time())
    speaker.leave(one)
    assert not speaker.is_missed(loop.time())
    await asyncio.sleep(WAIT_S)
    assert speaker.is_missed(loop.time())


async def test_the_place_is_given_back_once() -> None:
    speaker, taken = seat(), place()
    speaker.take(peer("one"), taken)
    speaker.connected()
    assert taken.state is PlaceState.CONNECTED
    assert [speaker.end_place(), speaker.end_place()] == [True, False]
    speaker.connected()  # a transport that works too late changes nothing
