"""Engines that have lost their way."""

from rtc_server.interpreter.watchdog import Fault, Watchdog, fault_of


def test_speech_that_brings_no_new_word_for_two_seconds_is_a_stall() -> None:
    dog = Watchdog("ru")
    heard = [dog.judge(ms, ["one"], ["один"]) for ms in (500, 1500, 2400, 2500)]
    assert heard == [None, None, None, Fault.STALL]
    assert dog.judge(2600, ["one", "two"], ["один"]) is None


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
