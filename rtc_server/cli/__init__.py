"""The ``rtc-server`` command line. Input: arguments. Output: an exit code and lines for people.

Read `main` first: it builds the parser, in which ``command`` names the module that runs each
subcommand (`serve`, `translate`, `models`, `engines`, `keys`, `phrases`, `doctor`), by its
``run(arguments, environ)``. `log` writes the server's log without blocking it (`log_format`: form
and length of its lines), `download` and `fetching` fetch model files.

Each subcommand imports its modules when it runs, so that ``--help`` is fast. The server's own work
belongs to `app` and the layers below.
"""

from rtc_server.cli.main import main

__all__ = ["main"]
