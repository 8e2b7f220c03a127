"""Record of what a client and a server say to each other, one JSON object a line.

Ids that differ from run to run are numbered in the order they are met; times become zero of their
type. All other bytes stay: a body that is JSON is kept as JSON only if it can be written again, in
the style that the line names, as the very same bytes.
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
TIMES = {
    *("at", "elapsed_ms", "start_ms", "end_ms", "audio_ms", "endpoint_ms", "ast_ms", "tts_ms"),
    *("first_audio_ms", "ear_voice_ms", "queue_ms", "latency_ms", "in_ms", "expires_at"),
    *("expires_in_ms", "queue_depth"),
}
"""Fields that hold a time, or a length of time that was measured."""
STYLES: dict[str, dict[str, Any]] = {
    "json": {},
    "utf8": {"ensure_ascii": False},
    "compact": {"ensure_ascii": False, "separators": (",", ":")},
    "ascii": {"separators": (",", ":")},
}
"""Arguments of `json.dumps`, by the name that a line gives them."""

_IDS = re.compile(
    r"(?<![a-z_])(?P<kind>sess|ek|lis|spk|room)_[A-Za-z0-9_.~-]{12,}"
    r"|(?P<event>(?<![a-z_])event_[0-9]+)"
    r"|(?<![0-9a-f])[0-9a-f]{8}(?=[-_.]([a-z]{2}|[0-9]))"
)
"""Sessions, secrets, listeners, speakers and tickets; events; rooms."""
_CLOCK = re.compile(r"\b\d\d:\d\d:\d\d([.,]\d{3})?\b")
_TAG = re.compile(r'^(W/)?"[^"]*"$')


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
        """Add what a client said on its channel."""
        self.lines.append({">": self._stable(text)})

    def server(self, text: str) -> None:
        """Add what the server said on it."""
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
        return {"text": _CLOCK.sub("00:00:00.000", self._stable(body))} if body else {}

    def _plain(self, value: Any, key: str = "") -> Any:
        match value:
            case dict():
                return {name: self._plain(each, name) for name, each in value.items()}
            case list():
                return [self._plain(each, key) for each in value]
            case str():
                return "" if key in TIMES else self._stable(value)
            case bool() | None:
                return value
        return type(value)() if key in TIMES else value

    def _stable_header(self, name: str, values: Iterable[str]) -> str | list[str]:
        stable = [self._stable(value) for value in values]
        if name == "ETag":
            stable = [_TAG.sub(r'\1"…"', value) for value in stable]
        return stable[0] if len(stable) == 1 else stable

    def _stable(self, text: str) -> str:
        return _IDS.sub(self._named, text)

    def _named(self, found: re.Match[str]) -> str:
        kind = found["kind"] or ("event" if found["event"] else "hex")
        if kind == "ek":  # it says when it was made
            return "ek_…"
        number = sum(1 for name in self._names.values() if name.startswith(kind)) + 1
        return self._names.setdefault(found[0], f"{kind}_{number}")


def _line(line: dict[str, Any]) -> str:
    text = json.dumps(line, ensure_ascii=False)
    # What no file can hold, a lone surrogate, stays an escape.
    return text if text.isprintable() else json.dumps(line)
