"""Delays of one segment, from the last voiced sample to the first translated one, step by step."""

from dataclasses import dataclass


@dataclass(slots=True)
class Delays:
    """Times of one segment, or one clause, on the server's clock, in seconds; None until known."""

    speech_end_s: float
    """Arrival of its last voiced sample; for a clause, of its last word's audio."""
    closed_s: float
    """Time at which its end was known; for a clause, at which it was committed."""
    speech_start_s: float
    """Arrival of its first sample; for a clause, of its first word's audio."""
    translated_s: float | None = None
    """Arrival of the translation."""
    asked_s: float | None = None
    """Time at which its text was given to the synthesis."""
    synthesized_s: float | None = None
    """Arrival of the first sample of speech."""
    first_audio_s: float | None = None
    """Time at which its first frame was sent."""

    @property
    def endpoint_ms(self) -> float:
        """Time from the last voiced sample until the end was known."""
        return (self.closed_s - self.speech_end_s) * 1000

    @property
    def ast_ms(self) -> float | None:
        """Time from the close to the translation, including the wait in queues."""
        return _ms(self.closed_s, self.translated_s)

    @property
    def tts_ms(self) -> float | None:
        """Time from the text to its first sample."""
        return _ms(self.asked_s, self.synthesized_s)

    @property
    def first_audio_ms(self) -> float | None:
        """Time from the last voiced sample to the first translated frame sent."""
        return _ms(self.speech_end_s, self.first_audio_s)

    @property
    def ear_voice_ms(self) -> float | None:
        """Ear-voice span: time from the first sample to the first translated frame sent."""
        return _ms(self.speech_start_s, self.first_audio_s)


def _ms(since_s: float | None, until_s: float | None) -> float | None:
    return None if since_s is None or until_s is None else (until_s - since_s) * 1000
