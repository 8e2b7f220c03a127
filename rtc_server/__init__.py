"""A self-hosted live interpreter over WebRTC.

`serve` runs a server until a signal comes, `running` for the length of a block, and `mountable`
makes it part of another aiohttp application. All take `Settings`, whose sections are also classes
of this package. Every failure is an error below `RtcServerError`.

Importing this package is cheap and changes nothing in the process: each name is loaded when it is
first used. Names that ``__all__`` does not list are internal and may change in any release.
"""

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rtc_server.app.server import RunningServer, mountable, running, serve
    from rtc_server.config import (
        AccessSettings,
        EngineSettings,
        HttpSettings,
        InterpreterSettings,
        RoomSettings,
        SegmenterSettings,
        Settings,
        TransportSettings,
        UsageSettings,
        WorkerSettings,
    )
    from rtc_server.errors import (
        AdmissionRefused,
        AudioAhead,
        BadEvent,
        BadOffer,
        BodyTimeout,
        ConfigError,
        EngineCrashed,
        EngineError,
        EngineOverloaded,
        EngineTimeout,
        EngineUnavailable,
        EtagMismatch,
        EtagMissing,
        Forbidden,
        IceRestartRefused,
        ModelError,
        NotReady,
        PayloadTooLarge,
        RateLimited,
        RemoteError,
        RoomSilent,
        RoomTaken,
        RtcServerError,
        SessionRefused,
        SlowReader,
        TooManyTracks,
        Unauthorized,
        UnknownRoom,
        UnknownSession,
        UnsupportedMedia,
        UnsupportedPair,
    )
    from rtc_server.transport.media_scheduler import MediaScheduler

__version__ = "0.1.0"

__all__ = [
    "AccessSettings",
    "AdmissionRefused",
    "AudioAhead",
    "BadEvent",
    "BadOffer",
    "BodyTimeout",
    "ConfigError",
    "EngineCrashed",
    "EngineError",
    "EngineOverloaded",
    "EngineSettings",
    "EngineTimeout",
    "EngineUnavailable",
    "EtagMismatch",
    "EtagMissing",
    "Forbidden",
    "HttpSettings",
    "IceRestartRefused",
    "InterpreterSettings",
    "MediaScheduler",
    "ModelError",
    "NotReady",
    "PayloadTooLarge",
    "RateLimited",
    "RemoteError",
    "RoomSettings",
    "RoomSilent",
    "RoomTaken",
    "RtcServerError",
    "RunningServer",
    "SegmenterSettings",
    "SessionRefused",
    "Settings",
    "SlowReader",
    "TooManyTracks",
    "TransportSettings",
    "Unauthorized",
    "UnknownRoom",
    "UnknownSession",
    "UnsupportedMedia",
    "UnsupportedPair",
    "UsageSettings",
    "WorkerSettings",
    "__version__",
    "mountable",
    "running",
    "serve",
]

_SERVER = ("RunningServer", "mountable", "running", "serve")


def __getattr__(name: str) -> object:
    """Load a public name when it is first used (PEP 562)."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    if name in _SERVER:
        module = "rtc_server.app.server"
    elif name == "MediaScheduler":
        module = "rtc_server.transport.media_scheduler"
    else:
        module = "rtc_server.config" if name.endswith("Settings") else "rtc_server.errors"
    value: object = getattr(importlib.import_module(module), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
