"""Sets of fonts for a Chromium, whatever else the machine has.

How much text fits depends on the font: DejaVu Sans is among the widest that systems come with, PT
Sans Narrow among the narrowest. Both have Cyrillic and come with Debian packages.
"""

from pathlib import Path

import pytest

FONTS = Path("/usr/share/fonts/truetype")
FONT_SETS = {
    "wide": ("fonts-dejavu-core", ("dejavu/DejaVuSans.ttf", "dejavu/DejaVuSans-Bold.ttf")),
    "narrow": ("fonts-paratype", ("paratype/PTN57F.ttf", "paratype/PTN77F.ttf")),
}
"""Package of each set of fonts, and the files that it installs."""
EACH_FONT_SET = (pytest.param("wide"), pytest.param("narrow", marks=pytest.mark.slow))
"""Parameters of tests that need both sets; texts overflow with wide letters first."""

CONFIGURATION = """<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "urn:fontconfig:fonts.dtd">
<fontconfig>
  <dir>{folder}</dir>
  <cachedir>{folder}/cache</cachedir>
</fontconfig>
"""


def font_environment(name: str, folder: Path) -> dict[str, str]:
    """Return the environment of a process that finds the fonts of one set and no others.

    `folder` is filled with the set and its configuration.
    """
    package, files = FONT_SETS[name]
    folder.mkdir(parents=True, exist_ok=True)
    for file in files:
        font = FONTS / file
        assert font.is_file(), f"{font} is missing: apt-get install {package}"
        (folder / font.name).symlink_to(font)
    configuration = folder / "fonts.conf"
    configuration.write_text(CONFIGURATION.format(folder=folder))
    return {"FONTCONFIG_FILE": str(configuration)}
