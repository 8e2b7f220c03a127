"""Segmenter: a stream of audio in, segments of speech out. Pure: its clock is the audio."""

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
"""Silence that is kept after the last speech of a segment, because recognizers need some."""

SIMULTANEOUS_TAIL_SAMPLES = ms_to_samples(80, SPEECH_RATE)
"""The same in the simultaneous modes, where a pause of 120 ms is a place for a cut. The end of
sound is known to 8 ms, and the silence after it in windows of 32 ms."""

SIMULTANEOUS_LONGEST_S = 12.0
"""Longest segment in the simultaneous modes, in which each pass includes all of it."""
SIMULTANEOUS_CUT_SAMPLES = ms_to_samples(400, SPEECH_RATE)
"""Limit on how far back the cut of such a segment may be."""


class SpeechSegmenter:
    """Segmenter of one stream: VAD, endpointing and the audio of the open segment.

    In mode ``auto`` the VAD opens and closes segments. In mode ``off`` audio is collected from
    `start_input` or the last commit on, and `commit_input` closes the segment; without a press of
    the button only the last `max_segment_s` are kept, until a commit. `start_input` in mode
    ``auto`` opens a segment at once, and keeps it open through pauses until the commit.
    """

    def __init__(self, vad: Vad, settings: SegmenterSettings) -> None:
        self.vad = vad
        """Detector of this stream."""
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
        """True while push-to-talk is pressed, or waits for its tail after the release."""
        self._release: Release | None = None
        """Release that waits for its tail."""
        self._paused_at = -1
        """End of the speech before the pause that was reported last."""
        self._outlasted_at = -1
        """The same for the last pause that was longer than the hangover."""
        self._spent = 0
        """Position before which audio belongs to earlier segments."""

    def feed(self, pcm: Pcm) -> list[SegmenterEvent]:
        """Take the next audio, of any length; return the events.

        Raises:
            ValueError: `pcm` does not begin where the audio before it ended.
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
        """Do as `feed`, for callers that detect speech of many segmenters together: yield each
        window for `vad`, receive its probability, and return the events.
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
        """Move the start of the open segment to that position, after a cut."""
        if self._open_at is not None and before > self._open_at:
            self._spent = self._open_at = min(before, self._tape.cursor)

    def quietest(self, start: int, end: int) -> int:
        """Return the best position for a cut between two positions; `end` if there is no window."""
        return self._tape.quietest(start, end)

    def set_longest(self, *, simultaneous: bool) -> None:
        """Set the longest length of a segment, and the silence that counts as a pause. A segment
        that is already longer is cut at a quiet moment."""
        longest_s = self._longest_s
        if simultaneous:
            longest_s = min(longest_s, SIMULTANEOUS_LONGEST_S)
        self._max_samples = round(longest_s * SPEECH_RATE)
        self._tail_samples = SIMULTANEOUS_TAIL_SAMPLES if simultaneous else TAIL_SAMPLES
        # In a simultaneous segment the newest words may be committed. A cut before them would put
        # their audio into the next segment, and they would be said twice.
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
        """Set the silence that ends a segment, also for the present pause."""
        self._endpointer.hangover_samples = ms_to_samples(hangover_ms, SPEECH_RATE)

    def extend_hangover(self, hangover_ms: int) -> None:
        """Extend the hangover for the present pause only; 0 ends the extension."""
        self._endpointer.extended_hangover_samples = ms_to_samples(hangover_ms, SPEECH_RATE)

    def start_input(self, *, anew: bool = False) -> list[SegmenterEvent]:
        """Begin push-to-talk. A segment that is open goes on.

        Args:
            anew: while an earlier release waits for its tail: True to begin a new segment after it,
                False to take that release back and continue its segment.
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
        """Release push-to-talk: close the segment now, or after `tail`. Without speech in it there
        is no segment.
        """
        events = self.finish_input()
        if not tail.most_ms or (self._open_at is None and self._mode is VadMode.AUTO):
            return events + self._commit(self._tape.end)
        self._release = Release(self._tape.end, tail)
        return events

    def finish_input(self) -> list[SegmenterEvent]:
        """Close a released segment without waiting for the rest of its tail."""
        return [] if self._release is None else self._commit(self._tape.end)

    def flush(self) -> list[SegmenterEvent]:
        """Close the open segment: the stream has ended."""
        return self._close(EndCause.FLUSH)

    def interrupt(self) -> list[SegmenterEvent]:
        """Close the open segment, and reset the VAD: another stream follows."""
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
        """Report a pause once, as soon as the segment's tail of silence has come."""
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
        """Report once that a pause is as long as the hangover, but has not ended the segment."""
        if self._outlasted_at == self._paused_at or not self._endpointer.is_extended(now):
            return []
        self._outlasted_at = self._paused_at
        return [HangoverPassed()]

    def _is_silent(self, now: int, samples: int) -> bool:
        """Return whether at least so much silence has come after the last speech."""
        speech = self._endpointer
        return speech.voice_end_samples < now and speech.speech_end_samples + samples <= now

    def _is_pause(self, now: int) -> bool:
        """Return whether there was speech, and then the silence that ends a released segment."""
        start = self._spent if self._open_at is None else self._open_at
        # The longer tail in every mode: silence between two syllables may be longer than 80 ms.
        return (
            self._is_silent(now, TAIL_SAMPLES) and self._tape.first_voiced(start, now) is not None
        )

    def _open(self, start: int, now: int) -> list[SegmenterEvent]:
        self._open_at = max(start, self._spent, self._tape.start)
        return [SpeechStarted(self._open_at, now)]

    def _cut(self, now: int) -> list[SegmenterEvent]:
        """End the segment at a quiet moment near its end, and open the next one there."""
        assert self._open_at is not None
        cut = self._tape.dip_since(now - self._cut_samples)
        ended = SpeechEnded(self._tape.segment(self._open_at, cut, cut, EndCause.CUT), now)
        self._spent = cut
        return [ended, *self._open(cut, now)]

    def _commit(self, now: int) -> list[SegmenterEvent]:
        """Close the segment of push-to-talk; open the next one if another press waits for it."""
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
        # The last audio may be less than a window, and not judged: it stays in the segment.
        end = min(now, max(voice_end, speech_end + self._tail_samples))
        segment = self._tape.segment(start, end, min(speech_end, end), cause)
        self._spent = end if segment else now
        return [SpeechEnded(segment, now)]

    def _forget(self) -> None:
        """Drop audio that neither the open segment, the next pre-roll nor a commit needs."""
        if self._open_at is not None:
            needed = self._open_at
        elif self._mode is VadMode.OFF:
            needed = max(self._spent, self._tape.end - self._max_samples)
        else:
            onset = self._endpointer.onset_samples
            heard = self._tape.cursor if onset is None else onset
            needed = max(self._spent, heard - self._preroll_samples)
        self._tape.forget(needed)
