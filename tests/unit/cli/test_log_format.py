"""Log lines for people and for programs."""

import json
import logging
from datetime import datetime

import pytest

from rtc_server.cli.log_format import FORMATS, LINE_CHARS, JsonFormat, TextFormat
from rtc_server.config import HttpSettings
from rtc_server.options import settings_fields
from rtc_server.subject_log import Subject, SubjectLog

AT_S = 1_790_000_000.25


class Records(logging.Handler):
    """Handler that keeps records."""

    def __init__(self) -> None:
        super().__init__()
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)


def record(text: str, *args: object, fault: BaseException | None = None) -> logging.LogRecord:
    fault_info = (type(fault), fault, fault.__traceback__) if fault else None
    made = logging.LogRecord("a.logger", logging.WARNING, __file__, 1, text, args, fault_info)
    made.created = AT_S
    return made


def test_a_program_gets_time_level_logger_and_message() -> None:
    fields = json.loads(JsonFormat().format(record("«%s» took %d ms", "да", 7)))
    assert fields == {
        "time": "2026-09-21T14:13:20.250Z",
        "level": "warning",
        "logger": "a.logger",
        "message": "«да» took 7 ms",
    }
    assert datetime.fromisoformat(fields["time"]).timestamp() == AT_S


def test_a_program_gets_a_traceback_in_one_line() -> None:
    try:
        int("seven")
    except ValueError as error:
        line = JsonFormat().format(record("It failed.", fault=error))
    assert "\n" not in line
    exception = json.loads(line)["exception"]
    assert exception.startswith("Traceback") and "ValueError" in exception


@pytest.mark.parametrize("subject", Subject)
def test_a_line_says_what_it_is_about_to_people_and_to_programs(subject: Subject) -> None:
    logger, kept = logging.Logger("a.logger"), Records()
    logger.addHandler(kept)
    SubjectLog(logger, subject, "id_1").warning("closed: %s", "remote")
    (made,) = kept.records
    fields = json.loads(JsonFormat().format(made))
    assert fields[subject.value] == "id_1"
    assert fields["message"] == f"{subject.value} id_1: closed: remote"
    assert TextFormat().format(made).endswith(f"a.logger: {subject.value} id_1: closed: remote")


@pytest.mark.parametrize("letter", ["x", "\x00", '"', "ы"])
@pytest.mark.parametrize("form", FORMATS.values())
def test_no_line_is_longer_than_promised_and_json_stays_whole(
    form: type[logging.Formatter], letter: str
) -> None:
    line = form().format(record(letter * 10 * LINE_CHARS))
    assert len(line) < LINE_CHARS + 100 and "more characters)" in line
    if form is JsonFormat:
        assert len(line) <= LINE_CHARS
        assert set(json.loads(line)["message"].partition("…")[0]) == {letter}


def test_there_is_a_format_for_each_choice() -> None:
    (field,) = (f for _, f, _ in settings_fields(HttpSettings) if f.name == "log_format")
    assert set(field.metadata["choices"]) == set(FORMATS)
    assert field.default == "text"
