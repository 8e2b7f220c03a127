"""Failures as people read them: in their language, with the next step, without an engine's name."""

from playwright.async_api import expect

from tests.support.browser.chromium import visit
from tests.support.browser.page import FAILED_REQUEST
from tests.support.browser.scripted_server import scripted_server
from tests.support.rooms import server

SHOW = """async () => {
  await import("/static/two-way.js");
  await import("/static/listen-log.js");
  const { interfaceLanguages, loadWords } = await import("/static/i18n.js");
  await Promise.all(interfaceLanguages.map(loadWords));
  const source = { language: "ru", text: "Да.", stable_chars: 0, start_ms: 0, end_ms: 900 };
  const target = { language: "en", text: "", stable_chars: 0 };
  const segment = { key: "s/a", at: new Date(0), rev: 1, final: true, status: "failed", source,
    target, code: "engine_overloaded" };
  const shown = (name, language) => {
    const log = Object.assign(document.createElement(name), { language });
    document.body.append(log);
    log.show(segment);
    const line = log.querySelector(".line");
    const note = line.querySelector(".note");
    const announced = log.querySelector("[role=log]").textContent;
    return [line.hidden, line.textContent, note.lang, announced];
  };
  return [shown("side-log", "ru"), shown("side-log", "en"), shown("listen-log", "en")];
}"""


async def test_each_reads_in_their_language_that_a_phrase_is_missing() -> None:
    async with scripted_server() as calls, visit(calls.url, locale="de-DE") as seen:
        own, other, listener = await seen.page.evaluate(SHOW)
    words = "Пропущено: слишком много работы."
    assert own == [False, f"Да.{words}", "ru", words]
    assert other == [False, "Skipped: too busy.", "en", "Skipped: too busy."]
    assert listener[0] is False
    assert listener[2] == "de"  # the page's own words are in the listener's
    assert listener[1] not in ("", other[1])


async def test_a_speaker_without_a_microphone_finds_the_page_that_tests_it() -> None:
    refuse = (
        "navigator.mediaDevices.getUserMedia = "
        "() => Promise.reject(new DOMException('', 'NotAllowedError'));"
    )
    async with (
        server() as running_server,
        visit(
            f"{running_server.url}/rooms/hall", expected_errors=[FAILED_REQUEST], before_load=refuse
        ) as seen,
    ):
        link = seen.page.get_by_role("link", name="Test this browser")
        await expect(seen.page.locator("#toggle")).to_be_enabled()
        await expect(link).to_be_hidden()
        await seen.page.click("#toggle")
        await expect(seen.page.locator("#status")).to_contain_text("microphone cannot be used")
        await expect(link).to_have_js_property("href", f"{running_server.url}/doctor")
