"""The schema of the events is that of their structs, and what was really said fits it."""

import json
import re
from pathlib import Path
from typing import Any

import jsonschema

from rtc_server.events.schema import events_schema

ROOT = Path(__file__).parents[3]
OPTIONAL = {"hints", "message", "code", "skipped", "seq"}
WRITTEN = (ROOT / "docs" / "events.schema.json").read_text("utf-8")


def part(name: str) -> dict[str, Any]:
    """One definition, that can stand alone."""
    schema = json.loads(WRITTEN)
    return {"$ref": f"#/$defs/{name}", "$defs": schema["$defs"]}


def said() -> list[dict[str, Any]]:
    """Server events of the golden files."""
    lines = [
        json.loads(line)
        for path in (ROOT / "tests" / "golden").glob("*.jsonl")
        for line in path.read_text("utf-8").splitlines()
    ]
    return [line["<"] for line in lines if "<" in line]


def test_the_schema_is_made_from_the_structs() -> None:
    made = json.dumps(events_schema(), ensure_ascii=False, indent=1) + "\n"
    assert made == WRITTEN, "python -m rtc_server.events.schema > docs/events.schema.json"


def test_every_reference_leads_somewhere() -> None:
    jsonschema.Draft202012Validator.check_schema(json.loads(WRITTEN))
    named = set(re.findall(r'"#/\$defs/([^"]+)"', WRITTEN))
    assert named <= set(json.loads(WRITTEN)["$defs"])


def test_all_that_was_said_fits() -> None:
    validator = jsonschema.Draft202012Validator(part("server_event"))
    events = said()
    for event in events:
        validator.validate(event)
    assert len({event["type"] for event in events}) >= 12


def test_what_is_left_out_or_added_does_not_fit() -> None:
    validator = jsonschema.Draft202012Validator(part("server_event"))
    for event in said()[:30]:
        assert not validator.is_valid({**event, "more": 1})
        for name in event.keys() - OPTIONAL:
            assert not validator.is_valid({k: v for k, v in event.items() if k != name})
