"""Types of the protocol's fields, each with its bounds and its form in JSON Schema.

``extra`` is for `faults`: the words of a field in the order in which they are told, and texts that
must be printable.
"""

from typing import Annotated, Final, Literal, TypeAlias, get_args

from msgspec import Meta

SHORT_CHARS: Final = 128
"""Longest text of a setting."""

Group: TypeAlias = Literal["metrics", "playout", "segment", "vad"]
"""Name that ``x_events`` may hold."""
_Mode: TypeAlias = Literal["fast", "balanced", "accurate", "consecutive"]
_VadMode: TypeAlias = Literal["auto", "off"]
MODES: Final[tuple[str, ...]] = get_args(_Mode)
VAD_MODES: Final[tuple[str, ...]] = get_args(_VadMode)
ModeName: TypeAlias = Annotated[_Mode, Meta(extra={"words": MODES})]
"""Mode of translation: while somebody speaks, or when a segment is over."""
VadMode: TypeAlias = Annotated[_VadMode, Meta(extra={"words": VAD_MODES})]
"""Finder of the pauses: the server, or push-to-talk alone."""

ShortText: TypeAlias = Annotated[
    str,
    Meta(
        max_length=SHORT_CHARS,
        description="Printable.",
        extra={"printable": True},
        extra_json_schema={"pattern": "^[ -~]*$"},
    ),
]
"""Text of a setting. `str.isprintable` says what is printable, and no regular expression that JSON
Schema knows: the pattern promises less than is taken."""
HangoverMs: TypeAlias = Annotated[float, Meta(ge=100, le=3000)]
TailMs: TypeAlias = Annotated[float, Meta(ge=0, le=1000)]
SayText: TypeAlias = Annotated[str, Meta(min_length=1, max_length=300)]
EventId: TypeAlias = Annotated[
    str, Meta(description="Comes back in the answer; more than 64 characters are cut.")
]

GroupInForce: TypeAlias = Annotated[str, Meta(extra_json_schema={"enum": [*get_args(Group)]})]
ModeInForce: TypeAlias = Annotated[str, Meta(extra_json_schema={"enum": [*MODES]})]
VadModeInForce: TypeAlias = Annotated[str, Meta(extra_json_schema={"enum": [*VAD_MODES]})]
SessionType: TypeAlias = Annotated[str, Meta(extra_json_schema={"const": "translation"})]
Language: TypeAlias = Annotated[str, Meta(description="ISO 639-1.")]
Count: TypeAlias = Annotated[int, Meta(ge=0)]
ElapsedMs: TypeAlias = Annotated[
    int,
    Meta(ge=0, description="A multiple of 200.", extra_json_schema={"multipleOf": 200}),
]
SessionId: TypeAlias = Annotated[str, Meta(extra_json_schema={"pattern": "^sess_"})]
FaultType: TypeAlias = Annotated[
    str, Meta(extra_json_schema={"enum": ["invalid_request_error", "server_error"]})
]
PlayoutState: TypeAlias = Annotated[
    str,
    Meta(extra_json_schema={"enum": ["queued", "started", "finished", "dropped", "skipped"]}),
]
VadState: TypeAlias = Annotated[str, Meta(extra_json_schema={"enum": ["speech", "silence"]})]
