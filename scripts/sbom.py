"""Print the packages of an environment as a software bill of materials, CycloneDX 1.6.

Run by that environment's own Python: ``venv/bin/python scripts/sbom.py``. What the packages say of
themselves is all that goes into it; the same environment gives the same list.
"""

import json
import re
from collections.abc import Iterable
from email.message import Message
from importlib.metadata import distributions
from typing import Any

PRODUCT = "rtc-server"
TOOLS = ("pip", "setuptools")
"""Packages of the environment that are not of the product."""
_LICENCE = "License :: "


def bill_of_materials(packages: Iterable[Message]) -> dict[str, Any]:
    """Return the list, to be written as JSON, of packages that are told by their metadata."""
    components = {each["name"]: each for each in map(_component, packages)}
    product = components.pop(PRODUCT)
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": {**product, "type": "application"}},
        "components": [components[name] for name in sorted(components) if name not in TOOLS],
    }


def _component(package: Message) -> dict[str, Any]:
    name, version = re.sub(r"[-_.]+", "-", package["Name"]).lower(), package["Version"]
    url = f"pkg:pypi/{name}@{version}"
    licences = _licences(package)
    return {
        "type": "library",
        "bom-ref": url,
        "name": name,
        "version": version,
        "purl": url,
        **({"licenses": licences} if licences else {}),
    }


def _licences(package: Message) -> list[dict[str, Any]]:
    """Return what the package says of itself: an expression, classifiers, or a short text."""
    if expression := package["License-Expression"]:
        return [{"expression": expression}]
    classifiers = package.get_all("Classifier", [])
    named = [each.rpartition(" :: ")[2] for each in classifiers if each.startswith(_LICENCE)]
    text = package["License"] or ""
    if not named and text and "\n" not in text:
        named = [text]
    return [{"license": {"name": each}} for each in named]


if __name__ == "__main__":
    metadata: list[Any] = [each.metadata for each in distributions()]
    print(json.dumps(bill_of_materials(metadata), indent=1))
