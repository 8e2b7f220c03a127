"""Engines that have lost their way."""

from rtc_server.interpreter.watchdog import Fault, Watchdog, fault_of


def test_speech_that_brings_no_new_word_for_two_seconds_is_a_stall() -> None:
    dog = Watchdog("ru")
    heard = [dog.judge(ms, ["one"], ["один"]) for ms in (500, 1500, 2400, 2500)]
    assert heard == [None, None, None, Fault.STALL]
    assert dog.judge(2600, ["one", "two"], ["один"]) is None


def test_speech_counts_from_when_a_text_is_no_longer_ahead_of_it() -> None:
    dog, text = Watchdog("ru"), ["one", "two", "three"]
    passes = [(ms, ms < 3000) for ms in range(600, 5400, 400)]
    faults = [dog.judge(ms, text, [], is_ahead=ahead) for ms, ahead in passes]
    stalled_ms = next(ms for (ms, _), fault in zip(passes, faults, strict=True) if fault)
    assert stalled_ms == 5000, "2 s from the first pass that was believed, at 3 s"


def test_a_text_that_was_believed_and_stops_is_a_stall_though_it_is_ahead() -> None:
    dog = Watchdog("ru")
    said = ["fast", "speech", "that", "has", "been", "believed"]
    assert dog.judge(2000, said, []) is None
    faults = [dog.judge(2000 + ms, said, [], is_ahead=True) for ms in (400, 1600, 2000)]
    assert faults == [None, None, Fault.STALL]


def test_words_that_were_not_believed_are_new_when_they_are_said() -> None:
    dog = Watchdog("ru")
    dog.judge(600, ["another", "sentence", "that", "nobody", "says"], [], is_ahead=True)
    said = ["one", "two", "three", "four"]
    faults = [dog.judge(1600 * (n + 1), said[: n + 1], []) for n in range(4)]
    assert faults == [None] * 4


def test_words_again_and_again_are_a_loop() -> None:
    assert fault_of(["so", "it", "is", "it", "is", "it", "is", "it", "is"], [], "ru") is Fault.LOOP
    assert fault_of(["very", "very", "very", "good"], [], "ru") is None
    assert fault_of([], ["да", "да", "да", "да", "да", "да"], "ru") is Fault.LOOP


def test_the_letters_of_the_wrong_language_are_noticed() -> None:
    assert fault_of([], ["this", "is", "not", "Russian", "at", "all"], "ru") is Fault.SCRIPT
    assert fault_of([], ["это", "совсем", "не", "английский"], "en") is Fault.SCRIPT
    assert fault_of([], ["мы", "говорим", "о", "WebRTC", "и", "Python"], "ru") is None
    assert fault_of([], ["OK"], "ru") is None
    assert fault_of([], ["anything", "goes", "in", "here"], "zh") is None


def test_two_bad_hypotheses_in_a_row_mean_that_it_is_lost() -> None:
    dog, bad = Watchdog("ru"), ["this", "is", "not", "Russian"]
    dog.judge(500, [], bad)
    assert not dog.is_lost
    dog.judge(900, [], ["это"])
    dog.judge(1300, [], bad)
    assert not dog.is_lost
    dog.judge(1700, [], bad)
    assert dog.is_lost
