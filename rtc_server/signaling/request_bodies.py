"""JSON bodies of requests, as structs: fields, bounds and the sentences about what does not fit.

`bodies` reads them; `api_schemas` makes the request components of docs/openapi.yaml of them. Null
and absent are the same where a field may be null, and unknown keys are ignored.
"""

from typing import Annotated, Final, Literal, TypeAlias, get_args

from msgspec import Meta, Struct

from rtc_server.events.fields import ShortText
from rtc_server.events.session_patch import RequestedSession
from rtc_server.signaling.access_settings import ORIGIN

OFFER_LIMIT_BYTES: Final = 64 * 1024
"""Largest SDP offer."""
SHORTEST_TTL_S, LONGEST_TTL_S, DEFAULT_TTL_S = 10, 7200, 600
"""Lifetimes of a client secret."""
ORIGIN_LIMIT_CHARS: Final = 256
ROOM_NAME: Final = "[A-Za-z0-9_-]{1,64}"
"""Pattern of names that need no escaping and fit into a link that is read out."""
Role: TypeAlias = Literal["speaker", "listener"]
SPEAKER: Final = get_args(Role)[0]

_ROOM_FAULT = (
    'x.room must be {"name": …, "role": "speaker" or "listener"}; a name is up to 64 letters, '
    "digits, - and _."
)
_ORIGIN_FAULT = (
    "x.origin must be an origin as browsers send it, such as https://app.example or "
    "chrome-extension://abc, without a path."
)
_EXPIRY_FAULT = 'expires_after must be {"anchor": "created_at", "seconds": …}.'

OfferSdp: TypeAlias = Annotated[
    str,
    Meta(
        description="SDP offer, of at most 64 kB as UTF-8.",
        extra_json_schema={"minLength": 1, "maxLength": OFFER_LIMIT_BYTES},
        extra={"sentence": "sdp must be a string: the SDP offer."},
    ),
]


class SessionBody(RequestedSession, frozen=True):
    """As in `session.update`, and `model`; unknown keys are ignored."""

    model: ShortText | None = None
    """Any name; chooses nothing."""


class OfferRequest(Struct, frozen=True):
    """An offer."""

    sdp: OfferSdp


class CallRequest(OfferRequest, frozen=True):
    """An offer, and the session that is asked for."""

    session: SessionBody | None = None


class ExpiresAfter(Struct, frozen=True):
    """Lifetime of a client secret."""

    anchor: Annotated[Literal["created_at"], Meta(extra={"sentence": _EXPIRY_FAULT})] = "created_at"
    seconds: Annotated[int, Meta(ge=SHORTEST_TTL_S, le=LONGEST_TTL_S)] = DEFAULT_TTL_S


class SecretRoom(Struct, frozen=True):
    """The only room that a secret opens; it opens nothing else."""

    name: Annotated[str, Meta(pattern=f"^{ROOM_NAME}$", extra={"sentence": _ROOM_FAULT})]
    role: Annotated[Role, Meta(extra={"sentence": _ROOM_FAULT})]
    """A speaker's secret does not listen, a listener's does not speak."""


class SecretExtension(Struct, frozen=True):
    """Bounds of a client secret."""

    origin: (
        Annotated[
            str,
            Meta(
                pattern=f"^{ORIGIN.pattern}$",
                max_length=ORIGIN_LIMIT_CHARS,
                extra={"sentence": _ORIGIN_FAULT},
            ),
        ]
        | None
    ) = None
    """The only origin whose pages may use the secret."""
    room: Annotated[SecretRoom, Meta(extra={"sentence": _ROOM_FAULT})] | None = None


class SecretRequest(Struct, frozen=True):
    """A secret, and the session that it opens."""

    session: SessionBody | None = None
    expires_after: Annotated[ExpiresAfter, Meta(extra={"sentence": _EXPIRY_FAULT})] | None = None
    x: (
        Annotated[
            SecretExtension,
            Meta(extra={"sentence": "x must be an object, with origin or room in it."}),
        ]
        | None
    ) = None
