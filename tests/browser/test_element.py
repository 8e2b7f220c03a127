"""`<speech-translate>` by itself: the sound of a tab, the keyboard, and screen readers."""

import asyncio

from playwright.async_api import expect

from rtc_server.errors import AdmissionRefused, LineTicket
from tests.support.browser.chromium import visit
from tests.support.browser.element_page import element
from tests.support.browser.page import FAILED_REQUEST
from tests.support.browser.scripted_server import loudest_hz_of, say, scripted_server, segment
from tests.support.browser.scrolling import FRAMES
from tests.support.until import until

FOLLOWED = """async () => {
  const { followEnd } = await import("/static/client/scrolling.js");
  window.region = document.createElement("div");
  region.style = "height: 100px; overflow-y: auto";
  document.body.append(region);
  const add = () => {
    const row = document.createElement("p");
    row.style = "height: 200px; margin: 0";
    region.append(row);
  };
  region.addEventListener("scroll", add, { once: true }); // before the one of the code under test
  followEnd(region);
  add();
}"""
AT_END = "() => region.children.length == 2 && region.scrollTop == 300"
LATER = """<!doctype html><html lang="en"><title>A page that sets a token</title>
<link rel="icon" href="data:,"><speech-translate source="ru" target="en"></speech-translate>
<script>document.querySelector("speech-translate").token = "of a classic script";</script>
<script type="module" src="/static/speech-translate.js"></script>
<script type="module">
  const element = document.querySelector("speech-translate");
  window.found = [typeof element.start, element.token];
  element.token = "of a module";
</script>"""
PLAY_TONE = """() => {
  document.title = "A talk elsewhere";
  const context = new AudioContext();
  const tone = context.createOscillator();
  tone.frequency.value = 1500;
  tone.connect(context.destination);
  tone.start();
}"""
# A blank page, where each visit begins, has no media devices.
KEEP_SHARED = """if (navigator.mediaDevices) {
  window.shared = [];
  const ask = navigator.mediaDevices.getDisplayMedia.bind(navigator.mediaDevices);
  navigator.mediaDevices.getDisplayMedia = async (wanted) => {
    const stream = await ask(wanted);
    shared.push([wanted, stream]);
    return stream;
  };
}"""
SILENT_TAB = """if (navigator.mediaDevices) {
  navigator.mediaDevices.getDisplayMedia = async () => new MediaStream();
}"""
FOCUSED = """() => {
  let at = document.activeElement;
  while (at.shadowRoot?.activeElement) at = at.shadowRoot.activeElement;
  return [at.localName, getComputedStyle(at).outlineStyle];
}"""

NOTE_POSITIONS = """() => {
  window.positions = [];
  addEventListener("waiting", ({ detail }) => positions.push(detail.position));
}"""
# On a busy machine it takes longer to connect than a page waits before it tries a WebSocket.
WEBRTC_ONLY = """() => (document.querySelector("speech-translate").transport = "webrtc")"""
SET_LANGUAGE = """(code) => (document.querySelector("speech-translate").lang = code)"""
WAITING = {
    "de": "Der Dolmetscher ist voll. Platz in der Warteschlange:",
    "en": "The interpreter is full. Your place in line:",
    "es": "El intérprete está lleno. Puesto en la cola:",
    "fr": "L’interprète est complet. Place dans la file :",
    "it": "L’interprete è al completo. Posto in coda:",
    "pl": "Tłumacz jest zajęty. Miejsce w kolejce:",
    "ru": "Переводчик занят. Ваше место в очереди:",
    "uk": "Перекладач зайнятий. Ваше місце в черзі:",
}

SCROLLED_UP = """() =>
  document.querySelector("speech-translate").shadowRoot.querySelector("[role=log]").scrollTop === 0
"""


def full(position: int) -> AdmissionRefused:
    return AdmissionRefused("All places are taken.", 1, LineTicket("a-ticket", position))


async def test_the_element_sends_the_sound_of_a_tab_as_it_is() -> None:
    async with element("tab", before_load=KEEP_SHARED, whole=True) as (
        page,
        server,
    ):
        talk = await page.context.new_page()
        await talk.goto(f"{server.url}healthz")
        await talk.evaluate(PLAY_TONE)
        await page.bring_to_front()
        await page.get_by_role("button").click()
        await expect(page.get_by_role("status")).to_have_text("Listening")
        track = await server.calls.track.get()
        async with asyncio.timeout(60):
            while abs(await loudest_hz_of(track) - 1500) > 20:
                pass
        asked = await page.evaluate("shared[0][0].audio")
        assert asked == {
            "echoCancellation": False,
            "noiseSuppression": False,
            "autoGainControl": False,
        }
        await page.get_by_role("button").click()
        await expect(page.get_by_role("status")).to_have_text("Stopped")
        states = "shared[0][1].getTracks().map((track) => track.readyState)"
        assert set(await page.evaluate(states)) == {"ended"}  # the tab is no longer shared


async def test_the_element_is_there_for_the_next_script_and_keeps_its_token() -> None:
    async with scripted_server() as server, visit("about:blank") as seen:
        page = seen.page
        await page.route(
            "**/later.html", lambda route: route.fulfill(body=LATER, content_type="text/html")
        )
        await page.goto(f"{server.url}later.html")
        assert await page.evaluate("found") == ["function", "of a classic script"]
        token = await page.evaluate("document.querySelector('speech-translate').token")
        assert token == "of a module"
        await expect(page.get_by_role("button")).to_have_text("Start interpreting")


async def test_the_element_says_that_a_tab_gave_no_sound() -> None:
    async with element("tab", before_load=SILENT_TAB) as (page, server):
        await page.get_by_role("button").click()
        await expect(page.get_by_role("status")).to_contain_text("That tab gives no sound.")
        await expect(page.get_by_role("button")).to_have_text("Start interpreting")
        assert server.calls.requests == []


async def test_the_element_announces_each_translation_once_and_cuts_no_word() -> None:
    async with element(viewport={"width": 320, "height": 568}) as (page, server):
        await page.get_by_role("button").click()
        await expect(page.get_by_role("status")).to_have_text("Listening")
        channel = await server.calls.channel.get()
        for rev in range(1, 6):
            say(channel, "x.segment", **segment("a", rev, "partial", "Да " * rev))
        say(channel, "x.segment", **segment("a", 9, "final", "Да.", "Donau" * 40))
        failed = segment("b", 1, "failed", "")
        say(channel, "x.segment", **failed, message="CanaryX is full.", code="engine_overloaded")
        log = page.get_by_role("log", name="Captions")
        await expect(log).to_contain_text("Could not be translated")
        await expect(log).to_have_attribute("aria-live", "off")
        spoken = page.locator(".spoken p")
        await expect(spoken).to_have_text(["Donau" * 40, "Could not be translated"])
        assert await log.evaluate("log => log.scrollWidth - log.clientWidth") == 0


async def test_the_end_stays_in_view_when_text_comes_before_the_event_of_a_scroll() -> None:
    async with element() as (page, _server):
        await page.evaluate(FOLLOWED)
        await page.wait_for_function(AT_END)


async def test_the_element_shows_its_position_in_line_and_comes_in_by_itself() -> None:
    async with element(expected_errors=[FAILED_REQUEST]) as (page, server):
        await page.evaluate(NOTE_POSITIONS)
        await page.evaluate(WEBRTC_ONLY)
        server.calls.refuse = full(3)
        await page.get_by_role("button").click()
        status = page.get_by_role("status")
        for language, words in WAITING.items():
            await page.evaluate(SET_LANGUAGE, language)
            await expect(status).to_have_text(f"{words} 3")
        await page.evaluate(SET_LANGUAGE, "en")
        server.calls.refuse = full(1)
        await expect(status).to_have_text(f"{WAITING['en']} 1")
        server.calls.refuse = None
        await expect(status).to_have_text("Listening")
        positions = await page.evaluate("positions")
        assert set(positions) == {1, 3}
        assert positions == sorted(positions, reverse=True)
        assert server.calls.tickets[0] == "new"
        assert set(server.calls.tickets[1:]) == {"a-ticket"}


async def test_who_stops_the_element_in_line_waits_no_more() -> None:
    async with element(expected_errors=[FAILED_REQUEST]) as (page, server):
        server.calls.refuse = full(2)
        await page.get_by_role("button").click()
        status = page.get_by_role("status")
        await expect(status).to_have_text(f"{WAITING['en']} 2")
        await page.get_by_role("button").click()
        await expect(status).to_have_text("Stopped")
        await page.get_by_role("button").click()
        await until(lambda: server.calls.tickets.count("new") == 2)  # another session


async def test_the_element_is_used_by_keyboard() -> None:
    async with element() as (page, server):
        status = page.get_by_role("status")
        await expect(page.get_by_role("button")).to_be_visible()
        await page.keyboard.press("Tab")
        assert (await page.evaluate(FOCUSED))[0] == "button"
        await page.keyboard.press("Enter")
        await expect(status).to_have_text("Listening")
        name, outline = await page.evaluate(FOCUSED)
        assert (name, outline) == ("button", "solid")  # the focus stays, and is seen
        channel = await server.calls.channel.get()
        for number in range(40):
            say(channel, "x.segment", **segment(str(number), 1, "final", "Да.", "Yes."))
        log = page.get_by_role("log", name="Captions")
        await expect(log.locator("[data-status=final]")).to_have_count(40)
        await page.evaluate(FRAMES)  # it follows its end until one scrolls back
        await page.keyboard.press("Tab")
        _, outline = await page.evaluate(FOCUSED)
        assert outline != "none"
        await expect(log).to_be_focused()
        await page.keyboard.press("Home")
        await page.wait_for_function(SCROLLED_UP)
        await page.keyboard.press("Shift+Tab")
        await page.keyboard.press(" ")
        await expect(status).to_have_text("Stopped")


async def test_the_element_says_that_the_time_is_up() -> None:
    async with element() as (page, server):
        await page.get_by_role("button").click()
        await expect(page.get_by_role("status")).to_have_text("Listening")
        channel = await server.calls.channel.get()
        say(channel, "x.expiring", in_ms=0, reason="limit", seq=1)
        say(channel, "session.closed")
        status = page.get_by_role("status")
        await expect(status).to_have_text("The session’s time is up. Start again to go on.")
