"""Delivery of usage records: to a file, to a webhook, or both.

Read `UsageLedger` first: sessions give it a record, and it returns at once. Each destination has a
bounded queue (`UsageOutbox`) and a task of its own. A record that could not be delivered is tried
again; one for which the queue has no room is dropped, counted and logged. Records hold no text of
speech, and none may be added here.
"""

from rtc_server.app.usage.ledger import UsageLedger

__all__ = ["UsageLedger"]
