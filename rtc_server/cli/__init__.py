"""The ``rtc-server`` command line: arguments in, exit code and lines for people out.

Read `main` first: it builds the parser, in which ``command`` names the module that runs each
subcommand (`serve`, `translate`, `models`, `engines`, `keys`, `phrases`, `doctor`), by its
``run(arguments, environ)``. `log` writes the server's log without blocking it, `download` and
`fetching` bring model files.

Each subcommand imports what it needs when it runs, so that ``--help`` is quick. What a server does
belongs to `app` and below.
"""

from rtc_server.cli.main import main

__all__ = ["main"]
