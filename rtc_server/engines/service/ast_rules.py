"""Rules of the translation service: requests that an engine can take, and its time for them."""

from collections.abc import Iterable

from rtc_server.engines.base import AstCapabilities, AstRequest, AstResult, AstStatus
from rtc_server.engines.engine_settings import EngineSettings
from rtc_server.engines.hang import CallLimits
from rtc_server.errors import EngineError
from rtc_server.metrics import Metrics
from rtc_server.pcm import SPEECH_RATE

_WORK_PER_AUDIO = 0.05
"""Seconds that a call may take per second of audio, besides `AstCapabilities.deadline_s`."""


def check_request(request: AstRequest, engine: str, capabilities: AstCapabilities) -> None:
    """Raise `EngineError` for a request that the engine cannot serve.

    Args:
        request: request of a session.
        engine: name of the engine, for the message.
        capabilities: capabilities of the engine.

    Raises:
        EngineError: it has no such pair, no results of that kind, or the audio is too long.
    """
    pair = (request.source_language, request.target_language)
    if pair not in capabilities.pairs:
        raise EngineError(f"Engine {engine} does not translate {pair[0]} to {pair[1]}.")
    if request.partial and not capabilities.partials:
        raise EngineError(f"Engine {engine} has no partial results.")
    if request.wants_target and not capabilities.target_partials:
        raise EngineError(f"Engine {engine} does not translate what is still being said.")
    if request.samples.size > capabilities.max_audio_s * SPEECH_RATE:
        raise EngineError(f"Engine {engine} takes segments up to {capabilities.max_audio_s:g} s.")


def batch_limits(
    requests: Iterable[AstRequest], settings: EngineSettings, capabilities: AstCapabilities
) -> CallLimits:
    """Return the time limits of a batch."""
    quiet_s = work_s = settings.ast_deadline_s
    if not quiet_s:
        audio_s = sum(request.samples.size for request in requests) / SPEECH_RATE
        quiet_s = capabilities.deadline_s
        work_s = quiet_s + _WORK_PER_AUDIO * audio_s
    return CallLimits(quiet_s, work_s, settings.engine_patience_s)


def count_not_understood(request: AstRequest, result: AstResult, metrics: Metrics) -> None:
    """Count a final that the engine did not understand."""
    if result.status is AstStatus.NOT_UNDERSTOOD and not request.partial:
        metrics.not_understood.labels(reason=result.reason or "unstated").inc()
