"""Order of the checks."""

import datetime
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import aiohttp
import numpy as np

from rtc_server.app.doctor.calling import ServerAccess, negotiation
from rtc_server.app.doctor.engine_servers import EngineServersCheck
from rtc_server.app.doctor.findings import Finding, fault, note, ok
from rtc_server.app.doctor.hardware import look_at_hardware
from rtc_server.app.doctor.machine import look_at_machine
from rtc_server.app.doctor.rehearsal import rehearse
from rtc_server.clock import monotonic, wall
from rtc_server.config import Settings, engine_clashes, is_loopback
from rtc_server.errors import RtcServerError
from rtc_server.pcm import PLAYOUT_RATE
from rtc_server.transport.addresses import addresses_to_offer
from rtc_server.transport.discovery import ask_ice_server
from rtc_server.transport.probe import probe

CONNECT_S = 20.0


async def examine(settings: Settings) -> AsyncIterator[Finding]:
    """Yield findings about this machine with these settings, before `serve`."""
    addresses = addresses_to_offer(settings.transport, settings.http.host)
    for finding in look_at_machine(settings, addresses, datetime.datetime.now(datetime.UTC)):
        yield finding
    for finding in look_at_hardware(settings.engines):
        yield finding
    async for finding in _ice_servers(settings, addresses):
        yield finding
    servers = EngineServersCheck(settings.engines)
    async for finding in servers.findings():
        yield finding
    if servers.lacks_engines:
        yield note(
            "No call was rehearsed: no engine server can be used.",
            "Make one reachable, and run the doctor again.",
        )
        return
    if clashes := engine_clashes(settings.engines):
        for sentence in clashes:
            yield fault(sentence, "Or choose another engine, and run the doctor again.")
        return
    async for finding in rehearse(settings):
        yield finding


async def examine_remote(url: str, settings: Settings) -> AsyncIterator[Finding]:
    """Yield findings about a server elsewhere, seen as its client. The key is that
    of the settings.
    """
    url = url.rstrip("/")
    address = urlsplit(url)
    async with aiohttp.ClientSession() as http:
        access = ServerAccess(http, url, settings.http.api_key)
        try:
            await access.get("/readyz")
            yield ok(f"{url} answers and is ready.")
            languages = await access.get("/v1/languages")
        except RtcServerError as error:
            yield fault(
                str(error),
                "Check the address, that the server runs (its log says), and --api-key.",
            )
            return
        pairs = len(languages["pairs"])
        yield ok(f"It translates {pairs} pairs: {languages['ast']}, {languages['tts']}.")
        local = is_loopback(address.hostname or "")
        if address.scheme != "https" and not local:
            yield fault(
                "The page comes over plain HTTP, so browsers give it no microphone.",
                "Serve it over HTTPS: --tls-cert and --tls-key, or a proxy that ends TLS.",
            )
        try:
            report = await probe(
                negotiation(access),
                np.zeros(PLAYOUT_RATE, np.float32),
                patience_s=CONNECT_S,
                segments=0,
                addresses=("127.0.0.1",) if local else (),
            )
        except RtcServerError as error:
            yield fault(f"A call is refused: {error}", "Do what the sentence says.")
            return
    offered = ", ".join(report.offered) or "nothing"
    if report.connected_ms is None:
        yield fault(
            f"UDP does not get through. The server offers {offered}.",
            "If that is not the address clients reach, set --public-address on the server. Open "
            "its UDP ports (--udp-port-first to --udp-port-last) in firewall and container, or "
            "set a TURN server in --ice-servers. See docs/network.md.",
        )
    elif report.channel_ms is None:
        yield fault(
            f"The call connected ({report.path}), and no event came over the data channel.",
            "Read the server's log.",
        )
    else:
        yield ok(
            f"A call connected in {report.connected_ms:.0f} ms ({report.path}), of which "
            f"{report.answer_ms or 0:.0f} ms passed until the answer. Offered: {offered}."
        )


async def _ice_servers(settings: Settings, addresses: list[str]) -> AsyncIterator[Finding]:
    ice = settings.transport.ice()
    if not ice.servers and not settings.http.is_loopback():
        yield note(
            "There is no TURN server: clients whose network stops UDP cannot call.",
            "Run coturn and name it in --ice-servers (docs/network.md).",
        )
    for server in ice.servers:
        answer = await ask_ice_server(ice, server, addresses, monotonic, wall)
        if not answer.address:
            yield fault(
                f"{server.url} did not give an address.",
                "Check its name, port and credentials, and that this machine may reach it.",
            )
        elif answer.reaches:
            yield fault(
                f"{server.url} relays into private networks: each of its users can send to "
                f"{', '.join(answer.reaches)}.",
                "Deny it with the lines that docs/network.md has for coturn: denied-peer-ip, "
                "no-tcp-relay, no-multicast-peers.",
            )
        else:
            yield ok(f"{server.url} works: it gave {answer.address}.")
