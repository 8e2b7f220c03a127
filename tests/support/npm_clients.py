"""The clients of ``tests/clients``, with the npm packages that they need."""

import fcntl
import subprocess
from pathlib import Path

CLIENTS = Path(__file__).parents[1] / "clients"


def installed() -> Path:
    """Return the folder of the clients, with the versions of its lock file in it."""
    lock, stamp = CLIENTS / "package-lock.json", CLIENTS / "node_modules" / ".package-lock.json"
    with lock.open() as guard:
        fcntl.flock(guard, fcntl.LOCK_EX)  # test processes side by side install once
        if not stamp.exists() or stamp.stat().st_mtime < lock.stat().st_mtime:
            command = ["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts"]
            subprocess.run(command, cwd=CLIENTS, check=True, capture_output=True, timeout=200)
    return CLIENTS
