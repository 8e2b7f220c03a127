"""Sentences for callers about a translation or a voice that failed. Pure.

An engine's own messages name engines, processes and signals, and go to the log only.
"""

from rtc_server.errors import (
    EngineCrashed,
    EngineError,
    EngineOverloaded,
    EngineTimeout,
    SessionRefused,
)

_TRANSLATION = {
    EngineCrashed: "The translation stopped and is being restarted. Please say it again.",
    EngineTimeout: "The translation of this took too long. Please say it again.",
    EngineOverloaded: "Too much is being said at once here; this sentence was left out.",
}
_VOICE = {
    EngineCrashed: "The voice stopped and is being restarted; this was not spoken.",
    EngineTimeout: "The voice took too long; this was not spoken.",
    EngineOverloaded: "Too much waits to be spoken; this was not spoken.",
}


def translation_failure(error: EngineError) -> str:
    """Return the sentence that a caller reads when a segment is not translated."""
    usual = "This sentence could not be translated. Please say it again."
    return _sentence(error, _TRANSLATION, usual)


def voice_failure(error: EngineError) -> str:
    """Return the sentence that a caller reads when a translation is not spoken."""
    return _sentence(error, _VOICE, "This could not be spoken.")


def _sentence(error: EngineError, sentences: dict[type[EngineError], str], usual: str) -> str:
    if isinstance(error, SessionRefused):
        return str(error)  # written for callers: it says how long the session must wait
    return sentences.get(type(error), usual)
