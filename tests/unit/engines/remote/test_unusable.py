"""Causes and sentences of engine servers that cannot be used."""

import pytest

from rtc_server.engines.remote.unusable import FAILURES, Cause, UnusableServer, unusable
from rtc_server.errors import EngineError

REFUSED = UnusableServer(Cause.TOKEN, "it refused our token")


@pytest.mark.parametrize(
    ("error", "cause", "sentence"),
    [
        (REFUSED, Cause.TOKEN, "it refused our token"),
        (TimeoutError(), Cause.UNREACHABLE, "no answer within 5 s"),
        (EOFError("done"), Cause.UNREACHABLE, "the connection ended (done)"),
        (EOFError(), Cause.UNREACHABLE, "the connection ended"),
        (OSError(111, "Connection refused"), Cause.UNREACHABLE, "cannot be reached (Connection"),
        (EngineError("A frame cannot be read."), Cause.STRANGER, "A frame cannot be read."),
    ],
)
def test_each_failure_has_a_cause_and_a_sentence(
    error: Exception, cause: Cause, sentence: str
) -> None:
    assert isinstance(error, FAILURES)
    found = unusable(error, 5.0)
    assert found.cause is cause
    assert str(found).startswith(sentence)
