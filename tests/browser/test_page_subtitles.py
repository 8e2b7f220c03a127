"""Subtitles as the page cuts them, compared with those of the server."""

import random
from typing import Any

import pysubs2

from rtc_server.session.cues import cut
from tests.support.browser.chromium import visit
from tests.support.browser.scripted_server import scripted_server

CUT = """async (talks) => {
  const { cut } = await import("/static/cues.js");
  const row = ({ startMs, endMs, lines }) => [startMs, endMs, lines];
  return talks.map(({ texts, end }) => cut(texts, 0, end).map(row));
}"""
TWO_SESSIONS = """async () => {
  const { toSrt } = await import("/static/export.js");
  const source = (text) => ({ language: "ru", text, start_ms: 0, end_ms: 3000 });
  const said = (session, at, text) =>
    ({ session, at: new Date(at), source: source(text), target: {} });
  return toSrt([said("a", 1000, "Да."), said("b", 1100, "Нет.")], "source");
}"""


async def test_page_and_server_cut_subtitles_alike() -> None:
    draw = random.Random(7)
    words = ["Да.", "вокзал", "—", "station", "\U0001f682", "-->", "x" * 90, "a", "\n\n"]
    talks: list[dict[str, Any]] = [
        {
            "texts": [" ".join(draw.choices(words, k=draw.randint(0, 40))) for _ in range(sides)],
            "end": draw.randint(1, 30_000),
        }
        for sides in (1, 2)
        for _ in range(40)
    ]
    async with scripted_server() as server, visit(server.url) as seen:
        ours = await seen.page.evaluate(CUT, talks)
        for talk, cues in zip(talks, ours, strict=True):
            theirs = cut(talk["texts"], 0, talk["end"])
            assert cues == [[cue.start_ms, cue.end_ms, list(cue.lines)] for cue in theirs]
        # By the calendar the second session began 0.1 s after the first.
        srt = await seen.page.evaluate(TWO_SESSIONS)
    spans = [(event.start, event.end) for event in pysubs2.SSAFile.from_string(srt)]
    assert spans == [(0, 3000), (3000, 6000)]
