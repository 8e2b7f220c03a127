"""What to run when a package that an engine needs is missing from this installation."""

import shlex
import sys
from importlib.metadata import requires


def install_command(extra: str = "") -> str:
    """The command that installs what an extra of this package needs, or, without one, the base.

    It names the requirements themselves and this very Python: so it works from any folder, in a
    checkout and in an image alike.

    Raises:
        PackageNotFoundError: this package runs without being installed.
    """
    wanted = []
    for requirement in requires("rtc-server") or ():
        what, _, marker = requirement.partition(";")
        if marker.strip().replace("'", '"') == (f'extra == "{extra}"' if extra else ""):
            wanted.append(what.strip())
    return shlex.join([sys.executable, "-m", "pip", "install", *wanted])
