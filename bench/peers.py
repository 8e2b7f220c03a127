"""FastRTC, Pipecat and this server, side by side: the same client, the same machine, one run.

    python -m bench.peers [--sessions 5] [--seconds 12]

The peers are installed by pip into environments of their own below `.cache/peers`; their smallest
servers are `bench/servers/fastrtc_echo.py` and `pipecat_bot.py`. All traffic is loopback, and no
STUN server is asked. *Echo* returns what it hears; the round trip is from a mark leaving the client
to its return, less the client's own codec. *Turn* is from the last voiced sample leaving the client
to the first sound of the answer, with engines that take no time, after a pause as long as
Pipecat's; FastRTC is not asked, because its detector wants a download. The client has no jitter
buffer: one would add the same to all. The servers take turns, `--rounds` times each, so that a busy
moment of the machine does not fall on one alone; CPU is of the media process.
"""

import argparse
import asyncio
import json
import os
import sys
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import psutil

from bench.harness import BenchServer, percentile, server, speaker
from bench.marks import delays_ms, marked_speech, onsets_s
from bench.media import CYCLE_S, ENGINES, SETTLE_S, echo_server, negotiation, speech_and_pause
from bench.rtp_client import FRAME_UNITS, RtpClient

ROOT = Path(__file__).resolve().parent.parent
ENVIRONMENTS = ROOT / ".cache" / "peers"
PACKAGES = {"fastrtc": "fastrtc==0.0.34", "pipecat": "pipecat-ai[webrtc]==1.14.0"}
PIPECATS_PAUSE_MS = 200
"""Silence after which Pipecat ends a turn by default; ours is 300 ms."""
SERVERS = Path(__file__).resolve().parent / "servers"

Negotiate = Callable[[str], Awaitable[str]]


@dataclass(slots=True)
class PeerFigures:
    """PeerFigures of one server, all rounds together."""

    delays_ms: list[float] = field(default_factory=list)
    """Round trips, or answers' delays."""
    cpu_ms: list[float] = field(default_factory=list)
    """Per session and second, one of each round."""


async def install(name: str) -> Path | None:
    """The Python of an environment that holds the peer; None when pip could not, and why."""
    folder = ENVIRONMENTS / name
    python = folder / "bin" / "python"
    if not (folder / "installed").exists():
        print(f"installing {PACKAGES[name]} …", file=sys.stderr)
        for command in (
            [sys.executable, "-m", "venv", str(folder)],
            [str(python), "-m", "pip", "install", "--quiet", PACKAGES[name]],
        ):
            process = await asyncio.create_subprocess_exec(*command, stderr=asyncio.subprocess.PIPE)
            _, error = await process.communicate()
            if process.returncode:
                last = error.decode().strip().splitlines()[-1:]
                print(f"{name} could not be installed: {' '.join(last)}", file=sys.stderr)
                return None
        (folder / "installed").touch()
    return python


@asynccontextmanager
async def peer_server(python: Path, script: str, *options: str) -> AsyncIterator[BenchServer]:
    """A peer's server in its own environment."""
    process = await asyncio.create_subprocess_exec(
        str(python),
        str(SERVERS / script),
        *options,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        assert process.stdout is not None
        async with asyncio.timeout(60):
            port = int(await process.stdout.readline())
        yield BenchServer(f"http://127.0.0.1:{port}", psutil.Process(process.pid))
    finally:
        process.kill()
        await process.wait()


def json_negotiation(http: aiohttp.ClientSession, url: str) -> Negotiate:
    """Return the negotiation by which both peers take an offer."""

    async def negotiate(offer: str) -> str:
        body = {"sdp": offer, "type": "offer", "webrtc_id": uuid.uuid4().hex}
        for attempt in range(20):
            try:
                async with http.post(url, json=body) as response:
                    response.raise_for_status()
                    return str((await response.json())["sdp"])
            except aiohttp.ClientConnectorError:  # the port is known before it is served
                await asyncio.sleep(0.1 * (attempt + 1))
        raise ConnectionError(url)

    return negotiate


async def converse(
    bench: BenchServer,
    negotiate: Callable[[aiohttp.ClientSession], Negotiate],
    packets: list[bytes],
    sessions: int,
    seconds: float,
) -> tuple[list[RtpClient], float]:
    """Connect clients and let them talk; return them, and CPU ms for each session and second."""
    async with aiohttp.ClientSession() as http, AsyncExitStack() as stack:
        clients = []
        for number in range(sessions):
            start = number * len(packets) // sessions
            client = RtpClient(negotiate(http), packets, start)
            clients.append(await stack.enter_async_context(client))
        await asyncio.sleep(SETTLE_S)
        cpu_s, begun_s = bench.media_cpu_s(), time.monotonic()
        await asyncio.sleep(seconds)
        took_s = time.monotonic() - begun_s
        cpu_ms = (bench.media_cpu_s() - cpu_s) / took_s / sessions * 1000
    return clients, cpu_ms


def answers_ms(client: RtpClient, last_voiced: int, cycle: int) -> list[float]:
    """Return the times from each last voiced packet that leaves to the first sound after it."""
    sound_s = onsets_s(
        [a.at_s for a in client.arrived], [a.payload for a in client.arrived], level=0.1
    )
    ends_s = [
        at_s
        for sent, at_s in enumerate(client.sent_at_s)
        if client.index_of(sent) % cycle == last_voiced
    ]
    heard = [next((s for s in sound_s if end < s < end + CYCLE_S - 2), None) for end in ends_s]
    return [(s - end) * 1000 for s, end in zip(heard, ends_s, strict=True) if s is not None]


Serving = Callable[[], AbstractAsyncContextManager[BenchServer]]


async def main(sessions: int, seconds: float, rounds: int) -> None:
    """Install, run, print."""
    marks, speech = marked_speech(), speech_and_pause()
    spoken = len(speaker()("I would like to book a table for two, please.", "en"))
    last_voiced = (spoken - 1) // FRAME_UNITS
    echoes: dict[str, tuple[Serving, str]] = {"ours": (echo_server, "/offer")}
    turns: dict[str, tuple[Serving, str]] = {
        "ours": (lambda: server(*ENGINES, "--hangover-ms", str(PIPECATS_PAUSE_MS)), ""),
        "ours, 300 ms pause": (lambda: server(*ENGINES), ""),
    }
    if (python := await install("fastrtc")) is not None:
        fastrtc = python
        echoes["FastRTC"] = (lambda: peer_server(fastrtc, "fastrtc_echo.py"), "/webrtc/offer")
    if (python := await install("pipecat")) is not None:
        pipecat = python
        echoes["Pipecat"] = (lambda: peer_server(pipecat, "pipecat_bot.py", "echo"), "/offer")
        turns["Pipecat"] = (lambda: peer_server(pipecat, "pipecat_bot.py", "turn"), "/offer")
    for title, servers, packets in (("echo", echoes, marks), ("turn", turns, speech)):
        figures = {name: PeerFigures() for name in servers}
        for _ in range(rounds):
            for name, (serving, path) in servers.items():
                async with serving() as bench:
                    url = bench.url + path if path else bench.call_url("en", "ru")
                    ours = name.startswith("ours")
                    clients, cpu_ms = await converse(
                        bench,
                        lambda http, url=url, ours=ours: (  # type: ignore[misc]
                            negotiation(http, url) if ours else json_negotiation(http, url)
                        ),
                        packets,
                        sessions,
                        seconds,
                    )
                figures[name].cpu_ms.append(cpu_ms)
                for client in clients:
                    figures[name].delays_ms += (
                        delays_ms(client, packets)
                        if title == "echo"
                        else answers_ms(client, last_voiced, len(packets))
                    )
        show(title, figures)


def show(title: str, figures: dict[str, PeerFigures]) -> None:
    """Print one table, and our ratios to the better peer."""
    print(f"\n{title}, load average {os.getloadavg()[0]:.1f}")
    print("| server | n | p50 ms | p95 ms | CPU ms per session-second |\n|---|---|---|---|---|")
    for name, each in figures.items():
        delays = each.delays_ms
        print(
            f"| {name} | {len(delays)} | {percentile(delays, 50):.0f} | "
            f"{percentile(delays, 95):.0f} | {percentile(each.cpu_ms, 50):.1f} |"
        )
    peers = [
        each for name, each in figures.items() if not name.startswith("ours") and each.delays_ms
    ]
    if peers:
        ours = figures["ours"]
        delay = min(percentile(peer.delays_ms, 50) for peer in peers)
        cpu = min(percentile(peer.cpu_ms, 50) for peer in peers)
        ratios = {
            "delay": round(percentile(ours.delays_ms, 50) / delay, 2),
            "cpu": round(percentile(ours.cpu_ms, 50) / cpu, 2),
        }
        print("ours to the better peer:", json.dumps(ratios), flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--sessions", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=12.0, help="measured, each server")
    parser.add_argument("--rounds", type=int, default=2)
    arguments = parser.parse_args()
    asyncio.run(main(arguments.sessions, arguments.seconds, arguments.rounds))
