"""Audio by reference: the parts of an open segment that are sent, and their assembly."""

import numpy as np
import pytest

from rtc_server.engines.remote import audio_kept
from rtc_server.engines.remote.audio_kept import (
    MOST_SAMPLES,
    MOST_STREAMS,
    AudioBudget,
    AudioUnknown,
    ReceivedAudio,
    SentAudio,
)
from rtc_server.engines.remote.messages import KeptAudio
from rtc_server.errors import EngineError
from rtc_server.pcm import Samples
from tests.support.engine_pool import talk


class Line:
    """Both ends of the connection."""

    def __init__(self) -> None:
        self.sender, self.receiver, self.calls = SentAudio(), ReceivedAudio(AudioBudget()), 0

    def send(self, session: str, samples: Samples, group: str = "") -> int:
        """Return the samples that were sent; the rest must be there."""
        self.calls += 1
        kept, new = self.sender.send(session, group or session, self.calls, samples)
        whole = self.receiver.receive(session, self.calls, kept, new)
        np.testing.assert_array_equal(whole, samples)
        return new.size


def test_of_a_segment_that_grows_only_what_is_new_is_sent() -> None:
    line, said = Line(), talk(10.0)
    sent = [line.send("s", said[: end * 4000].copy()) for end in range(1, 41)]
    assert sent == [4000] * 40


def test_a_window_that_moves_on_is_found_again() -> None:
    line, said = Line(), talk(4.0)
    assert line.send("s", said[:32000]) == 32000
    assert line.send("s", said[16001:40000]) == 8000
    assert line.send("s", said[16001:20000]) == 0  # the pause after it is cut off


def test_another_segment_is_sent_whole() -> None:
    line = Line()
    assert line.send("s", talk(1.0)) == 16000
    assert line.send("s", talk(1.0)) == 16000
    silence = np.zeros(16000, np.float32)
    assert line.send("s", silence) == 16000
    assert line.send("s", np.concatenate((silence, talk(1.0)))) == 16000


def test_audio_that_only_begins_like_what_was_sent_is_sent_whole() -> None:
    line, said = Line(), talk(1.0)
    other = said.copy()
    other[8000] += 0.5
    assert line.send("s", said) == 16000
    assert line.send("s", other) == 16000
    assert line.send("s", said[4000:]) == 12000, "a later beginning, too"


def test_the_languages_of_a_room_send_their_audio_once() -> None:
    line, said = Line(), talk(2.0)
    assert line.send("room a ru", said, "room a") == 32000
    assert line.send("room a de", said.copy(), "room a") == 0
    assert line.send("room a de", said[:16000], "room a") == 0
    assert line.send("room b de", said, "room b") == 32000


def test_audio_that_the_server_has_not_kept_is_refused_and_never_guessed() -> None:
    receiver = ReceivedAudio(AudioBudget())
    receiver.receive("s", 1, None, talk(1.0))
    for kept in (
        KeptAudio("t", 1, 0, 10),
        KeptAudio("s", 2, 0, 10),
        KeptAudio("s", 1, 15_999, 2),
        KeptAudio("s", 1, 0, 0),
    ):
        with pytest.raises(AudioUnknown):
            receiver.receive("s", 9, kept, talk(0.1))
    receiver.forget("s")
    with pytest.raises(AudioUnknown):
        receiver.receive("s", 9, KeptAudio("s", 1, 0, 10), talk(0.1))


def test_both_ends_keep_a_bounded_number_of_sessions() -> None:
    line, said = Line(), talk(0.1)
    for n in range(MOST_STREAMS + 1):
        line.send(f"s{n}", said)
    assert line.send("s0", said) == said.size
    assert line.send(f"s{MOST_STREAMS}", said) == 0


def test_a_call_that_continues_audio_is_no_longer_than_one_that_is_sent_whole() -> None:
    receiver = ReceivedAudio(AudioBudget())
    receiver.receive("s", 1, None, np.zeros(MOST_SAMPLES - 1, np.float32))
    kept = KeptAudio("s", 1, 0, MOST_SAMPLES - 1)
    with pytest.raises(EngineError, match="too long") as refused:
        receiver.receive("s", 2, kept, talk(0.1))
    assert not isinstance(refused.value, AudioUnknown)  # that would be sent again
    assert receiver.receive("s", 3, kept, talk(0.1)[:1]).size == MOST_SAMPLES


def test_of_all_connections_the_audio_used_longest_ago_goes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    new = talk(0.1)
    monkeypatch.setattr(audio_kept, "MOST_KEPT_BYTES_OF_ALL", 3 * talk(1.0).nbytes)
    budget = AudioBudget()
    one, other = ReceivedAudio(budget), ReceivedAudio(budget)
    one.receive("a", 1, None, talk(0.9))
    one.receive("b", 2, None, talk(0.9))
    other.receive("a", 1, None, talk(0.9))
    one.receive("a", 3, KeptAudio("a", 1, 0, 14_400), new)  # used again
    other.receive("c", 2, None, talk(1.0))
    with pytest.raises(AudioUnknown):
        one.receive("b", 4, KeptAudio("b", 2, 0, 14_400), new)
    assert one.receive("a", 5, KeptAudio("a", 3, 0, 16_000), new[:0]).size == 16_000
    assert other.receive("a", 3, KeptAudio("a", 1, 0, 14_400), new).size == 16_000
