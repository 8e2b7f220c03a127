"""Every setting of the server, once, by the part of it that reads them.

A field is a flag, an environment variable and a key of the configuration file
(`rtc_server.options`). In go parsed flags, the environment and that file; out come sections,
checked. Layers receive their section, never all.

Read `all_settings` first: the sections, and the rules between them. The rules of one section stand
with it, in the module of its name.
"""

from rtc_server.config.access_settings import ORIGIN, AccessSettings
from rtc_server.config.all_settings import SECTIONS, Settings, load, load_settings, open_sources
from rtc_server.config.engine_settings import EngineSettings
from rtc_server.config.http_settings import PATH_PREFIX, HttpSettings, is_loopback
from rtc_server.config.interpreter_settings import InterpreterSettings
from rtc_server.config.listener_settings import ListenerSettings
from rtc_server.config.room_settings import RoomSettings
from rtc_server.config.transport_settings import PUBLIC_BY_STUN, TransportSettings
from rtc_server.config.usage_settings import UsageSettings
from rtc_server.config.worker_settings import WorkerSettings

__all__ = [
    "ORIGIN",
    "PATH_PREFIX",
    "PUBLIC_BY_STUN",
    "SECTIONS",
    "AccessSettings",
    "EngineSettings",
    "HttpSettings",
    "InterpreterSettings",
    "ListenerSettings",
    "RoomSettings",
    "Settings",
    "TransportSettings",
    "UsageSettings",
    "WorkerSettings",
    "is_loopback",
    "load",
    "load_settings",
    "open_sources",
]
