"""Segmentation shared by all languages of a room: speech is detected once for every interpreter."""

from dataclasses import replace
from weakref import WeakSet

from rtc_server.interpreter.release import NO_TAIL, Tail
from rtc_server.interpreter.segments import SegmenterEvent, SpeechEnded, SpeechStarted, VadMode
from rtc_server.interpreter.speech_segmenter import SpeechSegmenter
from rtc_server.pcm import Pcm, Samples


class SharedSegmenter:
    """`SpeechSegmenter` that any number of views share.

    After each call here, the same call on every view returns its events.
    """

    def __init__(self, segmenter: SpeechSegmenter) -> None:
        self._segmenter = segmenter
        self._open: SpeechStarted | None = None
        self._heard: Samples | None = None
        self.events: tuple[SegmenterEvent, ...] = ()
        """Events of the last call."""
        self.before: SpeechStarted | None = None
        """Start of the segment that was open before the last call."""
        self._views: WeakSet[SegmenterView] = WeakSet()

    def feed(self, pcm: Pcm) -> None:
        """Take the next audio."""
        self._note(self._segmenter.feed(pcm))

    def interrupt(self) -> None:
        """End the open segment: the speaker's transport ended, and another may follow."""
        self._note(self._segmenter.interrupt())

    @property
    def is_open(self) -> bool:
        """True from the start of speech to its end."""
        return self._open is not None

    def open_segment(self) -> Samples | None:
        """Return the audio of the open segment so far, the same array at each call until the next
        audio.
        """
        if self._heard is None:
            self._heard = self._segmenter.open_segment()
        return self._heard

    @property
    def open_start(self) -> int:
        """Start of the open segment; 0 between segments."""
        return 0 if self._open is None else self._open.start_samples

    def quietest(self, start: int, end: int) -> int:
        """See `SpeechSegmenter.quietest`."""
        return self._segmenter.quietest(start, end)

    def extend_hangover(self, hangover_ms: int) -> None:
        """See `SpeechSegmenter.extend_hangover`."""
        self._segmenter.extend_hangover(hangover_ms)

    def set_longest(self, *, simultaneous: bool) -> None:
        """See `SpeechSegmenter.set_longest`."""
        self._segmenter.set_longest(simultaneous=simultaneous)

    def release(self) -> None:
        """Release audio that no view needs any more."""
        needed = min((view.needed for view in self._views), default=0)
        if self._open is not None and needed > self._open.start_samples:
            self._segmenter.release(needed)
            self._open, self._heard = replace(self._open, start_samples=needed), None

    def join(self, view: "SegmenterView") -> None:
        """Add a view. The audio that it needs is kept while the view exists."""
        self._views.add(view)

    def _note(self, events: list[SegmenterEvent]) -> None:
        self.before, self._heard, self.events = self._open, None, tuple(events)
        for event in events:
            if isinstance(event, SpeechStarted):
                self._open = event
            elif isinstance(event, SpeechEnded):
                self._open = None


class SegmenterView:
    """Shared segmentation as one interpreter sees it; implements its `SegmenterPort`.

    A view that is made while somebody speaks begins with the sentence being spoken.
    """

    def __init__(self, segmenter: SharedSegmenter) -> None:
        self._segmenter = segmenter
        self._begun = False
        self.needed = 0
        """Audio before this position is dealt with."""
        segmenter.join(self)

    def feed(self, _pcm: Pcm) -> list[SegmenterEvent]:
        """Return the events of the same audio."""
        return self._shared_events()

    def interrupt(self) -> list[SegmenterEvent]:
        """Return the events of the interruption."""
        return self._shared_events()

    def open_segment(self, since: int = 0) -> Samples | None:
        """See `SharedSegmenter.open_segment`; a part of it when the view needs less than others."""
        heard, skipped = self._segmenter.open_segment(), since - self._segmenter.open_start
        return heard if heard is None or skipped <= 0 else heard[skipped:]

    def release(self, before: int) -> None:
        """Release what lies before; audio goes when no view needs it."""
        self.needed = before
        self._segmenter.release()

    def quietest(self, start: int, end: int) -> int:
        """See `SpeechSegmenter.quietest`."""
        return self._segmenter.quietest(start, end)

    def extend_hangover(self, hangover_ms: int) -> None:
        """See `SharedSegmenter.extend_hangover`. All views know the same source, and agree."""
        self._segmenter.extend_hangover(hangover_ms)

    def set_longest(self, *, simultaneous: bool) -> None:
        """Set the longest segment. All views share the server's mode."""
        self._segmenter.set_longest(simultaneous=simultaneous)

    def _shared_events(self) -> list[SegmenterEvent]:
        begun, self._begun = self._begun, True
        missed = () if begun or self._segmenter.before is None else (self._segmenter.before,)
        return [*missed, *self._segmenter.events]

    # A room's speaker speaks hands-free: there is no push-to-talk, and nothing to be set.

    def set_mode(self, _mode: VadMode) -> list[SegmenterEvent]:
        """Do nothing: the mode is always ``auto``."""
        return []

    def set_hangover_ms(self, _hangover_ms: int) -> None:
        """Do nothing: the hangover is always the server's."""

    def start_input(self, *, anew: bool = False) -> list[SegmenterEvent]:
        """Do nothing: there is no push-to-talk."""
        return []

    def commit_input(self, _tail: Tail = NO_TAIL) -> list[SegmenterEvent]:
        """Do nothing: there is no push-to-talk."""
        return []

    def finish_input(self) -> list[SegmenterEvent]:
        """Do nothing: there is no push-to-talk."""
        return []

    def flush(self) -> list[SegmenterEvent]:
        """Do nothing: it is interrupted, never flushed, for a speaker may come back."""
        return []
