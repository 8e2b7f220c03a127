"""First calls of an engine: timed when it is warm, so that admission knows what this machine needs.

They answer nobody: no metric counts them, and no session. An engine that fails at one is used all
the same, and admission learns from its sessions.
"""

import logging
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from typing import cast

import numpy as np

from rtc_server.clock import Clock
from rtc_server.engines.base import AstCapabilities, AstRequest, TtsCapabilities, TtsRequest
from rtc_server.engines.engine_settings import EngineSettings
from rtc_server.engines.hang import CallLimits
from rtc_server.engines.process import EngineProcess
from rtc_server.engines.service.ast_rules import batch_limits
from rtc_server.engines.service.headroom import Headroom
from rtc_server.errors import EngineError
from rtc_server.pcm import SPEECH_RATE, Samples

SPEECH_S = 3.0
"""Length of the sound that is translated: a sentence of usual length."""
TEXT = "1, 2, 3, 4, 5."
"""Text that is spoken: every voice can say it in its language, and takes some seconds for it."""
_MOST_SPEECH_S = 30.0
"""Most seconds of its speech. Each chunk has its own time limit, so that a voice that never ends
would never be ready."""

MOST_CALLS = 5
"""Most calls that are timed."""
_CALLING_S = 1.0
"""Time after which no further call begins: a slow engine is asked once, and ready soon after."""

_log = logging.getLogger(__name__)


async def time_calls(
    headroom: Headroom, call: Callable[[int], Awaitable[float]], clock: Clock
) -> None:
    """Let an engine's headroom know how long a call takes: the quickest of several.

    At a server's start the other engine is often still loading, and the first call finds cold
    caches. Both make calls longer, never shorter, so the quickest is nearest to what sessions will
    meet. Beside a load of 13 on two cores 12 calls of a small Canary took 0.13 to 0.36 s, the first
    the longest, of which all but 0.05 s was the wait for a core: by the first alone, four sessions
    that arrive at once may be too many.

    Args:
        headroom: headroom of the engine.
        call: function that begins a call, by its number from 0; it returns the seconds of speech.
        clock: clock to time calls by.
    """
    began_s = at_s = clock()
    for number in range(MOST_CALLS):
        try:
            speech_s = await call(number)
        except EngineError as exc:
            _log.info("A first call failed: %s", exc.detail or exc)
            return
        ended_s = clock()
        if not speech_s:  # it had nothing to say
            return
        headroom.assume(speech_s, ended_s - at_s)
        if ended_s - began_s >= _CALLING_S:
            return
        at_s = ended_s


def warn_if_slow(engine: str, headroom: Headroom) -> None:
    """Log that an engine answers later than the goal with one session alone, if it does.

    Its only session is admitted nevertheless: nobody else waits for it.
    """
    if alone_s := headroom.late_alone_s(SPEECH_S):
        _log.warning(
            "%s answers a sentence of %g s in about %.1f s alone, above the goal of %g s "
            "(--engine-answer-s): calls are admitted one at a time, and their answers come late.",
            *(engine, SPEECH_S, alone_s, headroom.limit_s),
        )


def first_sound(size: int, number: int) -> Samples:
    """Return the noise that is translated in the call of this number.

    Each is another: an engine may keep the transcript of audio that it is asked about again, as
    `CascadeAst` does, and would look as if it took no time.
    """
    return (0.01 * np.random.default_rng(number).standard_normal(size)).astype(np.float32)


async def translate_noise(process: EngineProcess, settings: EngineSettings, number: int) -> float:
    """Translate a first sound; return its seconds, 0 for an engine without languages."""
    capabilities = cast(AstCapabilities, process.capabilities)
    if not capabilities.pairs:
        return 0.0
    size = int(min(SPEECH_S, capabilities.max_audio_s) * SPEECH_RATE)
    requests = [AstRequest(first_sound(size, number), *capabilities.pairs[0])]
    await process.translate(requests, batch_limits(requests, settings, capabilities))
    return size / SPEECH_RATE


async def speak_numbers(process: EngineProcess, limits: CallLimits) -> float:
    """Speak a first text; return the seconds of its speech, 0 for an engine without languages.

    Raises:
        EngineError: it failed, or does not come to an end.
    """
    capabilities = cast(TtsCapabilities, process.capabilities)
    language = next(iter(capabilities.voices), None)
    if language is None:
        return 0.0
    speech_s = 0.0
    async with aclosing(process.synthesize(TtsRequest(TEXT, language), limits)) as chunks:
        async for chunk in chunks:
            speech_s += chunk.size / capabilities.sample_rate
            if speech_s > _MOST_SPEECH_S:
                raise EngineError(f"The voice spoke five numbers for {speech_s:.0f} s.")
    return speech_s
