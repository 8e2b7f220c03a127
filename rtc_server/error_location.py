"""Location of an error, for logs and for whoever reads them elsewhere."""

import traceback
from pathlib import PurePath


def location_of(error: BaseException) -> str:
    """Return type and location of an error, not its message, which may quote what was said."""
    frames = traceback.extract_tb(error.__traceback__)
    where = f" at {PurePath(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    return type(error).__name__ + where
