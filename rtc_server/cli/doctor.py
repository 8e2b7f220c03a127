"""``rtc-server doctor``: checks of what would keep people from being understood, with remedies."""

import argparse
import asyncio
import logging
import textwrap
from collections.abc import AsyncIterator, Mapping

from rtc_server.app.doctor import Finding, Level, examine, examine_remote
from rtc_server.config import load_settings

_SIGNS = {Level.OK: " ok ", Level.NOTE: "note", Level.FAULT: "BAD "}


def run(arguments: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Print each finding as it comes; return 1 if something does not work."""
    settings = load_settings(arguments, environ, starts=())  # clashes are findings
    logging.getLogger("aioice").setLevel(logging.CRITICAL)
    logging.getLogger("aiortc").setLevel(logging.CRITICAL)
    findings = examine_remote(arguments.url, settings) if arguments.url else examine(settings)
    return asyncio.run(_show(findings))


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
