"""Prints what pyproject.toml asks for, with the extras that are named: one requirement a line.

Images install these before the code, so that the layer is reused until they change.
"""

import sys
import tomllib
from pathlib import Path

project = tomllib.loads(Path("pyproject.toml").read_text())["project"]
print(*project["dependencies"], sep="\n")
for extra in sys.argv[1:]:
    print(*project["optional-dependencies"][extra], sep="\n")
