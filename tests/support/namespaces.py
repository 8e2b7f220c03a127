"""A network namespace of Linux beside the test's own, and the cable between them. Needs root."""

import itertools
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

_numbers = itertools.count()


@dataclass(frozen=True, slots=True)
class Namespace:
    """Another host, as far as the network goes."""

    name: str
    """Name that ``ip netns`` knows it by."""
    outside_ip: str
    """Address of the test's own end of the cable."""
    inside_ip: str
    """Address of the other end."""

    @property
    def prefix(self) -> tuple[str, ...]:
        """Words in front of a command that is to run there."""
        return ("ip", "netns", "exec", self.name)

    @contextmanager
    def parted(self) -> Iterator[None]:
        """Pull the cable out while the block runs."""
        _ip("-n", self.name, "link", "set", "inside", "down")
        try:
            yield
        finally:
            _ip("-n", self.name, "link", "set", "inside", "up")


@contextmanager
def namespace() -> Iterator[Namespace]:
    """Make a namespace, and remove it at the end. Processes in it should have ended by then."""
    name = f"rtc{os.getpid()}n{next(_numbers)}"
    outside = f"v{os.getpid()}"
    subnet = f"10.{200 + os.getpid() % 50}.{os.getpid() // 50 % 250}"
    made = Namespace(name, f"{subnet}.1", f"{subnet}.2")
    _ip("netns", "add", name)
    try:
        _ip("link", "add", outside, "type", "veth", "peer", "name", "inside", "netns", name)
        _ip("addr", "add", f"{made.outside_ip}/24", "dev", outside)
        _ip("link", "set", outside, "up")
        _ip("-n", name, "addr", "add", f"{made.inside_ip}/24", "dev", "inside")
        for device in ("inside", "lo"):
            _ip("-n", name, "link", "set", device, "up")
        yield made
    finally:
        _ip("netns", "del", name)  # the cable goes with its end


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True)
