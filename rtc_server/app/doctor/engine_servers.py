"""Checks of the engine servers of the options: connections like those of a media process."""

import asyncio
import statistics
from collections.abc import AsyncIterator

from rtc_server import __version__
from rtc_server.app.doctor.findings import Finding, fault, note, ok
from rtc_server.app.engine_channel import connector
from rtc_server.app.engine_directory import directory_of
from rtc_server.config import EngineSettings
from rtc_server.engines.registry import Kind
from rtc_server.engines.remote.calls import PooledCall
from rtc_server.engines.remote.connection import CONNECT_S, EngineConnection
from rtc_server.engines.remote.directory import ServerAddress
from rtc_server.engines.remote.messages import EnginePong, ServerHello
from rtc_server.engines.remote.same_engine import check_same_engine
from rtc_server.engines.remote.unusable import FAILURES, Cause, unusable
from rtc_server.errors import ConfigError, EngineUnavailable

PINGS = 5
FAR_MS = 20.0
"""Round-trip time to an engine server from which on there is a note about it."""

_REMEDIES = {
    Cause.UNREACHABLE: (
        "Check that `rtc-server engines serve` runs there (its log says), that it listens on this "
        "address, and that a firewall lets this machine through."
    ),
    Cause.TOKEN: "Give both sides the same --engine-token-file (or RTC_ENGINE_TOKEN).",
    Cause.CERTIFICATE: (
        "Give the issuer's certificate with --engine-ca, and use a host name that the "
        "certificate contains."
    ),
    Cause.PROTOCOL: "Install the same version of rtc-server on both hosts.",
    Cause.CLOSED: (
        "Start it without --only, or name another engine server. "
        "If it is stopping, name one that keeps running."
    ),
    Cause.STRANGER: "Name the address that `rtc-server engines serve --listen` was given.",
    Cause.OTHER_ENGINE: (
        "Start it with the same --engines as the others, or take it out of the list."
    ),
}


class EngineServersCheck:
    """Check of ``--ast-servers`` and ``--tts-servers``."""

    def __init__(self, settings: EngineSettings) -> None:
        self._settings = settings
        self._names: dict[Kind, tuple[str, ...]] = {
            "ast": settings.ast_servers,
            "tts": settings.tts_servers,
        }
        self._first: dict[Kind, ServerHello] = {}
        """Hello of the first server of each kind that can be used."""

    @property
    def lacks_engines(self) -> bool:
        """True if no server of some kind can be used, so that no call could be answered. It is
        valid after all `findings`."""
        return any(names and kind not in self._first for kind, names in self._names.items())

    async def findings(self) -> AsyncIterator[Finding]:
        """Yield findings about each server; nothing without servers."""
        for kind, names in self._names.items():
            for name in names:
                try:
                    found = await directory_of([name], self._settings).addresses()
                except (ConfigError, EngineUnavailable, OSError) as error:
                    yield fault(f"--{kind}-servers {name}: {error}", "Correct the option.")
                    continue
                if not found:
                    yield fault(
                        f"--{kind}-servers {name}: no address is known for it.",
                        "Correct the name, or the DNS or directory that should know it.",
                    )
                for address in found:
                    yield await self._look_at(kind, address)

    async def _look_at(self, kind: Kind, address: ServerAddress) -> Finding:
        what = f"Engine server ({kind}) {address.name}"
        try:
            connect = connector(kind, "doctor", self._settings)
            async with asyncio.timeout(CONNECT_S):
                connection = EngineConnection(await connect(address), again=_never)
            try:
                hello = await connection.hello()
                check_same_engine(kind, self._first.get(kind), hello)
                trips_s = [await connection.round_trip_s() for _ in range(PINGS)]
            finally:
                await connection.close()
        except ConfigError as error:
            return fault(f"{what}: {error}", "Correct the option.")
        except FAILURES as error:
            refused = unusable(error, CONNECT_S)
            return fault(f"{what}: {str(refused).rstrip('.')}.", _REMEDIES[refused.cause])
        self._first.setdefault(kind, hello)
        engine, ping_ms = hello.ast or hello.tts, statistics.median(trips_s) * 1000
        title = engine.title if engine is not None else "no engine"
        offered = ", ".join(sorted(card.name for card in hello.cards)) or "none named"
        said = (
            f"{what} runs {title} (rtc-server {hello.version}); {ping_ms:.1f} ms for a round trip."
        )
        said += f" Its machine knows: {offered}."
        return _judged(said, hello, connection.pong, ping_ms)


def _never(_call: PooledCall) -> None:
    raise AssertionError("the doctor sends no request that could be moved")


def _judged(said: str, hello: ServerHello, pong: EnginePong, ping_ms: float) -> Finding:
    if not pong.ready:
        return note(f"{said} Its engine is being restarted.", "If that continues, read its log.")
    if hello.version != __version__:
        return note(
            f"{said} This machine has {__version__}.",
            "The versions work together. Upgrade the older one when you can.",
        )
    if pong.retry_after_s:
        return note(
            f"{said} It is busy: it takes another session in {pong.retry_after_s} s.",
            "Add servers, or --ast-processes there.",
        )
    if ping_ms > FAR_MS:
        return note(
            f"{said} Each call takes that much longer.",
            "Run the engines nearer to this machine.",
        )
    return ok(said)
