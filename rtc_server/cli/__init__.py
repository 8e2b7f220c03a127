"""The ``rtc-server`` command."""


def main() -> int:
    """Entry point; returns the exit code."""
    raise SystemExit("not built yet")
