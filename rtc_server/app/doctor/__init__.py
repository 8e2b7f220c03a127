"""``rtc-server doctor``: checks of everything that calls need, with remedies.

Input: `Settings`, or the URL of a server. Output: `Finding`s, each with a level, a sentence and a
remedy.

Read `examination` first: the order of the checks. `machine` starts nothing (ports, addresses,
certificate), `hardware` compares the machine with the engines' needs, `rehearsal` starts a server
on loopback and connects to it, `calling` is a client of a server.

A check must change nothing on the machine, and must not raise for a fault that it looks for.
"""

from rtc_server.app.doctor.examination import examine, examine_remote
from rtc_server.app.doctor.findings import Finding, Level

__all__ = ["Finding", "Level", "examine", "examine_remote"]
