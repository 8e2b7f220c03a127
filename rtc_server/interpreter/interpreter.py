"""Interpreter of one speaker's stream: audio in, segments to captions and translated speech.

It asks for hypotheses of what its `AudioInput` reports, and submits closed segments at once. Two
tasks wait for the answers in the order the segments were spoken: one turns translations into
captions, one turns captions into speech (`SpeechOutput`). They are joined by bounded queues:

=============  ==  ======================================================
translations    8  refuse: the segment fails in its caption and is counted
speech         16  wait: translation holds back until speech catches up;
                   of a segment that goes on, leave out the clause
playout       30s  drop the oldest segment or clause that waits, counted
=============  ==  ======================================================

In the mode ``consecutive`` a segment is translated when it is over. In the others its hypotheses
are translations, too: what a commit policy trusts of them goes to captions and voice at once, and
the segment ends where all is committed (`SimultaneousText`). One that goes on asks nothing while
an earlier one waits for its last words, so that everything keeps its order.

Captions may be revised until they are committed; what was given to the synthesis never is.
"""

import asyncio
from collections.abc import Callable

from rtc_server.audio.playout import Playout
from rtc_server.clock import Clock
from rtc_server.config import InterpreterSettings
from rtc_server.engines.base import AstResult, AstStatus, Texts
from rtc_server.errors import EngineError
from rtc_server.events.server import ServerEvent, VadEvent
from rtc_server.interpreter.audio_input import AudioInput
from rtc_server.interpreter.captions import Direction, SegmentCaptions
from rtc_server.interpreter.conclusion import Conclusions, answered
from rtc_server.interpreter.delays import Delays
from rtc_server.interpreter.echo import OwnVoiceNotice
from rtc_server.interpreter.modes import CONSECUTIVE_BACKLOG, PRESETS, Mode, Preset, possible
from rtc_server.interpreter.passes import Passes
from rtc_server.interpreter.ports import AstPort, TtsPort
from rtc_server.interpreter.publisher import Publisher
from rtc_server.interpreter.segments import (
    Segment,
    SegmenterEvent,
    SpeechPaused,
    SpeechStarted,
)
from rtc_server.interpreter.simultaneous import PassPacing, SimultaneousText
from rtc_server.interpreter.speech_output import SpeechOutput
from rtc_server.interpreter.unfinished import extend_unfinished
from rtc_server.interpreter.utterance import OpenSegment, Utterance
from rtc_server.interpreter.watchdog import Fault
from rtc_server.interpreter.window import Cut
from rtc_server.metrics import Metrics
from rtc_server.pcm import SPEECH_RATE, Samples, ms_to_samples, samples_to_ms

FRESH_MS = 1000
"""Limit on how far back a fresh stretch of audio may begin when a translation has lost its way."""


class Interpreter:
    """One direction of one session. All calls come on the event loop; none blocks."""

    def __init__(
        self,
        *,
        session_id: str,
        direction: Direction,
        ast: AstPort,
        tts: TtsPort,
        audio: AudioInput,
        playout: Playout,
        emit: Callable[[ServerEvent], None],
        settings: InterpreterSettings,
        metrics: Metrics,
        clock: Clock,
        make_pacing: Callable[[Preset], PassPacing] = PassPacing,
    ) -> None:
        """`make_pacing`: of passes over speech that goes on; a room's languages share theirs."""
        self.audio = audio
        """Input of its audio; reports to it from now on."""
        audio.connect(self)
        self._direction = direction
        self._session_id = session_id
        self._ast, self._tts = ast, tts
        self._emit, self._metrics, self._clock = emit, metrics, clock
        self._speech_output = SpeechOutput(
            session_id=session_id,
            tts=tts,
            playout=playout,
            emit=emit,
            metrics=metrics,
            clock=clock,
        )
        self._publisher = Publisher(self._speech_output, emit, metrics, clock)
        self._conclusions = Conclusions(self._speech_output, self._publisher, emit, metrics, clock)
        self._passes = Passes(ast, session_id, clock, self._take_pass, self._note_pass)
        self._own_voice_notice = OwnVoiceNotice(emit, clock)
        self._settings = settings
        self._mode = Mode.CONSECUTIVE
        self._make_pacing = make_pacing
        self._pacing: PassPacing | None = None
        """Intervals of passes over speech that goes on; None in the mode ``consecutive``."""
        self._segments = 0
        self._open: OpenSegment | None = None
        self.set_mode(Mode(settings.mode))

    # ---------------------------------------------------------------- from the transport

    @property
    def direction(self) -> Direction:
        """Direction of segments that begin from now on."""
        return self._direction

    @direction.setter
    def direction(self, direction: Direction) -> None:
        self.audio.detect_waiting()
        self._direction = direction

    def say(self, source_text: str, target_text: str) -> None:
        """Speak a phrase whose translation is known, after what was said before it.

        It is a segment like any other, and refused like one when too many wait.
        """
        self.audio.detect_waiting()
        self._segments += 1
        now, end_ms = self._clock(), _ms(self.audio.position_samples)
        captions = SegmentCaptions(f"seg_{self._segments}", self.direction, end_ms)
        delays, generation = Delays(now, now, now), self._speech_output.generation
        utterance = Utterance(captions, end_ms, delays, generation)
        utterance.answer = answered(AstResult(AstStatus.OK, source_text, target_text))
        try:
            self._conclusions.check_room()
        except EngineError as error:
            self._conclusions.fail(utterance, error)
        else:
            self._conclusions.add(utterance)

    def next_frame(self) -> Samples | None:
        """Return the next 20 ms to play: float32, (960,), 48 kHz; None in silence."""
        frame = self._speech_output.next_frame()
        self.audio.played(frame)
        if self._open is not None and self._open.is_live and not self._conclusions.pending:
            self._speak(self._open)
        return frame

    def arrived(self, until_s: float) -> None:
        """Note that what was played up to then, on the server's clock, has reached the client."""
        self._speech_output.arrived(until_s)

    def take_back(self) -> None:
        """Play again, first of all, what was played and has not reached the client."""
        self._speech_output.take_back()

    def clear(self) -> None:
        """Stop speaking now: what was said until now stays unspoken, captions stay."""
        self.audio.detect_waiting()
        self._speech_output.clear()
        if self._open is not None and self._open.is_live:
            utterance, text = self._open.live()
            utterance.silence(self._speech_output.generation)
            text.silence()

    @property
    def mode(self) -> Mode:
        """Mode of segments that begin from now on."""
        return self._mode

    def set_mode(self, mode: Mode) -> None:
        """Change when speech is translated; an engine that cannot works in ``consecutive``."""
        self.audio.detect_waiting()
        self._mode = possible(mode, self._ast.capabilities)
        preset = PRESETS.get(self._mode)
        self._pacing = self._make_pacing(preset) if preset else None
        rules = preset.backlog if preset else CONSECUTIVE_BACKLOG
        most_ms = self._settings.max_playout_s * 1000
        self._speech_output.catch_up_by(rules, min(rules.drop_ms or most_ms, most_ms))
        self.audio.set_longest(simultaneous=preset is not None)

    @property
    def last_delays(self) -> Delays | None:
        """Delays of the segment played last."""
        return self._speech_output.last_delays

    @property
    def queue_drops(self) -> int:
        """Segments and speech dropped from bounded queues so far."""
        return self._conclusions.refused + self._speech_output.drops

    @property
    def queue_ms(self) -> float:
        """Translated speech that waits to be played."""
        return self._speech_output.queue_ms

    @property
    def queue_depth(self) -> int:
        """Number of segments that were said and not yet played to their end."""
        return self._speech_output.queue_depth

    async def drained(self) -> None:
        """Wait until everything said so far was played, dropped or has failed."""
        await self._speech_output.drained()

    async def computed(self) -> None:
        """Wait until everything said so far is translated and synthesized, played or not."""
        await self._conclusions.join()
        await self._speech_output.computed()

    async def run(self) -> None:
        """Translate and speak until cancelled."""
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._conclusions.run(), name="translate")
                tasks.create_task(self._speech_output.run(), name="speak")
        finally:
            self._ast.forget(self._session_id)
            self._tts.forget(self._session_id)

    # ---------------------------------------------------------------- from the audio input

    @property
    def wants_new_segment(self) -> bool:
        """See `AudioObserver.wants_new_segment`: a segment has one direction."""
        opened = self._open
        return opened is not None and opened.captions.direction != self._direction

    def on_speech(self, event: SegmenterEvent) -> None:
        """See `AudioObserver.on_speech`."""
        if isinstance(event, SpeechStarted):
            self._emit(VadEvent("speech", _ms(event.start_samples)))
            self._begin(event.start_samples)
        elif isinstance(event, SpeechPaused):
            self._speculate(event.segment)
        else:
            self._emit(VadEvent("silence", _ms(event.at_samples)))
            self._end(event.segment, event.at_samples)

    def on_audio(self) -> None:
        """Ask for the text so far, if there is new audio and no question is under way."""
        opened = self._open
        if opened is None or not self._ast.capabilities.partials or opened.answer is not None:
            return
        if opened.is_live and self._conclusions.pending:
            return
        if not self._is_due(opened):
            return
        samples = self.audio.open_segment(opened.start_samples)
        if samples is None or not samples.size:
            return
        if self.audio.is_own_voice(opened.start_samples):
            # Judging is work: not at each frame.
            opened.asked_samples = self.audio.position_samples
            return
        self._passes.ask(opened, samples, self.audio.position_samples)

    def _begin(self, start_samples: int, text: SimultaneousText | None = None) -> None:
        """Open a segment; `text`: what is known of it, when it goes on from another."""
        self._segments += 1
        before, self._open = self._open, None
        direction = before.captions.direction if before and text else self._direction
        captions = SegmentCaptions(f"seg_{self._segments}", direction, _ms(start_samples))
        opened = self._open = OpenSegment(captions, start_samples)
        preset = PRESETS.get(self._mode)
        if text is None and preset is not None:
            engine = self._ast.capabilities
            text = SimultaneousText(preset, engine, direction.target, Texts())
        if text is not None:
            now_s = self._clock()
            delays, generation = Delays(now_s, now_s, now_s), self._speech_output.generation
            utterance = Utterance(captions, captions.start_ms, delays, generation, text=text)
            opened.utterance = utterance

    def _is_due(self, opened: OpenSegment) -> bool:
        now_ms, asked_ms = _ms(self.audio.position_samples), _ms(opened.asked_samples)
        if opened.is_live and self._pacing is not None:
            return self._pacing.is_due(now_ms, asked_ms)
        return now_ms - asked_ms >= self._settings.partial_interval_ms

    def _speculate(self, pause: Segment) -> None:
        opened = self._open
        assert opened is not None, "a pause in a segment that never began"
        opened.drop_questions()
        if not pause.is_own_voice:
            self._passes.speculate(opened, pause, self.audio.position_samples)
            if self._ast.capabilities.punctuates:
                extend_unfinished(opened, self.audio)

    def _note_pass(self, took_ms: float) -> None:
        if self._pacing is not None:
            self._pacing.answered(took_ms)

    def _take_pass(
        self,
        opened: OpenSegment,
        result: AstResult,
        start_samples: int,
        end_samples: int,
        *,
        is_pause: bool,
    ) -> None:
        if opened.is_live:
            self._take_hypothesis(opened, result, start_samples, end_samples, is_pause=is_pause)
        elif result.source_text:
            event = opened.captions.partial(result.source_text, _ms(end_samples), result.open_chars)
            if event is not None:
                self._emit(event)

    # ---------------------------------------------------------------- speech that goes on

    def _take_hypothesis(
        self,
        opened: OpenSegment,
        result: AstResult,
        start_samples: int,
        end_samples: int,
        *,
        is_pause: bool,
    ) -> None:
        if self._conclusions.pending or result.status is not AstStatus.OK:
            return
        _, text = opened.live()
        heard_ms = _ms(end_samples - opened.start_samples)
        offset_ms = _ms(start_samples - opened.start_samples)
        if is_pause:
            text.pause(heard_ms, result)
        now_ms = self._length_ms(opened)
        news = self._publisher.hypothesis(opened, result, heard_ms, offset_ms, now_ms)
        if news.fault is not None and news.is_lost:
            self._begin_afresh(opened, news.fault)
        elif (cut := text.cut(heard_ms)) is not None:
            self._cut(opened, cut)

    def _speak(self, opened: OpenSegment) -> None:
        _, text = opened.live()
        if text.has_waiting:
            self._publisher.speak(opened, self._length_ms(opened))

    def _length_ms(self, opened: OpenSegment) -> int:
        return _ms(self.audio.position_samples - opened.start_samples)

    def _cut(self, opened: OpenSegment, cut: Cut) -> None:
        """End the segment where all is committed, and go on from exactly there."""
        start = opened.start_samples
        from_samples = start + ms_to_samples(cut.from_ms, SPEECH_RATE)
        until_samples = start + ms_to_samples(cut.until_ms, SPEECH_RATE)
        at_samples = self.audio.quietest(from_samples, max(from_samples + 1, until_samples))
        utterance, text = opened.live()
        later = text.split(cut, _ms(at_samples - start))
        committed = text.committed
        result = AstResult(AstStatus.OK, committed.source, committed.target)
        self._go_on(opened, at_samples, later)
        self._conclude(utterance, at_samples, answered(result))

    def _begin_afresh(self, opened: OpenSegment, fault: Fault) -> None:
        """Translate anew, as a whole, what was said: the translation has lost its way, and what
        comes is not to suffer from it.
        """
        self._metrics.mended.labels(fault.value).inc()
        utterance, text = opened.live()
        end = self.audio.position_samples
        earliest = max(opened.start_samples + 1, end - ms_to_samples(FRESH_MS, SPEECH_RATE))
        at_samples = self.audio.quietest(earliest, end)
        heard = self.audio.open_segment(opened.start_samples)
        if heard is None:
            return
        samples = heard[: at_samples - opened.start_samples]
        self._go_on(opened, at_samples, text.fresh())
        try:
            answer = self._passes.anew(opened, samples)
        except EngineError as error:
            self._conclusions.fail(utterance, error)
        else:
            self._conclude(utterance, at_samples, answer)

    def _go_on(self, opened: OpenSegment, at_samples: int, text: SimultaneousText) -> None:
        opened.close()
        self.audio.release(at_samples)
        self._begin(at_samples, text)
        assert self._open is not None
        self._open.asked_samples = opened.asked_samples

    # ---------------------------------------------------------------- the end of a segment

    def _end(self, segment: Segment | None, at_samples: int) -> None:
        opened, self._open = self._open, None
        assert opened is not None, "a segment ended that never began"
        opened.is_closed = True
        if segment is not None and not segment.is_own_voice:
            self._submit(segment, opened)
            return
        opened.drop_questions()
        if segment is not None:
            self._metrics.segments.labels("own_voice").inc()
            self._own_voice_notice.warn()
        nothing = AstResult(AstStatus.NOT_UNDERSTOOD)
        if opened.utterance is not None and (opened.captions.shown or opened.has_committed):
            self._conclude(opened.utterance, at_samples, answered(nothing))
        elif opened.captions.shown:  # what looked like words was none
            end_samples = at_samples if segment is None else segment.end_samples
            self._emit(opened.captions.final(nothing, _ms(end_samples)))

    def _submit(self, segment: Segment, opened: OpenSegment) -> None:
        end_samples, now_s = segment.speech_end_samples, self._clock()
        utterance = opened.utterance or Utterance(
            opened.captions,
            _ms(end_samples),
            Delays(now_s, now_s, now_s),
            self._speech_output.generation,
        )
        try:
            self._conclusions.check_room()
            answer = self._passes.final(opened, segment)
        except EngineError as error:
            opened.drop_questions()
            utterance.end_ms = _ms(end_samples)
            self._conclusions.fail(utterance, error)
            return
        self._conclude(utterance, end_samples, answer)

    def _conclude(
        self, utterance: Utterance, end_samples: int, answer: asyncio.Future[AstResult]
    ) -> None:
        """End a segment; `answer` brings what is not yet known of it."""
        now_s = self._clock()
        behind_s = max((self.audio.position_samples - end_samples) / SPEECH_RATE, 0.0)
        start_s = now_s - (_ms(self.audio.position_samples) - utterance.captions.start_ms) / 1000
        utterance.end_ms = _ms(end_samples)
        utterance.delays = Delays(now_s - behind_s, now_s, start_s)
        utterance.answer = answer
        self._conclusions.add(utterance)


def _ms(samples: int) -> int:
    return round(samples_to_ms(samples, SPEECH_RATE))
