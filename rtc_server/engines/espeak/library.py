"""libespeak-ng through ctypes, as the ``espeakng-loader`` wheel carries it.

The library has one global state: one `Library` per process, one synthesis at a time. ctypes gives
the GIL up while it works. Constants and structures are those of ``espeak-ng/speak_lib.h`` 1.52.
"""

import ctypes
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from rtc_server.engines.extras import install_command
from rtc_server.errors import EngineError, EngineUnavailable

CHUNK_MS = 60
"""Length of a chunk; the library takes nothing shorter."""

_AUDIO_OUTPUT_SYNCHRONOUS = 2
_INITIALIZE_DONT_EXIT = 0x8000  # else a missing data folder ends the process
_POS_CHARACTER = 1
_CHARS_UTF8 = 1
_PARAMETER_RATE = 1
_ABORT, _GO_ON = 1, 0

_Callback = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p
)


class Library:
    """The loaded library."""

    def __init__(self) -> None:
        """Load it. Raises `EngineUnavailable`: the wheel is missing, or its data cannot be read."""
        try:
            import espeakng_loader  # noqa: PLC0415 (only the engine's process may need it)
        except ImportError:
            raise EngineUnavailable(
                "It needs espeakng-loader. Run: " + install_command(only="espeakng-loader")
            ) from None
        data = Path(espeakng_loader.get_data_path())
        self._lib = ctypes.CDLL(espeakng_loader.get_library_path())
        self._lib.espeak_Synth.argtypes = [
            ctypes.c_char_p, ctypes.c_size_t, ctypes.c_uint, ctypes.c_int,
            ctypes.c_uint, ctypes.c_uint, ctypes.c_void_p, ctypes.c_void_p,
        ]  # fmt: skip
        self._lib.espeak_Info.restype = ctypes.c_char_p
        self.sample_rate: int = self._lib.espeak_Initialize(
            _AUDIO_OUTPUT_SYNCHRONOUS, CHUNK_MS, str(data.parent).encode(), _INITIALIZE_DONT_EXIT
        )
        if self.sample_rate <= 0:
            raise EngineUnavailable(f"eSpeak NG cannot read its data in {data}.")
        self.version: str = self._lib.espeak_Info(None).decode()
        self._callback = _Callback(self._on_audio)  # kept: C holds no reference to it
        self._sink: Callable[[npt.NDArray[np.int16]], bool] = lambda _: False

    def speak(
        self, text: str, voice: str, words_per_minute: int, sink: Callable[..., bool]
    ) -> None:
        """Speak clean text. Blocks.

        `sink` gets int16 chunks, shape (n,), and says whether to go on. It must not raise: an
        exception cannot pass through C.

        Raises:
            EngineError: there is no such voice, or the library refuses.
        """
        if self._lib.espeak_SetVoiceByName(voice.encode()) != 0:
            raise EngineError(f"eSpeak NG has no voice named {voice}.")
        self._lib.espeak_SetParameter(_PARAMETER_RATE, words_per_minute, 0)
        raw = text.encode() + b"\0"
        self._sink = sink
        # Each time: the library has one state in a process, and another user may have set its own.
        self._lib.espeak_SetSynthCallback(self._callback)
        status = self._lib.espeak_Synth(
            raw, len(raw), 0, _POS_CHARACTER, 0, _CHARS_UTF8, None, None
        )
        if status != 0:
            raise EngineError(f"eSpeak NG could not speak (status {status}).")

    def _on_audio(self, samples: Any, count: int, _events: Any) -> int:
        if not samples or count <= 0:
            return _GO_ON
        chunk = np.ctypeslib.as_array(samples, (count,)).copy()  # C reuses the buffer
        return _GO_ON if self._sink(chunk) else _ABORT
