"""HTTP: addresses, TLS, proxies and limits of connections."""

import ipaddress
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rtc_server.errors import ConfigError
from rtc_server.host_system import is_loopback
from rtc_server.options import option
from rtc_server.options.option import hidden

PATH_PREFIX = re.compile(r"(/[A-Za-z0-9._~-]+)+")
"""A path that needs no escaping, without a slash at the end."""


if TYPE_CHECKING:
    from rtc_server.session.admission import AdmissionLimits


@dataclass(frozen=True, slots=True)
class HttpSettings:
    """HTTP settings: addresses, TLS, proxies and limits of connections."""

    host: str = option(
        "127.0.0.1", "address to listen on; any address but loopback needs an API key"
    )
    port: int = option(8000, "TCP port to listen on; 0 takes any free port", low=0, high=65535)
    path_prefix: str = option(
        "", "path prefix of all URLs, such as /interpreter; default: the root"
    )
    tls_cert: str = option(
        "", "certificate chain (PEM); with it and --tls-key the server speaks HTTPS"
    )
    tls_key: str = option("", "private key of the certificate (PEM, without a password)")
    trusted_proxies: tuple[str, ...] = option(
        (),
        "addresses or networks of reverse proxies, comma separated, whose X-Forwarded-For, -Host "
        "and -Prefix headers are trusted",
    )
    api_key: str = option("", "key that callers must present as a Bearer token", mask=hidden)
    max_sessions: int = option(50, "sessions at once; further calls get 503", low=1, high=10_000)
    address_sessions: int = option(
        0,
        "sessions at once of one address (IPv6: of one /64); 0 takes half of --max-sessions. "
        "Loopback, --trusted-proxies and callers with the API key itself are not counted",
        low=0,
        high=10_000,
    )
    max_connections: int = option(
        0,
        "TCP connections at once; 0 takes half of the file descriptors, at most 4096",
        low=0,
        high=1_000_000,
    )
    address_connections: int = option(
        256,
        "TCP connections at once of one address (IPv6: of one /64); 0 for no limit. Loopback and "
        "--trusted-proxies are not counted",
        low=0,
        high=1_000_000,
    )
    keepalive_s: float = option(
        0.0,
        "seconds for which a connection may wait for its first or next request; 0 takes 10, or "
        "75 with --trusted-proxies",
        low=0,
        high=3600,
    )
    drain_s: float = option(
        10.0,
        "seconds that open sessions and rooms may take to finish their sentence after a signal "
        "to stop; a second signal stops the server at once",
        low=0,
        high=600,
    )
    log_level: str = option(
        "info", "lowest level that is logged", choices=("debug", "info", "warning", "error")
    )
    log_format: str = option(
        "text",
        "form of the log: lines of text, or one JSON object a line",
        choices=("text", "json"),
    )
    traces: str = option(
        "no",
        "OpenTelemetry traces of calls, sent by OTLP over HTTP to the address in the OTEL_* "
        "variables (extra otel, docs/operations.md)",
        choices=("no", "otlp"),
    )

    def __post_init__(self) -> None:
        if bool(self.tls_cert) != bool(self.tls_key):
            given, lacking = ("cert", "key") if self.tls_cert else ("key", "cert")
            raise ConfigError(
                f"--tls-{given} {self.tls_cert or self.tls_key} has no --tls-{lacking}. Set "
                "--tls-cert and --tls-key together, or neither."
            )
        if self.path_prefix and not PATH_PREFIX.fullmatch(self.path_prefix):
            raise ConfigError(
                f"{self.path_prefix!a} is not a path. --path-prefix takes one such as "
                "/interpreter, without a slash at the end."
            )
        for proxy in self.trusted_proxies:
            try:
                ipaddress.ip_network(proxy)
            except ValueError:
                raise ConfigError(
                    f"{proxy!a} is not an address or a network. --trusted-proxies takes such as "
                    "127.0.0.1 or 10.0.0.0/8, without bits beyond the mask."
                ) from None

    def admission_limits(self) -> "AdmissionLimits":
        """Return the limits of the whole server."""
        # Here: the command reads settings for its help, and sessions bring the numerics.
        from rtc_server.session.admission import AdmissionLimits  # noqa: PLC0415

        return AdmissionLimits(self.max_sessions, self.address_sessions)

    def is_loopback(self) -> bool:
        """Return whether only this machine can reach the server."""
        return is_loopback(self.host)
