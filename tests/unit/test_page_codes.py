"""Codes that the server sends to a page, and the page's words for them in each of its languages.

Both sides are read: a code that is new in the server fails here until a page has words for it, or
until it stands among those that general words are right for.
"""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from rtc_server.errors import (
    AdmissionRefused,
    EngineError,
    EngineUnavailable,
    RemoteError,
    RtcServerError,
)
from rtc_server.events.server import ExpiringReason
from rtc_server.signaling.problems import _ROUTING

ROOT = Path(__file__).parents[2]
STATIC = ROOT / "static"
LANGUAGES = sorted(path.name for path in (STATIC / "strings").iterdir())
FAULTS_OF_PROGRAMS = {
    "bad_sdp", "too_many_tracks", "invalid_event", "invalid_request", "unsupported_media_type",
    "precondition_failed", "precondition_required", "ice_restart_unsupported", "payload_too_large",
    "request_timeout", "method_not_allowed", "not_found", "server_error",
}  # fmt: skip
"""Codes that only a fault of the page or of the server causes: general words are enough."""
OF_ONE_CONNECTION = {"slow_reader", "audio_ahead", "session_not_found"}
"""Codes that are never the answer to a new session: such a connection is made again."""
OF_ROOMS = {"room_not_found", "room_taken", "room_silent"}
ENGINES_ANSWER = {error.code for error in (EngineUnavailable, EngineError)}
"""Codes of engines that are no answer to a request: a server without its engine does not start."""


def every(kind: type[RtcServerError]) -> Iterator[type[RtcServerError]]:
    """Yield an error and all that are derived from it."""
    yield kind
    for derived in kind.__subclasses__():
        if derived.__module__ == RtcServerError.__module__:
            yield from every(derived)


def answers() -> dict[str, int]:
    """Return each code of an HTTP answer with its status."""
    found = {code: status for status, (code, _) in _ROUTING.items()}
    found |= {RtcServerError.code: 500}
    for kind in (*every(RemoteError), *every(AdmissionRefused), *every(EngineError)):
        found[kind.code] = getattr(kind, "status", 503)
    return {code: status for code, status in found.items() if code not in ENGINES_ANSWER}


def table(file: str, name: str) -> dict[str, str]:
    """Return an object of keys and strings in a module of the pages."""
    body = re.search(rf"\b{name} = \{{([^}}]*)\}}", (STATIC / file).read_text("utf-8"))
    assert body, f"{file} has no {name}"
    return dict(re.findall(r'(\w+): "(\w+)"', body[1]))


def words(language: str, page: str) -> str:
    """Return the text of a table of words."""
    return (STATIC / "strings" / language / f"{page}.js").read_text("utf-8")


def problems(language: str) -> dict[str, list[str]]:
    """Return title and advice of each problem that the interpreter's page knows."""
    found: dict[str, list[str]] = {}
    for page in ("page", "session"):
        block = re.search(r"^  problem: \{\n(.*?)^  \},", words(language, page), re.M | re.S)
        assert block
        for key, texts in re.findall(r"^    (\w+): \[(.*?)\]", block[1], re.M | re.S):
            assert key not in found, f"{language} has {key} twice"
            found[key] = re.findall(r'"((?:[^"\\]|\\.)*)"', texts)
    return found


def has(language: str, page: str, path: str) -> bool:
    """Return whether a table has a text of that key, at any depth."""
    return re.search(rf'^\s+{path}: "[^"]+",$', words(language, page), re.M) is not None


def warnings() -> set[str]:
    """Return the codes of the server's ``x.warning`` events that stand in its code."""
    code = "".join(path.read_text("utf-8") for path in (ROOT / "rtc_server").rglob("*.py"))
    return set(re.findall(r'WarningEvent\(\s*"(\w+)"', code))


def thrown() -> set[str]:
    """Return the codes of problems that the modules of the page name themselves."""
    own = re.compile(r'(?:ClientError|SourceError|problems\.show)\(\s*"([a-z_]+)"')
    tables = re.compile(r"\b(?:codes|OWN|REFUSALS) = \{([^}]*)\}")
    found = {"expiring", "expiring_idle"}
    for path in STATIC.rglob("*.js"):
        code = path.read_text("utf-8")
        found.update(own.findall(code))
        for body in tables.findall(code):
            found.update(re.findall(r'"([a-z_]+)"', body))
    return found


def client_codes() -> set[str]:
    """Return the codes of a `ClientError`, as its description lists them."""
    text = (STATIC / "client" / "errors.js").read_text("utf-8")
    listed = re.search(r"one of: ([\w,\s*]+?)\n +\* @", text)
    assert listed
    return set(re.findall(r"[a-z_]+", listed[1]))


def notices() -> set[str]:
    """Return the warnings that the page explains."""
    body = re.search(r"WARNINGS = new Set\(\[(.*?)\]", (STATIC / "follow.js").read_text("utf-8"))
    assert body
    return set(re.findall(r'"(\w+)"', body[1]))


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_problem_of_the_page_is_a_sentence_with_its_next_step(language: str) -> None:
    known = problems(language)
    codes = thrown() | notices()
    assert {"microphone_refused", "server_unreachable", "unauthorized"} <= codes
    assert codes <= known.keys(), codes - known.keys()
    for code in known.keys() - {"notice"}:  # in English the server's sentence follows
        title, advice = known[code]
        assert title, code
        assert advice.endswith("."), code


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_has_words_for_every_answer(language: str) -> None:
    by_status = table("client/errors.js", "codes")
    own = table("refusals.js", "OWN")
    general = FAULTS_OF_PROGRAMS | OF_ONE_CONNECTION | OF_ROOMS
    for code, status in answers().items():
        problem = own.get(code) or by_status.get(str(status), "server_refused")
        assert problem in problems(language), code
        assert problem != "server_refused" or code in general, f"{code} has no words of its own"


@pytest.mark.parametrize("language", LANGUAGES)
def test_who_speaks_in_a_room_has_words_for_every_answer(language: str) -> None:
    own = table("room-refusals.js", "speakerRefusals")
    waits = {kind.code for kind in every(AdmissionRefused)}  # "busy", while it goes on trying
    waits |= {kind.code for kind in every(EngineError)}
    general = FAULTS_OF_PROGRAMS | OF_ONE_CONNECTION | waits | {"room_not_found"}
    assert answers().keys() <= own.keys() | general, answers().keys() - own.keys() - general
    for key in (*own.values(), "notLetIn", "busy", "lost", "gaveUp"):
        assert has(language, "room", key), key


@pytest.mark.parametrize("language", LANGUAGES)
def test_who_listens_in_a_room_has_words_for_every_answer(language: str) -> None:
    own = table("room-refusals.js", "listenerRefusals")
    speakers = {"room_taken", "unsupported_language"}  # the next look has the room's own languages
    engines = {kind.code for kind in every(EngineError)}  # "lost", while it goes on trying
    general = FAULTS_OF_PROGRAMS | OF_ONE_CONNECTION | speakers | engines
    assert answers().keys() <= own.keys() | general, answers().keys() - own.keys() - general
    for key in (*own.values(), "lost"):
        assert has(language, "room", key), key


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_element_has_words_for_every_error(language: str) -> None:
    own = table("element-words.js", "FAULTS")
    assert own.keys() == client_codes()
    for key in own.values():
        assert has(language, "element", key), key


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_has_words_for_what_is_said_in_a_session(language: str) -> None:
    assert warnings() - notices() - {"engine_slow"} == set()  # nor are there others than these:
    assert notices() - warnings() == {"slow_network"}  # which the page finds itself
    for code in notices():
        assert code in problems(language)
    failures = {kind.code for kind in every(EngineError)} - ENGINES_ANSWER
    for code in failures:
        assert has(language, "page", code), code
    assert has(language, "page", "failed")


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_has_words_for_every_reason_of_an_end(language: str) -> None:
    text = (STATIC / "client" / "errors.js").read_text("utf-8")
    body = re.search(r"function endedBy.*?codes = \{([^}]*)\}", text, re.S)
    assert body
    ends = dict(re.findall(r'(\w+): "(\w+)"', body[1]))
    goes_on = {ExpiringReason.RESTART}  # another server, or the same when it is back
    assert {*ends, *goes_on} == {str(reason) for reason in ExpiringReason}
    for code in (*ends.values(), "session_ended", "expiring", "expiring_idle"):
        assert code in problems(language)
    assert has(language, "room", "expiring")
