"""JSON bodies of answers, as structs. `api_schemas` makes components of docs/openapi.yaml of them.

The transcript's are in `session.subtitles`, a room's state in `rooms.room_api`.
"""

import json
from typing import Annotated, Any, Literal, TypeAlias, get_args

import msgspec
from aiohttp import hdrs, web
from msgspec import UNSET, Meta, Struct, UnsetType

from rtc_server.engine_sets import ENGINE_SETS
from rtc_server.errors import LineTicket
from rtc_server.events.fields import FaultType, ModeInForce, SessionId, SessionType
from rtc_server.events.session_events import Audio
from rtc_server.ice import ICE_POLICIES
from rtc_server.session.session_api import SuggestedPhrase

EngineSetInUse: TypeAlias = Annotated[
    str | None,
    Meta(
        description="Name of the engine set in use; null when the engines were chosen one by one.",
        extra_json_schema={"enum": [*ENGINE_SETS, None]},
    ),
]
StatusWord: TypeAlias = Literal["ok", "ready"]
OK, READY = get_args(StatusWord)


class ProblemError(Struct, frozen=True):
    """The same as OpenAI's API has it."""

    type: FaultType
    code: str
    message: str


class Problem(Struct, frozen=True, omit_defaults=True):
    """RFC 9457, with OpenAI's error object beside it."""

    type: str
    title: str
    status: Annotated[int, Meta(ge=400, le=599)]
    detail: str
    error: ProblemError
    queue: LineTicket | UnsetType = UNSET
    """With 503 or 429, of a caller that waits in line."""


class IceServerEntry(Struct, frozen=True, omit_defaults=True):
    """A server as `RTCIceServer` has it."""

    urls: Annotated[list[str], Meta(min_length=1)]
    username: str = ""
    credential: str = ""


class IceConfiguration(Struct, frozen=True):
    """Members of the `RTCConfiguration` to make a peer with."""

    ice_servers: list[IceServerEntry]
    ice_transport_policy: Annotated[str, Meta(extra_json_schema={"enum": [*ICE_POLICIES]})]


SecretValue: TypeAlias = Annotated[str, Meta(extra_json_schema={"pattern": "^ek_"})]
UnixSeconds: TypeAlias = Annotated[int, Meta(description="Unix seconds.")]


class PageSecret(Struct, frozen=True):
    """A secret of the server's own page."""

    value: SecretValue
    expires_at: UnixSeconds
    x: IceConfiguration


class SessionOfSecret(Struct, frozen=True):
    """The session that a secret opens, in the shape of `session.created`."""

    id: SessionId
    type: SessionType
    expires_at: UnixSeconds
    model: str
    audio: Audio


class MadeSecret(Struct, frozen=True):
    """A secret, and the session that it opens."""

    value: SecretValue
    expires_at: UnixSeconds
    session: SessionOfSecret
    x: IceConfiguration


class EngineEntry(Struct, frozen=True):
    """An engine, installed or not."""

    kind: Annotated[str, Meta(extra_json_schema={"enum": ["ast", "tts"]})]
    name: str
    title: str
    licence: str
    languages: tuple[str, ...]
    installed: bool
    missing: str
    """Sentence on what to do about it, if it is not."""
    extra: dict[str, str]
    """Anything else worth showing, as label to text."""
    in_use: bool


class EngineList(Struct, frozen=True):
    """All engines, and remarks on those in use."""

    engine_set: EngineSetInUse
    engines: list[EngineEntry]
    notes: list[str]


class UsualPair(Struct, frozen=True):
    """The pair of a call that names none."""

    source: str
    target: str


class PairEntry(Struct, frozen=True):
    """A pair that can be translated and spoken."""

    source: str
    target: str
    voices: tuple[str, ...]


class LanguageList(Struct, frozen=True):
    """The pairs that can be translated and spoken now."""

    default: UsualPair
    modes: list[ModeInForce]
    """Values that `mode` of a session may have with the engine in use."""
    engine_set: EngineSetInUse
    ast: str
    tts: str
    pairs: list[PairEntry]


class PhraseList(Struct, frozen=True):
    """Phrases of one language; none when the engine in use has no list of it."""

    language: str
    phrases: list[SuggestedPhrase]


class RoomLink(Struct, frozen=True):
    """A link for listeners, and the same as a QR code."""

    url: str
    expires_at: int | None
    """Unix seconds; null on a server without keys."""
    qr_svg: str


class Status(Struct, frozen=True):
    """State of the server in one word."""

    status: StatusWord


def json_text(body: object, *, ascii_only: bool = False) -> str:
    """Return a body as JSON: Cyrillic as it is, not six characters for one."""
    plain: Any = msgspec.to_builtins(body)
    return json.dumps(plain, ensure_ascii=ascii_only)


def json_answer(body: object) -> web.Response:
    """Return an answer that nobody may keep."""
    text = json_text(body, ascii_only=True)
    return web.json_response(text=text, headers={hdrs.CACHE_CONTROL: "no-store"})
