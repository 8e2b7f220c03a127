"""Plain data of sessions as JSON objects, for the control channel."""

from dataclasses import asdict
from typing import Any

import msgspec

from rtc_server import errors
from rtc_server.errors import AdmissionRefused, LineTicket, RateLimited, RtcServerError
from rtc_server.events.client import SessionPatch
from rtc_server.events.segment_events import SegmentEvent, SourceCaption, TargetCaption
from rtc_server.session.event_log import SentEvent
from rtc_server.session.journal import SessionRecord
from rtc_server.session.quota import KeyLimits
from rtc_server.session.session_api import Claimant, Owner, SessionRequest, TranscriptEntry


def claimant_json(claimant: Claimant) -> dict[str, Any]:
    """Return a claimant as JSON."""
    return asdict(claimant)


def claimant_of(body: dict[str, Any]) -> Claimant:
    """Return the claimant of `claimant_json`'s result."""
    return Claimant(
        Owner(**body["owner"]),
        KeyLimits(**body["limits"]),
        body["source"],
        body["has_rivals"],
        body["ticket"],
        body["may_join"],
    )


def patch_json(patch: SessionPatch) -> dict[str, Any]:
    """Return the fields that a patch sets, as JSON."""
    return {
        name: sorted(value) if isinstance(value, frozenset) else value
        for name, value in asdict(patch).items()
        if value is not None
    }


def patch_of(body: dict[str, Any]) -> SessionPatch:
    """Return the patch of `patch_json`'s result."""
    fields = dict(body)
    if "x_events" in fields:
        fields["x_events"] = frozenset(fields["x_events"])
    return SessionPatch(**fields)


def request_json(request: SessionRequest) -> dict[str, Any]:
    """Return a session's request as JSON."""
    return {
        "model": request.model,
        "settings": patch_json(request.settings),
        "claimant": claimant_json(request.claimant),
        "stats": request.stats,
    }


def request_of(body: dict[str, Any]) -> SessionRequest:
    """Return the request of `request_json`'s result."""
    return SessionRequest(
        body["model"], patch_of(body["settings"]), claimant_of(body["claimant"]), body["stats"]
    )


def caption_json(event: SegmentEvent) -> dict[str, Any]:
    """Return a caption as JSON."""
    plain: dict[str, Any] = msgspec.to_builtins(event)
    return plain


def caption_of(body: dict[str, Any]) -> SegmentEvent:
    """Return the caption of `caption_json`'s result."""
    return msgspec.convert(body, SegmentEvent)


def record_of(body: dict[str, Any]) -> SessionRecord:
    """Return the record of `records.Record.json`'s result."""
    return SessionRecord(
        session_id=body["session"],
        request=request_of(body["request"]),
        events=tuple(SentEvent(*event) for event in body["events"]),
        entries=tuple(
            TranscriptEntry(at_s, SourceCaption(**source), TargetCaption(**target))
            for at_s, source, target in body["entries"]
        ),
        unfinished=tuple(map(caption_of, body["unfinished"])),
        number=body["number"],
        seq=body["seq"],
        segments=body["segments"],
        position_samples=body["position_samples"],
        began_s=body["began_s"],
        last_seen_s=body["last_seen_s"],
    )


def refusal_json(error: AdmissionRefused) -> dict[str, Any]:
    """Return a refusal as JSON."""
    return {
        "refused": type(error).__name__,
        "message": str(error),
        "retry_after_s": error.retry_after_s,
        "line_ticket": asdict(error.line_ticket) if error.line_ticket else None,
    }


def refusal_of(body: dict[str, Any]) -> RtcServerError:
    """Return the refusal of `refusal_json`'s result."""
    kind = getattr(errors, body["refused"])
    assert kind in (AdmissionRefused, RateLimited)
    line_ticket = LineTicket(**body["line_ticket"]) if body["line_ticket"] else None
    refusal: RtcServerError = kind(body["message"], body["retry_after_s"], line_ticket)
    return refusal
