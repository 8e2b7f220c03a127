"""eSpeak NG as a `Tts` engine."""

import threading
from collections.abc import Iterator
from queue import Full, Queue

import numpy as np
import numpy.typing as npt

from rtc_server.engines.base import EngineOptions, TtsCapabilities, TtsRequest
from rtc_server.engines.espeak.espeak_text import clean_text
from rtc_server.engines.espeak.library import Library
from rtc_server.engines.registry import CANARY_LANGUAGES
from rtc_server.errors import EngineError
from rtc_server.pcm import Samples, from_int16

_LIBRARY_VOICE = {"en": "en-us"}
"""Library's names of voices that are not the language's code."""
_VARIANTS = {"male": "", "female": "+Annie"}
"""Our voices, the default first, as what is added to the library's name."""
_WORDS_PER_MINUTE = 175
"""The library's own rate."""
_SLOWEST, _FASTEST = 80, 450
"""Limits of eSpeak, in words a minute."""
_CHUNKS_AHEAD = 8
"""Chunks made before the first is taken: half a second."""


def create(_options: EngineOptions) -> "EspeakTts":
    """Load the engine. The registry names this function."""
    return EspeakTts()


class EspeakTts:
    """Synthesizer of all 25 Canary languages, about a thousand times faster than real time."""

    def __init__(self) -> None:
        """Load the library. Raises `EngineUnavailable`: its wheel is not installed."""
        self._library = Library()
        self._capabilities = TtsCapabilities(
            name="espeak",
            title=f"eSpeak NG {self._library.version.split()[0]}",
            licence="GPL-3.0-or-later (code and voices), in a process of its own",
            voices={language: tuple(_VARIANTS) for language in CANARY_LANGUAGES},
            sample_rate=self._library.sample_rate,
        )

    @property
    def capabilities(self) -> TtsCapabilities:
        """Languages and voices."""
        return self._capabilities

    def warm_up(self) -> None:
        """Read the dictionaries of all languages: the first use of each would take 10 to 50 ms."""
        for language in CANARY_LANGUAGES:
            for _ in self.synthesize(TtsRequest("1", language)):
                pass

    def synthesize(self, request: TtsRequest) -> Iterator[Samples]:
        """Yield chunks of 60 ms while the library goes on speaking in a thread.
        Closing aborts it.
        """
        text = clean_text(request.text, request.language)
        if not text:
            return
        voice = _LIBRARY_VOICE.get(request.language, request.language)
        voice += _VARIANTS[request.voice or "male"]
        rate = round(_WORDS_PER_MINUTE * request.rate)
        speaking = _Speaking(self._library, text, voice, min(max(rate, _SLOWEST), _FASTEST))
        try:
            yield from speaking
        finally:
            speaking.stop()

    def close(self) -> None:
        """Do nothing: nothing outlives the process."""


class _Speaking:
    """One call of the library in its thread: its callback turned into an iterator."""

    def __init__(self, library: Library, text: str, voice: str, words_per_minute: int) -> None:
        self._chunks: Queue[npt.NDArray[np.int16] | None] = Queue(maxsize=_CHUNKS_AHEAD)
        self._stopped = threading.Event()
        self._error: EngineError | None = None
        self._thread = threading.Thread(
            target=self._run, args=(library, text, voice, words_per_minute), name="espeak"
        )
        self._thread.start()

    def __iter__(self) -> Iterator[Samples]:
        while (chunk := self._chunks.get()) is not None:
            yield from_int16(chunk)
        if self._error is not None:
            raise self._error

    def stop(self) -> None:
        """Abort what is still being spoken and wait for the thread."""
        self._stopped.set()
        self._thread.join()

    def _run(self, library: Library, text: str, voice: str, words_per_minute: int) -> None:
        try:
            library.speak(text, voice, words_per_minute, self._put)
        except EngineError as exc:
            self._error = exc
        self._put(None)

    def _put(self, chunk: npt.NDArray[np.int16] | None) -> bool:
        while not self._stopped.is_set():
            try:
                self._chunks.put(chunk, timeout=0.02)
            except Full:
                continue
            return True
        return False
