"""Segmenter: a stream of audio in, segments of speech out. Pure: fed audio, asks no clock."""

from collections.abc import Generator

from rtc_server.audio.endpointer import Endpointer
from rtc_server.audio.vad import Vad
from rtc_server.interpreter.release import NO_TAIL, Release, Tail
from rtc_server.interpreter.segment_tape import SegmentTape
from rtc_server.interpreter.segmenter_settings import SegmenterSettings
from rtc_server.interpreter.segments import (
    EndCause,
    HangoverPassed,
    SegmenterEvent,
    SpeechEnded,
    SpeechPaused,
    SpeechStarted,
    VadMode,
)
from rtc_server.pcm import SPEECH_RATE, Pcm, Samples, ms_to_samples

TAIL_SAMPLES = ms_to_samples(150, SPEECH_RATE)
"""Silence that stays behind the last speech of a segment: recognizers want some, not more."""

SIMULTANEOUS_TAIL_SAMPLES = ms_to_samples(80, SPEECH_RATE)
"""The same of speech that is translated while it goes on, where a pause of 120 ms is a place to
cut. The end of sound is known to 8 ms, and the silence behind it in windows of 32 ms."""

SIMULTANEOUS_LONGEST_S = 12.0
"""Longest segment that is translated while it goes on: every pass is over all of it."""
SIMULTANEOUS_CUT_SAMPLES = ms_to_samples(400, SPEECH_RATE)
"""Limit on how far back the cut of such a segment may lie."""


class SpeechSegmenter:
    """Segmenter of one stream: VAD, endpointing and the audio of the open segment.

    In mode ``auto`` the VAD opens and closes segments. In mode ``off`` audio collects since
    `start_input` or the last commit, and `commit_input` closes it; while nobody pressed, only the
    last `max_segment_s` are kept and nothing leaves without a commit. Pressing in mode ``auto``
    opens a segment at once and keeps it open through pauses until the commit.
    """

    def __init__(self, vad: Vad, settings: SegmenterSettings) -> None:
        self.vad = vad
        """The detector of this stream."""
        self._preroll_samples = ms_to_samples(settings.preroll_ms, SPEECH_RATE)
        self._longest_s = settings.max_segment_s
        self.set_longest(simultaneous=False)
        self._endpointer = Endpointer(
            threshold=settings.vad_threshold,
            hangover_samples=ms_to_samples(settings.hangover_ms, SPEECH_RATE),
            min_speech_samples=ms_to_samples(settings.min_speech_ms, SPEECH_RATE),
        )
        self._mode = VadMode.AUTO
        self._tape = SegmentTape(vad.window_samples, self._preroll_samples, self._endpointer)
        self._open_at: int | None = None
        """Start of the open segment; None when none is open."""
        self._held = False
        """Push-to-talk is pressed, or was released and its last word is on the way."""
        self._release: Release | None = None
        """The release that still waits for its last word."""
        self._paused_at = -1
        """End of the speech whose pause was reported last."""
        self._outlasted_at = -1
        """The same of the pause that was longer than the hangover."""
        self._spent = 0
        """Audio before this belongs to earlier segments."""

    def feed(self, pcm: Pcm) -> list[SegmenterEvent]:
        """Take what follows, any length; return the events.

        Raises:
            ValueError: `pcm` does not begin where the one before ended.
        """
        windows = self.windows(pcm)
        try:
            window = next(windows)
            while True:
                window = windows.send(self.vad.probability(window))
        except StopIteration as done:
            events: list[SegmenterEvent] = done.value
            return events

    def windows(self, pcm: Pcm) -> Generator[Samples, float, list[SegmenterEvent]]:
        """Do as `feed`, for those who judge windows of many segmenters together: yield each window
        that `vad` would judge, and want its probability sent back.
        """
        tape = self._tape
        tape.append(pcm)
        events: list[SegmenterEvent] = []
        while (samples := tape.next_window()) is not None:
            if self._mode is VadMode.AUTO:
                probability = yield samples
            else:
                probability = 1.0 if tape.is_audible else 0.0
            window = tape.judge(probability)
            self._endpointer.step(window)
            events += self._decide(window.end_samples)
        self._forget()
        return events

    def open_segment(self, since: int = 0) -> Samples | None:
        """Return a copy of the audio of the open segment so far; None between segments.

        Args:
            since: position to begin at, if that is later than the segment's beginning.
        """
        if self._open_at is None:
            return None
        return self._tape.read(max(self._open_at, since))

    def release(self, before: int) -> None:
        """Let the open segment begin at that position: what lies before it is dealt with."""
        if self._open_at is not None and before > self._open_at:
            self._spent = self._open_at = min(before, self._tape.cursor)

    def quietest(self, start: int, end: int) -> int:
        """Return the best position for a cut between two positions; `end` when nothing is known."""
        return self._tape.quietest(start, end)

    def set_longest(self, *, simultaneous: bool) -> None:
        """Change the longest length, and the silence that counts as a pause; a segment that is
        longer already is cut at a dip."""
        longest_s = self._longest_s
        if simultaneous:
            longest_s = min(longest_s, SIMULTANEOUS_LONGEST_S)
        self._max_samples = round(longest_s * SPEECH_RATE)
        self._tail_samples = SIMULTANEOUS_TAIL_SAMPLES if simultaneous else TAIL_SAMPLES
        # Words of a simultaneous segment may be committed up to a moment ago: a cut before them
        # would have them said twice.
        self._cut_samples = SIMULTANEOUS_CUT_SAMPLES if simultaneous else self._max_samples // 2

    def set_mode(self, mode: VadMode) -> list[SegmenterEvent]:
        """Change the mode. A segment that is open ends here."""
        if mode == self._mode:
            return []
        events = self._close(EndCause.COMMIT)
        self._mode = mode
        self.vad.reset()
        return events

    def set_hangover_ms(self, hangover_ms: int) -> None:
        """Change the silence that ends a segment; counts for the pause going on, too."""
        self._endpointer.hangover_samples = ms_to_samples(hangover_ms, SPEECH_RATE)

    def extend_hangover(self, hangover_ms: int) -> None:
        """Extend the hangover for the present pause alone; 0 takes that back."""
        self._endpointer.extended_hangover_samples = ms_to_samples(hangover_ms, SPEECH_RATE)

    def start_input(self, *, anew: bool = False) -> list[SegmenterEvent]:
        """Begin push-to-talk. A segment that is open goes on.

        Args:
            anew: what is said from now on is a segment of its own, which begins when the release
                before has its last word. Else the press takes such a release back.
        """
        events: list[SegmenterEvent] = []
        if self._release is not None:
            if self._open_at is None:
                events = self.finish_input()
            elif anew:
                self._release.is_followed = True
                return []
        self._held, self._release = True, None
        if self._open_at is not None:
            return events
        return events + self._open(self._tape.end - self._preroll_samples, self._tape.end)

    def commit_input(self, tail: Tail = NO_TAIL) -> list[SegmenterEvent]:
        """Release push-to-talk: the audio until now, and its tail, is a segment. Without speech:
        nothing.
        """
        events = self.finish_input()
        if not tail.most_ms or (self._open_at is None and self._mode is VadMode.AUTO):
            return events + self._commit(self._tape.end)
        self._release = Release(self._tape.end, tail)
        return events

    def finish_input(self) -> list[SegmenterEvent]:
        """End a released segment without the rest of its tail: no more audio comes."""
        return [] if self._release is None else self._commit(self._tape.end)

    def flush(self) -> list[SegmenterEvent]:
        """End the stream: what is being said is a segment."""
        return self._close(EndCause.FLUSH)

    def interrupt(self) -> list[SegmenterEvent]:
        """Break the stream; another follows. What was being said is a segment."""
        events = self._close(EndCause.FLUSH)
        self.vad.reset()
        return events

    def _decide(self, now: int) -> list[SegmenterEvent]:
        """Open, close or cut, after one more window."""
        speech, release = self._endpointer, self._release
        if release is not None and release.is_due(now, is_pause=self._is_pause(now)):
            return self._commit(now)
        if self._open_at is None:
            if self._mode is VadMode.AUTO and speech.in_speech:
                onset = speech.onset_samples or 0
                return self._open(onset - self._preroll_samples, now)
            return []
        if not (self._held or speech.in_speech or self._mode is VadMode.OFF):
            return self._close(EndCause.SILENCE, now)
        if now + self.vad.window_samples > self._open_at + self._max_samples:
            return self._cut(now)
        return self._pause(now)

    def _pause(self, now: int) -> list[SegmenterEvent]:
        """Report a pause once, as soon as all that the segment would hold has come."""
        assert self._open_at is not None
        by_button = self._held or self._mode is VadMode.OFF
        if by_button and self._release is None:
            return []
        if not self._is_silent(now, self._tail_samples):
            return []
        speech_end = self._endpointer.speech_end_samples
        if speech_end == self._paused_at:
            return self._outlast(now)
        self._paused_at = speech_end
        end = max(self._endpointer.voice_end_samples, speech_end + self._tail_samples)
        segment = self._tape.segment(self._open_at, end, speech_end, EndCause.SILENCE)
        return [SpeechPaused(segment)] if segment else []

    def _outlast(self, now: int) -> list[SegmenterEvent]:
        """Report once that a pause is as long as the hangover, and ends nothing yet."""
        if self._outlasted_at == self._paused_at or not self._endpointer.is_extended(now):
            return []
        self._outlasted_at = self._paused_at
        return [HangoverPassed()]

    def _is_silent(self, now: int, samples: int) -> bool:
        """Return whether so much silence, or more, has come behind the last speech."""
        speech = self._endpointer
        return speech.voice_end_samples < now and speech.speech_end_samples + samples <= now

    def _is_pause(self, now: int) -> bool:
        """Return whether something was said, and then nothing for as long as ends a release."""
        start = self._spent if self._open_at is None else self._open_at
        # In every mode: between two syllables there may be more than the tail of simultaneous ones.
        return (
            self._is_silent(now, TAIL_SAMPLES) and self._tape.first_voiced(start, now) is not None
        )

    def _open(self, start: int, now: int) -> list[SegmenterEvent]:
        self._open_at = max(start, self._spent, self._tape.start)
        return [SpeechStarted(self._open_at, now)]

    def _cut(self, now: int) -> list[SegmenterEvent]:
        """End the segment at a dip near its end, and go on from exactly there."""
        assert self._open_at is not None
        cut = self._tape.dip_since(now - self._cut_samples)
        ended = SpeechEnded(self._tape.segment(self._open_at, cut, cut, EndCause.CUT), now)
        self._spent = cut
        return [ended, *self._open(cut, now)]

    def _commit(self, now: int) -> list[SegmenterEvent]:
        """End what push-to-talk began, and begin what another press wants behind it."""
        is_followed = self._release is not None and self._release.is_followed
        events: list[SegmenterEvent] = []
        if self._open_at is None and self._mode is VadMode.OFF:
            if self._tape.first_voiced(self._spent, now):
                events = self._open(self._spent, now)
            else:
                self._spent = now
        events += self._close(EndCause.COMMIT, now)
        if is_followed:
            self._held = True
            events += self._open(self._spent, now)
        return events

    def _close(self, cause: EndCause, now: int | None = None) -> list[SegmenterEvent]:
        """End the open segment, and reset the endpointer."""
        now = self._tape.end if now is None else now
        start, self._open_at = self._open_at, None
        self._held, self._release = False, None
        speech_end = self._endpointer.speech_end_samples
        voice_end = self._endpointer.voice_end_samples
        self._endpointer.reset()
        if start is None:
            return []
        # Audio that ended before its window was full has not been judged: it stays in.
        end = min(now, max(voice_end, speech_end + self._tail_samples))
        segment = self._tape.segment(start, end, min(speech_end, end), cause)
        self._spent = end if segment else now
        return [SpeechEnded(segment, now)]

    def _forget(self) -> None:
        """Keep what the open segment, the next one's pre-roll or a commit may still want."""
        if self._open_at is not None:
            needed = self._open_at
        elif self._mode is VadMode.OFF:
            needed = max(self._spent, self._tape.end - self._max_samples)
        else:
            onset = self._endpointer.onset_samples
            heard = self._tape.cursor if onset is None else onset
            needed = max(self._spent, heard - self._preroll_samples)
        self._tape.forget(needed)
