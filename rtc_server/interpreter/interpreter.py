"""Interpreter of one speaker's stream: audio in, segments to captions and translated speech.

Its parts, in the order in which a sentence passes them: the `AudioInput` reports segments;
`SegmentTranslation` requests hypotheses and submits closed segments at once; `Conclusions` awaits
the answers in the order of speaking, and `Publisher` turns them into captions; `SpeechOutput` turns
them into speech. `Conclusions` and `SpeechOutput` have a task each. Bounded queues join them:

=============  ==  ======================================================
translations    8  refuse: the segment fails in its caption and is counted
speech         16  wait: translation holds back until speech catches up;
                   of a segment that goes on, leave out the clause
playout       30s  drop the oldest segment or clause that waits, counted
=============  ==  ======================================================

In the mode ``consecutive`` a segment is translated when it is over. In the others its hypotheses
are translated, too: the words that a commit policy commits go to captions and voice at once, and
the segment is cut where all is committed (`SimultaneousText`). An open segment requests nothing
while an earlier one waits for its last words, so that everything stays in order.

Captions may be revised until they are committed; what was given to the synthesis never is.
"""

import asyncio
from collections.abc import Callable

from rtc_server.audio.playout import Playout
from rtc_server.clock import Clock
from rtc_server.events.server import ServerEvent
from rtc_server.interpreter.audio_input import AudioInput
from rtc_server.interpreter.captions import Direction
from rtc_server.interpreter.conclusion import Conclusions
from rtc_server.interpreter.delays import Delays
from rtc_server.interpreter.interpreter_settings import InterpreterSettings
from rtc_server.interpreter.modes import CONSECUTIVE_BACKLOG, PRESETS, Mode, Preset, possible
from rtc_server.interpreter.ports import AstPort, TtsPort
from rtc_server.interpreter.publisher import Publisher
from rtc_server.interpreter.segment_spans import SegmentSpans
from rtc_server.interpreter.segment_translation import SegmentTranslation
from rtc_server.interpreter.simultaneous import PassPacing
from rtc_server.interpreter.speech_output import SpeechOutput
from rtc_server.metrics import Metrics
from rtc_server.pcm import Samples
from rtc_server.tracing import NO_SPAN, Span


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
        call: Span = NO_SPAN,
    ) -> None:
        """`make_pacing` makes the pacing of passes; the languages of a room share one. `call` is
        the span of the call, below which segments have theirs; the caller ends it.
        """
        self.audio = audio
        """Input of its audio, which reports to it."""
        self._session_id = session_id
        self._ast, self._tts = ast, tts
        self._spans = SegmentSpans(call, clock)
        self._max_playout_s, self._make_pacing = settings.max_playout_s, make_pacing
        self._speech_output = SpeechOutput(
            session_id=session_id,
            tts=tts,
            playout=playout,
            emit=emit,
            metrics=metrics,
            clock=clock,
            spans=self._spans,
        )
        publisher = Publisher(self._speech_output, emit, metrics, clock, self._spans)
        self._conclusions = Conclusions(self._speech_output, publisher, emit, metrics, clock)
        self._translation = SegmentTranslation(
            session_id=session_id,
            direction=direction,
            ast=ast,
            audio=audio,
            publisher=publisher,
            conclusions=self._conclusions,
            emit=emit,
            partial_interval_ms=settings.partial_interval_ms,
            metrics=metrics,
            clock=clock,
            spans=self._spans,
        )
        audio.connect(self._translation)
        self.set_mode(Mode(settings.mode))
        # At once, so that the next admission counts this session.
        ast.expect(session_id)
        tts.expect(session_id)

    # ---------------------------------------------------------------- from the session

    @property
    def direction(self) -> Direction:
        """Direction of segments that begin from now on."""
        return self._translation.direction

    @direction.setter
    def direction(self, direction: Direction) -> None:
        self.audio.detect_waiting()
        self._translation.direction = direction

    def say(self, source_text: str, target_text: str) -> None:
        """Speak a phrase whose translation is known, after what was said before it."""
        self.audio.detect_waiting()
        self._translation.say(source_text, target_text)

    def next_frame(self) -> Samples | None:
        """Return the next 20 ms to play: float32, (960,), 48 kHz; None in silence."""
        frame = self._speech_output.next_frame()
        self.audio.played(frame)
        self._translation.speak()
        return frame

    def arrived(self, until_s: float) -> None:
        """Note that the client has received all frames sent until `until_s` (server's clock)."""
        self._speech_output.arrived(until_s)

    def take_back(self) -> None:
        """Play the frames that have not reached the client again, before all else."""
        self._speech_output.take_back()

    def clear(self) -> None:
        """Stop speaking now, and drop the speech of all that was said until now; captions stay."""
        self.audio.detect_waiting()
        self._speech_output.clear()
        self._translation.silence(self._speech_output.generation)

    @property
    def mode(self) -> Mode:
        """Mode of segments that begin from now on."""
        return self._mode

    def set_mode(self, mode: Mode) -> None:
        """Change the mode; an engine that cannot translate open segments uses ``consecutive``."""
        self.audio.detect_waiting()
        self._mode = possible(mode, self._ast.capabilities)
        preset = PRESETS.get(self._mode)
        self._translation.set_preset(preset, self._make_pacing(preset) if preset else None)
        rules = preset.backlog if preset else CONSECUTIVE_BACKLOG
        most_ms = self._max_playout_s * 1000
        self._speech_output.catch_up_by(rules, min(rules.drop_ms or most_ms, most_ms))
        self.audio.set_longest(simultaneous=preset is not None)

    def go_on(self, position_samples: int, segments: int) -> None:
        """Begin at that position of the audio clock, after that many segments, instead of at 0."""
        self.audio.position_samples = position_samples
        self._translation.number_from(segments)

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
        """Length of the translated speech that waits to be played, in ms."""
        return self._speech_output.queue_ms

    @property
    def queue_depth(self) -> int:
        """Number of segments that were spoken and are not yet played to their end."""
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
            self._spans.close()
