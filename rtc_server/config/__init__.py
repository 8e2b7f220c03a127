"""Every setting of the server, defined once, in sections by the layer that reads them.

A field is a flag, an environment variable and a key of the configuration file
(`rtc_server.options`). Input: parsed flags, the environment and that file. Output: sections,
checked. A layer receives its section, never all.

Read `all_settings` first: the sections, and the rules between them. A section and its rules are in
the module of its name, with the layer that reads it; those in this package are of `app`. Options of
installed plug-ins are further sections, made by `plugin_sections`.
"""

from rtc_server.config.all_settings import (
    SECTIONS,
    Settings,
    engine_clashes,
    load,
    load_settings,
    load_with_plugins,
    open_sources,
    plugins,
    sections,
)
from rtc_server.config.cluster_settings import ClusterSettings
from rtc_server.config.usage_settings import UsageSettings
from rtc_server.config.worker_settings import WorkerSettings
from rtc_server.engines.engine_settings import EngineSettings
from rtc_server.host_system import is_loopback
from rtc_server.interpreter.interpreter_settings import InterpreterSettings
from rtc_server.interpreter.segmenter_settings import SegmenterSettings
from rtc_server.rooms.room_settings import RoomSettings
from rtc_server.signaling.access_settings import ORIGIN, AccessSettings
from rtc_server.signaling.http_settings import PATH_PREFIX, HttpSettings
from rtc_server.transport.transport_settings import PUBLIC_BY_STUN, TransportSettings

__all__ = [
    "ORIGIN",
    "PATH_PREFIX",
    "PUBLIC_BY_STUN",
    "SECTIONS",
    "AccessSettings",
    "ClusterSettings",
    "EngineSettings",
    "HttpSettings",
    "InterpreterSettings",
    "RoomSettings",
    "SegmenterSettings",
    "Settings",
    "TransportSettings",
    "UsageSettings",
    "WorkerSettings",
    "engine_clashes",
    "is_loopback",
    "load",
    "load_settings",
    "load_with_plugins",
    "open_sources",
    "plugins",
    "sections",
]
