"""Engine server as a whole: ``rtc-server engines serve``.

Start: the engines, then the socket, so that clients find warm engines. Stop: no new calls, the end
of the open calls, then connections, socket and engines.
"""

import asyncio
import contextlib
import logging
import os
import socket
import stat
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from aiohttp import web

from rtc_server import __version__
from rtc_server.app.engine_channel import engine_token
from rtc_server.app.engine_http import EngineHttp
from rtc_server.app.listening import listening, url_of
from rtc_server.app.phrases import read_phrases
from rtc_server.app.socket_turn import alone_at
from rtc_server.app.stop_signals import stoppable
from rtc_server.app.traces import make_traces
from rtc_server.clock import monotonic, wall
from rtc_server.config import EngineSettings, HttpSettings
from rtc_server.engines import registry
from rtc_server.engines.engine_settings import NO_PLUGINS
from rtc_server.engines.plugin import OptionValue
from rtc_server.engines.registry import Kind
from rtc_server.engines.remote.directory import ServerAddress, parse_address
from rtc_server.engines.remote.messages import PhraseCard, ServerHello
from rtc_server.engines.remote.server import EngineServer, Served
from rtc_server.engines.service import AstService, TtsService
from rtc_server.errors import ConfigError
from rtc_server.host_system import is_private
from rtc_server.metrics import Metrics

KINDS: tuple[Kind, ...] = ("ast", "tts")

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class RunningEngineServer:
    """An engine server that takes calls."""

    address: str
    """Address to give to ``--ast-servers`` and ``--tts-servers``."""
    engines: tuple[str, ...]
    """Titles of its engines."""
    server: EngineServer
    metrics: Metrics


def checked_address(listen: str, token: str, http: HttpSettings) -> ServerAddress:
    """Return the address to listen on.

    Raises:
        ConfigError: it is not an address, or other machines would reach it without a token.
    """
    address = parse_address(listen, least_port=0)
    if address.unix or HttpSettings(host=address.host).is_loopback():
        return address
    if not token:
        raise ConfigError(
            f"Listening on {address.host} would let anyone use these engines. Set a token "
            "(--engine-token-file or RTC_ENGINE_TOKEN), or listen on 127.0.0.1 or unix:PATH."
        )
    if not http.tls_cert and not is_private(address.host):
        _log.warning(
            "Token and audio are sent to %s without TLS. Set --tls-cert and --tls-key, or open "
            "this port only in a private network.",
            address.host,
        )
    return address


@asynccontextmanager
async def engine_server(
    listen: str,
    kinds: tuple[Kind, ...],
    engines: EngineSettings,
    http: HttpSettings,
    plugins: Mapping[str, OptionValue] = NO_PLUGINS,
) -> AsyncIterator[RunningEngineServer]:
    """Run an engine server until the block ends.

    `plugins`: options of plug-ins by name, as of `Settings`.

    Raises:
        ConfigError: a setting cannot work here.
        EngineUnavailable: an engine cannot be started.
    """
    if engines.ast_servers or engines.tts_servers:
        raise ConfigError(
            "An engine server runs its engines itself: leave --ast-servers and --tts-servers out."
        )
    token = engine_token(engines)
    address = checked_address(listen, token, http)
    metrics, traces = Metrics(), make_traces(http, monotonic, wall)
    async with traces.exporting(), _served(kinds, engines, plugins, metrics) as served:
        server = EngineServer(served, traces.tracer)
        app = EngineHttp(server, token, metrics).app
        async with _listening(app, address, http, metrics) as name:
            hellos = (served.ast_hello, served.tts_hello)
            capabilities = [each.ast or each.tts for each in hellos if each is not None]
            titles = tuple(each.title for each in capabilities if each is not None)
            try:
                yield RunningEngineServer(name, titles, server, metrics)
            finally:
                await server.close()


async def serve_engines(
    listen: str,
    kinds: tuple[Kind, ...],
    engines: EngineSettings,
    http: HttpSettings,
    announce: Callable[[RunningEngineServer], None],
    *,
    plugins: Mapping[str, OptionValue],
) -> None:
    """Run an engine server until SIGINT or SIGTERM; open calls get ``--drain-s`` to finish.

    A second signal ends the process at once. Raises what `engine_server` does.
    """
    async with (
        stoppable() as stopped,
        engine_server(listen, kinds, engines, http, plugins) as running,
    ):
        announce(running)
        await stopped()
        _log.info("Stopping.")
        await running.server.drain(http.drain_s)


@asynccontextmanager
async def _served(
    kinds: tuple[Kind, ...],
    settings: EngineSettings,
    plugins: Mapping[str, OptionValue],
    metrics: Metrics,
) -> AsyncIterator[Served]:
    ast = tts = None
    async with contextlib.AsyncExitStack() as stack:
        if "ast" in kinds:
            options = settings.options("ast", plugins)
            ast = AstService(settings.ast, options, settings, metrics, monotonic)
            stack.push_async_callback(ast.close)
        if "tts" in kinds:
            options = settings.options("tts", plugins)
            tts = TtsService(settings.tts, options, settings, metrics, monotonic)
            stack.push_async_callback(tts.close)
        try:
            async with asyncio.TaskGroup() as tasks:
                for service in (ast, tts):
                    if service is not None:
                        tasks.create_task(service.start())
        except* Exception as group:  # the sentence of one engine is enough
            raise group.exceptions[0] from None
        yield Served(
            ast,
            tts,
            _ast_hello(settings, plugins, ast) if ast is not None else None,
            _tts_hello(settings, tts) if tts is not None else None,
        )


def _ast_hello(
    settings: EngineSettings, plugins: Mapping[str, OptionValue], service: AstService
) -> ServerHello:
    phrases = read_phrases(service.capabilities, settings.options("ast", plugins))
    return ServerHello(
        __version__,
        settings.ast,
        ast=service.capabilities,
        cards=tuple(each for each in registry.cards() if each.kind == "ast"),
        phrases={
            language: tuple(PhraseCard(**asdict(each)) for each in some)
            for language, some in phrases.items()
        },
    )


def _tts_hello(settings: EngineSettings, service: TtsService) -> ServerHello:
    return ServerHello(
        __version__,
        settings.tts,
        tts=service.capabilities,
        cards=tuple(each for each in registry.cards() if each.kind == "tts"),
    )


@asynccontextmanager
async def _listening(
    app: web.Application, address: ServerAddress, http: HttpSettings, metrics: Metrics
) -> AsyncIterator[str]:
    """Listen, and yield the address to give to media processes."""
    if not address.unix:
        own = HttpSettings(
            host=address.host,
            port=address.port,
            tls_cert=http.tls_cert,
            tls_key=http.tls_key,
        )
        async with listening(app, own, metrics, "the engines are warm") as port:
            yield "ws" + url_of(own, port).removeprefix("http")
        return
    path = Path(address.unix)
    runner = web.AppRunner(app, access_log=None, keepalive_timeout=10.0, shutdown_timeout=1.0)
    await runner.setup()
    try:
        async with alone_at(path):
            _make_way(path)
            mask = os.umask(0o177)  # the socket is its owner's alone from the beginning
            try:
                await web.UnixSite(runner, path).start()
            except OSError as error:
                raise ConfigError(f"Cannot listen on {path} ({error.strerror or error}).") from None
            finally:
                os.umask(mask)
            bound = os.lstat(path)
        try:
            yield f"unix:{path}"
        finally:
            _remove(path, bound)
    finally:
        await runner.cleanup()


def _remove(path: Path, bound: os.stat_result) -> None:
    """Remove the socket that was bound, unless another has taken its place."""
    with contextlib.suppress(OSError):
        # No other file can have this inode number: the listening socket still holds it.
        if os.path.samestat(path.lstat(), bound):
            path.unlink()


def _make_way(path: Path) -> None:
    """Remove the socket of a server that was killed. Raises `ConfigError` for anything else."""
    try:
        mode = path.lstat().st_mode
    except OSError:
        return
    if not stat.S_ISSOCK(mode):
        raise ConfigError(f"{path} exists and is not a socket. Give --listen another path.")
    with socket.socket(socket.AF_UNIX) as caller:
        caller.setblocking(False)
        try:
            caller.connect(str(path))
        except ConnectionRefusedError:
            path.unlink()  # no process listens
            return
        except BlockingIOError:
            pass  # a process listens, and its backlog is full
        except OSError as error:
            raise ConfigError(f"Cannot listen on {path} ({error.strerror or error}).") from None
    raise ConfigError(f"Another server listens on {path}. Stop it, or name another for --listen.")
