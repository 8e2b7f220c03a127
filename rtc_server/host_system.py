"""Operating systems that the server runs on, and what it does without on some of them.

Linux has everything. macOS and the BSDs lack a few conveniences, each with a substitute. Windows
lacks what the engines' processes are built on: process groups, and pipes that `select` can watch.
"""

import ipaddress
import sys

from rtc_server.errors import ConfigError

NAMES = {"darwin": "macOS", "win32": "Windows"}


def is_linux() -> bool:
    """Return whether this is Linux; asked of ``sys.platform`` each time."""
    return sys.platform == "linux"


def check_system() -> str:
    """Return one sentence about what this system lacks; empty on Linux.

    Raises:
        ConfigError: the server cannot run here; the sentence says where it can.
    """
    if is_linux():
        return ""
    name = NAMES.get(sys.platform, sys.platform)
    if sys.platform in ("win32", "cygwin", "emscripten", "wasi"):
        raise ConfigError(
            f"rtc-server does not run on {name}: its engines need process groups and pipes as "
            "Linux and macOS have them. Use Linux, a container, or WSL 2."
        )
    return (
        f"On {name} the event loop wakes up for each packet, which costs more CPU with many calls, "
        "and an engine outlives a killed server by up to a second; Linux is what rtc-server is "
        "measured on."
    )


def is_private(host: str) -> bool:
    """Return whether a host is named by an address of a private network, or of this machine."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    return address.is_private and not address.is_unspecified


def is_loopback(host: str) -> bool:
    """Return whether a host, by address or as ``localhost``, is this machine itself."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
