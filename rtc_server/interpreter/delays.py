"""Where the time goes between the last voiced sample and the first translated one."""

from dataclasses import dataclass


@dataclass(slots=True)
class Delays:
    """Times of one segment on the server's clock, in seconds; None until it came to that."""

    speech_end_s: float
    """When its last voiced sample arrived; of a clause, the audio that its last word rests on."""
    closed_s: float
    """When it was known to be over; of a clause, when it was committed."""
    speech_start_s: float
    """When its first sample arrived; of a clause, the audio that its first word rests on."""
    translated_s: float | None = None
    """When the translation came back."""
    asked_s: float | None = None
    """When its text was given to the synthesis."""
    synthesized_s: float | None = None
    """When the first sample of speech came back."""
    heard_s: float | None = None
    """When its first frame was handed to the wire."""

    @property
    def endpoint_ms(self) -> float:
        """Last voiced sample to the segment's end being known."""
        return (self.closed_s - self.speech_end_s) * 1000

    @property
    def ast_ms(self) -> float | None:
        """Submitted to translated, waiting included."""
        return _ms(self.closed_s, self.translated_s)

    @property
    def tts_ms(self) -> float | None:
        """Text to its first sample."""
        return _ms(self.asked_s, self.synthesized_s)

    @property
    def first_audio_ms(self) -> float | None:
        """Last voiced sample to the first translated frame going out."""
        return _ms(self.speech_end_s, self.heard_s)

    @property
    def ear_voice_ms(self) -> float | None:
        """First sample to the first translated frame going out: how far the voice is behind."""
        return _ms(self.speech_start_s, self.heard_s)


def _ms(since_s: float | None, until_s: float | None) -> float | None:
    return None if since_s is None or until_s is None else (until_s - since_s) * 1000
