"""Engines of other processes for a media process: imported only where ``--ast-servers`` or
``--tts-servers`` ask for it.
"""

import secrets

from rtc_server.app.engine_channel import connector
from rtc_server.app.engine_directory import directory_of
from rtc_server.app.phrases import Phrases
from rtc_server.app.shared_lookups import SharedLookups
from rtc_server.config import EngineSettings
from rtc_server.engines.registry import Kind
from rtc_server.engines.remote.messages import ServerHello
from rtc_server.engines.remote.pool import EnginePool
from rtc_server.engines.remote.remote_ast import RemoteAst
from rtc_server.engines.remote.remote_tts import RemoteTts
from rtc_server.metrics import Metrics
from rtc_server.session.session_api import SuggestedPhrase


def remote_ast(settings: EngineSettings, metrics: Metrics, lookups: SharedLookups) -> RemoteAst:
    """Return the translation engine of ``--ast-servers``. Raises `ConfigError`."""
    return RemoteAst(_pool("ast", settings.ast_servers, settings, metrics, lookups))


def remote_tts(settings: EngineSettings, metrics: Metrics, lookups: SharedLookups) -> RemoteTts:
    """Return the synthesis engine of ``--tts-servers``. Raises `ConfigError`."""
    return RemoteTts(_pool("tts", settings.tts_servers, settings, metrics, lookups))


def phrases_of(hello: ServerHello) -> Phrases:
    """Return the phrases that a server's engine understands."""
    return {
        language: tuple(
            SuggestedPhrase(each.text, each.translation, each.language, each.topic)
            for each in phrases
        )
        for language, phrases in hello.phrases.items()
    }


def _pool(
    kind: Kind,
    servers: tuple[str, ...],
    settings: EngineSettings,
    metrics: Metrics,
    lookups: SharedLookups,
) -> EnginePool:
    directory = directory_of(servers, settings, lookups)
    client = secrets.token_urlsafe(
        9
    )  # so that sessions of different media processes have different names
    return EnginePool(kind, directory, connector(kind, client, settings), settings, metrics)
