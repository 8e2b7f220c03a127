"""Checks of the engine servers that the options name: each is asked as a media process asks it."""

import asyncio
import statistics
from collections.abc import AsyncIterator

from rtc_server import __version__
from rtc_server.app.doctor.findings import Finding, Level, fault, note, ok
from rtc_server.app.engine_channel import connector
from rtc_server.app.engine_directory import directory_of
from rtc_server.clock import monotonic
from rtc_server.config import EngineSettings
from rtc_server.engines.registry import Kind
from rtc_server.engines.remote.channel import FrameChannel
from rtc_server.engines.remote.directory import ServerAddress
from rtc_server.engines.remote.frames import decode_answering, encode
from rtc_server.engines.remote.messages import EnginePing, EnginePong, ServerHello
from rtc_server.engines.remote.same_engine import check_same_engine
from rtc_server.errors import ConfigError, EngineError, EngineUnavailable

ANSWER_S = 5.0
"""Time that a server may take for each answer."""
PINGS = 5
FAR_MS = 20.0
"""Way there and back that every question has to go, from which on it is worth a word."""

_REMEDIES = {
    "token": "Give both sides the same --engine-token-file (or RTC_ENGINE_TOKEN).",
    "certificate": "Name whoever issued it in --engine-ca, and the host as the certificate does.",
    "version of the protocol": "Install the same version of rtc-server on both hosts.",
    "takes no connections": (
        "Ask it for what it has: `rtc-server engines serve` without --only, or another address. "
        "If it is stopping, name one that stays."
    ),
    "is no engine server": "Name the address that `rtc-server engines serve --listen` was given.",
}
_REACH = (
    "Check that `rtc-server engines serve` runs there (its log says), that it listens on this "
    "address, and that a firewall lets this machine through."
)


async def look_at_engine_servers(settings: EngineSettings) -> AsyncIterator[Finding]:
    """Yield findings about ``--ast-servers`` and ``--tts-servers``; nothing without them."""
    kinds: tuple[tuple[Kind, tuple[str, ...]], ...] = (
        ("ast", settings.ast_servers),
        ("tts", settings.tts_servers),
    )
    for kind, names in kinds:
        first: ServerHello | None = None
        for name in names:
            try:
                found = await directory_of([name], settings).addresses()
            except (ConfigError, EngineUnavailable, OSError) as error:
                yield fault(f"--{kind}-servers {name}: {error}", "Correct the option.")
                continue
            if not found:
                yield fault(
                    f"--{kind}-servers {name}: nobody knows an address of it.",
                    "Correct the name, or the DNS or directory that should know it.",
                )
            for address in found:
                finding, hello = await _look_at(kind, address, settings, first)
                first = first or hello
                yield finding


def lacks_engines(findings: list[Finding], settings: EngineSettings) -> bool:
    """Return whether no server of some kind can be used, so that no call could be answered."""
    for kind, names in (("ast", settings.ast_servers), ("tts", settings.tts_servers)):
        beginning = _beginning(kind, "")
        if names and not any(
            each.level is not Level.FAULT and each.what.startswith(beginning) for each in findings
        ):
            return True
    return False


async def _look_at(
    kind: str, address: ServerAddress, settings: EngineSettings, first: ServerHello | None
) -> tuple[Finding, ServerHello | None]:
    of: Kind = "ast" if kind == "ast" else "tts"
    what = _beginning(kind, address.name)
    try:
        connect = connector(of, "doctor", settings)
        async with asyncio.timeout(ANSWER_S):
            channel = await connect(address)
        try:
            async with asyncio.timeout(ANSWER_S):
                hello = decode_answering(await channel.receive())
            if not isinstance(hello, ServerHello):
                raise EngineUnavailable("is no engine server: it did not begin with a hello")
            check_same_engine(of, first, hello)
            ping_ms, pong = await _pings(channel)
        finally:
            await channel.close()
    except (ConfigError, EngineError, EOFError, OSError, TimeoutError) as error:
        reason = _sentence(error)
        return fault(f"{what}: {reason}.", _remedy(reason)), None
    engine = hello.ast or hello.tts
    title = engine.title if engine is not None else "no engine"
    offered = ", ".join(sorted(card.name for card in hello.cards)) or "none named"
    said = f"{what} runs {title} (rtc-server {hello.version}); {ping_ms:.1f} ms there and back."
    said += f" Its machine knows: {offered}."
    return _judged(said, hello, pong, ping_ms), hello


def _judged(said: str, hello: ServerHello, pong: EnginePong, ping_ms: float) -> Finding:
    if not pong.ready:
        return note(f"{said} Its engine is being restarted.", "Look into its log, if that goes on.")
    if hello.version != __version__:
        return note(
            f"{said} Here is {__version__}.",
            "They understand each other. Upgrade the older one when you can.",
        )
    if pong.retry_after_s:
        return note(
            f"{said} It is busy: it takes another session in {pong.retry_after_s} s.",
            "Add servers, or --ast-processes there.",
        )
    if ping_ms > FAR_MS:
        return note(
            f"{said} Every question goes that way, and every answer is as much later.",
            "Put the engines nearer to this machine.",
        )
    return ok(said)


async def _pings(channel: FrameChannel) -> tuple[float, EnginePong]:
    """Return the median way there and back, and the last sign of life."""
    took_ms, pong = [], EnginePong(0)
    for n in range(1, PINGS + 1):
        began_s = monotonic()
        async with asyncio.timeout(ANSWER_S):
            await channel.send(encode(EnginePing(n)))
            while pong.n != n:
                answer = decode_answering(await channel.receive())
                pong = answer if isinstance(answer, EnginePong) else pong
        took_ms.append((monotonic() - began_s) * 1000)
    return statistics.median(took_ms), pong


def _beginning(kind: str, name: str) -> str:
    return f"Engine server ({kind}) {name}"


def _sentence(error: Exception) -> str:
    match error:
        case TimeoutError():
            return f"no answer within {ANSWER_S:g} s"
        case EOFError():
            return "it ended the connection"
        case OSError():
            return f"cannot be reached ({error.strerror or type(error).__name__})"
    return str(error).rstrip(".")


def _remedy(reason: str) -> str:
    for part, remedy in _REMEDIES.items():
        if part in reason:
            return remedy
    if "stand in" in reason:
        return "Start it with the same --engines as the others, or take it out of the list."
    return _REACH
