"""Attribution of an engine's crashes."""

from rtc_server.engines.blame import REFUSED_S, Blame


def test_after_a_crash_in_company_everybody_goes_alone_until_answered() -> None:
    blame = Blame()
    assert not blame.alone(0.0)
    blame.crashed(["a", "b"], 0.0)
    assert blame.alone(1.0)
    blame.answered(["a"])
    assert blame.alone(2.0)
    blame.answered(["b"])
    assert not blame.alone(3.0)


def test_a_suspect_that_says_nothing_more_does_not_hold_up_the_others_for_good() -> None:
    blame = Blame()
    blame.crashed(["a", "b"], 0.0)
    assert not blame.alone(60.0)
    blame.crashed(["a"], 70.0)
    blame.forget("a")
    assert not blame.alone(70.0)


def test_two_crashes_alone_have_a_session_refused_for_a_while() -> None:
    blame = Blame()
    blame.crashed(["a", "b"], 0.0)
    blame.crashed(["a"], 1.0)
    assert not blame.refused_s("a", 1.0)
    blame.crashed(["a"], 11.0)
    assert blame.refused_s("a", 11.0) == REFUSED_S
    assert not blame.refused_s("b", 11.0)
    assert blame.refused_s("a", 12.0 + REFUSED_S) == 0.0


def test_crashes_far_apart_are_forgiven() -> None:
    blame = Blame()
    blame.crashed(["a"], 0.0)
    blame.crashed(["a"], REFUSED_S + 1.0)
    assert not blame.refused_s("a", REFUSED_S + 1.0)
