"""Counts of the code base, those of docs/architecture.md: ``python -m tests.support.counts``.

Nothing is judged here: tests hold what may not grow (`test_vocabulary`, `test_frames`).
"""

import ast
import asyncio
import re
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

import aiohttp

import rtc_server
from rtc_server.app.server import running
from rtc_server.config import HttpSettings, Settings
from tests.support.offers import CHROME
from tests.support.patient import QUICK

ROOT = Path(__file__).parents[2]
PACKAGES = (ROOT / "rtc_server", ROOT / "rtc_phrasebook")
LONG_LINES = 300
QUESTIONS = re.compile(r"(What|How|Whether|Who|Whose|Whom|Where|Which|When|Why)\b")
PRONOUNS = re.compile(r"(It|Its|This|That|These|Those|They|We|You|I)\b")


def modules() -> Iterator[Path]:
    """Return the files of the packages."""
    for each in PACKAGES:
        yield from each.rglob("*.py")


def docstrings() -> Iterator[tuple[str, str]]:
    """Return kind and text of each docstring of the packages, those of attributes too."""
    kinds = {ast.Module: "module", ast.ClassDef: "class"}
    for path in modules():
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                if text := ast.get_docstring(node):
                    yield kinds.get(type(node), "function"), text
                for pair in zip(node.body, node.body[1:], strict=False):
                    match pair:
                        case (
                            ast.AnnAssign() | ast.Assign(),
                            ast.Expr(value=ast.Constant(str(text))),
                        ):
                            yield "attribute", text


def long_files() -> list[str]:
    """Return files of packages and page with more than `LONG_LINES`, but style sheets."""
    return [
        str(path.relative_to(ROOT))
        for folder, ending in (*((each, "*.py") for each in PACKAGES), (ROOT / "static", "*.js"))
        for path in sorted(folder.rglob(ending))
        if len(path.read_text("utf-8").splitlines()) > LONG_LINES
    ]


def repeated(names: Iterator[str]) -> list[str]:
    """Return the names that occur more than once."""
    return sorted(name for name, count in Counter(names).items() if count > 1)


def classes() -> Iterator[str]:
    """Return the names of all classes of the packages."""
    for path in modules():
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.ClassDef):
                yield node.name


def lines_by_hand() -> int:
    """Return the lines of docs/openapi.yaml that are not made from code."""
    text = (ROOT / "docs" / "openapi.yaml").read_text("utf-8")
    return len(text.partition("  schemas:  # made by")[0].splitlines())


async def modules_of_a_call() -> tuple[int, int]:
    """Return how many modules ``POST /calls`` runs code of, and how many of them do more than build
    their part of a session.
    """
    called: dict[str, set[str]] = {}

    def note(frame: FrameType, event: str, _argument: object) -> None:
        file = frame.f_code.co_filename
        if event == "call" and file.startswith(rtc_server.__path__[0]):
            called.setdefault(file, set()).add(frame.f_code.co_qualname)

    settings = Settings(http=HttpSettings(port=0), engines=QUICK)
    async with running(settings) as server, aiohttp.ClientSession() as http:
        url = f"{server.url}/v1/realtime/translations/calls?source=en&target=ru"
        for counted in (False, True):  # the first fills caches
            sys.setprofile(note if counted else None)
            sdp = {"Content-Type": "application/sdp"}
            async with http.post(url, data=CHROME, headers=sdp) as answer:
                sys.setprofile(None)
                answer.raise_for_status()
                where = answer.headers["Location"]
            async with http.delete(server.url + where):
                pass
    busy = [
        file
        for file, names in called.items()
        if not all(name.partition(".<locals>")[0].endswith("_init__") for name in names)
    ]
    return len(called), len(busy)


def main() -> None:
    """Print the counts."""
    texts = [*docstrings()]
    print("docstrings:", dict(Counter(kind for kind, _ in texts)))
    print("that begin with a question:", sum(1 for _, text in texts if QUESTIONS.match(text)))
    print("that begin with a pronoun:", sum(1 for _, text in texts if PRONOUNS.match(text)))
    print("class names that occur twice:", repeated(classes()))
    names = (path.name for path in modules() if not path.name.startswith("__"))
    print("module names that occur twice:", len(repeated(names)))
    print("files over", LONG_LINES, "lines:", long_files())
    print("lines of docs/openapi.yaml kept by hand:", lines_by_hand())
    print("modules of POST /calls, and without constructors:", *asyncio.run(modules_of_a_call()))


if __name__ == "__main__":
    main()
