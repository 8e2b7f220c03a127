"""The pages of a room in Chromium: somebody speaks, somebody scans, hears and reads."""

import json
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest
from playwright.async_api import Page, Route, expect

from rtc_server.config import AccessSettings, TransportSettings
from rtc_server.pcm import PLAYOUT_RATE
from tests.support.browser.accessibility import axe_faults
from tests.support.browser.chromium import visit
from tests.support.coturn import SECRET, coturn
from tests.support.rooms import say, server, speaker
from tests.support.server import said
from tests.support.wav import write_wav

NO_MICROPHONE = """
  navigator.mediaDevices.getUserMedia = () => { throw new Error("a listener has no microphone"); };
"""
SILENT_YET = ["Failed to load resource"]
"""A room that is not there yet is a 404, which the console shows."""
KEPT_PEER = """
  const Peer = RTCPeerConnection;
  window.RTCPeerConnection = class extends Peer {
    constructor(configuration) {
      super(configuration);
      window.peer = this;
    }
  };
"""
CHOSEN_PATH = """
async () => {
  const stats = [...(await window.peer.getStats()).values()];
  const transport = stats.find((each) => each.type === "transport");
  const pair = stats.find((each) => each.id === transport.selectedCandidatePairId);
  const local = stats.find((each) => each.id === pair.localCandidateId);
  return [local.candidateType, local.relayProtocol];
}
"""


async def hears(page: Page) -> bool:
    """Return whether translated sound arrives."""
    energy: Any = await page.evaluate(
        """async () => {
          const audio = document.querySelector("#voice");
          const context = new AudioContext();
          const analyser = context.createAnalyser();
          context.createMediaStreamSource(audio.srcObject).connect(analyser);
          const samples = new Float32Array(analyser.fftSize);
          for (let i = 0; i < 600; i++) {
            analyser.getFloatTimeDomainData(samples);
            if (samples.some((sample) => Math.abs(sample) > 0.02)) return true;
            await new Promise((wake) => setTimeout(wake, 50));
          }
          return false;
        }"""
    )
    return bool(energy)


async def test_a_listener_waits_picks_a_language_hears_and_reads() -> None:
    async with (
        server() as house,
        visit(
            f"{house.url}/listen/hall", expected_errors=SILENT_YET, before_load=NO_MICROPHONE
        ) as seen,
    ):
        page = seen.page
        await expect(page.locator("#status")).to_contain_text("Nobody speaks here yet")
        await expect(page.locator("#invitation")).to_contain_text("Nobody speaks here yet")
        await expect(page.locator("#status")).to_have_css(
            "clip-path", "inset(50%)"
        )  # once is enough
        async with speaker(house) as spoken:
            await expect(page.locator("#toggle")).to_be_enabled()
            await page.check("[name=language][value=de]", force=True)
            await page.click("#toggle")
            await expect(page.locator("#status")).to_have_text("You are listening.")
            say(spoken, "where is the train station", "thank you")
            assert await hears(page)
            await expect(page.locator("#captions .final").first).to_have_text("one two three")
            await expect(page.locator("#status")).to_have_css("clip-path", "none")

            await page.click("#fold")  # it folds away while one listens
            await page.check("#silent")
            await expect(page.locator("#status")).to_have_text("You are reading along.")
            before = await page.locator("#captions .final").count()
            say(spoken, "two coffees and a cold beer please")
            await expect(page.locator("#captions .final")).not_to_have_count(before)
            await page.click("#toggle")
            await expect(page.locator("#status")).to_contain_text("Choose a language")


async def test_a_speaker_shows_the_link_and_is_heard(tmp_path: Path) -> None:
    speech = said("where is the train station", "two coffees and a cold beer please")
    wav = write_wav(tmp_path / "speech.wav", np.asarray(speech), PLAYOUT_RATE)
    async with (
        server() as house,
        visit(f"{house.url}/rooms/hall", expected_errors=SILENT_YET, microphone=wav) as speaking,
        visit(f"{house.url}/listen/hall", expected_errors=SILENT_YET) as seen,
    ):
        link = speaking.page.locator("#link")
        await expect(link).to_have_attribute("href", f"{house.url}/listen/hall")
        await speaking.page.wait_for_function("document.querySelector('#qr').naturalWidth > 100")
        await speaking.page.select_option("#source", "en")
        await speaking.page.click("#toggle")
        await expect(speaking.page.locator("#status")).to_have_text("You are heard.")
        await expect(seen.page.locator("#toggle")).to_be_enabled()
        await seen.page.check("[name=language][value=ru]", force=True)
        await seen.page.click("#toggle")
        await expect(seen.page.locator("#status")).to_have_text("You are listening.")
        assert await hears(seen.page)
        await expect(speaking.page.locator("#count")).to_have_text("1")


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_the_pages_of_a_room_are_accessible(scheme: Literal["light", "dark"]) -> None:
    phone = {"width": 390, "height": 844}
    async with server() as house, speaker(house) as spoken:
        for path in ("/listen/hall", "/rooms/hall"):
            async with visit(house.url + path, viewport=phone, color_scheme=scheme) as seen:
                await seen.page.select_option("#interface", "ru")
                await expect(seen.page.locator("#toggle")).to_be_enabled()
                if path.startswith("/listen"):
                    await seen.page.click("#toggle")
                    await expect(seen.page.locator("#status")).to_have_text("Звук включён.")
                    say(spoken, "yes")
                    await expect(seen.page.locator("#captions .final")).not_to_have_count(0)
                assert await axe_faults(seen.page) == [], path


async def test_a_speaker_who_is_refused_reads_why() -> None:
    problem = {"detail": "This room is full of speakers."}
    async with (
        server() as house,
        visit(f"{house.url}/rooms/hall", expected_errors=SILENT_YET) as seen,
    ):
        await seen.page.route(
            "**/whip/hall?*", lambda route: route.fulfill(status=409, json=problem)
        )
        await seen.page.click("#toggle")
        await expect(seen.page.locator("#status")).to_have_text(problem["detail"])
        await expect(seen.page.locator("#toggle")).to_have_text("Speak")


async def test_a_listener_of_a_full_room_comes_back_when_the_server_asked_for_it() -> None:
    attempts: list[str] = []

    async def full(route: Route) -> None:
        attempts.append(route.request.url)
        problem = {"detail": "All places are taken.", "error": {"code": "session_limit_reached"}}
        await route.fulfill(status=503, json=problem, headers={"Retry-After": "60"})

    async with (
        server() as house,
        speaker(house),
        visit(f"{house.url}/listen/hall", expected_errors=SILENT_YET) as seen,
    ):
        await seen.page.route("**/whep/hall?*", full)
        await seen.page.clock.install()
        await seen.page.reload()  # so that every timer of the page is the clock's
        await seen.page.click("#toggle:enabled")
        await expect(seen.page.locator("body")).to_have_attribute("data-state", "full")
        for _ in range(10):
            await seen.page.clock.run_for(5_000)
        assert len(attempts) == 1
        async with seen.page.expect_response("**/whep/hall?*"):
            for _ in range(10):
                await seen.page.clock.run_for(5_000)


async def test_a_speaker_comes_back_and_takes_the_ice_servers_of_the_answer() -> None:
    configurations = """
      const Peer = RTCPeerConnection;
      window.seen = [];
      window.RTCPeerConnection = class extends Peer {
        constructor(configuration) {
          super(configuration);
          window.seen.push(configuration.iceServers.length);
        }
      };
    """
    attempts: list[str] = []

    async def unsteady(route: Route) -> None:
        attempts.append(route.request.url)
        if len(attempts) == 1:
            return await route.abort()
        answer = await route.fetch()
        link = '<turn:127.0.0.1:9>; rel="ice-server"; username="u"; credential="c"'
        return await route.fulfill(response=answer, headers={**answer.headers, "link": link})

    async with (
        server() as house,
        visit(
            f"{house.url}/rooms/hall", expected_errors=SILENT_YET, before_load=configurations
        ) as seen,
    ):
        await seen.page.route("**/whip/hall?*", unsteady)
        await seen.page.click("#toggle")
        await expect(seen.page.locator("#status")).to_have_text("You are heard.")
        assert await seen.page.evaluate("window.seen") == [0, 0, 1]


@pytest.mark.parametrize("keys", [False, True], ids=["Link", "secret"])
async def test_a_room_through_the_relay_alone(keys: bool, tmp_path: Path) -> None:
    """Speaker and listener in browsers that may come through coturn only: who needs no key and who
    was invited learn of it by the answer's `Link`, who has a page secret by that."""
    speech = said("where is the train station", "two coffees and a cold beer please")
    wav = write_wav(tmp_path / "speech.wav", np.asarray(speech), PLAYOUT_RATE)
    async with coturn(tmp_path) as turn:
        transport = TransportSettings(
            ice_servers=(turn.udp,), turn_secret=SECRET, ice_policy="relay"
        )
        access = AccessSettings(page_access="open" if keys else "off")
        options: dict[str, Any] = {"expected_errors": SILENT_YET, "before_load": KEPT_PEER}
        async with (
            server(api_key="a-key" if keys else "", access=access, transport=transport) as house,
            visit(f"{house.url}/rooms/hall", microphone=wav, **options) as speaking,
        ):
            await speaking.page.select_option("#source", "en")
            await speaking.page.click("#toggle")
            await expect(speaking.page.locator("#status")).to_have_text("You are heard.")
            invitation = await speaking.page.locator("#link[href]").get_attribute("href")
            assert invitation is not None
            async with visit(invitation, **options) as seen:
                await expect(seen.page.locator("#toggle")).to_be_enabled()
                await seen.page.check("[name=language][value=ru]", force=True)
                await seen.page.click("#toggle")
                await expect(seen.page.locator("#status")).to_have_text("You are listening.")
                assert await hears(seen.page)
                for visitor in (speaking, seen):
                    assert await visitor.page.evaluate(CHOSEN_PATH) == ["relay", "udp"]
        assert turn.allocations >= 2


async def test_speaker_and_listener_read_that_the_room_will_close(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Told ten minutes before, so that a busy machine has the time."""
    monkeypatch.setattr("rtc_server.rooms.room.EXPIRING_S", 600.0)

    async def soon(route: Route) -> None:
        answer = await route.fetch()
        state = await answer.json()
        await route.fulfill(response=answer, json={**state, "expires_in_ms": 50_000})

    async with (
        server(access=AccessSettings(session_minutes=10)) as house,
        visit(f"{house.url}/rooms/hall", expected_errors=SILENT_YET) as speaking,
        visit(f"{house.url}/listen/hall", expected_errors=SILENT_YET) as seen,
    ):
        await speaking.page.click("#toggle")
        await expect(seen.page.locator("#toggle")).to_be_enabled()
        await speaking.page.route("**/v1/rooms/hall", soon)
        await seen.page.click("#toggle")
        for visitor in (speaking, seen):
            await expect(visitor.page.locator("#status")).to_have_text(
                "The room closes within a minute."
            )
        await speaking.page.unroute_all(behavior="wait")


LINE = {"rev": 1, "final": True, "status": "final"}
SEE_ANNOUNCED = """() => {
  window.announced = [];
  const note = (changes) => changes.forEach(({ addedNodes }) =>
    addedNodes.forEach((node) => announced.push(node.textContent)));
  new MutationObserver(note).observe(document.querySelector("[role=log]"), { childList: true });
}"""

SEE_PULSE = """() => {
  window.pulses = 0;
  const { set } = Object.getOwnPropertyDescriptor(HTMLElement.prototype, "hidden");
  Object.defineProperty(document.querySelector("#pulse"), "hidden", {
    set(hidden) { pulses += hidden ? 0 : 1; set.call(this, hidden); },
  });
}"""


def line(number: int, words: str, **fields: Any) -> str:
    """A caption as the server's event stream has it."""
    source = {"language": "en", "text": "", "stable_chars": 0, "start_ms": number, "end_ms": 9}
    target = {"language": fields.pop("language", "de"), "text": words, "stable_chars": 0}
    event = {"type": "x.segment", "segment_id": f"s{number}", "source": source, "target": target}
    return f"id: t.{number}\ndata: {json.dumps(event | LINE | fields)}\n\n"


async def test_a_listener_reads_in_peace() -> None:
    """The scroll position stays, only final captions are announced, nothing overflows."""
    stream = "".join(line(number, f"Zeile {number}.") for number in range(60))
    stream += line(60, "Donau" * 40)
    stream += line(61, "", rev=1, final=False, status="partial")
    later = line(61, "Noch", rev=2, final=False, status="partial") + line(61, "Noch eins.", rev=3)
    parts = [stream, later]

    async def captions(route: Route) -> None:
        body = parts.pop(0) if parts else ": nothing\n\n"
        await route.fulfill(body=body, content_type="text/event-stream")

    phone = {"width": 390, "height": 700}
    async with (
        server() as house,
        speaker(house),
        visit(f"{house.url}/listen/hall", expected_errors=SILENT_YET, viewport=phone) as seen,
    ):
        page = seen.page
        await page.route("**/captions?*", captions)
        await expect(page.locator("#toggle")).to_be_enabled()
        await page.evaluate(SEE_PULSE)
        await page.check("#silent")
        await page.click("#toggle")
        await expect(page.locator("#captions .final")).to_have_count(61)
        assert await page.evaluate("pulses") == 1  # somebody speaks, though there is no text yet
        last = page.locator("#captions .final").last
        await expect(last).to_have_attribute("dir", "ltr")
        wide = "list => list.scrollWidth - list.clientWidth"
        assert await page.locator(".segments").evaluate(wide) == 0
        await page.evaluate(SEE_ANNOUNCED)
        await page.locator(".segments").evaluate("list => list.scrollTo(0, 40)")
        await expect(page.locator("#captions .final")).to_have_count(62)  # the page came back
        assert await page.locator(".segments").evaluate("list => list.scrollTop") == 40
        await expect(page.locator(".newest")).to_be_visible()
        assert await page.evaluate("announced") == ["Noch eins."]


async def test_who_comes_late_reads_the_last_lines() -> None:
    async with server() as house, speaker(house) as spoken:
        early, late = (
            visit(f"{house.url}/listen/hall", expected_errors=SILENT_YET) for _ in range(2)
        )
        async with early as seen:
            await seen.page.check("[name=language][value=de]", force=True)
            await seen.page.click("#toggle")
            await expect(seen.page.locator("#status")).to_have_text("You are listening.")
            say(spoken, "where is the train station", "thank you")
            await expect(seen.page.locator("#captions .final").first).to_be_visible()
            async with late as later:
                await later.page.check("[name=language][value=de]", force=True)
                await later.page.click("#toggle")
                shown = later.page.locator("#captions .final")
                await expect(shown.first).to_have_text("one two three")
