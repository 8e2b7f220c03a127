"""Components of docs/openapi.yaml, made from the structs that the server reads and writes.

``python -m rtc_server.signaling.api_schemas`` writes them into the file, behind the part that is
kept by hand; a test fails when the two differ.
"""

import json
from collections.abc import Iterator
from typing import Annotated, Any, TypeAlias

import msgspec
from msgspec import Meta

from rtc_server.events.fields import SHORT_CHARS
from rtc_server.events.struct_schema import definitions
from rtc_server.resources import resource_folder
from rtc_server.rooms.room_api import RoomState
from rtc_server.session.subtitles import TranscriptFile
from rtc_server.signaling.request_bodies import CallRequest, OfferRequest, OfferSdp, SecretRequest
from rtc_server.signaling.response_bodies import (
    EngineList,
    LanguageList,
    MadeSecret,
    PageSecret,
    PhraseList,
    Problem,
    RoomLink,
    Status,
)

REFERENCE = "#/components/schemas/{name}"
MARK = "  schemas:  # made by python -m rtc_server.signaling.api_schemas\n"
"""Line below which nothing is kept by hand."""
FIRST_INDENT = 4
"""Spaces before the name of a component."""
COLUMNS = 100
"""Longest line, where a value can be written in several."""

LanguageText: TypeAlias = Annotated[
    str,
    Meta(
        max_length=SHORT_CHARS,
        description="ISO 639-1; what follows a hyphen is cut off.",
        examples=["ru", "en", "pt-BR"],
    ),
]
QueryText: TypeAlias = Annotated[str, Meta(max_length=SHORT_CHARS, description="Printable.")]

TEXTS: dict[str, Any] = {"Language": LanguageText, "Offer": OfferSdp, "ShortText": QueryText}
"""Texts by name: of queries, and bodies that are no JSON."""
REQUESTS: tuple[type, ...] = (CallRequest, OfferRequest, SecretRequest)
RESPONSES: tuple[type, ...] = (
    *(Problem, PageSecret, MadeSecret, TranscriptFile, RoomState, RoomLink),
    *(EngineList, LanguageList, PhraseList, Status),
)
CLOSED: tuple[type, ...] = (TranscriptFile, RoomState, RoomLink)
"""Answers that are promised to have no other fields; of the rest, clients ignore unknown ones."""
PUBLIC_NAMES = {
    "SecretRequest": "ClientSecretRequest",
    "SessionBody": "SessionRequest",
    "MadeSecret": "ClientSecret",
    "EngineList": "Engines",
    "LanguageList": "Languages",
    "PhraseList": "Phrases",
    "TranscriptFile": "Transcript",
}
"""Names of components, where they are not those of the classes."""


def api_schemas() -> dict[str, Any]:
    """Return the components by name, as JSON objects."""
    shapes, _ = msgspec.json.schema_components(tuple(TEXTS.values()))
    requests = definitions(REQUESTS, REFERENCE, _name, always_sent=False)
    responses = definitions(RESPONSES, REFERENCE, _name, always_sent=True)
    for known in definitions(CLOSED, REFERENCE, _name, always_sent=True):
        responses[known]["additionalProperties"] = False
    return dict(zip(TEXTS, shapes, strict=True)) | _lenient(requests) | responses


def described(text: str) -> str:
    """Return the text of docs/openapi.yaml with its components as they should be."""
    by_hand, mark, _ = text.partition(MARK)
    if not mark:
        raise ValueError(f"the file has no line {MARK.strip()!r}")
    return by_hand + mark + "".join(f"{line}\n" for line in _yaml(api_schemas(), FIRST_INDENT))


def _name(kind: type) -> str:
    return PUBLIC_NAMES.get(kind.__name__, kind.__name__)


def _lenient(schemas: dict[str, Any]) -> dict[str, Any]:
    """Return them without patterns of printable text, which promise less than the server takes: a
    generated client would refuse a name in Cyrillic.
    """

    def plain(value: Any) -> Any:
        match value:
            case {"pattern": "^[ -~]*$"}:
                return {key: each for key, each in value.items() if key != "pattern"}
            case dict():
                return {key: plain(each) for key, each in value.items()}
            case list():
                return [plain(each) for each in value]
        return value

    result: dict[str, Any] = plain(schemas)
    return result


def _yaml(value: dict[str, Any], indent: int) -> Iterator[str]:
    """Yield lines of YAML: JSON, which is YAML, too, where it fits into a line."""
    space = " " * indent
    for key, each in value.items():
        line = f"{space}{key}: {_json(each)}"
        if len(line) <= COLUMNS and indent > FIRST_INDENT:
            yield line
        elif isinstance(each, dict):
            yield f"{space}{key}:"
            yield from _yaml(each, indent + 2)
        elif isinstance(each, list):
            yield f"{space}{key}:"
            yield from (f"{space}  - {_json(item)}" for item in each)
        else:
            yield line


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def main() -> None:
    """Write the components into the file of this working tree."""
    path = resource_folder("docs") / "openapi.yaml"
    path.write_text(described(path.read_text("utf-8")), "utf-8")


if __name__ == "__main__":
    main()
