"""Server events about the session itself, and the session as they show it."""

from msgspec import Struct

from rtc_server.events.base_event import BaseEvent
from rtc_server.events.fields import (
    GroupInForce,
    Language,
    ModeInForce,
    SessionId,
    SessionType,
    VadModeInForce,
)


class TranscriptionInfo(Struct, frozen=True):
    """``session.audio.input.transcription`` as it is in force."""

    model: str
    language: Language
    """The source language."""


class AudioInputInfo(Struct, frozen=True):
    """``session.audio.input`` as it is in force."""

    transcription: TranscriptionInfo | None
    """Null when no input deltas are sent."""
    noise_reduction: None = None
    """Always null: nothing here reduces noise, whatever was asked for."""


class AudioOutputInfo(Struct, frozen=True):
    """``session.audio.output``."""

    language: Language
    """The target language."""


class Audio(Struct, frozen=True):
    """``session.audio``."""

    input: AudioInputInfo
    output: AudioOutputInfo


class VadSettings(Struct, frozen=True):
    """``session.x.vad``."""

    mode: VadModeInForce
    """"auto" or "off"."""
    hangover_ms: int
    """Silence that ends a segment."""


class SessionExtension(Struct, frozen=True):
    """``session.x``: what is really at work."""

    source_language: Language
    target_language: Language
    voice: str | None
    vad: VadSettings
    mode: ModeInForce
    """Mode of translation: "fast", "balanced", "accurate" or "consecutive"."""
    ast: str
    """Title of the translation engine."""
    tts: str
    """Title of the synthesis engine."""
    events: tuple[GroupInForce, ...]
    """Extension groups this client receives."""


class SessionInfo(Struct, frozen=True):
    """The ``session`` object."""

    id: SessionId
    model: str
    """The model name the call asked for, or the AST engine's name."""
    expires_at: int
    """Unix seconds; a session without an end of its own is renewed before it, by an update."""
    audio: Audio
    x: SessionExtension
    type: SessionType = "translation"


class SessionCreated(BaseEvent, frozen=True, tag="session.created"):
    """The first event of every session."""

    session: SessionInfo


class SessionUpdated(BaseEvent, frozen=True, tag="session.updated"):
    """Settings as they are now in force."""

    session: SessionInfo


class SessionClosed(BaseEvent, frozen=True, tag="session.closed"):
    """The last event of every session."""
