"""Usage records on their way out: to a file, to a webhook, or both.

Read `UsageLedger` first: sessions give it a record, and it returns at once. Each destination has a
bounded queue (`UsageOutbox`) and a task of its own. A record that is not taken is tried again; one
that finds no room is dropped, counted and logged. Records hold no text, and none may be added here.
"""

from rtc_server.app.usage.ledger import UsageLedger

__all__ = ["UsageLedger"]
