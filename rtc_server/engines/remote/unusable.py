"""Causes for which an engine server cannot be used, each with a sentence for log and doctor."""

from enum import Enum, auto

from rtc_server.errors import EngineError, EngineUnavailable


class Cause(Enum):
    """Kind of obstacle between a media process and an engine server."""

    UNREACHABLE = auto()
    """No connection, or one that ended or fell silent."""
    TOKEN = auto()
    """Token that the server refused."""
    CERTIFICATE = auto()
    """Certificate of an issuer that is not trusted, or for another name."""
    PROTOCOL = auto()
    """Another version of the protocol."""
    CLOSED = auto()
    """No connections taken now, or none for this kind of engine."""
    STRANGER = auto()
    """Address of something that is not an engine server."""
    OTHER_ENGINE = auto()
    """Another engine than that of the other servers."""


class UnusableServer(EngineUnavailable):
    """Engine server that cannot be used; `str` continues a sentence that begins with its name."""

    def __init__(self, cause: Cause, message: str) -> None:
        super().__init__(message)
        self.cause = cause


FAILURES = (EngineError, EOFError, OSError, TimeoutError)
"""Exceptions of a connection to an engine server."""


def unusable(error: Exception, patience_s: float) -> UnusableServer:
    """Return one of `FAILURES` with its cause and a sentence; a timeout waited `patience_s`."""
    match error:
        case UnusableServer():
            return error
        case TimeoutError():
            return UnusableServer(Cause.UNREACHABLE, f"no answer within {patience_s:g} s")
        case EOFError():
            why = f" ({error})" if str(error) else ""
            return UnusableServer(Cause.UNREACHABLE, f"the connection ended{why}")
        case OSError():
            why = error.strerror or type(error).__name__
            return UnusableServer(Cause.UNREACHABLE, f"cannot be reached ({why})")
    return UnusableServer(Cause.STRANGER, str(error))
