"""Checks that start nothing: ports, addresses, the certificate."""

import datetime
import ipaddress
import socket
from collections.abc import Iterator, Sequence
from pathlib import Path

from cryptography import x509

from rtc_server.app.doctor.findings import Finding, fault, note, ok
from rtc_server.app.tls import tls_context
from rtc_server.config import HttpSettings, Settings, TransportSettings
from rtc_server.errors import ConfigError

SOON = datetime.timedelta(days=14)
"""Remaining validity below which a certificate should have been renewed."""


def look_at_machine(
    settings: Settings, addresses: Sequence[str], now: datetime.datetime
) -> Iterator[Finding]:
    """Yield all findings of this module. `addresses` are those that media is offered on."""
    yield from http_port(settings.http)
    yield from microphone(settings.http)
    if settings.http.tls_cert:
        yield from certificate(settings.http, now)
    yield from media_addresses(settings, addresses)
    yield from media_ports(settings.transport, addresses, settings.http.max_sessions)


def http_port(http: HttpSettings) -> Iterator[Finding]:
    """Check that the HTTP port is free."""
    family = socket.AF_INET6 if ":" in http.host else socket.AF_INET
    try:
        with socket.create_server((http.host, http.port), family=family):
            pass
    except OSError as error:
        yield fault(
            f"Nothing can listen on {http.host} port {http.port}: {error.strerror}.",
            "Stop what is using it (a server that already runs?), or choose another --port.",
        )
    else:
        yield ok(f"Port {http.port} on {http.host} is free.")


def microphone(http: HttpSettings) -> Iterator[Finding]:
    """Check that pages come from a secure context: browsers give them the microphone there only."""
    if http.is_loopback():
        yield note(
            "Only this machine can reach the server.",
            "To let other machines connect: --host 0.0.0.0 with an API key, and HTTPS.",
        )
    elif http.tls_cert:
        yield ok("The page comes over HTTPS, so browsers give it the microphone.")
    elif http.trusted_proxies:
        yield note(
            "A proxy is in front. Browsers give the page the microphone only over HTTPS.",
            "Make sure that the proxy's address begins with https://.",
        )
    else:
        yield fault(
            "The page comes over plain HTTP, so browsers on other machines give it no microphone.",
            "Set --tls-cert and --tls-key, or put a proxy that ends TLS in front (examples/proxy).",
        )


def certificate(http: HttpSettings, now: datetime.datetime) -> Iterator[Finding]:
    """Check that browsers will accept the certificate, as far as it can be read from it."""
    try:
        tls_context(Path(http.tls_cert), Path(http.tls_key))
        found = x509.load_pem_x509_certificate(Path(http.tls_cert).read_bytes())
    except (ConfigError, ValueError) as error:
        yield fault(str(error), "Use the files of your certificate authority.")
        return
    ends = found.not_valid_after_utc
    if ends <= now or found.not_valid_before_utc > now:
        yield fault(
            f"The certificate is valid from {found.not_valid_before_utc:%d %B %Y} to "
            f"{ends:%d %B %Y}, which is not now.",
            "Renew it; the server takes a renewed one within a minute.",
        )
    elif ends - now < SOON:
        yield note(f"The certificate expires on {ends:%d %B %Y}.", "Renew it.")
    else:
        yield ok(f"The certificate is valid until {ends:%d %B %Y}.")
    if found.issuer == found.subject:
        yield note(
            "The certificate is signed by itself: browsers warn, and other programs refuse.",
            "Get one from a certificate authority, such as Let's Encrypt.",
        )


def media_addresses(settings: Settings, addresses: Sequence[str]) -> Iterator[Finding]:
    """Check that clients elsewhere can send media here."""
    shown = ", ".join(addresses) or "none"
    if not addresses:
        yield fault("There is no address to offer for media.", "Connect this machine to a network.")
        return
    if settings.http.is_loopback() and not settings.transport.ice_addresses:
        yield ok(f"Media is offered on {shown}.")
        return
    public = settings.transport.public_address
    if public:
        yield ok(f"Media is offered on {shown}, as {public}.")
    elif any(ipaddress.ip_address(each).is_global for each in addresses):
        yield ok(f"Media is offered on {shown}.")
    else:
        container = Path("/.dockerenv").exists()
        yield note(
            f"Media is offered on {shown} only: clients outside this network cannot reach it.",
            "If some are outside, name the address that they reach: --public-address."
            + (
                " In a container, run it with --network host, or publish the UDP ports of "
                "--udp-port-first and --udp-port-last."
                if container
                else ""
            ),
        )


def media_ports(
    transport: TransportSettings, addresses: Sequence[str], max_sessions: int
) -> Iterator[Finding]:
    """Check that there are UDP ports for all sessions."""
    first, last = transport.udp_port_first, transport.udp_port_last
    if not last:
        yield ok("Media may use any free UDP port; a firewall must let all of them in.")
        return
    free = min((_free_ports(address, first, last) for address in addresses), default=0)
    total = last - first + 1
    if free < max_sessions:
        yield fault(
            f"{free} of the {total} UDP ports from {first} to {last} are free, and "
            f"--max-sessions is {max_sessions}: each session takes one, and so do each speaker "
            "and listener of a room.",
            "Widen --udp-port-first to --udp-port-last, or lower --max-sessions.",
        )
    else:
        yield ok(f"{free} of the {total} UDP ports from {first} to {last} are free.")


def _free_ports(address: str, first: int, last: int) -> int:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    free = 0
    for port in range(first, last + 1):
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            try:
                probe.bind((address, port))
            except OSError:
                continue
            free += 1
    return free
