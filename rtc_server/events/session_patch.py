"""The ``session`` object of an update, a call or a client secret, and what it changes."""

from dataclasses import dataclass, replace

from msgspec import UNSET, Struct, UnsetType

from rtc_server.events.fields import Group, HangoverMs, ModeName, ShortText, VadMode


@dataclass(frozen=True, slots=True)
class SessionPatch:
    """Settings that a client named; None leaves a setting as it is."""

    source_language: str | None = None
    """ISO 639-1, region cut off; not yet checked against the engines."""
    target_language: str | None = None
    """The same."""
    transcription: bool | None = None
    """True if input deltas are wanted."""
    x_events: frozenset[str] | None = None
    """Extension groups wanted."""
    vad_mode: str | None = None
    """A `VadMode`."""
    hangover_ms: int | None = None
    """Within the bounds of `HangoverMs`."""
    voice: str | None = None
    """A voice of the synthesis engine; not yet checked."""
    engine: str | None = None
    """A translation engine by name; not yet checked."""
    mode: str | None = None
    """One of `MODES`: when speech is translated."""

    def over(self, below: "SessionPatch") -> "SessionPatch":
        """Return both, with this one winning where both name a setting."""
        named = {k: v for k in self.__slots__ if (v := getattr(self, k)) is not None}
        return replace(below, **named)


class RequestedTranscription(Struct, frozen=True):
    """Transcription of the source: null wants none of it."""

    model: ShortText | None = None
    """Any name; chooses nothing."""
    language: ShortText | None = None
    """Source language."""


class RequestedNoiseReduction(Struct, frozen=True):
    """Accepted, and not applied."""

    type: ShortText | None = None


class RequestedInput(Struct, frozen=True):
    """Audio from the client."""

    transcription: RequestedTranscription | UnsetType | None = UNSET
    noise_reduction: RequestedNoiseReduction | None = None


class RequestedOutput(Struct, frozen=True):
    """Audio to the client."""

    language: ShortText | None = None
    """Target language."""


class RequestedAudio(Struct, frozen=True):
    """Audio both ways."""

    output: RequestedOutput | None = None
    input: RequestedInput | None = None


class RequestedVad(Struct, frozen=True):
    """Detection of pauses."""

    mode: VadMode | None = None
    hangover_ms: HangoverMs | None = None
    """Silence that ends a segment."""


class RequestedSettings(Struct, frozen=True):
    """Settings of a session; null and absent leave a setting as it is."""

    vad: RequestedVad | None = None
    mode: ModeName | None = None
    source_language: ShortText | None = None
    target_language: ShortText | None = None
    x_events: list[Group] | None = None
    voice: ShortText | None = None
    engine: ShortText | None = None

    def patch(self) -> SessionPatch:
        """Return what is named."""
        vad = self.vad or RequestedVad()
        return SessionPatch(
            source_language=_language(self.source_language),
            target_language=_language(self.target_language),
            x_events=None if self.x_events is None else frozenset(self.x_events),
            vad_mode=vad.mode,
            hangover_ms=None if vad.hangover_ms is None else round(vad.hangover_ms),
            voice=self.voice,
            engine=self.engine,
            mode=self.mode,
        )


class RequestedSession(Struct, frozen=True):
    """The ``session`` object; changes the settings that it names, and unknown keys are ignored."""

    audio: RequestedAudio | None = None
    x_events: list[Group] | None = None
    x: RequestedSettings | None = None

    def patch(self) -> SessionPatch:
        """Return what is named; ``x`` wins."""
        audio = self.audio or RequestedAudio()
        output, source = audio.output or RequestedOutput(), audio.input or RequestedInput()
        spoken = source.transcription or RequestedTranscription()
        named = SessionPatch(
            source_language=_language(spoken.language),
            target_language=_language(output.language),
            transcription=None if source.transcription is UNSET else bool(source.transcription),
            x_events=None if self.x_events is None else frozenset(self.x_events),
        )
        return self.x.patch().over(named) if self.x else named


def language_code(text: str) -> str:
    """Return ``pt-BR`` and ``PT`` as ``pt``."""
    return text.strip().replace("_", "-").split("-")[0].lower()


def _language(text: str | None) -> str | None:
    return None if text is None else language_code(text)
