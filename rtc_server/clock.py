"""Time is an argument: what needs the time gets a `Clock` or a number, never asks the system."""

import time
from collections.abc import Callable
from typing import TypeAlias

Clock: TypeAlias = Callable[[], float]
"""Monotonic seconds; only differences mean anything."""

monotonic: Clock = time.monotonic
"""The clock of production. Tests pass the virtual loop's `time`."""
