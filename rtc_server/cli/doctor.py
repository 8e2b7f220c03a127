"""``rtc-server doctor``: checks of what would keep people from being understood, with remedies."""

import argparse
import asyncio
import logging
import textwrap
from collections.abc import AsyncIterator, Mapping
from urllib.parse import urlsplit

from rtc_server.app.doctor import Finding, Level, examine, examine_remote
from rtc_server.config import load_settings
from rtc_server.errors import ConfigError

_SIGNS = {Level.OK: " ok ", Level.NOTE: "note", Level.FAULT: "BAD "}


def run(arguments: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Print each finding as it comes; return 1 if something does not work."""
    if arguments.url:
        check_address(arguments.url)
    settings = load_settings(arguments, environ, starts=())  # clashes are findings
    logging.getLogger("aioice").setLevel(logging.CRITICAL)
    logging.getLogger("aiortc").setLevel(logging.CRITICAL)
    findings = examine_remote(arguments.url, settings) if arguments.url else examine(settings)
    return asyncio.run(_show(findings))


def check_address(url: str) -> None:
    """Raise `ConfigError` if this is not the address of a server."""
    try:
        parts = urlsplit(url)
        if parts.scheme in ("http", "https") and parts.hostname and parts.port != 0:
            return
    except ValueError:  # of a port or an IPv6 address
        pass
    raise ConfigError(
        f"{url!r} is not the address of a server. --url takes one such as http://127.0.0.1:8000 or "
        "https://interpreter.example."
    )


async def _show(findings: AsyncIterator[Finding]) -> int:
    faults = 0
    async for finding in findings:
        print(shown(finding), flush=True)
        faults += finding.level is Level.FAULT
    print(f"\n{faults} fault{'' if faults == 1 else 's'} found." if faults else "\nAll is well.")
    return 1 if faults else 0


def shown(finding: Finding) -> str:
    """Return a finding and its remedy, wrapped."""
    lines = textwrap.wrap(finding.what, 90, initial_indent=f"[{_SIGNS[finding.level]}] ",
                          subsequent_indent=" " * 7)  # fmt: skip
    if finding.fix:
        lines += textwrap.wrap(finding.fix, 90, initial_indent="       → ",
                               subsequent_indent=" " * 9)  # fmt: skip
    return "\n".join(lines)
