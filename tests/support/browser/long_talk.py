"""A long talk with the page, both ways, and what became of the page meanwhile."""

import asyncio
import json
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

from playwright.async_api import CDPSession, Page, expect

from tests.support.browser.voice import say
from tests.support.signals import english, russian

PHRASES = {
    "ru": ("Где находится вокзал?", "Сколько это стоит?", "Спасибо большое."),
    "en": ("Where is the train station?", "How much does it cost?", "Thank you very much."),
}
"""Phrases that are said."""

PATIENCE_S = 30.0
PAUSE_S = 0.4
SAMPLE_S = 15.0

LISTEN = """() => {
  window.onsets = [];
  window.rewritten = [];
  const context = new AudioContext();
  const analyser = new AnalyserNode(context, { fftSize: 512 });
  context.createMediaStreamSource(document.querySelector("#output").srcObject).connect(analyser);
  const samples = new Float32Array(analyser.fftSize);
  let quietSince = performance.now();
  setInterval(() => {
    analyser.getFloatTimeDomainData(samples);
    const now = performance.now();
    if (Math.max(...samples) < 0.005) return;
    if (now - quietSince > 300) onsets.push(now);
    quietSince = now;
  }, 5);
  const committed = new WeakMap();
  new MutationObserver((changes) => {
    const rows = changes.map(({ target }) => target.parentElement?.closest(".segment") ?? target);
    for (const row of new Set(rows)) {
      for (const pane of row.querySelectorAll?.(".source, .target") ?? []) {
        const firm = pane.querySelector(".firm")?.textContent ?? "";
        const before = committed.get(pane) ?? "";
        if (!firm.startsWith(before)) rewritten.push([before, firm]);
        committed.set(pane, firm);
      }
    }
  }).observe(document.querySelector(".segments"), { childList: true, subtree: true });
}"""
"""Notes when speech begins to be heard, and committed text that another one replaced."""


NOTE_LAST = "void (window.before = document.querySelector('.segments').lastElementChild)"
ANSWER = """() => {
  const row = document.querySelector(".segments").lastElementChild;
  if (!row || row === before || row.dataset.status === "partial") return null;
  const understood = row.dataset.status === "final";
  if (understood && !["finished", "dropped"].includes(row.dataset.playout)) return null;
  const words = (pane) => row.querySelector(pane).textContent;
  return { understood, source: words(".source"), target: words(".target") };
}"""
"""The row that came since, once nothing more will happen to it."""


@dataclass(frozen=True)
class PageSize:
    """Size of the page, garbage taken out."""

    at_s: float
    """Since the talk began."""
    heap_bytes: int
    """JavaScript objects."""
    nodes: int
    """Of all documents, attached or not."""
    listeners: int
    """Event listeners."""


@dataclass
class Talk:
    """Course of a talk: phrases said, and captions shown."""

    said: int = 0
    """Phrases."""
    answers: list[tuple[str, str]] = field(default_factory=list)
    """Each translation when it was finished: what was said, and what it means."""
    not_understood: int = 0
    """Phrases that the engine did not know."""
    shown: list[tuple[str, str]] = field(default_factory=list)
    """The translations, as the page keeps them to the end."""
    delays_ms: list[float] = field(default_factory=list)
    """From the last voiced sample of each phrase to the first sound of its translation."""
    sizes: list[PageSize] = field(default_factory=list)
    """Of the page, from the beginning to the end."""
    rewritten: list[tuple[str, str]] = field(default_factory=list)
    """Committed text and what stood there later, where it did not begin with it."""


async def hold_talk(page: Page, duration_s: float, *, sample_s: float = SAMPLE_S) -> Talk:
    """Speak for so long, changing the direction after each round of phrases.

    The page must be live, from Russian into English, with `voice.MICROPHONE` for a microphone.
    """
    talk = Talk()
    devtools = await page.context.new_cdp_session(page)
    await page.evaluate(LISTEN)
    began = time.monotonic()
    language = "ru"
    talk.sizes.append(await page_size(devtools, 0))
    while time.monotonic() - began < duration_s:
        for said in PHRASES[language]:
            await speak(page, talk, language, said)
        await page.click("#swap")
        language = "en" if language == "ru" else "ru"
        await expect(page.locator("#source")).to_have_value(language)
        now = time.monotonic() - began
        if now - talk.sizes[-1].at_s >= sample_s:
            talk.sizes.append(await page_size(devtools, now))
    talk.sizes.append(await page_size(devtools, time.monotonic() - began))
    talk.shown = await kept_captions(page)
    talk.rewritten = await page.evaluate("rewritten")
    return talk


async def speak(page: Page, talk: Talk, language: str, said: str) -> None:
    """Say one phrase, and wait until its translation has been heard, or it was not understood."""
    await page.evaluate(NOTE_LAST)
    ended = await say(page, russian(said) if language == "ru" else english(said))
    talk.said += 1
    deadline = time.monotonic() + PATIENCE_S
    while (answer := await page.evaluate(ANSWER)) is None:
        if time.monotonic() > deadline:
            return  # nothing came: one answer less
        await page.wait_for_timeout(100)
    if not answer["understood"]:
        talk.not_understood += 1
        return
    talk.answers.append((answer["source"], answer["target"]))
    await page.wait_for_timeout(PAUSE_S * 1000)
    heard = await page.evaluate("(ended) => onsets.find((at) => at > ended) ?? null", ended)
    if heard is not None:
        talk.delays_ms.append(heard - ended)


async def page_size(devtools: CDPSession, at_s: float) -> PageSize:
    """Weigh the page after two rounds of garbage collection."""
    for _ in range(2):
        await devtools.send("HeapProfiler.collectGarbage")
        await asyncio.sleep(0.1)
    heap = await devtools.send("Runtime.getHeapUsage")
    counters = await devtools.send("Memory.getDOMCounters")
    return PageSize(at_s, int(heap["usedSize"]), counters["nodes"], counters["jsEventListeners"])


async def kept_captions(page: Page) -> list[tuple[str, str]]:
    """The captions of the whole talk, as they are downloaded."""
    await page.click("[popovertarget=export]")
    async with page.expect_download() as waiting:
        await page.click("[data-format=json]")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "captions.json"
        await (await waiting.value).save_as(path)
        rows = json.loads(path.read_text(encoding="utf-8"))["segments"]
    return [(row["source"]["text"], row["target"]["text"]) for row in rows]
