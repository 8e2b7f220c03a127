"""Starts the child process that an engine runs in: its command line and its environment."""

import asyncio
import os
import sys
from pathlib import Path

from rtc_server.options import ENV_PREFIX

_DEFAULTS = {
    # Thread pools of numeric libraries: one thread each.
    **dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1"),
    # onnxruntime (1.32, for one) reports its use to Microsoft unless told not to.
    "ORT_DISABLE_TELEMETRY": "1",
}
"""Variables of an engine's process, unless the operator chose otherwise."""


async def spawn(memory_mb: int = 0) -> asyncio.subprocess.Process:
    """Start the child, which may take so much memory (0: any); it waits for `wire.Load`.

    Raises:
        OSError: the system has no memory or no descriptors left.
    """
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-P",
        "-m",
        "rtc_server.engines.worker",
        str(os.getpid()),
        str(memory_mb),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=_environment(),
        start_new_session=True,  # Ctrl-C in the terminal must reach the server only
    )


def _environment() -> dict[str, str]:
    """Return the server's, with its import path and `_DEFAULTS`, without the server's settings.

    Those hold the API key and the secret of the TURN servers. What an engine may read of them is in
    its `EngineOptions`.
    """
    here = str(Path.cwd())
    path = os.pathsep.join(entry or here for entry in sys.path)
    kept = {name: value for name, value in os.environ.items() if not name.startswith(ENV_PREFIX)}
    return {**_DEFAULTS, **kept, "PYTHONPATH": path}
