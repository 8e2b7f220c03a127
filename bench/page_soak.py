"""Minutes of talk with the page, both ways: does it grow, is a caption lost, do answers come later?

    python -m bench.page_soak [--minutes 10]

The real page in headless Chromium, the whole server with the embedded engines, one phrase after
the other with a pause, the direction swapped after each four. Delays are measured in the page:
from the last voiced sample of the microphone to the first sound of the translation.
"""

import argparse
import asyncio
import statistics

from rtc_server.app.server import running
from rtc_server.config import HttpSettings, Settings
from tests.support.browser.chromium import visit
from tests.support.browser.long_talk import Talk, hold_talk
from tests.support.browser.voice import MICROPHONE


async def talk_for(minutes: float) -> Talk:
    """Open the page and talk."""
    async with (
        running(Settings(http=HttpSettings(port=0))) as server,
        visit(f"{server.url}/?source=ru&target=en", before_load=MICROPHONE) as seen,
    ):
        await seen.page.click("#toggle:enabled")
        await seen.page.wait_for_selector("[data-phase=listening]")
        return await hold_talk(seen.page, minutes * 60, sample_s=minutes * 60 / 10)


def report(talk: Talk) -> None:
    """Print what came of it."""
    print(f"{'minute':>8} {'heap, MB':>10} {'nodes':>8} {'listeners':>10}")
    for size in talk.sizes:
        heap_mb = size.heap_bytes / 1e6
        print(f"{size.at_s / 60:8.1f} {heap_mb:10.2f} {size.nodes:8} {size.listeners:10}")
    kept = "complete and in order" if talk.shown == talk.answers else "NOT as they were shown"
    unanswered = talk.said - len(talk.answers) - talk.not_understood
    print(f"\n{talk.said} phrases: {len(talk.answers)} translated, {talk.not_understood} not")
    print(f"understood, {unanswered} without an answer; the captions kept are {kept}")
    print(f"committed text that a final one replaced: {len(talk.rewritten)}")
    third = len(talk.delays_ms) // 3
    for name, part in (("first", talk.delays_ms[:third]), ("last", talk.delays_ms[-third:])):
        worst = max(part)
        print(
            f"speech to speech, {name} third: {statistics.median(part):.0f} ms, worst {worst:.0f}"
        )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10)
    report(asyncio.run(talk_for(parser.parse_args().minutes)))
