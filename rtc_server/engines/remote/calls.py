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
"""Seconds of speech that one text may leave unread; the same bound as in `TtsService`."""


def error_of(failed: CallFailed) -> EngineError:
    """Return the exception for a server's `CallFailed`."""
    return _ERRORS.get(failed.code, EngineError)(failed.reason or "The engine server failed.")


class PooledCall(Protocol):
    """A call, as the pool moves it between servers."""

    session_id: str
    """Session that made the call."""
    error: EngineError | None
    """Error of a call that failed."""

    @property
    def is_over(self) -> bool:
        """True once it is answered, or nothing waits for its answer."""

    @property
    def may_move(self) -> bool:
        """True while it may safely be sent to another server."""

    @property
    def may_wait(self) -> bool:
        """True if it waits while no server is connected; else it fails at once."""

    def message(self, n: int, audio: SentAudio, wait_ms: int) -> Ask | SpeakText:
        """Return the message to send to a server, as call `n`."""

    def take(self, message: FromServer) -> None:
        """Take an answer or a part of it."""

    def fail(self, error: EngineError) -> None:
        """End the call with an error."""

    def give_up(self) -> None:
        """End the call without answer or error: its session is over."""


class AstCall:
    """One request for a translation."""

    def __init__(self, kind: AskKind, request: AstRequest, session_id: str) -> None:
        self.kind, self.request, self.session_id = kind, request, session_id
        self.future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        """Future of the answer."""
        self.error: EngineError | None = None
        """Error of a call that failed."""
        self.speculative: AstCall | None = None
        """Speculative call that a commit continues."""
        self.number: tuple[object, int] | None = None
        """Connection on which it was sent last, and its number there."""

    @property
    def is_over(self) -> bool:
        """True once it is answered or cancelled."""
        return self.future.done()

    @property
    def may_move(self) -> bool:
        """True for whole segments. A partial is not worth moving: a newer one follows."""
        return self.kind in (AskKind.FINAL, AskKind.COMMIT)

    @property
    def may_wait(self) -> bool:
        """True for whole segments."""
        return self.may_move

    def message(self, n: int, audio: SentAudio, wait_ms: int) -> Ask:
        """Return the request as call `n`, without the audio that the server has."""
        session, samples = self.session_id, self.request.samples
        group = affinity(session)
        kept, new = audio.send(session, group, n, samples)
        of, kind = 0, self.kind
        if kind is AskKind.COMMIT:
            asked = self.speculative.number if self.speculative is not None else None
            if asked is not None and asked[0] is audio:
                of = asked[1]
        if self.may_move and group == session:
            audio.forget(session)  # the segment is over
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
        """End the call with an error. A partial gives None instead: the final has its own error."""
        if self.is_over:
            return
        self.error = error
        if self.may_move:
            self.future.set_exception(error)
            self.future.exception()  # retrieved, so that asyncio logs nothing
        else:
            self.future.set_result(None)

    def give_up(self) -> None:
        """Cancel the future."""
        self.future.cancel()


class SpeechCall(Speech):
    """One text, and its speech as it comes from a server."""

    def __init__(
        self,
        request: TtsRequest,
        session_id: str,
        sample_rate: int,
        ended: Callable[["SpeechCall"], None],
    ) -> None:
        """Call `ended` once, when the speech is complete, failed or abandoned."""
        super().__init__(request, session_id)
        self._most_samples = MOST_SPEECH_S * sample_rate
        self._ended = ended
        self._has_begun = False
        self.error: EngineError | None = None
        """Error of a call that failed."""

    @property
    def is_over(self) -> bool:
        """True once it is complete, failed or abandoned."""
        return self.done()

    @property
    def may_move(self) -> bool:
        """True until its first chunk: nothing may be spoken twice."""
        return not self._has_begun

    @property
    def may_wait(self) -> bool:
        """True: speech waits for a server."""
        return True

    def message(self, n: int, _audio: SentAudio, wait_ms: int) -> SpeakText:
        """Return the text as call `n`."""
        request = replace(self.request, trace="")
        return SpeakText(n, self.session_id, request, wait_ms, self.request.trace)

    def take(self, message: FromServer) -> None:
        """Take a chunk, the end or a failure."""
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
        """End the speech with an error, after the chunks that have arrived."""
        self.finish(error)

    def give_up(self) -> None:
        """Abandon the speech without an error."""
        self.abandon()

    def finish(self, error: EngineError | None = None) -> None:
        """See `Speech.finish`."""
        was_over = self.done()
        super().finish(error)
        if not was_over:
            self.error = error
            self._ended(self)
