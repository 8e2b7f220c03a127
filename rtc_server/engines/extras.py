"""Commands that install a package which an engine needs and this installation lacks."""

import re
import shlex
import sys
from importlib.metadata import requires

from rtc_server.resources import resource_folder


def install_command(extra: str = "", *, only: str = "", package: str = "rtc-server") -> str:
    """Return the command that installs what an extra of a package needs, or else the base.

    It names this very Python, the requirements themselves and the list of the versions that were
    tested together with this server, which is part of it: so it works from any folder, in a
    checkout, an image and a plain installation alike, and moves nothing that the server needs.

    Args:
        extra: as in pyproject.toml; without one, what the package needs itself.
        only: the one distribution among these that is missing.
        package: distribution that declares them, such as that of an engine of yours.

    Raises:
        PackageNotFoundError: the package is not installed.
    """
    wanted = []
    for requirement in requires(package) or ():
        what, _, marker = requirement.partition(";")
        conditions = [each.strip() for each in marker.replace("'", '"').split(" and ") if each]
        extras = [each for each in conditions if each.startswith("extra ==")]
        if extras != ([f'extra == "{extra}"'] if extra else []):
            continue
        # Any other condition, as for a platform, stays: pip judges it where the command runs.
        others = " and ".join(each for each in conditions if each not in extras)
        what = f"{what.strip()}; {others}" if others else what.strip()
        if only in ("", *re.findall(r"^[\w.-]+", what)):
            wanted.append(what)
    constraints = resource_folder("scripts") / "constraints.txt"
    return shlex.join([sys.executable, "-m", "pip", "install", "-c", str(constraints), *wanted])
