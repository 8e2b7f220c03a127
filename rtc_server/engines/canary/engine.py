"""Factories: ``--ast canary`` (through NeMo) and ``--ast canary-hf`` (through transformers).

PyTorch and what stands on it are imported when one of them is called, in the engine's process.
"""

from rtc_server.engines.base import Ast, EngineOptions
from rtc_server.engines.canary.translator import CanaryAst
from rtc_server.engines.extras import install_command
from rtc_server.errors import EngineUnavailable

WEIGHTS = "weights CC-BY-4.0 (name NVIDIA where you use them)"


def create(options: EngineOptions) -> Ast:
    """Canary as NVIDIA publishes it, from a ``.nemo`` file.

    Raises:
        EngineUnavailable: the extra, the model or the GPU is missing, or the file is no Canary.
    """
    try:
        from rtc_server.engines.canary.nemo_writer import NemoWriter  # noqa: PLC0415
    except ImportError as exc:
        raise _missing("canary", exc) from exc
    writer = NemoWriter.load(options.canary_model, options.device, options.models_dir)
    return CanaryAst(writer, "canary", f"{WEIGHTS}; NeMo Apache-2.0")


def create_hf(options: EngineOptions) -> Ast:
    """Canary as converted for transformers, from a folder.

    Raises:
        EngineUnavailable: the extra, the model or the GPU is missing, or it is no Canary.
    """
    try:
        from rtc_server.engines.canary.hf_writer import HfWriter  # noqa: PLC0415
    except ImportError as exc:
        raise _missing("canary-hf", exc) from exc
    writer = HfWriter.load(options.canary_model, options.device, options.models_dir)
    return CanaryAst(writer, "canary-hf", f"{WEIGHTS}; transformers Apache-2.0")


def _missing(extra: str, exc: ImportError) -> EngineUnavailable:
    return EngineUnavailable(
        f"Engine {extra} needs {exc.name}, which cannot be imported here. "
        f"Run: {install_command(extra)}"
    )
