"""NVIDIA's driver read from a made-up /dev and /proc."""

from pathlib import Path

import pytest

from rtc_server.engines.nvidia import NvidiaDriver, find_driver, why_unusable

CLOSED = (
    "NVRM version: NVIDIA UNIX x86_64 Kernel Module  535.161.07  Sat Feb 17 22:55:48 UTC 2024\n"
)
OPEN = (
    "NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  580.95.05  Release Build  (root)\n"
    "GCC version:  gcc version 13.3.0 (Ubuntu 13.3.0-6ubuntu2~24.04)\n"
)


def machine(root: Path, *devices: str, version: str = "") -> Path:
    (root / "dev").mkdir()
    for device in devices:
        (root / "dev" / device).touch()
    if version:
        (root / "proc/driver/nvidia").mkdir(parents=True)
        (root / "proc/driver/nvidia/version").write_text(version)
    return root


@pytest.mark.parametrize(("text", "version"), [(CLOSED, "535.161.07"), (OPEN, "580.95.05")])
def test_device_and_version_are_found(tmp_path: Path, text: str, version: str) -> None:
    root = machine(tmp_path, "nvidia1", "nvidia0", "nvidiactl", version=text)
    assert find_driver(root, {}) == NvidiaDriver("/dev/nvidia0", version)


def test_a_container_that_was_given_no_gpu_has_none(tmp_path: Path) -> None:
    assert find_driver(machine(tmp_path, "nvidiactl", version=CLOSED), {}) is None


@pytest.mark.parametrize("hidden", ["", "-1"])
def test_a_gpu_that_is_hidden_from_the_process_does_not_count(tmp_path: Path, hidden: str) -> None:
    root = machine(tmp_path, "nvidia0", version=CLOSED)
    assert find_driver(root, {"CUDA_VISIBLE_DEVICES": hidden}) is None
    assert find_driver(root, {"CUDA_VISIBLE_DEVICES": "0"})


def test_a_gpu_without_a_driver_that_tells_its_version(tmp_path: Path) -> None:
    assert find_driver(machine(tmp_path, "nvidia0"), {}) == NvidiaDriver("/dev/nvidia0", "")


def test_both_versions_are_named() -> None:
    old = why_unusable(NvidiaDriver("/dev/nvidia0", "535.161.07"), "13.0")
    assert "CUDA 13.0" in old
    assert "the driver is 535.161.07, and that CUDA needs 580 or later" in old
    assert "--device cpu" in old


@pytest.mark.parametrize(
    ("version", "cuda", "words"),
    [("580.95.05", "13.0", "the driver is 580.95.05"), ("", "12.8", "not running")],
)
def test_a_driver_that_is_new_enough_is_not_blamed(version: str, cuda: str, words: str) -> None:
    sentence = why_unusable(NvidiaDriver("/dev/nvidia0", version), cuda)
    assert words in sentence
    assert "nvidia-smi" in sentence
    assert "or later" not in sentence
