"""The one exception tree.

RtcServerError
├── ConfigError            an option, environment variable or file is wrong        (exit code 2)
├── ModelError             a model is missing, damaged, or cannot be fetched       (exit code 2)
├── EngineError            an engine could not do what was asked
│   ├── EngineUnavailable  unknown name, missing extra, missing model              (exit code 2)
│   ├── EngineCrashed      its process died; it is being restarted                 retryable
│   ├── EngineTimeout      it hung and is being restarted, or its turn never came  retryable
│   ├── EngineOverloaded   the bounded queue is full                               retryable
│   └── SessionRefused     what the session sent crashed the engine twice          retryable
├── RemoteError            the peer's fault, never ours: answered, not logged as a bug
│   ├── BadOffer           the SDP cannot be accepted                              400
│   │   └── TooManyTracks  more audio tracks than one peer may have                422
│   ├── UnsupportedPair    a language or engine that is not here                   422
│   ├── UnknownSession     no session of that id, or it has ended                  404
│   ├── UnknownRoom        nobody has opened a room of that name                   404
│   ├── RoomTaken          the room has a speaker already                          409
│   ├── Unauthorized       no key, or a wrong one                                  401
│   ├── Forbidden          a key, page or origin that may not do this              403
│   ├── BodyTimeout        the request's body came too slowly                      408
│   ├── UnsupportedMedia   a body of a type that is not read here                  415
│   ├── EtagMismatch       it speaks of another ICE session                        412
│   ├── EtagMissing        it must say which ICE session it speaks of              428
│   ├── IceRestartRefused  a trickle fragment that asks for an ICE restart         422
│   ├── BadEvent           a client event that cannot be carried out               error event
│   ├── SlowReader         it does not read what it is sent                        error event
│   ├── AudioAhead         it sends audio faster than it is spoken                 error event
│   └── PayloadTooLarge    larger than the documented limit                        413
└── AdmissionRefused       no room for another session                             503, retryable
    ├── RoomSilent         the room has no speaker yet                             409, retryable
    ├── RateLimited        more than a key or an address may have                  429, retryable
    └── NotReady           warming up, restarting an engine, or draining           503, retryable

Every message is a sentence that says what to do. None carries SDP, transcripts or tokens.
"""

import math
from dataclasses import dataclass
from typing import Annotated

from msgspec import Meta


class RtcServerError(Exception):
    """Root of everything this package raises on purpose."""

    code = "server_error"
    """Stable, machine-readable name; goes into HTTP problem bodies and ``error`` events."""
    retryable = False
    """True if the same call may succeed later without a change by the caller."""


class ConfigError(RtcServerError):
    """An option, environment variable or configuration file is wrong."""

    code = "bad_configuration"


class ModelError(RtcServerError):
    """A model is missing, is not what it should be, or cannot be fetched."""

    code = "model_error"


class EngineError(RtcServerError):
    """An engine could not do what was asked."""

    code = "engine_error"

    def __init__(self, message: str, detail: str = "") -> None:
        super().__init__(message)
        self.detail = detail
        """For the log, not for users: where in the engine it failed."""


class EngineUnavailable(EngineError):
    """The engine is not here: unknown name, missing extra or missing model."""

    code = "engine_unavailable"


class EngineCrashed(EngineError):
    """The engine's process died during the call; a new one is being started."""

    code = "engine_crashed"
    retryable = True


class EngineTimeout(EngineError):
    """The engine hung and its process is being replaced, or the call's turn did not come."""

    code = "engine_timeout"
    retryable = True


class EngineOverloaded(EngineError):
    """The engine's bounded queue is full."""

    code = "engine_overloaded"
    retryable = True


class SessionRefused(EngineError):
    """The session crashed the engine twice; it is not served for a while."""

    code = "session_refused"
    retryable = True

    @classmethod
    def translation(cls, for_s: float) -> "SessionRefused":
        """Return the refusal of a session's speech."""
        return cls(_REFUSED.format("Translation", "speech", math.ceil(for_s / 60)))

    @classmethod
    def voice(cls, for_s: float) -> "SessionRefused":
        """Return the refusal of a session's texts."""
        return cls(_REFUSED.format("The voice", "text", math.ceil(for_s / 60)))


_REFUSED = "{} stopped twice on this session's {}. It is not tried again for {} min."


class RemoteError(RtcServerError):
    """The peer's fault: answered with its code, never logged as a bug of ours."""

    code = "invalid_request"
    status = 400
    """HTTP status when it happens during signaling."""


class BadOffer(RemoteError):
    """The SDP offer cannot be accepted."""

    code = "bad_sdp"


class TooManyTracks(BadOffer):
    """More audio tracks than one speaker or listener may have (RFC 9725 §4.4.2)."""

    code = "too_many_tracks"
    status = 422


class UnsupportedPair(RemoteError):
    """A language, pair, voice or engine that this server does not have."""

    code = "unsupported_language"
    status = 422


class UnknownSession(RemoteError):
    """No session of that id, or it has ended."""

    code = "session_not_found"
    status = 404


class UnknownRoom(RemoteError):
    """Nobody has opened a room of that name, or it has closed."""

    code = "room_not_found"
    status = 404


class RoomTaken(RemoteError):
    """Somebody speaks in the room already, or it is somebody else's."""

    code = "room_taken"
    status = 409


class Unauthorized(RemoteError):
    """The caller showed no key, or a wrong one."""

    code = "invalid_api_key"
    status = 401


class Forbidden(RemoteError):
    """Known or not, this caller, page or origin may not do what it asked."""

    code = "forbidden"
    status = 403


class BodyTimeout(RemoteError):
    """The request's body did not arrive in time."""

    code = "request_timeout"
    status = 408
    retryable = True


class UnsupportedMedia(RemoteError):
    """A body of a media type that is not read here."""

    def __init__(self, *accepted: str) -> None:
        super().__init__(f"Send the body with the Content-Type {' or '.join(accepted)}.")
        self.accepted = accepted

    code = "unsupported_media_type"
    status = 415


class EtagMismatch(RemoteError):
    """The request speaks of an ICE session that is not the current one (RFC 9725 §4.3)."""

    code = "precondition_failed"
    status = 412


class EtagMissing(RemoteError):
    """The request does not say which ICE session it speaks of (RFC 6585 §3)."""

    code = "precondition_required"
    status = 428


class IceRestartRefused(RemoteError):
    """A trickle fragment that asks for an ICE restart, which a PATCH cannot do here."""

    code = "ice_restart_unsupported"
    status = 422


class BadEvent(RemoteError):
    """A client event that cannot be carried out; nothing was changed."""

    code = "invalid_event"
    event_id: str | None = None
    """The client's own id of the event, when it gave one."""


class SlowReader(RemoteError):
    """The peer does not read what it is sent, and something of it was dropped."""

    code = "slow_reader"


class AudioAhead(RemoteError):
    """The peer sends audio faster than it is spoken, so that some of it waits."""

    code = "audio_ahead"


class PayloadTooLarge(RemoteError):
    """A body or message over the documented limit."""

    code = "payload_too_large"
    status = 413


@dataclass(frozen=True, slots=True)
class LineTicket:
    """Ticket of the line before a full server, and its position."""

    ticket: str
    """Secret with which the caller comes back."""
    position: Annotated[int, Meta(ge=1)]
    """1 for the one whose turn is next."""


class AdmissionRefused(RtcServerError):
    """No room for another session now."""

    code = "session_limit_reached"
    status = 503
    """HTTP status when it happens during signaling."""
    retryable = True

    def __init__(
        self, message: str, retry_after_s: int, line_ticket: LineTicket | None = None
    ) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s
        self.line_ticket = line_ticket
        """Ticket of a caller that waits in line."""


class RoomSilent(AdmissionRefused):
    """The room has no speaker yet, so there is nothing to listen to (WHEP: 409)."""

    code = "room_silent"
    status = 409


class RateLimited(AdmissionRefused):
    """More than one key may use, or more wrong keys than one address may try."""

    code = "rate_limit_exceeded"
    status = 429


class NotReady(AdmissionRefused):
    """Warming up, restarting an engine, or draining."""

    code = "not_ready"
