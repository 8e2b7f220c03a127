"""Order in which waiting requests are served."""

from collections import defaultdict
from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from rtc_server.engines.batcher import AstQueue, FairQueue


@dataclass(eq=False)
class Entry:
    """A waiting thing with a name to tell it by."""

    session_id: str
    number: int = 0
    gone: bool = False
    partial: bool = True
    cost: float = 1.0

    def done(self) -> bool:
        return self.gone

    def __repr__(self) -> str:
        return f"{self.session_id}{self.number}"


def fill(queue: FairQueue[Entry], *names: str) -> dict[str, Entry]:
    entries = {name: Entry(name[0], int(name[1:])) for name in names}
    assert not any(queue.add(entry) for entry in entries.values())
    return entries


def names(entries: list[Entry]) -> list[str]:
    return list(map(repr, entries))


def test_sessions_take_turns_and_each_keeps_its_order() -> None:
    queue = FairQueue[Entry](10)
    fill(queue, "a1", "a2", "a3", "b1", "c1", "c2")
    assert names(queue.take(4, 0.0)) == ["a1", "b1", "c1", "a2"]
    assert names(queue.take(4, 0.0)) == ["c2", "a3"]
    assert queue.take(4, 0.0) == []


def test_one_busy_session_does_not_delay_a_newcomer() -> None:
    queue = FairQueue[Entry](100)
    fill(queue, *(f"a{i}" for i in range(50)))
    queue.take(1, 0.0)
    fill(queue, "b0")
    assert names(queue.take(2, 0.0)) == ["b0", "a1"]


def test_those_who_left_are_skipped_and_cost_no_turn() -> None:
    queue = FairQueue[Entry](10)
    entries = fill(queue, "a1", "a2", "b1", "b2")
    entries["a1"].gone = True
    entries["b1"].gone = entries["b2"].gone = True
    assert names(queue.take(4, 0.0)) == ["a2"]
    assert len(queue) == 0


def test_a_full_queue_refuses_until_somebody_leaves() -> None:
    queue = FairQueue[Entry](2)
    entries = fill(queue, "a1", "b1")
    refused = Entry("c", 1)
    assert queue.add(refused) is refused
    entries["a1"].gone = True
    assert queue.add(Entry("c", 2)) is None
    assert names(queue.take(9, 0.0)) == ["b1", "c2"]


def test_remove_takes_out_one_entry_once() -> None:
    queue = FairQueue[Entry](10)
    entries = fill(queue, "a1", "a2")
    assert queue.remove(entries["a1"])
    assert not queue.remove(entries["a1"])
    assert queue.remove(entries["a2"])
    assert queue.take(9, 0.0) == []


def test_forget_takes_out_one_session_and_clear_all() -> None:
    queue = FairQueue[Entry](10)
    fill(queue, "a1", "b1", "a2", "c1")
    assert names(queue.forget("a")) == ["a1", "a2"]
    assert queue.forget("a") == []
    assert names(queue.clear()) == ["b1", "c1"]
    assert len(queue) == 0


@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("add"), st.sampled_from("abcd")),
            st.tuples(st.just("take"), st.integers(1, 3)),
            st.tuples(st.just("leave"), st.integers(0, 30)),
        ),
        max_size=60,
    )
)
def test_nothing_is_lost_doubled_reordered_or_starved(steps: list[tuple[str, str | int]]) -> None:
    queue = FairQueue[Entry](8)
    accepted: list[Entry] = []
    served: list[Entry] = []
    for step, argument in steps:
        if step == "add":
            entry = Entry(str(argument), len(accepted))
            gone = queue.add(entry)
            if gone is not entry:
                accepted.append(entry)
            if gone in accepted:
                accepted.remove(gone)
        elif step == "take":
            waiting = {e.session_id for e in accepted if e not in served and not e.gone}
            batch = queue.take(int(argument), 0.0)
            turns = {e.session_id for e in batch}
            assert len(turns) == min(len(waiting), int(argument))  # no second before each had one
            served += batch
        elif int(argument) < len(accepted) and accepted[int(argument)] not in served:
            accepted[int(argument)].gone = True
        assert len(queue) <= 8
    served += queue.take(100, 0.0)
    assert sorted(e.number for e in served) == [e.number for e in accepted if not e.gone]
    by_session = defaultdict(list)
    for entry in served:
        by_session[entry.session_id].append(entry.number)
    assert all(numbers == sorted(numbers) for numbers in by_session.values())


def test_finals_go_before_partials() -> None:
    queue = AstQueue[Entry](10)
    assert queue.add_partial(Entry("a", 1)) == []
    assert queue.add_final(Entry("b", 2)) == (None, [])
    assert names(queue.take(4, 0.0)) == [
        "b2"
    ]  # a batch is of one kind: finals never wait for partials
    assert names(queue.take(4, 0.0)) == ["a1"]


def test_a_newer_partial_takes_the_older_ones_place() -> None:
    queue = AstQueue[Entry](10)
    queue.add_partial(Entry("a", 1))
    queue.add_partial(Entry("b", 1))
    assert names(queue.add_partial(Entry("a", 2))) == ["a1"]
    assert names(queue.take(1, 0.0)) == ["a2"]  # a talkative session does not lose its turn
    assert names(queue.take(1, 0.0)) == ["b1"]


def test_a_final_makes_its_sessions_partial_pointless() -> None:
    queue = AstQueue[Entry](10)
    queue.add_partial(Entry("a", 1))
    queue.add_partial(Entry("b", 1))
    gone, stale = queue.add_final(Entry("a", 2))
    assert gone is None
    assert names(stale) == ["a1"]
    queue.add_partial(Entry("a", 3))  # of the next segment: stays
    assert names(queue.take(4, 0.0)) == ["a2"]
    assert names(queue.take(4, 0.0)) == ["b1", "a3"]


def test_a_refused_final_leaves_the_partial() -> None:
    queue = AstQueue[Entry](2)
    queue.add_final(Entry("a", 1))
    queue.add_partial(Entry("a", 2))
    refused = Entry("a", 3)
    queue.add_final(Entry("a", 4))
    assert queue.add_final(refused) == (refused, [])


def test_a_final_takes_the_place_of_the_newest_partial_of_the_longest_line() -> None:
    queue = AstQueue[Entry](6)
    for name in "ab":
        queue.add_final(Entry(name, 1))
    for name in "abc":
        queue.add_partial(Entry(name, 2))
    queue.add_final(Entry("d", 3))
    gone, partials = queue.add_final(Entry("e", 4))
    assert (gone, names(partials)) == (None, ["b2"])


def test_when_full_the_longest_line_loses_its_newest() -> None:
    queue = FairQueue[Entry](6)
    fill(queue, "a1", "a2", "a3", "b1", "b2", "c1")
    assert names([queue.add(Entry("d", 1)) or Entry("?")]) == ["a3"]
    refused = Entry("b", 3)
    assert queue.add(refused) is refused  # its own line is as long as any


def test_beyond_half_full_a_session_has_two_waiting_at_most() -> None:
    queue = FairQueue[Entry](8)
    fill(queue, "a1", "a2", "a3", "b1")
    refused = Entry("a", 4)
    assert queue.add(refused) is refused
    fill(queue, "b2", "c1")


def test_who_had_least_done_lately_goes_first() -> None:
    queue = FairQueue[Entry](10)
    queue.add(Entry("a", 1, cost=10.0))
    queue.add(Entry("b", 1, cost=1.0))
    queue.take(2, 0.0)
    fill(queue, "a2", "b2")
    assert names(queue.take(1, 1.0)) == ["b2"]
    fill(queue, "b3")
    assert names(queue.take(1, 1.0)) == ["b3"]  # 2 is less than 10
    fill(queue, "c1")
    assert names(queue.take(3, 1.0)) == ["c1", "a2"]


def test_partials_are_bounded_and_the_newcomer_is_dropped() -> None:
    queue = AstQueue[Entry](2)
    first = Entry("a", 1)
    queue.add_partial(first)
    queue.add_partial(Entry("b", 1))
    assert names(queue.add_partial(Entry("c", 1))) == ["c1"]
    assert names(queue.add_partial(Entry("b", 2))) == ["b1"]
    first.gone = True
    assert queue.add_partial(Entry("c", 2)) == []
    assert names(queue.take(9, 0.0)) == ["b2", "c2"]


def test_forget_and_clear_take_partials_too() -> None:
    queue = AstQueue[Entry](9)
    queue.add_final(Entry("a", 1))
    queue.add_partial(Entry("a", 2))
    queue.add_partial(Entry("b", 1))
    assert names(queue.forget("a")) == ["a1", "a2"]
    assert names(queue.clear()) == ["b1"]
    assert len(queue) == 0


def test_a_rest_from_partials_is_none_from_finals_or_from_what_may_be_over() -> None:
    queue = AstQueue[Entry](9)
    queue.add_partial(Entry("a", 1))
    queue.add_partial(Entry("b", 1, partial=False))
    queue.add_final(Entry("c", 1, partial=False))
    assert names(queue.take(4, 0.0, resting=True)) == ["c1"]
    assert names(queue.take(4, 0.0, resting=True)) == ["b1"]
    assert queue.take(4, 0.0, resting=True) == []
    assert names(queue.take(4, 0.0)) == ["a1"]
