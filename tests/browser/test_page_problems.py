"""Problems: each is a sentence with its next step."""

import re
from pathlib import Path

from tests.support.browser.chromium import visit
from tests.support.browser.scripted_server import scripted_server


async def test_every_error_is_a_sentence_with_its_next_step() -> None:
    static = Path(__file__).resolve().parents[2] / "static"
    thrown = re.compile(r'(?:ClientError|SourceError|problems\.show)\(\s*"([a-z_]+)"')
    tables = re.compile(r"\b(?:codes|REFUSALS) = \{([^}]*)\}")
    codes: set[str] = set()
    for path in static.rglob("*.js"):
        source = path.read_text(encoding="utf-8")
        codes.update(thrown.findall(source))
        for table in tables.findall(source):
            codes.update(re.findall(r'"([a-z_]+)"', table))
    assert {"microphone_refused", "server_unreachable", "unauthorized"} <= codes
    own_words = {"notice"}  # the server's sentence stands for both
    async with scripted_server() as server, visit(server.url) as seen:
        for language in ("en", "ru"):
            problems = await seen.page.evaluate(
                "async (code) => (await import(`/static/strings/${code}/page.js`)).words.problem",
                language,
            )
            assert codes <= problems.keys(), codes - problems.keys()
            for code in codes - own_words:
                title, advice = problems[code]
                assert title and advice.endswith("."), code
