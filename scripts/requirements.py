"""Prints what pyproject.toml asks for, with the extras that are named: one requirement a line.

``--all`` stands for every extra. `scripts/freeze` and `scripts/lock` choose the versions.
"""

import sys
import tomllib
from pathlib import Path

project = tomllib.loads(Path("pyproject.toml").read_text())["project"]
extras = project["optional-dependencies"]
print(*project["dependencies"], sep="\n")
for extra in extras if sys.argv[1:] == ["--all"] else sys.argv[1:]:
    print(*extras[extra], sep="\n")
