"""Clock type. Time is an argument: what needs the time gets a `Clock` or a number, never asks the
system.
"""

import time
from collections.abc import Callable
from typing import TypeAlias

Clock: TypeAlias = Callable[[], float]
"""Seconds. Monotonic unless it says otherwise: only differences mean anything."""

monotonic: Clock = time.monotonic
"""The clock of production. Tests pass the virtual loop's `time`."""
wall: Clock = time.time
"""Unix time, for what other machines are told: when something expires, which day it is."""
