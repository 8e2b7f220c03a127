"""Puts the folders that are not Python into the package; everything else is in pyproject.toml."""

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

FOLDERS = ("static",)
FILES = (
    "models/catalog.toml",
    "models/silero_vad/weights.npz",
    "models/silero_vad/LICENSE.txt",
    "docs/openapi.yaml",
    "docs/events.schema.json",
    "scripts/constraints.txt",
)
"""Found again by `rtc_server.resources`."""


class BuildWithFolders(build_py):
    def run(self) -> None:
        super().run()
        if not self.editable_mode:
            for folder in FOLDERS:
                target = Path(self.build_lib, "rtc_server", folder)
                shutil.copytree(folder, target, dirs_exist_ok=True)
            for file in FILES:
                target = Path(self.build_lib, "rtc_server", file)
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(file, target)


setup(cmdclass={"build_py": BuildWithFolders})
