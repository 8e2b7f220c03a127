"""A long talk with the page, both ways, and measurements of the page."""

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
"""Phrases of the talk."""

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
"""Script that notes the beginnings of translated speech, and committed text that changed."""


NOTE_LAST = "void (window.before = document.querySelector('.segments').lastElementChild)"
ANSWER = """() => {
  const row = document.querySelector(".segments").lastElementChild;
  if (!row || row === before || row.dataset.status === "partial") return null;
  const understood = row.dataset.status === "final";
  if (understood && !["finished", "dropped"].includes(row.dataset.playout)) return null;
  const words = (pane) => row.querySelector(pane).textContent;
  return { understood, source: words(".source"), target: words(".target") };
}"""
"""Script that returns the new row of the captions, once it is complete."""


@dataclass(frozen=True)
class PageSize:
    """Size of the page after garbage collection."""

    at_s: float
    """Seconds since the talk began."""
    heap_bytes: int
    """Size of all JavaScript objects."""
    nodes: int
    """Number of nodes of all documents, attached or not."""
    listeners: int
    """Number of event listeners."""


@dataclass
class Talk:
    """Course of a talk: phrases said, and captions shown."""

    said: int = 0
    """Number of phrases said."""
    answers: list[tuple[str, str]] = field(default_factory=list)
    """Translations when they were finished: source and target of each."""
    not_understood: int = 0
    """Phrases that the engine did not know."""
    shown: list[tuple[str, str]] = field(default_factory=list)
    """The translations as the page has them at the end."""
    delays_ms: list[float] = field(default_factory=list)
    """Time from the last voiced sample of each phrase to the first sound of its translation."""
    sizes: list[PageSize] = field(default_factory=list)
    """Sizes of the page, from the beginning to the end."""
    rewritten: list[tuple[str, str]] = field(default_factory=list)
    """Committed texts, each with a later text of the same caption that does not begin with it."""


async def hold_talk(page: Page, duration_s: float, *, sample_s: float = SAMPLE_S) -> Talk:
    """Speak for that time, changing the direction after each round of phrases. The page must be
    live, from Russian into English, with `voice.MICROPHONE` as microphone.
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
    """Say one phrase, and wait until its translation has been played, or it was not understood."""
    await page.evaluate(NOTE_LAST)
    ended = await say(page, russian(said) if language == "ru" else english(said))
    talk.said += 1
    deadline = time.monotonic() + PATIENCE_S
    while (answer := await page.evaluate(ANSWER)) is None:
        if time.monotonic() > deadline:
            return  # nothing came: one answer is missing
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
    """Measure the page after two rounds of garbage collection."""
    for _ in range(2):
        await devtools.send("HeapProfiler.collectGarbage")
        await asyncio.sleep(0.1)
    heap = await devtools.send("Runtime.getHeapUsage")
    counters = await devtools.send("Memory.getDOMCounters")
    return PageSize(at_s, int(heap["usedSize"]), counters["nodes"], counters["jsEventListeners"])


async def kept_captions(page: Page) -> list[tuple[str, str]]:
    """Captions of the whole talk, as the page downloads them."""
    await page.click("[popovertarget=export]")
    async with page.expect_download() as waiting:
        await page.click("[data-format=json]")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "captions.json"
        await (await waiting.value).save_as(path)
        rows = json.loads(path.read_text(encoding="utf-8"))["segments"]
    return [(row["source"]["text"], row["target"]["text"]) for row in rows]
