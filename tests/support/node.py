"""Commands of Node.js: scripts, npm and the TypeScript compiler."""

import asyncio
import json
import os
import shutil
from pathlib import Path
from typing import Any


async def output(*command: str | Path, cwd: Path) -> str:
    """Return the output of a command that must succeed."""
    program = shutil.which(str(command[0]))
    assert program, f"{command[0]} is missing: apt-get install nodejs npm node-typescript"
    process = await asyncio.create_subprocess_exec(
        program,
        *map(str, command[1:]),
        cwd=cwd,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, "NO_UPDATE_NOTIFIER": "1"},
    )
    out, errors = await process.communicate()
    assert process.returncode == 0, out.decode() + errors.decode()
    return out.decode()


async def in_node(cwd: Path, script: str) -> Any:
    """Return the output of a module script, as JSON."""
    return json.loads(await output("node", "--input-type=module", "--eval", script, cwd=cwd))
