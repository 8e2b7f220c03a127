"""Where a model lies on this machine. Nothing is ever downloaded from here."""

import tarfile
from pathlib import Path

from huggingface_hub import try_to_load_from_cache

from rtc_server.errors import EngineUnavailable

PARTS = frozenset({"model_config.yaml", "model_weights.ckpt"})
"""What every ``.nemo`` archive holds."""


def find(model: str, file: str) -> Path:
    """`file` of a model that was fetched before, or `model` itself if that is a path.

    Args:
        model: a path, or a Hugging Face name such as ``nvidia/canary-1b-v2``.
        file: what to look for under that name.

    Raises:
        EngineUnavailable: it is not here.
    """
    path = Path(model).expanduser()
    if path.exists():
        return path
    if path.is_absolute() or model.count("/") != 1 or path.suffix == ".nemo":
        raise EngineUnavailable(
            f"There is no model at {model}. Give the path of one, or a name such as "
            "nvidia/canary-1b-v2, with --canary-model."
        )
    cached = try_to_load_from_cache(model, file)
    if isinstance(cached, str):
        return Path(cached)
    raise EngineUnavailable(
        f"Model {model} is not on this machine. Fetch it with `rtc-server models fetch "
        f"{path.name}` (`rtc-server models list` tells how large it is), or give the path of one "
        "with --canary-model."
    )


def check_archive(path: Path) -> None:
    """Refuse what is no whole ``.nemo`` archive, before NeMo spends minutes on it.

    Raises:
        EngineUnavailable: says what to do.
    """
    try:
        with tarfile.open(path) as archive:
            names = {Path(member.name).name for member in archive}
    except (tarfile.TarError, EOFError, OSError) as exc:
        raise EngineUnavailable(
            f"{path} is no whole .nemo file. If its download was cut short, `rtc-server models fetch` "
            "goes on where it stopped; else give another with --canary-model."
        ) from exc
    if not names >= PARTS:
        raise not_canary(path)


def not_canary(path: Path) -> EngineUnavailable:
    """The error for a file or folder that holds some other model."""
    return EngineUnavailable(
        f"{path} holds no Canary that this server can ask (it needs the canary2 prompt format). "
        "Give one such as nvidia/canary-1b-v2 with --canary-model."
    )
