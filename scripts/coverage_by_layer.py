"""Prints how much of each layer the tests ran, by lines and branches, and fails below its floor.

Reads what ``pytest --cov`` left in ``.coverage``. Code that runs in engine processes and in
Chromium is not counted, so the floor of ``engines`` is lower than what its tests reach. Nor is what
slow and browser tests run: `tests/conftest.py` spares them the tracer.
"""

import json
import sys
import tempfile
from collections import defaultdict
from pathlib import Path

from coverage import Coverage

FLOORS = {
    "cli": 80,
    "app": 80,  # media workers and engine servers run in processes that are not measured
    "signaling": 90,
    "rooms": 90,
    "session": 90,
    "transport": 90,
    "interpreter": 90,
    "audio": 90,
    "engines": 60,
    "phrasebook": 60,
    "events": 90,
    "below": 85,
}
"""Least percentage of lines and branches together, by layer; ``below`` is what all layers share."""


def layer_of(path: Path) -> str:
    """Return the layer of a module, by its path from the root."""
    if path.parts[0] == "rtc_phrasebook":
        return "phrasebook"
    first = path.parts[1]
    return first if first in FLOORS else "below"


def main() -> int:
    coverage = Coverage()
    coverage.load()
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "coverage.json"
        coverage.json_report(outfile=str(report))
        files = json.loads(report.read_text())["files"]
    counts: defaultdict[str, list[int]] = defaultdict(lambda: [0, 0])
    for file, found in files.items():
        summary, count = found["summary"], counts[layer_of(Path(file))]
        count[0] += summary["covered_lines"] + summary["covered_branches"]
        count[1] += summary["num_statements"] + summary["num_branches"]
    low = []
    print(f"\n{'layer':<12} {'covered':>8} {'floor':>6}")
    for layer, floor in FLOORS.items():
        covered, total = counts[layer]
        percent = 100 * covered / max(total, 1)
        print(f"{layer:<12} {percent:>7.1f}% {floor:>5}%")
        if percent < floor:
            low.append(layer)
    if low:
        print(
            f"Below the floor: {', '.join(low)}. Test what you added, or say why not and lower it."
        )
    return 1 if low else 0


if __name__ == "__main__":
    sys.exit(main())
