"""Server events about the session itself, and the session as they show it."""

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class AudioInputInfo:
    """``session.audio.input`` as it is in force."""

    transcription: dict[str, str] | None
    """``{"model", "language"}`` when input deltas are sent, else null."""
    noise_reduction: None = None
    """Always null: nothing here reduces noise, whatever was asked for."""


@dataclass(frozen=True, slots=True)
class AudioOutputInfo:
    """``session.audio.output``."""

    language: str
    """The target language."""


@dataclass(frozen=True, slots=True)
class Audio:
    """``session.audio``."""

    input: AudioInputInfo
    output: AudioOutputInfo


@dataclass(frozen=True, slots=True)
class VadSettings:
    """``session.x.vad``."""

    mode: str
    """"auto" or "off"."""
    hangover_ms: int
    """Silence that ends a segment."""


@dataclass(frozen=True, slots=True)
class SessionExtension:
    """``session.x``: what is really at work."""

    source_language: str
    target_language: str
    voice: str | None
    vad: VadSettings
    mode: str
    """Mode of translation: "fast", "balanced", "accurate" or "consecutive"."""
    ast: str
    """Title of the translation engine."""
    tts: str
    """Title of the synthesis engine."""
    events: tuple[str, ...]
    """Extension groups this client receives."""


@dataclass(frozen=True, slots=True)
class SessionInfo:
    """The ``session`` object."""

    id: str
    model: str
    """The model name the call asked for, or the AST engine's name."""
    expires_at: int
    """Unix seconds; a session without an end of its own is renewed before it, by an update."""
    audio: Audio
    x: SessionExtension
    type: str = "translation"


@dataclass(frozen=True, slots=True)
class SessionCreated:
    """The first event of every session."""

    type: ClassVar[str] = "session.created"
    group: ClassVar[str | None] = None
    session: SessionInfo


@dataclass(frozen=True, slots=True)
class SessionUpdated:
    """Settings as they are now in force."""

    type: ClassVar[str] = "session.updated"
    group: ClassVar[str | None] = None
    session: SessionInfo


@dataclass(frozen=True, slots=True)
class SessionClosed:
    """The last event of every session."""

    type: ClassVar[str] = "session.closed"
    group: ClassVar[str | None] = None
