"""Controls of the page while the interpreter runs."""

import asyncio
import json
import re
from pathlib import Path

import pytest
from playwright.async_api import expect

from tests.support.browser.chromium import visit
from tests.support.browser.page import start
from tests.support.browser.scripted_server import (
    loudest_hz_of,
    received,
    say,
    scripted_server,
    segment,
)
from tests.support.signals import silence
from tests.support.wav import write_wav

TALK = "#talk"
OUTPUT = "document.querySelector('#output')"
KEEP_SINKS = """window.sinks = [];
HTMLMediaElement.prototype.setSinkId = async (id) => void sinks.push(id);"""


async def test_push_to_talk_by_pointer_and_by_space_bar() -> None:
    async with scripted_server() as server, visit(server.url) as seen:
        page = seen.page
        await page.click("[popovertarget=settings]")
        await page.check("[value=hold]")
        await expect(page.locator("#pause-setting")).to_be_hidden()
        await page.keyboard.press("Escape")
        await start(page)
        assert server.calls.requests[0].settings.vad_mode == "off"

        await expect(page.locator(TALK)).to_be_focused()
        await page.hover(TALK)
        await page.mouse.down()
        await expect(page.locator(TALK)).to_have_class(re.compile("pressed"))
        await page.mouse.up()
        await page.keyboard.down(" ")
        await page.keyboard.down(" ")  # the keyboard repeats a held key
        await page.keyboard.up(" ")
        for control in ("#swap", "#source", "#toggle"):  # whatever has the focus
            await page.focus(control)
            await page.keyboard.press(" ")
        await page.focus("#phrases input")  # but not in a text field
        await page.keyboard.press(" ")
        await page.focus("#swap")
        await page.keyboard.press(" ")
        await expect(page.locator("#phrases input")).to_have_value(" ")
        await expect(page.locator("#source")).to_have_value("ru")
        kinds = [event["type"] for event in await received(server.calls, 12)]
        assert kinds == ["x.input.start", "x.input.commit"] * 6
        await page.click("#toggle")
        await expect(page.locator(TALK)).to_be_hidden()


async def test_a_held_button_is_let_go_when_the_session_ends() -> None:
    async with scripted_server() as server, visit(server.url) as seen:
        page = seen.page
        await page.evaluate("localStorage.setItem('settings', '{\"talk\":\"hold\"}')")
        await page.reload()
        await start(page)
        await page.hover(TALK)
        await page.mouse.down()
        channel = await server.calls.channel.get()
        say(channel, "session.closed")
        await expect(page.locator(TALK)).to_be_hidden()
        await expect(page.locator(TALK)).to_have_attribute("aria-pressed", "false")


async def test_who_ends_a_phrase_can_be_changed_while_talking() -> None:
    async with scripted_server() as server, visit(server.url) as seen:
        page = seen.page
        await start(page)
        asked = server.calls.requests[0].settings
        assert (asked.vad_mode, asked.hangover_ms) == ("auto", 300)
        await page.click("[popovertarget=settings]")
        await page.locator("#hangover").fill("700")
        await expect(page.locator("#hangover-shown")).to_have_text("700 ms")
        await page.check("[value=hold]")
        await expect(page.locator(TALK)).to_be_visible()
        slower, off = await received(server.calls, 2)
        assert slower == {"type": "x.session", "vad": {"mode": "auto", "hangover_ms": 700}}
        assert off["vad"]["mode"] == "off"


async def test_languages_change_without_a_new_connection() -> None:
    async with scripted_server() as server, visit(server.url) as seen:
        await start(seen.page)
        await seen.page.click("#swap")
        (event,) = await received(server.calls, 1)
        assert event == {"type": "x.session", "source_language": "en", "target_language": "ru"}
        assert len(server.calls.requests) == 1


async def test_speech_can_be_stopped_while_it_lasts() -> None:
    async with scripted_server() as server, visit(server.url) as seen:
        page = seen.page
        await start(page)
        channel = await server.calls.channel.get()
        await expect(page.locator("#hush")).to_be_disabled()
        say(channel, "x.segment", **segment("a", 1, "final", "Да.", "Yes."))
        say(channel, "x.playout", segment_id="a", state="started", queue_ms=900, tempo=1)
        await page.click("#hush:enabled")
        assert (await received(server.calls, 1))[0]["type"] == "x.output.clear"
        say(channel, "x.playout", segment_id="a", state="dropped", queue_ms=0, tempo=1)
        await expect(page.locator("#hush")).to_be_disabled()


def cues(file: str, mark: str) -> list[tuple[int, int, list[str]]]:
    """(start in ms, end in ms, lines) of each cue of an SRT or WebVTT file."""
    stamp = rf"(\d\d):(\d\d):(\d\d){mark}(\d\d\d)"
    blocks = [block for block in file.split("\n\n") if "-->" in block]
    found = []
    for block in blocks:
        times, *words = block.strip().split("\n")[1 if mark == "," else 0 :]
        match = re.fullmatch(f"{stamp} --> {stamp}", times)
        assert match, times
        h1, m1, s1, ms1, h2, m2, s2, ms2 = map(int, match.groups())
        begin = ((h1 * 60 + m1) * 60 + s1) * 1000 + ms1
        found.append((begin, ((h2 * 60 + m2) * 60 + s2) * 1000 + ms2, words))
    return found


WITHOUT_CLIPBOARD = """async () => {
  window.clipboard = navigator.clipboard;
  await clipboard.writeText("");
  Object.defineProperty(navigator, "clipboard", { value: undefined });
}"""
"""Script of a page that was loaded over plain HTTP from another host."""


async def test_captions_are_copied_and_downloaded(tmp_path: Path) -> None:
    spoken = [("Да.", "Yes."), ("Это <b> & это.", "This <b> & that.")]
    grant = ["clipboard-read", "clipboard-write"]
    async with scripted_server() as server, visit(server.url, permissions=grant) as seen:
        page = seen.page
        await page.click("[popovertarget=export]")
        await expect(page.locator("[data-format=srt]")).to_be_disabled()
        await page.keyboard.press("Escape")
        await start(page)
        channel = await server.calls.channel.get()
        for name, (said, meant) in enumerate(spoken):
            event = segment(str(name), 1, "final", said, meant)
            event["source"] |= {"start_ms": 3000 * name, "end_ms": 3000 * name + 900}
            say(channel, "x.segment", **event)
        say(channel, "x.segment", **segment("z", 1, "not_understood", ""))
        await expect(page.locator(".segment")).to_have_count(3)
        await page.click("[popovertarget=export]")

        async def file(kind: str) -> str:
            async with page.expect_download() as waiting:
                await page.click(f"[data-format={kind}]")
            download = await waiting.value
            assert download.suggested_filename == f"captions.{kind}"
            await download.save_as(tmp_path / kind)
            return (tmp_path / kind).read_text(encoding="utf-8")

        both = [list(pair) for pair in spoken]
        assert await file("txt") == "\n\n".join("\n".join(pair) for pair in spoken) + "\n"
        srt = cues(await file("srt"), ",")
        assert [words for _, _, words in srt] == both
        assert srt[0][0] == 0
        assert all(begin < end for begin, end, _ in srt)
        assert srt[0][1] <= srt[1][0]
        vtt = await file("vtt")
        assert vtt.startswith("WEBVTT\n\n")
        escaped = [[w.replace("&", "&amp;").replace("<", "&lt;") for w in pair] for pair in spoken]
        assert [words for _, _, words in cues(vtt, r"\.")] == escaped
        rows = json.loads(await file("json"))["segments"]
        assert [[row["source"]["text"], row["target"]["text"]] for row in rows] == both
        await page.select_option("#which", "target")
        assert await file("txt") == "Yes.\n\nThis <b> & that.\n"

        await page.click("#copy")
        await expect(page.locator("#copy")).to_have_text("Copied")
        assert await page.evaluate("navigator.clipboard.readText()") == "Yes.\n\nThis <b> & that.\n"
        await page.evaluate(WITHOUT_CLIPBOARD)
        await expect(page.locator("#copy")).to_have_text("Copy")
        await page.click("#copy")
        await expect(page.locator("#copy")).to_have_text("Copied")
        assert await page.evaluate("clipboard.readText()") == "Yes.\n\nThis <b> & that.\n"
        await expect(page.locator("#copy")).to_be_focused()
        await page.click("#forget")
        await expect(page.locator(".segment")).to_have_count(0)
        await expect(page.locator("#invitation")).to_be_visible()


async def test_devices_have_names_and_are_remembered() -> None:
    async with (
        scripted_server() as server,
        visit(server.url, before_load=KEEP_SINKS, whole=True) as seen,
    ):
        page = seen.page
        await start(page)
        await page.click("[popovertarget=sound]")
        microphones = page.locator("#input option")
        await expect(microphones.filter(has_text="Fake Audio Input 1")).to_have_count(1)
        await page.select_option("#input", label="Fake Audio Input 1")
        chosen = await page.input_value("#input")
        speakers = page.locator("#speaker option")
        await expect(speakers.nth(1)).to_be_attached()
        name = await speakers.nth(1).inner_text()
        await page.select_option("#speaker", label=name)
        speaker = await page.input_value("#speaker")
        await page.wait_for_function("id => sinks.includes(id)", arg=speaker)
        await page.locator("#volume").fill("0.4")
        assert await page.evaluate(f"{OUTPUT}.volume") == pytest.approx(0.4)
        await page.reload()
        await expect(page.locator("#input")).to_have_value(chosen)
        await page.wait_for_function(f"() => Math.abs({OUTPUT}.volume - 0.4) < 1e-6")
        await page.wait_for_function("id => sinks.includes(id)", arg=speaker)


async def test_a_muted_microphone_is_noticed(tmp_path: Path) -> None:
    microphone = write_wav(tmp_path / "mute.wav", silence(2000), 16_000)
    async with scripted_server() as server, visit(server.url, microphone=microphone) as seen:
        await start(seen.page)
        hint = seen.page.locator("#hint")
        await expect(hint).to_have_text("We hear nothing. Is it muted?", timeout=30_000)


async def test_delays_and_losses_are_shown() -> None:
    async with scripted_server() as server, visit(server.url) as seen:
        page = seen.page
        await start(page)
        channel = await server.calls.channel.get()
        values = {"endpoint_ms": 310.4, "ast_ms": 60, "tts_ms": None, "first_audio_ms": 480.6}
        values["ear_voice_ms"] = 1640.2
        rest = {"queue_ms": 0, "queue_drops": 2, "loss": 0.015, "jitter_ms": 3}
        say(channel, "x.metrics", **values, **rest)
        await page.click("[popovertarget=settings]")
        await page.click("#details summary")
        shown = page.locator("#details dd")
        round_trip = re.compile(r"\d+ ms")
        delays: list[str | re.Pattern[str]] = ["481 ms", "1640 ms", "310 ms", "60 ms", "–", "0 ms"]
        wire: list[str | re.Pattern[str]] = ["2", round_trip, "1.5 %", "0.0 %", "3 ms"]
        await expect(shown).to_have_text(["WebRTC, UDP", *delays, *wire])
        engine_set = page.locator("#engine-set")
        await expect(engine_set).to_have_text("Engine set “embedded”: Phrasebook · eSpeak NG")
        commands = ["scripts/serve --engines laptop", "--engines gpu"]  # each in one line
        await expect(page.locator("#other-sets code")).to_have_text(commands)


async def test_a_server_of_other_engines_names_them_and_advertises_none() -> None:
    async with scripted_server() as server:
        server.catalogue.engine_set = ""
        async with visit(server.url) as seen:
            named = "Engines chosen one by one: Phrasebook · eSpeak NG"
            await expect(seen.page.locator("#engine-set")).to_have_text(named)
            await expect(seen.page.locator("#other-sets")).to_have_attribute("hidden", "")


async def test_the_sound_of_a_tab_can_be_translated() -> None:
    # Chromium asks the policy about a camera, too, then captures the tab all the same.
    grumble = ["Permissions policy violation: camera"]
    async with (
        scripted_server() as server,
        visit(server.url, expected_errors=grumble, whole=True) as seen,
    ):
        page = seen.page
        talk = await page.context.new_page()
        await talk.goto(f"{server.url}healthz")
        await talk.evaluate(
            """() => {
              document.title = "A talk";
              const context = new AudioContext();
              const tone = context.createOscillator();
              tone.frequency.value = 1500;
              tone.connect(context.destination);
              tone.start();
            }"""
        )
        await page.bring_to_front()
        await page.select_option("#input", "tab")
        await start(page)
        track = await server.calls.track.get()
        async with asyncio.timeout(60):
            while abs(await loudest_hz_of(track) - 1500) > 20:
                pass


async def test_a_tab_without_sound_is_explained() -> None:
    silent = """navigator.mediaDevices.getDisplayMedia = async () => new MediaStream();"""
    async with scripted_server() as server, visit(server.url, before_load=silent) as seen:
        page = seen.page
        await page.select_option("#input", "tab")
        await page.click("#toggle")
        title = page.locator(".problem-title")
        await expect(title).to_have_text("The browser gave a picture but no sound")
