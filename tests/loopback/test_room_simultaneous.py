"""A room whose speaker does not pause: real media, an oracle that reads words off pilot tones."""

from itertools import pairwise
from typing import Any

from bench.interpret import heard_words
from bench.oracle import WORDS, written
from bench.talks import words_with_tones
from tests.support.rooms import finals, listener, server, speaker, total
from tests.support.rtc_client import RtcClient
from tests.support.server import of

LEAST_FRAMES = 10
"""Fewest frames of a spoken word."""


async def test_each_language_is_spoken_while_the_speaker_goes_on() -> None:
    speech = words_with_tones(9.0)
    numbers = [index % WORDS for index in range(len(speech.bounds))]
    async with (
        server(ast="bench.oracle:aligned", tts="bench.oracle:voice") as running_server,
        speaker(running_server) as spoken,
        listener(running_server, "ru") as russian,
        listener(running_server, "de") as german,
    ):
        for client in (russian, german):
            await client.until(lambda client=client: bool(client.packets))  # type: ignore[misc]
        spoken.track.say(speech.audio)
        await check_language(russian, "ru", numbers)
        await check_language(german, "de", numbers)
        calls, requests = (
            total(running_server, f"engine_batch_size_{each}", kind="ast")
            for each in ("count", "sum")
        )
    # Each pass was made for both languages, of the same audio.
    assert requests > 1.8 * calls


async def check_language(client: RtcClient, language: str, numbers: list[int]) -> None:
    """Check that all of it is captioned and spoken, once and in order, and not only at the end."""
    expected = [written(number, language) for number in numbers]
    await client.until(lambda: len(words(finals(client))) >= len(expected))
    assert words(finals(client)) == expected
    partials = of(client, "x.segment", final=False)
    assert any(event["target"]["stable_chars"] for event in partials), "committed as it goes on"
    assert len(finals(client)) > 1, "and no end of speech waited for"
    for before, after in pairwise(of(client, "x.segment")):
        if before["segment_id"] == after["segment_id"]:
            text, stable = before["target"]["text"], before["target"]["stable_chars"]
            assert after["target"]["text"].startswith(text[:stable])
    frames = LEAST_FRAMES * len(numbers)
    await client.until(lambda: sum(len(each.payload) > 20 for each in client.packets) > frames)
    await client.until(lambda: numbers[-1] in heard_numbers(client))
    assert heard_numbers(client) == numbers


def words(events: list[dict[str, Any]]) -> list[str]:
    """The translation."""
    return " ".join(event["target"]["text"] for event in events).split()


def heard_numbers(client: RtcClient) -> list[int]:
    """The words that were spoken."""
    return [number for number, _ in heard_words([(p.arrival_s, p.payload) for p in client.packets])]
