"""The interface in eight languages: the same words everywhere, and labels that fit."""

import re
from pathlib import Path
from typing import Any

from playwright.async_api import expect

from tests.support.browser.chromium import visit
from tests.support.browser.scripted_server import scripted_server

LANGUAGES = ("en", "ru", "uk", "de", "es", "fr", "it", "pl")
PAGES = ("page", "session", "two-way", "room", "doctor", "element")
STATIC = Path(__file__).resolve().parents[2] / "static"
WORDS = """async ([languages, pages]) => {
  const walk = (node, path) => typeof node === "string" ? [[path, node]]
    : Object.entries(node).flatMap(([key, child]) => walk(child, path ? `${path}.${key}` : key));
  const load = (code, page) => import(`/static/strings/${code}/${page}.js`);
  const read = async (code, page) => walk((await load(code, page)).words, "");
  const found = {};
  for (const code of languages) {
    const tables = await Promise.all(pages.map((page) => read(code, page)));
    found[code] = Object.fromEntries(tables.flat());
  }
  return found;
}"""
MOST_CHARS = {
    "start": 12, "stop": 12, "stopNow": 16, "people": 14, "holdToTalk": 24, "iSpeak": 12,
    "translateInto": 18, "original": 14, "translation": 14, "copy": 14, "layoutSides": 16,
    "layoutStacked": 18, "newest": 14, "turnTalk": 28, "turnTalking": 36, "understood": 14,
    "action.retry": 24, "action.play": 20, "room.listen": 12, "room.speak": 12,
    "room.readOnly": 18, "room.room": 10, "room.copyLink": 22, "showEarlier": 14, "title": 24,
    "element.start": 24, "element.stop": 12, "doctor.again": 22,
}  # fmt: skip
"""Labels of controls, which must not grow."""
SAME = re.compile(
    r"^(engines|milliseconds|path\.|detail\.jitter|export|original|translation|volume|details"
    r"|pauseFile|start|title|state\.|room\.(microphone|original)|whichText|.*\.0$)"
)
"""Texts that may read as in English."""
ENGINES = "bg hr cs da nl en et fi fr de el hu it lv lt mt pl pt ro sk sl es sv ru uk"
OVERFLOW = """() => [...document.querySelectorAll("button, label, legend, h1")]
  .filter((each) => each.scrollWidth > each.clientWidth + 1 && each.clientWidth > 1)
  .map((each) => each.id || each.textContent.trim())"""


def test_a_language_is_one_folder_with_a_table_for_each_page() -> None:
    """Only the file that has to work without the tables holds words in a language as well."""
    tables = {
        path.relative_to(STATIC / "strings").as_posix() for path in STATIC.rglob("strings/**/*.js")
    }
    assert tables == {f"{code}/{page}.js" for code in LANGUAGES for page in PAGES}
    cyrillic = re.compile("[\u0400-\u04ff]")
    elsewhere = [path for path in STATIC.rglob("*.js") if path.parents[1].name != "strings"]
    found = {path.name for path in elsewhere if cyrillic.search(path.read_text("utf-8"))}
    assert found == {"headset.js", "absent.js"}  # the first has names of devices


async def test_every_language_says_everything_and_labels_fit() -> None:
    faults: list[str] = []
    async with (
        scripted_server() as server,
        visit(server.url, viewport={"width": 390, "height": 844}) as seen,
    ):
        page = seen.page
        words: dict[str, dict[str, str]] = await page.evaluate(
            WORDS, [list(LANGUAGES), list(PAGES)]
        )
        english = words["en"]
        names: Any = re.compile(r"\{(\w+)\}")
        for code, mine in words.items():
            faults += [f"{code} has no {path}" for path in english.keys() - mine.keys()]
            faults += [f"{code} alone has {path}" for path in mine.keys() - english.keys()]
            for path in english.keys() & mine.keys():
                here, there = mine[path], english[path]
                if set(names.findall(here)) != set(names.findall(there)):
                    faults.append(f"{code} {path}: other values in {here!r}")
                if len(here) > MOST_CHARS.get(path, max(60, round(1.7 * len(there)))):
                    faults.append(f"{code} {path}: {len(here)} characters: {here!r}")
                if code != "en" and len(there) > 16 and here == there and not SAME.match(path):
                    faults.append(f"{code} {path} is not translated")
        await page.wait_for_selector("#toggle:enabled")
        await page.click("[popovertarget=settings]")
        await expect(page.locator("#interface option")).to_have_count(len(LANGUAGES))
        for code in LANGUAGES:
            await page.select_option("#interface", code)
            await expect(page.locator("html")).to_have_attribute("lang", code)
            faults += [f"{code}: {cut} is too long" for cut in await page.evaluate(OVERFLOW)]
            assert "undefined" not in await page.inner_text("body"), code
    assert not faults, "\n".join(faults)


async def test_the_browsers_language_is_spoken_and_engines_languages_have_names() -> None:
    async with scripted_server() as server, visit(server.url, locale="pl-PL") as seen:
        page = seen.page
        await expect(page.locator("#toggle")).to_have_text("Start")
        await expect(page.locator("#status")).to_have_text("Gotowe")
        await expect(page.locator("#source option:checked")).to_have_text("Rosyjski")
        names = """async (codes) => {
          const { languageName } = await import("/static/i18n.js");
          return codes.map(languageName);
        }"""
        codes = ENGINES.split()
        found = await page.evaluate(names, codes)
        assert len(set(found)) == 25
        assert not [name for code, name in zip(codes, found, strict=True) if name.lower() == code]
