"""Stress marks for models that set none, by the ``silero-stress`` package (MIT), if it is here."""

from collections.abc import Callable
from typing import TypeAlias

Accentor: TypeAlias = Callable[[str], str]
"""Puts a ``+`` before each stressed vowel."""


def load_accentor(language: str) -> Accentor | None:
    """Return the accentor of ``ru`` or ``ukr``, or None when ``silero-stress`` is not installed."""
    import torch  # noqa: PLC0415 (only the engine's process may need it)

    threads = torch.get_num_threads()
    try:
        from silero_stress import load_accentor as load  # noqa: PLC0415
    except ImportError:
        return None
    torch.set_num_threads(threads)  # the package's import sets one thread for everybody
    accentor: Accentor | None = load(lang=language)
    return accentor
