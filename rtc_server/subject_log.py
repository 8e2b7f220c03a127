"""Log of one session or room: each line names it, in its text and in an attribute."""

import logging
from collections.abc import MutableMapping
from enum import StrEnum
from typing import Any


class Subject(StrEnum):
    """Subject of a log line. Also the attribute of its `logging.LogRecord`, which is the id."""

    SESSION = "session"
    ROOM = "room"


class SubjectLog(logging.LoggerAdapter[logging.Logger]):
    """Logger whose lines begin with ``session sess_…:`` or ``room …:``."""

    def __init__(self, logger: logging.Logger, subject: Subject, subject_id: str) -> None:
        super().__init__(logger, {subject.value: subject_id})
        self._prefix = f"{subject.value} {subject_id}"

    def process(
        self, msg: Any, kwargs: MutableMapping[str, Any]
    ) -> tuple[Any, MutableMapping[str, Any]]:
        """Put the subject before the text, and beside it."""
        return f"{self._prefix}: {msg}", {**kwargs, "extra": self.extra}
