"""Synthesis by the best engine that is installed for each language: ``--tts auto``, logged at
start.

Silero where its model was fetched and its extra is installed, else Piper where there is a voice,
else eSpeak NG. All three live in this one engine process; what they make is brought to one rate.
"""

from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from typing import cast

from rtc_server.engines.base import EngineOptions, Tts, TtsCapabilities, TtsRequest
from rtc_server.engines.espeak import engine as espeak
from rtc_server.engines.piper import engine as piper
from rtc_server.engines.silero import engine as silero
from rtc_server.errors import EngineUnavailable
from rtc_server.pcm import PLAYOUT_RATE, Samples
from rtc_server.resample import resampled

Factory = Callable[[EngineOptions], Tts]

FACTORIES: tuple[tuple[str, Factory], ...] = (
    ("Silero", silero.create),
    ("Piper", piper.create),
    ("eSpeak NG", espeak.create),
)
"""Names and factories, the best first."""


def create(options: EngineOptions) -> "BestTts":
    """Load the engine. The registry names this function.

    Raises:
        EngineUnavailable: not even eSpeak NG is here.
    """
    return BestTts(FACTORIES, options)


class BestTts:
    """Several engines as one."""

    def __init__(self, factories: tuple[tuple[str, Factory], ...], options: EngineOptions) -> None:
        """Load those that can be loaded, in this order.

        Raises:
            EngineUnavailable: none can.
        """
        engines: dict[str, Tts] = {}
        absent: dict[str, str] = {}
        for name, factory in factories:
            try:
                engines[name] = factory(options)
            except EngineUnavailable as exc:
                absent[name] = str(exc)
        if not engines:
            raise EngineUnavailable(" ".join(absent.values()))
        self._engines = tuple(engines.values())
        self._speaks: dict[str, Tts] = {}
        for engine in self._engines:
            for language in engine.capabilities.voices:
                self._speaks.setdefault(language, engine)
        self._capabilities = _capabilities(engines, absent, self._speaks)

    @property
    def capabilities(self) -> TtsCapabilities:
        """Capabilities of all together; the notes name each language's engine, and those that are
        absent.
        """
        return self._capabilities

    def warm_up(self) -> None:
        """Warm up all."""
        for engine in self._engines:
            engine.warm_up()

    def synthesize(self, request: TtsRequest) -> Iterator[Samples]:
        """Yield the speech of the language's engine, at `PLAYOUT_RATE`."""
        engine = self._speaks[request.language]
        speech = cast(Generator[Samples, None, None], engine.synthesize(request))
        with closing(speech):
            yield from resampled(speech, engine.capabilities.sample_rate, PLAYOUT_RATE)

    def close(self) -> None:
        """Close all."""
        for engine in self._engines:
            engine.close()


def _capabilities(
    engines: dict[str, Tts], absent: dict[str, str], speaks: dict[str, Tts]
) -> TtsCapabilities:
    used = {
        name: [language for language, speaker in speaks.items() if speaker is engine]
        for name, engine in engines.items()
    }
    shares = [f"{name}: {', '.join(languages)}" for name, languages in used.items() if languages]
    capabilities = [engine.capabilities for engine in engines.values()]
    return TtsCapabilities(
        name="auto",
        title="; ".join(shares),
        licence="; ".join(f"{each.title}: {each.licence}" for each in capabilities),
        voices={language: tts.capabilities.voices[language] for language, tts in speaks.items()},
        sample_rate=PLAYOUT_RATE,
        deadline_s=max(each.deadline_s for each in capabilities),
        notes=(
            *(f"{name} is not used. {reason}" for name, reason in absent.items()),
            *(note for each in capabilities for note in each.notes),
        ),
    )
