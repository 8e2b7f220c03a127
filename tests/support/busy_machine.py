"""A core that is busy with other things."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def load(processes: int, core: int) -> Iterator[None]:
    """Have that many processes compute for nothing on one core until the block ends."""
    # A test that is killed stops nothing: the loops look after their parent themselves.
    code = f"import os\nwhile os.getppid() == {os.getpid()}: pass"
    command = [sys.executable, "-S", "-c", code]
    # Linux shares a core between sessions first: in one of them they would all be one share.
    loops = [subprocess.Popen(command, start_new_session=True) for _ in range(processes)]
    for loop in loops:
        os.sched_setaffinity(loop.pid, {core})
    try:
        yield
    finally:
        for loop in loops:
            loop.kill()
        for loop in loops:
            loop.wait()
