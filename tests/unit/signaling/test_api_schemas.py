"""The components of the API's description are its structs, and recorded bodies fit them."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from rtc_server.errors import BadEvent
from rtc_server.events.faults import checked
from rtc_server.events.fields import MODES, SHORT_CHARS
from rtc_server.events.session_events import SessionInfo
from rtc_server.events.session_patch import RequestedSession
from rtc_server.signaling.api_schemas import api_schemas, described
from rtc_server.signaling.request_bodies import DEFAULT_TTL_S, CallRequest, SecretRequest

ROOT = Path(__file__).parents[3]
WRITTEN = (ROOT / "docs" / "openapi.yaml").read_text("utf-8")
OPENAPI = yaml.safe_load(WRITTEN)
SECRETS = "/v1/realtime/translations/client_secrets"
CALLS = "/v1/realtime/translations/calls"


def test_the_components_are_made_from_the_structs() -> None:
    assert described(WRITTEN) == WRITTEN, "python -m rtc_server.signaling.api_schemas"


def test_what_is_written_is_what_is_meant() -> None:
    assert OPENAPI["components"]["schemas"] == api_schemas()


def test_a_file_without_the_mark_is_not_written_over() -> None:
    with pytest.raises(ValueError, match="has no line"):
        described("openapi: 3.1.0\n")


def test_every_reference_leads_somewhere() -> None:
    named = set(re.findall(r'"#/components/schemas/([^"]+)"', WRITTEN))
    assert named == set(OPENAPI["components"]["schemas"]), "missing, or used nowhere"


def test_the_settings_of_a_call_are_those_of_an_event() -> None:
    schemas = api_schemas()
    asked = set(schemas["SessionRequest"]["properties"])
    assert asked == {"model", *RequestedSession.__struct_fields__}
    assert schemas["ShortText"]["maxLength"] == schemas["Language"]["maxLength"] == SHORT_CHARS
    assert schemas["Languages"]["properties"]["modes"]["items"]["enum"] == [*MODES]
    told = set(schemas["SessionOfSecret"]["properties"])
    assert told == {*SessionInfo.__struct_fields__} - {"x"}


def test_what_a_request_may_leave_out_has_its_default() -> None:
    fields = api_schemas()["ExpiresAfter"]["properties"]
    assert fields["seconds"]["default"] == DEFAULT_TTL_S
    assert fields["anchor"]["default"] == "created_at"
    # Null is absent, and no default of its own.
    assert "default" not in api_schemas()["ClientSecretRequest"]["properties"]["session"]
    # Nothing is left out of an answer and meant for all that.
    assert "default" not in api_schemas()["IceServerEntry"]["properties"]["username"]


def test_a_place_in_line_counts_from_one() -> None:
    assert api_schemas()["LineTicket"]["properties"]["position"]["minimum"] == 1


def test_answers_may_get_fields_except_those_promised_to_have_no_others() -> None:
    closed = {
        name for name, body in api_schemas().items() if body.get("additionalProperties") is False
    }
    transcript = {"Transcript", "TranscriptSegment", "TranscriptText"}
    assert closed == transcript | {"RoomState", "LanguageState", "RoomLink"}


def recorded() -> Iterator[tuple[str, int, Any]]:
    """Return operation, status and JSON body of each recorded exchange over HTTP."""
    for path in (ROOT / "tests" / "golden").glob("*.jsonl"):
        for line in map(json.loads, path.read_text("utf-8").splitlines()):
            body = line.get("json") or line.get("utf8")
            if "ask" in line and body:
                yield line["ask"].partition(" [")[0].partition("?")[0], line["status"], body


def component(operation: str, status: int) -> str:
    """Return the component that an answer should fit."""
    if status >= 400:
        return "Problem"
    method, _, path = operation.partition(" ")
    item = next(
        item
        for pattern, item in OPENAPI["paths"].items()
        if re.fullmatch(re.sub(r"\{[a-z_]+\}", "[^/]+", pattern), path)
    )
    answer = item[method.lower()]["responses"][str(status)]
    if "$ref" in answer:
        answer = OPENAPI["components"]["responses"][answer["$ref"].rpartition("/")[2]]
    name: str = answer["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]
    return name


def closed() -> dict[str, Any]:
    """Return the schemas without leave to have other fields: a client is to know all there are."""
    return {
        name: {"additionalProperties": False, **body} if "properties" in body else body
        for name, body in OPENAPI["components"]["schemas"].items()
    }


def test_recorded_answers_fit_their_components() -> None:
    seen, schemas = set(), closed()
    for operation, status, body in recorded():
        name = component(operation, status)
        seen.add(name)
        schema = {"$ref": f"#/components/schemas/{name}", "components": {"schemas": schemas}}
        jsonschema.validate(body, schema, jsonschema.Draft202012Validator)
    assert seen >= {"Problem", "ClientSecret", "Engines", "Languages", "Phrases", "Status"}


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ({"expires_after": {"seconds": None}}, "expires_after.seconds must be a whole number from"),
        ({"expires_after": {"seconds": 600.0}}, "expires_after.seconds must be a whole number"),
        ({"expires_after": {"seconds": True}}, "expires_after.seconds must be a whole number"),
        ({"expires_after": {"anchor": None}}, 'expires_after must be {"anchor"'),
        ({"expires_after": 600}, 'expires_after must be {"anchor"'),
        ({"x": []}, "x must be an object, with origin or room in it."),
        ({"x": {"origin": "https://a.example\n"}}, "x.origin must be an origin as browsers"),
        ({"x": {"room": {"role": "speaker"}}}, "x.room must be "),
        ({"x": {"room": {"name": "hall\n", "role": "speaker"}}}, "x.room must be "),
        ({"x": {"room": {"name": "hall", "role": ["speaker"]}}}, "x.room must be "),
        ({"session": {"model": 7}, "x": 7}, "session.model must be a short string"),
        ({"session": {"x": {"vad": 7}, "model": 7}}, "session.x.vad must be an object."),
    ],
)
def test_a_body_that_does_not_fit_is_refused_with_a_sentence_of_ours(
    body: object, sentence: str
) -> None:
    with pytest.raises(BadEvent, match=re.escape(sentence)):
        checked(SecretRequest, body)


def test_null_is_absent_where_a_field_may_be_null() -> None:
    nothing = {"session": None, "expires_after": None, "x": None}
    assert checked(SecretRequest, nothing) == checked(SecretRequest, {}) == SecretRequest()
    bounds = checked(SecretRequest, {"x": {"origin": None, "room": None}}).x
    assert bounds is not None and bounds.origin is None and bounds.room is None
    with pytest.raises(BadEvent, match="sdp must be a string"):
        checked(CallRequest, {"session": None})
