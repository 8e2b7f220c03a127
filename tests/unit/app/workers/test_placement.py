"""Placement: the worker that each request goes to."""

from rtc_server.app.workers.placement import (
    NEW_CALLS,
    ROOM_KEPT_S,
    Life,
    Placement,
    Target,
    WorkerLoad,
    session_prefix,
    target_of,
)

CALL = Target(opens=True)


def placement(**loads: float) -> Placement:
    """Return workers that accept calls: ``w1=2.0`` has the load 2."""
    workers = {int(name[1:]): WorkerLoad(Life.TAKING, True, load) for name, load in loads.items()}
    return Placement(workers)


def asked(method: str, path: str, *, upgrades: bool = False, **query: str) -> Target:
    return target_of(method, path, query, upgrades=upgrades)


def test_addresses_name_a_session_a_room_or_nothing() -> None:
    one = f"{NEW_CALLS}/sess_w1-x"
    assert asked("POST", NEW_CALLS) == CALL
    assert [asked(m, one).session for m in ("PATCH", "DELETE")] == ["sess_w1-x"] * 2
    assert asked("POST", f"{one}/resume").session == "sess_w1-x"
    assert asked("GET", f"{one}/transcript").session == "sess_w1-x"
    assert asked("GET", "/ws/audio", upgrades=True) == CALL
    assert asked("GET", "/ws/audio", resume="sess_w2-y", upgrades=True) == Target("sess_w2-y")
    assert not asked("GET", "/ws/audio").opens
    assert asked("POST", "/whip/hall") == Target(room="hall", opens=True)
    for path in ("/whip/hall/spk_1", "/v1/rooms/hall/captions", "/listen/hall"):
        assert asked("GET", path) == Target(room="hall")
    for path in ("/", "/v1/engines", "/static/page.js", "/whip/", "/whip/no room"):
        assert asked("GET", path) == Target()


def test_a_session_id_of_any_length_belongs_to_nobody_else() -> None:
    some = placement(w1=0.0)
    for digits in ("9" * 5000, "1" * 10, "\u0661"):  # too long for `int`; no worker's; not ASCII
        assert some.place(Target(f"sess_w{digits}-x"), 0.0) == 1


def test_a_call_goes_to_the_worker_with_least_to_do() -> None:
    some = placement(w1=3.0, w2=1.0, w3=2.0)
    assert some.place(CALL, 0.0) == 2
    some.workers[2].opening = 2  # calls that are on their way count as places
    assert some.place(CALL, 0.0) == 3


def test_a_worker_without_engines_is_chosen_last() -> None:
    some = placement(w1=0.0, w2=5.0)
    some.workers[1].is_ready = False
    assert some.place(CALL, 0.0) == 2


def test_a_session_goes_to_its_worker_also_when_that_one_retires() -> None:
    some = placement(w1=9.0, w2=0.0)
    mine = Target(session_prefix(1) + "token")
    assert some.place(mine, 0.0) == 1
    some.workers[1].life = Life.RETIRING
    assert some.place(mine, 0.0) == 1
    assert some.place(CALL, 0.0) == 2


def test_a_session_that_moved_goes_to_its_new_worker() -> None:
    some = placement(w1=0.0, w2=0.0, w3=0.0)
    mine = Target(session_prefix(1) + "token")
    some.remove(1)
    some.moved[mine.session] = 3
    assert some.place(mine, 0.0) == 3
    some.remove(3)
    assert some.place(mine, 0.0) == 2  # which answers that there is no such session


def test_a_room_is_where_it_was_opened_whatever_the_load() -> None:
    some = placement(w1=0.0, w2=1.0)
    assert some.place(Target(room="hall", opens=True), 0.0) == 1
    some.workers[1].places = 50.0
    assert some.place(Target(room="hall", opens=True), 1.0) == 1  # not yet reported
    some.workers[1].rooms = frozenset({"hall"})
    assert some.place(Target(room="hall"), 10 * ROOM_KEPT_S) == 1
    some.workers[1].life = Life.RETIRING
    assert some.place(Target(room="hall"), 10 * ROOM_KEPT_S) == 1
    some.workers[1].rooms = frozenset()
    assert some.place(Target(room="hall", opens=True), 20 * ROOM_KEPT_S) == 2


def test_a_room_of_a_worker_that_is_gone_is_opened_elsewhere() -> None:
    some = placement(w1=0.0, w2=1.0)
    assert some.place(Target(room="hall", opens=True), 0.0) == 1
    some.remove(1)
    assert some.place(Target(room="hall", opens=True), 0.1) == 2


def test_a_look_at_a_room_does_not_bind_it() -> None:
    some = placement(w1=0.0, w2=1.0)
    assert some.place(Target(room="hall"), 0.0) == 1
    some.workers[1].places = 2.0
    assert some.place(Target(room="hall", opens=True), 0.1) == 2


def test_while_only_retiring_workers_live_they_answer_but_take_no_call() -> None:
    some = placement(w1=0.0)
    some.workers[1].life = Life.RETIRING
    assert some.place(CALL, 0.0) is None
    assert some.place(Target(session="sess_w9-x"), 0.0) == 1
    assert Placement().place(CALL, 0.0) is None
