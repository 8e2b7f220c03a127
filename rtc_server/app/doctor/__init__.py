"""``rtc-server doctor``: checks of what would keep people from being understood, with remedies.

In go `Settings`, or the URL of a server; out come `Finding`s, each with a level, a sentence and
what to do.

Read `examination` first: the order of the checks. `machine` starts nothing (ports, addresses,
certificate), `hardware` compares the machine with the engines' needs, `rehearsal` starts a server
aside and speaks to it, `calling` is a client of a server.

A check must change nothing on the machine and never raise for what it was to find.
"""

from rtc_server.app.doctor.examination import examine, examine_remote
from rtc_server.app.doctor.findings import Finding, Level

__all__ = ["Finding", "Level", "examine", "examine_remote"]
