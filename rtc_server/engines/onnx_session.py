"""ONNX Runtime sessions as this server wants them: a bounded number of threads, none spinning, and
8-bit weights in the form that this processor is quickest with (`signed_weights`).

ONNX Runtime takes every core by default, and its threads spin for a while after each call. Two
engine processes on one machine would then burn each other's cores and the event loop's. (Variables
such as ``OMP_NUM_THREADS`` do not reach its thread pool.)
"""

import logging
import os
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any, BinaryIO

from rtc_server.engines.signed_weights import has_vnni, with_signed_weights
from rtc_server.errors import EngineUnavailable

_log = logging.getLogger(__name__)


def thread_count(setting: int) -> int:
    """Return `setting`, or for 0 the cores of this process less one, which media needs."""
    if setting:
        return setting
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return max(1, (cores or 1) - 1)


def open_session(
    model: BinaryIO, name: str, threads: int, advice: str, inputs: Collection[str] = ()
) -> Any:
    """Return an ``onnxruntime.InferenceSession`` on the CPU.

    Args:
        model: its file, open for reading at the beginning.
        name: what people know the model by.
        threads: most threads of one call.
        advice: sentence with the next step, for when it cannot be loaded.
        inputs: tensors that it must ask for.

    Raises:
        EngineUnavailable: it is no model that can be loaded.
    """
    import onnxruntime  # noqa: PLC0415 (in the engine's process)

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 3  # errors only: each also raises, with the same text

    def load(file: BinaryIO) -> Any:
        return onnxruntime.InferenceSession(
            _source(file), sess_options=options, providers=["CPUExecutionProvider"]
        )

    try:
        session = _load_signed(model, load) or load(model)
    except Exception as exc:  # onnxruntime's errors share no base
        raise EngineUnavailable(
            f"{name} cannot be loaded ({type(exc).__name__}). {advice}"
        ) from exc
    if not set(inputs) <= {each.name for each in session.get_inputs()}:
        raise EngineUnavailable(f"{name} is not the model it should be. {advice}")
    return session


def _load_signed(model: BinaryIO, load: Callable[[BinaryIO], Any]) -> Any:
    """Return the session of a copy with signed weights, or None: `model` itself is to serve."""
    signed = with_signed_weights(model) if has_vnni() else model
    if signed is model:
        return None
    with signed:
        try:
            return load(signed)
        except Exception as exc:  # a graph that nobody thought of must not keep a model from use
            _log.warning("A model's weights stay unsigned: its copy cannot be loaded (%s).", exc)
            return None


def _source(model: BinaryIO) -> str | bytes:
    """Return a path to the open file by its descriptor, or its content where there are none.

    ONNX Runtime keeps bytes that it is given for as long as the session: Parakeet's encoder takes
    1.4 GB from bytes, 0.7 GB from a path.
    """
    path = Path(f"/dev/fd/{model.fileno()}")
    return str(path) if path.exists() else model.read()
