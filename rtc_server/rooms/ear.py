"""One pair of ears for all languages: speech is found once, and every interpreter is told."""

from rtc_server.interpreter.listener import (
    Listener,
    ListenerEvent,
    ListenMode,
    SpeechEnded,
    SpeechStarted,
)
from rtc_server.pcm import Pcm, Samples


class SharedEar:
    """A `Listener` whose events are read by any number of views.

    Each call is followed by the same call on every view, which then tells what came of it.
    """

    def __init__(self, listener: Listener) -> None:
        self._listener = listener
        self._open: SpeechStarted | None = None
        self._heard: Samples | None = None
        self.events: tuple[ListenerEvent, ...] = ()
        """What the last call brought."""
        self.before: SpeechStarted | None = None
        """The segment that was open before that."""

    def feed(self, pcm: Pcm) -> None:
        """Hear what follows."""
        self._note(self._listener.feed(pcm))

    def interrupt(self) -> None:
        """The speaker's wire ended: what was being said is a segment, and another may follow."""
        self._note(self._listener.interrupt())

    def open_segment(self) -> Samples | None:
        """What was heard so far of the open segment: the same array for everybody who asks."""
        if self._heard is None:
            self._heard = self._listener.open_segment()
        return self._heard

    def _note(self, events: list[ListenerEvent]) -> None:
        self.before, self._heard, self.events = self._open, None, tuple(events)
        for event in events:
            if isinstance(event, SpeechStarted):
                self._open = event
            elif isinstance(event, SpeechEnded):
                self._open = None


class EarView:
    """What one interpreter hears through the shared ear; implements its `ListenerPort`.

    A view that is made while somebody speaks begins with the sentence being spoken.
    """

    def __init__(self, ear: SharedEar) -> None:
        self._ear = ear
        self._begun = False

    def feed(self, _pcm: Pcm) -> list[ListenerEvent]:
        """What the ear made of the same audio."""
        return self._told()

    def interrupt(self) -> list[ListenerEvent]:
        """What the ear made of the interruption."""
        return self._told()

    def open_segment(self) -> Samples | None:
        """See `SharedEar.open_segment`."""
        return self._ear.open_segment()

    def _told(self) -> list[ListenerEvent]:
        begun, self._begun = self._begun, True
        missed = () if begun or self._ear.before is None else (self._ear.before,)
        return [*missed, *self._ear.events]

    # A room's speaker speaks hands-free: there is no push-to-talk, and nothing to be set.

    def set_mode(self, _mode: ListenMode) -> list[ListenerEvent]:
        """Always ``auto``."""
        return []

    def set_hangover_ms(self, _hangover_ms: int) -> None:
        """Always the server's."""

    def start_input(self) -> list[ListenerEvent]:
        """Nothing to press."""
        return []

    def commit_input(self) -> list[ListenerEvent]:
        """Nothing to release."""
        return []

    def flush(self) -> list[ListenerEvent]:
        """The ear is interrupted, never flushed: a speaker may come back."""
        return []
