"""Calls to engine servers, from the session's request to its answer."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Protocol

from rtc_server.engines.base import AstRequest, TtsRequest
from rtc_server.engines.remote.audio_kept import SentAudio
from rtc_server.engines.remote.messages import (
    Ask,
    AskKind,
    AstAnswer,
    CallFailed,
    FromServer,
    SpeakText,
    SpokenAll,
    SpokenChunk,
)
from rtc_server.engines.remote.rendezvous import affinity
from rtc_server.engines.service.tts import Speech
from rtc_server.errors import (
    EngineCrashed,
    EngineError,
    EngineOverloaded,
    EngineTimeout,
    SessionRefused,
)

_ERRORS: dict[str, type[EngineError]] = {
    each.code: each
    for each in (EngineError, EngineCrashed, EngineTimeout, EngineOverloaded, SessionRefused)
}
MOST_SPEECH_S = 120.0
"""Bound of what one text may leave unread, as `TtsService` has it."""


def error_of(failed: CallFailed) -> EngineError:
    """Return the error that a server's answer stands for."""
    return _ERRORS.get(failed.code, EngineError)(failed.reason or "The engine server failed.")


class PooledCall(Protocol):
    """A call, as the pool moves it between servers."""

    session_id: str
    """Session that asks."""
    error: EngineError | None
    """Error that it ended with."""

    @property
    def is_over(self) -> bool:
        """True once nobody waits for it, or it is answered."""

    @property
    def may_move(self) -> bool:
        """True while another server may be asked instead, at no harm."""

    @property
    def may_wait(self) -> bool:
        """True if it is worth waiting for a server when there is none."""

    def message(self, n: int, audio: SentAudio, wait_ms: int) -> Ask | SpeakText:
        """Return what a server is asked."""

    def take(self, message: FromServer) -> None:
        """Take an answer, or a part of it."""

    def fail(self, error: EngineError) -> None:
        """End it with an error."""

    def give_up(self) -> None:
        """End it without an answer and without an error: its session is over."""


class AstCall:
    """One request for a translation."""

    def __init__(self, kind: AskKind, request: AstRequest, session_id: str) -> None:
        self.kind, self.request, self.session_id = kind, request, session_id
        self.future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        """Future of the answer."""
        self.error: EngineError | None = None
        """Error that it ended with."""
        self.speculative: AstCall | None = None
        """Of a commit: the call that was made before the end was certain."""
        self.number: tuple[object, int] | None = None
        """Connection and number under which it was asked last."""

    @property
    def is_over(self) -> bool:
        """True once it is answered, or nobody waits."""
        return self.future.done()

    @property
    def may_move(self) -> bool:
        """True of whole segments: asking twice harms nobody, and a newer partial comes."""
        return self.kind in (AskKind.FINAL, AskKind.COMMIT)

    @property
    def may_wait(self) -> bool:
        """True of the same."""
        return self.may_move

    def message(self, n: int, audio: SentAudio, wait_ms: int) -> Ask:
        """Return the question, without the audio that the server has."""
        session, samples = self.session_id, self.request.samples
        group = affinity(session)
        kept, new = audio.send(session, group, n, samples)
        of, kind = 0, self.kind
        if kind is AskKind.COMMIT:
            asked = self.speculative.number if self.speculative is not None else None
            if asked is not None and asked[0] is audio:
                of = asked[1]
        if self.may_move and group == session:
            audio.forget(session)  # the segment is over: nothing continues it
        self.number = (audio, n)
        request = replace(self.request, samples=new, trace="")
        return Ask(n, kind, session, request, wait_ms, kept, of, self.request.trace)

    def take(self, message: FromServer) -> None:
        """Take the answer."""
        if self.is_over:
            return
        match message:
            case AstAnswer(_, result):
                if result is None and self.may_move:
                    self.fail(EngineError("The engine server gave no answer to a whole segment."))
                else:
                    self.future.set_result(result)
            case CallFailed():
                self.fail(error_of(message))
            case _:
                self.fail(EngineError("The engine server gave an answer of the wrong kind."))

    def fail(self, error: EngineError) -> None:
        """End it with an error; that of a partial does not matter: the final has its own."""
        if self.is_over:
            return
        self.error = error
        if self.may_move:
            self.future.set_exception(error)
            self.future.exception()  # seen: the session may be gone, which is no fault to log
        else:
            self.future.set_result(None)

    def give_up(self) -> None:
        """Cancel it."""
        self.future.cancel()


class SpeechCall(Speech):
    """One text to speak, and its speech."""

    def __init__(
        self,
        request: TtsRequest,
        session_id: str,
        sample_rate: int,
        ended: Callable[["SpeechCall"], None],
    ) -> None:
        """`ended` is called once, when nothing more is wanted or comes."""
        super().__init__(request, session_id)
        self._most_samples = MOST_SPEECH_S * sample_rate
        self._ended = ended
        self._has_begun = False
        self.error: EngineError | None = None
        """Error that it ended with."""

    @property
    def is_over(self) -> bool:
        """True once it is spoken, or nobody listens."""
        return self.done()

    @property
    def may_move(self) -> bool:
        """True until its first chunk: nothing may be said twice."""
        return not self._has_begun

    @property
    def may_wait(self) -> bool:
        """True: a sentence is worth waiting for."""
        return True

    def message(self, n: int, _audio: SentAudio, wait_ms: int) -> SpeakText:
        """Return the question."""
        request = replace(self.request, trace="")
        return SpeakText(n, self.session_id, request, wait_ms, self.request.trace)

    def take(self, message: FromServer) -> None:
        """Take a chunk, or the end."""
        match message:
            case SpokenChunk(_, samples):
                self._has_begun = True
                if self.put(samples) > self._most_samples:
                    self.finish(
                        EngineError(
                            f"The text makes more than {MOST_SPEECH_S:g} s of speech. Split it."
                        )
                    )
            case SpokenAll():
                self.finish()
            case CallFailed():
                self.finish(error_of(message))
            case _:
                self.finish(EngineError("The engine server gave an answer of the wrong kind."))

    def fail(self, error: EngineError) -> None:
        """End it with an error, after the chunks that came."""
        self.finish(error)

    def give_up(self) -> None:
        """End it without one."""
        self.abandon()

    def finish(self, error: EngineError | None = None) -> None:
        """See `Speech.finish`."""
        was_over = self.done()
        super().finish(error)
        if not was_over:
            self.error = error
            self._ended(self)
