"""Settings of one session: changes by its client, applied to the interpreter and the events."""

from rtc_server.events.client import SessionPatch
from rtc_server.events.session_events import SessionInfo
from rtc_server.interpreter.interpreter import Interpreter
from rtc_server.interpreter.modes import Mode
from rtc_server.interpreter.segments import VadMode
from rtc_server.session.journal import SessionJournal
from rtc_server.session.preferences import Preferences
from rtc_server.session.quota import Lease
from rtc_server.session.services import Services


class SessionSettings:
    """Settings of one session: those of its interpreter, and the preferences of its client."""

    def __init__(
        self,
        session_id: str,
        preferences: Preferences,
        interpreter: Interpreter,
        services: Services,
        lease: Lease,
        *,
        journal: SessionJournal,
    ) -> None:
        self._session_id, self._lease = session_id, lease
        self._preferences, self._interpreter = preferences, interpreter
        self._services, self._journal = services, journal

    def begin(self, patch: SessionPatch) -> None:
        """Apply the first settings to the new interpreter."""
        self._set_vad()
        self._set_mode(patch)

    def change(self, patch: SessionPatch) -> None:
        """Change what `patch` names. If it raises `UnsupportedPair`, nothing is changed."""
        direction = self._services.direction(patch, self._interpreter.direction)
        self._interpreter.direction = direction
        self._preferences.apply(patch)
        self._journal.changed(patch)
        self._set_vad()
        self._set_mode(patch)

    @property
    def wants_metrics(self) -> bool:
        """True if the client wants ``x.metrics``."""
        return "metrics" in self._preferences.groups

    @property
    def waits_for_pauses(self) -> bool:
        """True if only a pause ends a segment: VAD, and not a simultaneous mode."""
        by_pause = self._preferences.vad_mode == VadMode.AUTO
        return by_pause and self._interpreter.mode is Mode.CONSECUTIVE

    def info(self) -> SessionInfo:
        """Return the session as the client sees it."""
        interpreter = self._interpreter
        return self._preferences.info(
            self._session_id, interpreter.direction, interpreter.mode, self._lease.expires_at
        )

    def _set_vad(self) -> None:
        mode = VadMode(self._preferences.vad_mode)
        self._interpreter.audio.set_vad(mode, self._preferences.hangover_ms)

    def _set_mode(self, patch: SessionPatch) -> None:
        if patch.mode is not None:
            self._interpreter.set_mode(Mode(patch.mode))
