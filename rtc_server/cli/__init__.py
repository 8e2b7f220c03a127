"""The ``rtc-server`` command. Each subcommand imports what it needs when it runs."""

from rtc_server.cli.main import main

__all__ = ["main"]
