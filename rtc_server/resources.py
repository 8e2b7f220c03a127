"""Paths of files that are not Python: in a checkout at its top, in a wheel in the package."""

from pathlib import Path


def resource_folder(name: str) -> Path:
    """Return the folder ``static``, ``scripts`` or ``models/…``, wherever this package runs from.

    Raises:
        FileNotFoundError: the installation is incomplete.
    """
    package = Path(__file__).resolve().parent
    for parent in (package, package.parent):
        if (parent / name).is_dir():
            return parent / name
    raise FileNotFoundError(f"This installation lacks its folder {name}; install it again.")
