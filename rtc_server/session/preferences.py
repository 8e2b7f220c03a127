"""Settings that a client chose for its session, and their form in events."""

from rtc_server.events.client import SessionPatch
from rtc_server.events.server import ErrorEvent, InputTranscriptDelta, ServerEvent
from rtc_server.events.session_events import (
    Audio,
    AudioInputInfo,
    AudioOutputInfo,
    SessionExtension,
    SessionInfo,
    TranscriptionInfo,
    VadSettings,
)
from rtc_server.interpreter.captions import Direction
from rtc_server.interpreter.modes import Mode
from rtc_server.session.services import Services


class Preferences:
    """Present settings of a session, except direction and mode, which the interpreter has."""

    def __init__(self, patch: SessionPatch, services: Services, model: str | None) -> None:
        """`model`: name that the client gave; it is returned to it, and has no effect."""
        self._services, self._model = services, model
        self.groups: frozenset[str] = frozenset()
        """Extension groups that the client receives."""
        self.transcribes = False
        """True if the client receives deltas of the source text."""
        self.vad_mode = "auto"
        """Value of `VadMode`: "auto" or "off"."""
        self.hangover_ms = services.segmenter.hangover_ms
        """Silence that ends a segment."""
        self.apply(patch)

    def apply(self, patch: SessionPatch) -> None:
        """Change the settings that the patch names."""
        if patch.x_events is not None:
            self.groups = patch.x_events
        if patch.transcription is not None:
            self.transcribes = patch.transcription
        self.hangover_ms = patch.hangover_ms or self.hangover_ms
        self.vad_mode = patch.vad_mode or self.vad_mode

    def wants(self, event: ServerEvent) -> bool:
        """Return whether this client receives such events."""
        if isinstance(event, InputTranscriptDelta):
            return self.transcribes
        if isinstance(event, ErrorEvent) and event.error.type == "server_error":
            return "segment" not in self.groups  # otherwise the segment's caption has the error
        return event.group is None or event.group in self.groups

    def info(
        self, session_id: str, direction: Direction, mode: Mode, expires_at: int
    ) -> SessionInfo:
        """Return the session as the client sees it; `mode` is the mode that is in use."""
        ast, tts = self._services.ast.capabilities, self._services.tts.capabilities
        transcription = TranscriptionInfo(ast.name, direction.source)
        return SessionInfo(
            id=session_id,
            model=self._model or ast.name,
            expires_at=expires_at,
            audio=Audio(
                AudioInputInfo(transcription if self.transcribes else None),
                AudioOutputInfo(direction.target),
            ),
            x=SessionExtension(
                source_language=direction.source,
                target_language=direction.target,
                voice=direction.voice,
                vad=VadSettings(self.vad_mode, self.hangover_ms),
                mode=mode.value,
                ast=ast.title,
                tts=tts.title,
                events=tuple(sorted(self.groups)),
            ),
        )
