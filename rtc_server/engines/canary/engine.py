"""Factories: ``--ast canary`` (through NeMo), ``canary-hf`` (transformers), ``canary-onnx``.

PyTorch and what stands on it are imported when one of the first two is called, in the engine's
process; the third does without.
"""

from importlib.util import find_spec

from rtc_server.engines.base import Ast, EngineOptions
from rtc_server.engines.canary.translator import CanaryAst
from rtc_server.engines.extras import install_command
from rtc_server.engines.onnx_session import thread_count
from rtc_server.errors import EngineUnavailable

WEIGHTS = "weights CC-BY-4.0 (name NVIDIA where you use them)"


def create(options: EngineOptions) -> Ast:
    """Return Canary as NVIDIA publishes it, from a ``.nemo`` file.

    Raises:
        EngineUnavailable: the extra, the model or the GPU is missing, or the file is no Canary.
    """
    if find_spec("nemo") is None:  # imported last: see `nemo_writer`
        raise _missing("canary", ImportError(name="nemo"))
    try:
        from rtc_server.engines.canary.nemo_writer import NemoWriter  # noqa: PLC0415

        writer = NemoWriter.load(
            options.canary_model, options.device, options.models_dir, options.canary_heads
        )
    except ImportError as exc:
        raise _missing("canary", exc) from exc
    return CanaryAst(writer, "canary", f"{WEIGHTS}; NeMo Apache-2.0")


def create_hf(options: EngineOptions) -> Ast:
    """Return Canary as converted for transformers, from a folder.

    Raises:
        EngineUnavailable: the extra, the model or the GPU is missing, or it is no Canary.
    """
    try:
        from rtc_server.engines.canary.hf_writer import HfWriter  # noqa: PLC0415
    except ImportError as exc:
        raise _missing("canary-hf", exc) from exc
    writer = HfWriter.load(options.canary_model, options.device, options.models_dir)
    return CanaryAst(writer, "canary-hf", f"{WEIGHTS}; transformers Apache-2.0")


def create_onnx(options: EngineOptions) -> Ast:
    """Return Canary on ONNX Runtime, without PyTorch, from a folder.

    Raises:
        EngineUnavailable: the extra or the model is missing, or it is no Canary.
    """
    for package in ("onnxruntime", "onnx"):
        if find_spec(package) is None:
            raise _missing("canary-onnx", ImportError(name=package))
    from rtc_server.engines.canary.onnx_writer import OnnxWriter  # noqa: PLC0415

    threads = thread_count(options.threads)
    writer = OnnxWriter.load(options.canary_model, threads, options.models_dir)
    return CanaryAst(writer, "canary-onnx", f"{WEIGHTS}; ONNX Runtime MIT")


def _missing(extra: str, exc: ImportError) -> EngineUnavailable:
    return EngineUnavailable(
        f"Engine {extra} needs {exc.name}, which cannot be imported here. "
        f"Run: {install_command(extra)}"
    )
