"""Handlers of the workers' messages in the supervisor."""

import asyncio
from functools import partial

from rtc_server.app.workers.control import Fields, Handler
from rtc_server.app.workers.desk import Desk
from rtc_server.app.workers.placement import Placement
from rtc_server.app.workers.records import Records
from rtc_server.app.workers.shared_rates import answer_rate
from rtc_server.app.workers.totals import Totals
from rtc_server.clock import monotonic
from rtc_server.signaling.request_rates import OwnRates


class WorkerMessages:
    """Handlers of all workers' messages, which pass them on."""

    def __init__(self, desk: Desk, records: Records, placement: Placement, totals: Totals) -> None:
        self._rates = OwnRates(monotonic)
        self._desk, self._records = desk, records
        self._placement, self._totals = placement, totals
        desk.on_given_away = self._note_load

    def handlers(self, worker: int) -> dict[str, Handler]:
        """Return the handlers of a worker's control channel, by kind of message."""
        desk, records = self._desk, self._records
        return {
            "claim": partial(self._claim, worker),
            "check": partial(desk.check, worker),
            "claim_room": partial(desk.claim_room, worker),
            "place": partial(desk.state, worker),
            "end": partial(self._place_ended, worker),
            "end_room": partial(desk.end_room, worker),
            "rate": partial(answer_rate, self._rates),
            "state": partial(self._take_state, worker),
            "metrics": lambda fields: self._totals.take(worker, fields["text"]),
            "opened": partial(self._opened, worker),
            "closed": lambda fields: records.closed(fields["session"]),
            "sent": partial(self._record, "sent"),
            "caption": partial(self._record, "caption"),
            "changed": partial(self._record, "changed"),
        }

    def _claim(self, worker: int, fields: Fields) -> Fields:
        answer = self._desk.claim(worker, fields)
        self._note_load(worker)
        return answer

    def _take_state(self, worker: int, fields: Fields) -> None:
        load = self._placement.workers[worker]
        load.seen_s = asyncio.get_running_loop().time()
        load.is_ready, load.rooms = fields["ready"], frozenset(fields["rooms"])

    def _place_ended(self, worker: int, fields: Fields) -> None:
        self._desk.end(worker, fields)
        self._records.place_ended(worker, fields["place"])
        self._note_load(worker)

    def _opened(self, worker: int, fields: Fields) -> None:
        known = self._records.find(fields["session"])
        if known is not None and self._desk.holds((known.worker, known.place)):
            self._desk.move((known.worker, known.place), (worker, fields["place"]))
        self._records.opened(worker, fields)
        self._note_load(worker)

    def _record(self, kind: str, fields: Fields) -> None:
        record = self._records.find(fields["session"])
        if record is None:
            return
        if kind == "changed":
            record.changed(fields)
        else:
            getattr(record, kind)(fields, monotonic())

    def _note_load(self, worker: int) -> None:
        if (load := self._placement.workers.get(worker)) is not None:
            load.places = self._desk.load(worker)
