"""Where a model lies on this machine. Nothing is ever downloaded from here."""

import tarfile
from pathlib import Path

from huggingface_hub import try_to_load_from_cache

from rtc_server import catalog
from rtc_server.errors import EngineUnavailable, ModelError

PARTS = frozenset({"model_config.yaml", "model_weights.ckpt"})
"""What every ``.nemo`` archive holds."""


def find(model: str, file: str, models_dir: Path) -> Path:
    """`file` of a model that was fetched before, or `model` itself if that is a path.

    Args:
        model: a path, the id of a model of the catalogue, or a Hugging Face name such as
            ``nvidia/canary-1b-v2``.
        file: what to look for under such a name.
        models_dir: where ``rtc-server models fetch`` keeps what it brings.

    Raises:
        EngineUnavailable: it is not here, or not what the catalogue says.
    """
    path = Path(model).expanduser()
    if path.exists():
        return path
    if path.is_absolute() or model.count("/") > 1 or path.suffix == ".nemo":
        raise EngineUnavailable(
            f"There is no model at {model}. Give the path of one, or a name such as "
            "nvidia/canary-1b-v2, with --canary-model."
        )
    known = next((m for m in catalog.catalog() if (m.kind, m.id) == ("canary", path.name)), None)
    wanted = next((f for f in known.files if f.name == file), None) if known else None
    if known and wanted and catalog.is_present(models_dir, known):
        return _fetched(models_dir, known, wanted)
    cached = try_to_load_from_cache(model, file) if "/" in model else None
    if isinstance(cached, str):
        return Path(cached)
    advice = f"Run: rtc-server models fetch {known.id}. Or give" if wanted and known else "Give"
    raise EngineUnavailable(
        f"Model {model} is not on this machine. {advice} the path of one with --canary-model."
    )


def _fetched(models_dir: Path, model: catalog.Model, file: catalog.ModelFile) -> Path:
    """The file, its hash checked."""
    try:
        catalog.open_verified(models_dir, model, file).close()
    except ModelError as exc:
        raise EngineUnavailable(str(exc)) from exc
    return catalog.path_of(models_dir, model, file)


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
            f"{path} is no whole .nemo file. If its download was cut short, `rtc-server models "
            "fetch` goes on where it stopped; else give another with --canary-model."
        ) from exc
    if not names >= PARTS:
        raise not_canary(path)


def not_canary(path: Path) -> EngineUnavailable:
    """The error for a file or folder that holds some other model."""
    return EngineUnavailable(
        f"{path} holds no Canary that this server can ask (it needs the canary2 prompt format). "
        "Give one such as nvidia/canary-1b-v2 with --canary-model."
    )
