"""Sessions of a killed worker that are moved: a failure of one does not affect the others."""

import asyncio

from rtc_server.app.workers.codec import claimant_json
from rtc_server.app.workers.control import Fields, RequestFailed
from rtc_server.app.workers.desk import Desk
from rtc_server.app.workers.moves import SessionMoves
from rtc_server.app.workers.placement import Life, Placement, WorkerLoad
from rtc_server.app.workers.records import Records
from rtc_server.clock import monotonic, wall
from rtc_server.metrics import Metrics
from rtc_server.session.admission import Admission, AdmissionLimits
from rtc_server.session.session_api import Claimant


class Moving:
    """Sessions of worker 1, which is gone; worker 2 is asked to continue them."""

    def __init__(self, *sessions: str) -> None:
        self.records, self.placement = Records(), Placement({2: WorkerLoad(Life.TAKING, True)})
        self.desk = Desk(Admission(AdmissionLimits(20)), monotonic, wall, lambda *_: None)
        self.answers: dict[str, Exception | asyncio.Event] = {}
        """For each session: the error of its request, or the event that its answer waits for."""
        self.metrics = Metrics()
        self.moves = SessionMoves(
            self.records, self.desk, self.placement, self._request, self.metrics
        )
        for number, session in enumerate(sessions, 1):
            asks = {"kind": "SESSION", "claimant": claimant_json(Claimant()), "busy_s": 0}
            self.desk.claim(1, {**asks, "place": number})
            times = {"began_s": 0.0, "end_s": 0.0, "expires_at": 0}
            opened = {"session": session, "place": number, "request": {}, **times}
            self.records.opened(1, opened)
        self.orphans = self.records.of_worker(1)

    async def _request(self, _worker: int, _kind: str, fields: Fields) -> Fields:
        answer = self.answers.get(fields["record"]["session"])
        if isinstance(answer, asyncio.Event):
            await answer.wait()
        elif answer is not None:
            raise answer
        return {}

    async def move(self, within_s: float) -> None:
        """Move all sessions."""
        now_s = monotonic()
        await self.moves.move(self.orphans, now_s + within_s, now_s)


async def test_a_session_that_a_worker_cannot_take_is_lost_alone() -> None:
    moving = Moving("a", "b", "c", "d")
    moving.answers = {"a": RequestFailed(), "b": KeyError("request")}
    await moving.move(60.0)
    assert set(moving.placement.moved) == {"c", "d"}
    assert not moving.desk.holds((1, 1))
    assert moving.records.find("a") is None
    await moving.moves.settled("a")


async def test_a_session_that_was_opened_is_not_ended_for_an_answer_that_is_late() -> None:
    moving = Moving("a")
    moving.answers = {"a": asyncio.Event()}
    move = asyncio.create_task(moving.move(60.0))
    await asyncio.sleep(1.0)
    moving.desk.move((1, 1), (2, 7))
    moving.records.opened(2, {"session": "a", "place": 7})
    await move
    assert moving.desk.holds((2, 7))
    assert moving.records.find("a") is moving.orphans[0]


async def test_a_session_that_takes_long_does_not_hold_up_the_rest() -> None:
    moving = Moving("a", "b", "c")
    moving.answers = {"a": asyncio.Event()}
    await moving.move(60.0)
    assert set(moving.placement.moved) == {"b", "c"}
    assert (moving.desk.holds((1, 1)), moving.records.find("a")) == (False, None)
