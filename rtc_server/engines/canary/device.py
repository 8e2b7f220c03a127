"""Choice of device and precision for a model, and errors of a GPU that cannot serve."""

import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch

from rtc_server.engines.canary.translator import OutOfMemory
from rtc_server.engines.nvidia import NvidiaDriver, find_driver, why_unusable
from rtc_server.errors import EngineUnavailable


def choose_device(wanted: str, driver: Callable[[], NvidiaDriver | None] = find_driver) -> str:
    """Return ``cuda`` or ``cpu``; `wanted` may also be ``auto``.

    A GPU that PyTorch for CUDA cannot use is an error with ``auto``, too: PyTorch only says that
    there is none, and the model would take seconds for a phrase on the CPU.

    Raises:
        EngineUnavailable: CUDA is wanted and not to be had.
    """
    if wanted == "cpu":
        return "cpu"
    if torch.cuda.is_available():
        return "cuda"
    if torch.version.cuda and (found := driver()):
        raise EngineUnavailable(why_unusable(found, torch.version.cuda))
    if wanted != "cuda":
        return "cpu"
    reason = (
        "PyTorch was installed without it. Install its CUDA build"
        if torch.version.cuda is None
        else "PyTorch sees no GPU. Check `nvidia-smi`, and that the container may use the GPU"
    )
    raise EngineUnavailable(f"There is no CUDA here: {reason}, or choose --device cpu.")


def choose_dtype(device: str) -> Any:
    """Return bfloat16 where the GPU computes in it, else float32."""
    native = device == "cuda" and torch.cuda.is_bf16_supported(including_emulation=False)
    return torch.bfloat16 if native else torch.float32


def no_room() -> EngineUnavailable:
    """Return the error for a GPU whose free memory does not hold the model."""
    free, total = (size / 2**30 for size in torch.cuda.mem_get_info())
    return EngineUnavailable(
        f"The model does not fit the GPU: {free:.1f} of {total:.1f} GB are free. Stop other "
        "programs that use it (`nvidia-smi` lists them), or choose --device cpu."
    )


@contextmanager
def on_device(give_back: Callable[[], None]) -> Iterator[None]:
    """Run what computes; `give_back` frees what can be made again.

    Raises:
        OutOfMemory: the device, or main memory, has no room; smaller batches may fit.
        SystemExit: the device, or a library beneath PyTorch, failed for good. No call of this
            process can succeed after that: it ends, and the engine host starts another.
    """
    try:
        yield
    except torch.AcceleratorError as exc:
        raise SystemExit(f"The GPU failed: {str(exc).splitlines()[0]}") from exc
    except (MemoryError, RuntimeError) as exc:
        if "could not create a primitive" in str(exc):  # without memory once, oneDNN stays so
            raise SystemExit(f"A library failed: {exc}") from exc
        if not _means_full(exc):
            raise
        traceback.clear_frames(exc.__traceback__)  # they hold what was computed so far
        give_back()
        torch.cuda.empty_cache()
        raise OutOfMemory from None


def _means_full(exc: Exception) -> bool:
    """Return whether memory ran out. Of main memory PyTorch says so in words only."""
    if isinstance(exc, MemoryError | torch.OutOfMemoryError):
        return True
    return any(words in str(exc) for words in ("can't allocate memory", "bad_alloc"))
