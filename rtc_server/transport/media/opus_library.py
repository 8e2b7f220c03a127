"""Loader of libopus: the system's library, else the copy inside PyAV's wheel."""

import ctypes
import functools
import importlib.util
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rtc_server.errors import ConfigError, RtcServerError

_SYSTEM_NAMES = ("libopus.so.0", "libopus.0.dylib", "opus.dll")


class OpusError(RtcServerError):
    """libopus refused a call: a corrupt packet, or an argument out of range."""

    code = "opus_error"

    def __init__(self, message: str, status: int) -> None:
        super().__init__(f"libopus: {message} ({status})")
        self.status = status
        """Negative error code of libopus, for example -4 for a corrupt packet."""


def library_paths() -> Iterator[str]:
    """Yield the paths at which libopus may be, in order of preference."""
    yield from _SYSTEM_NAMES
    spec = importlib.util.find_spec("av")
    if spec is not None and spec.origin is not None:
        package = Path(spec.origin).parent
        for folder in (package.parent / "av.libs", package / ".dylibs"):
            yield from sorted(str(path) for path in folder.glob("libopus*"))


def load(path: str) -> ctypes.PyDLL:
    """Return libopus at `path`, with its signatures declared.

    PyDLL keeps the GIL during a call. A call lasts microseconds, and to get a released GIL back the
    media loop might wait for a whole switch interval (5 ms).

    Raises:
        OSError: there is no such library.
        AttributeError: it lacks a function that we call.
    """
    library = ctypes.PyDLL(path)
    pointer, integer = ctypes.c_void_p, ctypes.c_int
    signatures: dict[str, tuple[Any, ...]] = {
        "opus_get_version_string": (ctypes.c_char_p,),
        "opus_strerror": (ctypes.c_char_p, integer),
        "opus_decoder_create": (pointer, integer, integer, pointer),
        "opus_decoder_destroy": (None, pointer),
        "opus_decode_float": (
            integer,
            *(pointer, ctypes.c_char_p, integer, pointer, integer, integer),
        ),
        "opus_encoder_create": (pointer, integer, integer, integer, pointer),
        "opus_encoder_destroy": (None, pointer),
        "opus_encode_float": (integer, pointer, pointer, integer, pointer, integer),
        # Variadic in C: only the fixed arguments may be declared.
        "opus_encoder_ctl": (integer, pointer, integer),
    }
    for name, (result, *arguments) in signatures.items():
        function = getattr(library, name)
        function.restype, function.argtypes = result, arguments
    return library


@functools.cache
def libopus() -> ctypes.PyDLL:
    """Return the library of this process.

    Raises:
        ConfigError: there is none.
    """
    for path in library_paths():
        try:
            return load(path)
        except (OSError, AttributeError):
            continue
    raise ConfigError("libopus was not found. Install it (Debian: apt-get install libopus0).")


def raise_error(library: ctypes.PyDLL, status: int) -> None:
    """Raise `OpusError` for a negative status."""
    raise OpusError(library.opus_strerror(status).decode(), status)
