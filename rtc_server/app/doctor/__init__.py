"""``rtc-server doctor``: looks for what would keep people from being heard, and says what to do."""

from rtc_server.app.doctor.examination import examine, examine_remote
from rtc_server.app.doctor.findings import Finding, Level

__all__ = ["Finding", "Level", "examine", "examine_remote"]
