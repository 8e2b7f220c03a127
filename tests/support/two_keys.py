"""A server with two API keys, for tests of access to a session of the other key."""

from pathlib import Path

from rtc_server.config import AccessSettings, HttpSettings, Settings
from rtc_server.signaling.keys import new_key, write_keys
from tests.support.patient import QUICK


def two_keys(folder: Path) -> tuple[Settings, str, str]:
    """Settings with engines that answer at once, and the two keys."""
    ours, record = new_key("ours", "2026-01-01", {})
    theirs, other = new_key("theirs", "2026-01-01", {})
    write_keys(folder / "keys.json", [record, other])
    settings = Settings(
        http=HttpSettings(port=0),
        access=AccessSettings(api_keys=str(folder / "keys.json")),
        engines=QUICK,
    )
    return settings, ours, theirs
