"""Log lines as text, or as one JSON object each (``--log-format``), `LINE_CHARS` long at most."""

import json
import logging
from datetime import UTC, datetime
from typing import Final

from rtc_server.subject_log import Subject

LINE_CHARS: Final = 8192
"""Most characters of a line, its traceback included; it may quote what a client sent."""
_TEXT = "%(asctime)s %(levelname)-7s %(name)s: %(message)s"


class TextFormat(logging.Formatter):
    """Log format for people."""

    def __init__(self) -> None:
        super().__init__(_TEXT)

    def format(self, record: logging.LogRecord) -> str:
        """Return the line, and how much of it was left out."""
        return _shortened(super().format(record), LINE_CHARS)


class JsonFormat(logging.Formatter):
    """Log format for programs: ``time`` (RFC 3339), ``level``, ``logger``, ``message``; where there
    is one, ``session``, ``room`` and ``exception``.
    """

    def format(self, record: logging.LogRecord) -> str:
        """Return one JSON object, which is whole however long its texts were."""
        most_chars = LINE_CHARS
        while len(line := self._line(record, most_chars)) > LINE_CHARS:
            most_chars //= 2  # escapes make some texts longer than they were
        return line

    def _line(self, record: logging.LogRecord, most_chars: int) -> str:
        time = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        fields = {
            "time": time.replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": _shortened(record.getMessage(), most_chars),
        }
        for subject in Subject:
            if hasattr(record, subject.value):
                fields[subject.value] = getattr(record, subject.value)
        if record.exc_info:
            fields["exception"] = _shortened(self.formatException(record.exc_info), most_chars)
        return json.dumps(fields, ensure_ascii=False)


FORMATS: Final[dict[str, type[logging.Formatter]]] = {"text": TextFormat, "json": JsonFormat}
"""Formatters by the value of ``--log-format``."""


def _shortened(text: str, most_chars: int) -> str:
    if len(text) <= most_chars:
        return text
    return f"{text[:most_chars]}… ({len(text) - most_chars} more characters)"
