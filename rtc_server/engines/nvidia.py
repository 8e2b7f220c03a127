"""NVIDIA's GPU and driver on this machine, as the system's files describe them; no library is
imported.
"""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

LEAST_DRIVER = {11: 450, 12: 525, 13: 580}
"""Oldest driver for each major version of CUDA (NVIDIA's CUDA compatibility guide)."""
_VERSION = re.compile(r"\b\d{3,}\.\d+(\.\d+)?\b")


@dataclass(frozen=True, slots=True)
class NvidiaDriver:
    """A driver with at least one GPU."""

    device: str
    """First device, such as ``/dev/nvidia0``."""
    version: str
    """Such as ``580.95.05``; "" where the kernel does not tell."""

    @property
    def major(self) -> int | None:
        """First number of the version, None when unknown."""
        return int(self.version.partition(".")[0]) if self.version else None


def find_driver(
    root: Path = Path("/"), environ: Mapping[str, str] = os.environ
) -> NvidiaDriver | None:
    """Return the driver of the GPUs that this process may use.

    None without a GPU, and where ``CUDA_VISIBLE_DEVICES`` hides all. A container sees the driver of
    its host but only the devices it was given, so these count.
    """
    if environ.get("CUDA_VISIBLE_DEVICES", "0") in ("", "-1"):
        return None
    devices = sorted(root.glob("dev/nvidia[0-9]*"))
    if not devices:
        return None
    try:
        found = _VERSION.search((root / "proc/driver/nvidia/version").read_text("utf-8", "replace"))
    except OSError:
        found = None
    return NvidiaDriver(f"/dev/{devices[0].name}", found[0] if found else "")


def is_too_old(driver: NvidiaDriver, cuda: str) -> bool:
    """Return whether programs built for CUDA `cuda`, such as ``13.0``, need a newer driver."""
    least = LEAST_DRIVER.get(int(cuda.partition(".")[0]), 0)
    return driver.major is not None and driver.major < least


def why_unusable(driver: NvidiaDriver, cuda: str) -> str:
    """Return why PyTorch built for CUDA `cuda`, such as ``13.0``, finds no GPU, and what to do."""
    what = f"There is an NVIDIA GPU ({driver.device}), but PyTorch, built for CUDA {cuda}, cannot "
    if is_too_old(driver, cuda):
        least = LEAST_DRIVER[int(cuda.partition(".")[0])]
        return (
            f"{what}use it: the driver is {driver.version}, and that CUDA needs {least} or later. "
            "Update the driver, install PyTorch for an older CUDA, or choose --device cpu."
        )
    known = f"the driver is {driver.version}" if driver.version else "its driver is not running"
    return (
        f"{what}use it ({known}). Check `nvidia-smi`, and that the container may use the "
        "GPU, or choose --device cpu."
    )
