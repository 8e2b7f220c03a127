"""Delays between the last voiced sample and the first translated one, part by part."""

from dataclasses import dataclass


@dataclass(slots=True)
class Delays:
    """Times of one segment on the server's clock, in seconds; None until it came to that."""

    speech_end_s: float
    """Arrival of its last voiced sample; of a clause, of the audio that its last word rests on."""
    closed_s: float
    """Time at which it was known to be over; of a clause, at which it was committed."""
    speech_start_s: float
    """Arrival of its first sample; of a clause, of the audio that its first word rests on."""
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
        """Time from the last voiced sample to the segment's end being known."""
        return (self.closed_s - self.speech_end_s) * 1000

    @property
    def ast_ms(self) -> float | None:
        """Time from submission to translation, waiting included."""
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
