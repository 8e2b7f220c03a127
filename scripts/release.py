"""Build the wheel, the sdist and the npm package, and try them in a clean environment.

The wheel is installed alone, outside of the checkout; it must need nothing else (`pip check`),
serve, and translate a phrase that a WebRTC client speaks to it. Every step prints a line; the first
that fails ends the release with a `ReleaseError` that says why.
"""

import argparse
import asyncio
import contextlib
import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import tomllib
import venv
import zipfile
from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path

import numpy as np

from rtc_server import __version__
from tests.support.rtc_client import RtcClient
from tests.support.server import CALLS, EVENTS, of, said

ROOT = Path(__file__).parents[1]
DIST = ROOT / "dist"
PHRASE, TRANSLATION = "where is the train station", "Где находится вокзал?"
SHIPPED = (
    "rtc_server/py.typed",
    "rtc_server/static/index.html",
    "rtc_server/static/client.js",
    "rtc_server/models/catalog.toml",
    "rtc_phrasebook/py.typed",
    "rtc_phrasebook/data/en-ru.toml",
    "rtc_phrasebook/data/en-means.npz",
    "rtc_phrasebook/data/ru-means.npz",
    "rtc_server/models/silero_vad/weights.npz",
    "rtc_server/models/silero_vad/LICENSE.txt",
    "rtc_server/docs/openapi.yaml",
    "rtc_server/docs/events.schema.json",
    "rtc_server/scripts/constraints.txt",
)
"""Files of the wheel that Python does not import, so that only a look finds one missing."""
_ANSWER_S = 120.0
"""Bound for the start and for the translation: a guard against hangs, not a measure of speed."""


class ReleaseError(Exception):
    """Reason why this must not be published, one sentence."""


def main(argv: list[str] | None = None) -> int:
    """Run the steps; return the exit code."""
    parser = argparse.ArgumentParser(prog="scripts/release", description=__doc__)
    parser.add_argument("--dry-run", action="store_true", help="publish nothing, leave nothing")
    parser.add_argument(
        "--newest", action="store_true", help="install the newest versions, not the tested ones"
    )
    options = parser.parse_args(argv)
    try:
        if not options.dry_run:
            check_ready()
        with tempfile.TemporaryDirectory() as folder:
            built = make(Path(folder), newest=options.newest)
            if not options.dry_run:
                DIST.mkdir(exist_ok=True)
                for path in built:
                    shutil.copy(path, DIST)
    except ReleaseError as error:
        print(f"scripts/release: {error}", file=sys.stderr)
        return 1
    if not options.dry_run:
        names = " ".join(f"dist/{path.name}" for path in built)
        print(f"Ready: {names}\nNow publish them; docs/releasing.md has the commands.")
    return 0


def make(folder: Path, *, newest: bool) -> list[Path]:
    """Build into `folder` and try what came out; return the files to publish.

    Raises:
        ReleaseError: a step failed.
    """
    check_version()
    source = export(folder / "source")
    with step("Built the sdist, and the wheel from it"):
        built = folder / "built"
        run(sys.executable, "-m", "build", "--outdir", built, source)
        [wheel], [sdist] = built.glob("*.whl"), built.glob("*.tar.gz")
    with step("Built the same wheel from the checkout"):
        run(sys.executable, "-m", "build", "--wheel", "--outdir", folder / "again", source)
        check_wheel(wheel, next((folder / "again").glob("*.whl")))
    with step("Packed the client library for npm"):
        packed = run("npm", "pack", "--json", "--pack-destination", built, cwd=source)
        [package] = json.loads(packed)
    with step("Installed the wheel alone" + (", newest versions" if newest else "")):
        environment = folder / "environment"
        venv.create(environment, with_pip=True)
        python = environment / "bin" / "python"
        pip = (python, "-m", "pip", "--disable-pip-version-check")
        tested = () if newest else ("-c", source / "scripts" / "constraints.txt")
        run(*pip, "install", "--quiet", *tested, wheel)
        run(*pip, "check")
    with step("Listed what it needs as a CycloneDX bill of materials"):
        bill = built / f"rtc_server-{__version__}.cdx.json"
        bill.write_text(run(python, source / "scripts" / "sbom.py"))
    with step("Served from it and translated a phrase over WebRTC"):
        asyncio.run(translate_a_phrase(environment / "bin", folder))
    return [sdist, wheel, built / package["filename"], bill]


@contextlib.contextmanager
def step(what: str) -> Iterator[None]:
    """Print what was done and how long it took."""
    began = time.monotonic()
    yield
    print(f"{what} ({time.monotonic() - began:.0f} s)", flush=True)


def check_version() -> None:
    """Raise unless all that carries a version carries the same."""
    package = json.loads((ROOT / "package.json").read_text())
    if package["version"] != __version__:
        raise ReleaseError(
            f"package.json has version {package['version']}, rtc_server/__init__.py "
            f"{__version__}; make them the same."
        )


def check_ready() -> None:
    """Raise unless this commit is one to publish."""
    if changed := run("git", "status", "--porcelain", cwd=ROOT).strip():
        raise ReleaseError(f"the checkout has changes that are not committed:\n{changed}")
    if run("git", "tag", "--list", f"v{__version__}", cwd=ROOT).strip():
        raise ReleaseError(f"v{__version__} is tagged already; raise __version__.")
    changelog = (ROOT / "CHANGELOG.md").read_text()
    if not re.search(rf"^## {re.escape(__version__)}\b", changelog, re.MULTILINE):
        raise ReleaseError(f'CHANGELOG.md has no section "## {__version__}".')
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    if unset := [url for url in project["urls"].values() if ".example/" in url]:
        raise ReleaseError(f"pyproject.toml has no real address in project.urls: {unset[0]}")


def export(folder: Path) -> Path:
    """Copy what git tracks, or would, to `folder`: what a build left here must not be shipped."""
    listed = ("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
    for name in run(*listed, cwd=ROOT).split("\0"):
        if name and (ROOT / name).is_file():  # not, where it is deleted but not committed
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
    return folder


def check_wheel(wheel: Path, other: Path) -> None:
    """Raise unless both wheels hold the same files, and all that the server reads."""
    ours, theirs = members(wheel), members(other)
    if different := sorted(
        name for name in ours.keys() | theirs.keys() if ours.get(name) != theirs.get(name)
    ):
        raise ReleaseError(
            f"the wheel from the sdist and that from the checkout differ in {', '.join(different)}"
        )
    if missing := [name for name in SHIPPED if name not in ours]:
        raise ReleaseError(f"the wheel lacks {', '.join(missing)}; see setup.py and MANIFEST.in.")
    info = f"rtc_server-{__version__}.dist-info/"
    if strangers := [
        name for name in ours if not name.startswith(("rtc_server/", "rtc_phrasebook/", info))
    ]:
        raise ReleaseError(f"the wheel has {strangers[0]}, which is not of the package.")


def members(wheel: Path) -> Mapping[str, str]:
    """Return the SHA-256 of each file in the wheel, by name."""
    with zipfile.ZipFile(wheel) as archive:
        names = [name for name in archive.namelist() if not name.endswith("/")]
        return {name: hashlib.sha256(archive.read(name)).hexdigest() for name in names}


async def translate_a_phrase(bin_folder: Path, folder: Path) -> None:
    """Start the installed server on a free port, speak to it and compare what comes back."""
    async with serving(bin_folder, folder) as url:
        calls = f"{url}{CALLS}?source=en&target=ru"
        async with RtcClient(calls, audio=said(PHRASE), session=EVENTS) as client:
            try:
                await client.until(
                    lambda: bool(of(client, "x.playout", state="finished")), timeout_s=_ANSWER_S
                )
            except TimeoutError:
                seen = sorted({event["type"] for event in client.events})
                raise ReleaseError(f"the server did not speak; its events: {seen}") from None
            [final] = of(client, "x.segment", final=True)
            loudest = float(np.abs(client.heard()).max())
    if final["status"] != "final" or final["target"]["text"] != TRANSLATION:
        raise ReleaseError(f"“{PHRASE}” came back as {final}.")
    if loudest < 0.05:
        raise ReleaseError(f"the translated speech is silent (peak {loudest:.3f}).")


@contextlib.asynccontextmanager
async def serving(bin_folder: Path, folder: Path) -> AsyncIterator[str]:
    """Run ``rtc-server serve`` as a user would, away from the checkout; yield its URL."""
    hidden = ("RTC_", "PYTHON")
    environ = {name: value for name, value in os.environ.items() if not name.startswith(hidden)}
    process = await asyncio.create_subprocess_exec(
        *(bin_folder / "rtc-server", "serve", "--port", "0"),
        cwd=folder,
        env=environ,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    assert process.stdout
    printed = ""
    try:
        async with asyncio.timeout(_ANSWER_S):
            while not (found := re.search(r"http://\S+", printed)):
                line = (await process.stdout.readline()).decode()
                if not line:
                    raise ReleaseError(f"the server did not start:\n{printed}")
                printed += line
        yield found[0]
        process.send_signal(signal.SIGTERM)
        await process.communicate()
        if process.returncode:
            raise ReleaseError(f"the server ended with exit code {process.returncode}.")
    finally:
        if process.returncode is None:
            process.kill()
            await process.communicate()


def run(*command: str | Path, cwd: Path | None = None) -> str:
    """Return what the command printed.

    Raises:
        ReleaseError: it is not there, or failed.
    """
    try:
        done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        raise ReleaseError(f"{command[0]} is not installed.") from None
    if done.returncode:
        raise ReleaseError(f"{' '.join(map(str, command))} failed:\n{done.stdout}{done.stderr}")
    return done.stdout


if __name__ == "__main__":
    sys.exit(main())
