"""Packages as pip installs them: modules, and metadata with entry points."""

import shutil
import tomllib
from collections.abc import Mapping
from pathlib import Path

from rtc_server.engines.contract import ENTRY_POINTS

EXAMPLE = Path(__file__).parents[2] / "examples" / "engine-plugin"

PLUGIN = """
from rtc_server.engines.contract import EnginePlugin, PluginOption
ENGINE = EnginePlugin(**{fields!r}, options={options})
"""


def install(
    site: Path,
    package: str,
    entry_points: Mapping[str, str],
    modules: Mapping[str, str],
    version: str = "1.0",
) -> None:
    """Write a package into a folder of the import path."""
    for name, text in modules.items():
        (site / name).mkdir(exist_ok=True)
        (site / name / "__init__.py").write_text(text, "utf-8")
    metadata = site / f"{package.replace('-', '_')}-{version}.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {package}\nVersion: {version}\n", "utf-8"
    )
    lines = [f"[{ENTRY_POINTS}]", *(f"{name} = {value}" for name, value in entry_points.items())]
    (metadata / "entry_points.txt").write_text("\n".join(lines) + "\n", "utf-8")


def add(site: Path, name: str, package: str, more: str = "", /, **changed: object) -> None:
    """Install a package that describes an engine. `more`: further lines of its module. `options`,
    one of `changed`, is their Python source.
    """
    module = package.replace("-", "_")
    fields = {"contract": 1, "kind": "ast", "title": "Odd", "licence": "MIT"}
    fields |= {"create": f"{module}.engine:create", **changed}
    options = fields.pop("options", "()")
    text = PLUGIN.format(fields=fields, options=options) + more
    install(site, package, {name: f"{module}:ENGINE"}, {module: text})


def install_example(site: Path) -> None:
    """Install examples/engine-plugin there, with the metadata of its pyproject.toml."""
    project = tomllib.loads((EXAMPLE / "pyproject.toml").read_text("utf-8"))["project"]
    points = project["entry-points"][ENTRY_POINTS]
    install(site, project["name"], points, {}, project["version"])
    shutil.copytree(EXAMPLE / "rtc_stopwatch", site / "rtc_stopwatch")
