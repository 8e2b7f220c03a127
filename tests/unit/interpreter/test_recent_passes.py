"""Passes that the newest one is held against."""

from rtc_server.interpreter.recent_passes import RecentPasses


def test_a_pass_is_held_against_the_last_one_that_is_old_enough() -> None:
    passes: RecentPasses[str] = RecentPasses()
    heard = {600: "a", 850: "b", 1000: "c", 1250: "d", 2000: "e"}
    before = [passes.add(heard_ms, found) for heard_ms, found in heard.items()]
    assert [each and each.found for each in before] == [None, "a", "a", "b", "d"]


def test_passes_since_then_are_kept() -> None:
    passes: RecentPasses[str] = RecentPasses()
    for heard_ms, found in ((600, "a"), (850, "b"), (1000, "c"), (1250, "d")):
        passes.add(heard_ms, found)
    assert [tuple(each) for each in passes] == [(850, "b"), (1000, "c"), (1250, "d")]
