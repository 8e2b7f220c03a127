"""The set ``laptop`` from its question to a phrase in Chromium, on small models in its layouts."""

import asyncio
import contextlib
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest
from playwright.async_api import expect

from rtc_server.catalog import find
from rtc_server.engines.base import Pair
from tests.support.browser.chromium import visit
from tests.support.browser.page import PATIENCE_MS
from tests.support.browser.recording import finish_recording, start_recording
from tests.support.browser.server_process import server_process
from tests.support.browser.voice import as_microphone
from tests.support.command import command
from tests.support.laptop import MODELS, TEXTS, said
from tests.support.signals import audible

pytestmark = pytest.mark.alone

NEEDED = ("gigaam-v3-e2e-ctc", "parakeet-tdt-0.6b-v2", "mt-en-ru", "mt-ru-en")
PHRASE = 6


def on_a_terminal(*arguments: str, answer: str) -> str:
    """Run the command on a pseudo-terminal where somebody types `answer`; everything shown."""
    terminal, theirs = pty.openpty()
    asked = [sys.executable, "-m", "rtc_server", *arguments]
    shown = bytearray()
    with subprocess.Popen(asked, stdin=theirs, stdout=theirs, stderr=theirs) as process:
        os.close(theirs)
        with contextlib.suppress(OSError):  # the last process on the terminal has ended
            while piece := os.read(terminal, 4096):
                shown += piece
                if shown.rstrip().endswith(b"[y/N]"):
                    os.write(terminal, f"{answer}\n".encode())
        process.wait()
    os.close(terminal)
    return shown.decode()


async def is_translated(url: str, microphone: Path, pair: Pair) -> None:
    """Speak into the page until one phrase is written in both languages and spoken."""
    text, meant = TEXTS[pair][PHRASE]
    async with visit(f"{url}/?source={pair[0]}&target={pair[1]}", microphone=microphone) as seen:
        page = seen.page
        await page.click("#toggle:enabled")
        await page.wait_for_selector("[data-phase=listening], [data-phase=hearing]")
        await start_recording(page)
        # The file may begin to play in the middle of the phrase: then the next time counts.
        row = page.locator(".segment[data-status=final]").filter(
            has=page.locator(f".source[lang={pair[0]}]", has_text=text)
        )
        await expect(row.first.locator(".target .firm")).to_have_text(meant, timeout=PATIENCE_MS)
        await expect(row.first).to_have_attribute("data-playout", "finished", timeout=PATIENCE_MS)
        assert audible(await finish_recording(page)).size
        await page.click("#toggle")
        await page.wait_for_selector("[data-phase=closed]")


async def test_the_set_is_offered_fetched_and_translates_both_ways(tmp_path: Path) -> None:
    folder = str(tmp_path / "models")
    serve = ("serve", "--port", "0", "--engines", "laptop", "--models-dir", folder)
    shown = await asyncio.to_thread(on_a_terminal, *serve, answer="n")
    for model in map(find, NEEDED):
        assert f"{model.id}  {model.size_bytes / 1e6:.0f} MB, {model.licence}" in shown
    assert "Serving takes up to 1.6 GB of memory." in shown
    assert "Fetch 986 MB now? [y/N]" in shown
    assert f"Run: rtc-server models --models-dir {folder} fetch laptop" in shown
    assert not Path(folder).exists(), "nothing is fetched without a yes"

    # The stand-ins are not the catalogue's files, and the page must say so.
    mirror = ("--from", str(MODELS), "--trust-download")
    async with command("models", "--models-dir", folder, "fetch", *NEEDED, *mirror) as fetching:
        printed, bars = await fetching.communicate()
    assert fetching.returncode == 0, bars.decode()
    assert "gigaam-v3-e2e-ctc: licence MIT" in printed.decode()
    assert "v3_e2e_ctc.int8.onnx  ████████████████████████ 0.2 of 0.2 MB" in bars.decode()

    async with server_process(options=serve[3:]) as (url, _):
        for number, pair in enumerate(TEXTS):
            spoken = as_microphone(tmp_path / f"{number}.wav", said(pair, PHRASE))
            await is_translated(url, spoken, pair)
