"""Record of what a client and a server say to each other, one JSON object a line.

What differs from run to run is replaced (`_IDS`, `_TAG`), and nothing else: time is virtual, so
times, ages and numbers of events are recorded as they are. A body that is JSON is kept as JSON only
if it can be written again, in the style that the line names, as the very same bytes.
"""

import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from multidict import CIMultiDictProxy

FOLDER = Path(__file__).parents[1] / "golden"
HEADERS = (
    *("Accept-Patch", "Accept-Post", "Allow", "Cache-Control", "Content-Disposition"),
    *("Content-Type", "ETag", "Link", "Location", "Retry-After", "WWW-Authenticate"),
)
"""Headers of an answer that are kept."""
STYLES: dict[str, dict[str, Any]] = {
    "json": {},
    "utf8": {"ensure_ascii": False},
    "compact": {"ensure_ascii": False, "separators": (",", ":")},
    "ascii": {"separators": (",", ":")},
}
"""Arguments of `json.dumps`, by the name that a line of the file gives them."""

_IDS = re.compile(
    r"(?<![a-z_])(?P<kind>sess|ek|lis|spk)_[A-Za-z0-9_.~-]{12,}"
    r"|(?<![0-9a-f])[0-9a-f]{8}(?=[-_.]([a-z]{2}|[0-9]))"
)
"""Random parts, numbered in the order they are met: ids of sessions, listeners and speakers, which
nobody may guess; client secrets, which hold one of these and are signed with a key of the process;
and the eight hexadecimal digits that tell one meeting of a room from the next, in the ids of its
captions."""
_TAG = re.compile(r'^(W/)?"[^"]*"$')
"""Value of the header ETag. That of a call is random; that of a catalogue follows from its body,
which is recorded."""


class Record:
    """Lines of one scene."""

    def __init__(self) -> None:
        self.lines: list[dict[str, Any]] = []
        self._names: dict[str, str] = {}

    def text(self) -> str:
        """Return the file of this scene."""
        return "".join(f"{_line(each)}\n" for each in self.lines)

    def exchange(
        self, asked: str, sent: object, status: int, headers: CIMultiDictProxy[str], body: str
    ) -> None:
        """Add an HTTP request and its answer."""
        kept = {name: self._stable_header(name, headers.getall(name, ())) for name in HEADERS}
        line: dict[str, Any] = {"ask": self._stable(asked)}
        if sent is not None:
            line["send"] = self._stable(sent) if isinstance(sent, str) else sent
        line |= {"status": status, "headers": {k: v for k, v in kept.items() if v}}
        self.lines.append(line | self._body(body))

    def client(self, text: str) -> None:
        """Add a message of the client on its channel."""
        self.lines.append({">": self._stable(text)})

    def server(self, text: str) -> None:
        """Add a message of the server on the channel."""
        [(style, said)] = self._body(text).items()
        self.lines.append({"<" if style == "compact" else f"< {style}": said})

    def note(self, **what: object) -> None:
        """Add something that is no message."""
        self.lines.append(what)

    def _body(self, body: str) -> dict[str, Any]:
        if body[:1] in ("{", "["):
            value = json.loads(body)
            for style, arguments in STYLES.items():
                if json.dumps(value, **arguments) == body:
                    return {style: self._plain(value)}
        return {"text": self._stable(body)} if body else {}

    def _plain(self, value: Any) -> Any:
        match value:
            case dict():
                return {name: self._plain(each) for name, each in value.items()}
            case list():
                return [self._plain(each) for each in value]
            case str():
                return self._stable(value)
        return value

    def _stable_header(self, name: str, values: Iterable[str]) -> str | list[str]:
        stable = [self._stable(value) for value in values]
        if name == "ETag":
            stable = [_TAG.sub(r'\1"…"', value) for value in stable]
        return stable[0] if len(stable) == 1 else stable

    def _stable(self, text: str) -> str:
        return _IDS.sub(self._named, text)

    def _named(self, found: re.Match[str]) -> str:
        kind = found["kind"] or "hex"
        if kind == "ek":  # each is another, and says nothing that its answer does not
            return "ek_…"
        number = sum(1 for name in self._names.values() if name.startswith(kind)) + 1
        return self._names.setdefault(found[0], f"{kind}_{number}")


def _line(line: dict[str, Any]) -> str:
    text = json.dumps(line, ensure_ascii=False)
    # What no file can hold, a lone surrogate, stays an escape.
    return text if text.isprintable() else json.dumps(line)
