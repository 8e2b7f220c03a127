"""TLS of the HTTP server, with a certificate that may be renewed while it runs."""

import asyncio
import logging
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from rtc_server.background import beside
from rtc_server.errors import ConfigError

CHECK_S = 60.0
"""Interval of checks for new files; certificates are renewed weeks before they expire."""

_log = logging.getLogger(__name__)


def tls_context(certificate: Path, key: Path) -> ssl.SSLContext:
    """Return the context to listen with: TLS 1.2 or later, HTTP/1.1.

    Raises:
        ConfigError: a file cannot be read, or the key is not that of the certificate.
    """
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.set_alpn_protocols(["http/1.1"])
    _load(context, certificate, key)
    return context


@asynccontextmanager
async def renewing(context: ssl.SSLContext, certificate: Path, key: Path) -> AsyncIterator[None]:
    """Load new files while the block runs; new connections get the renewed certificate."""

    async def watch() -> None:
        known = _age(certificate, key)
        while True:
            await asyncio.sleep(CHECK_S)
            if (age := _age(certificate, key)) == known:
                continue
            try:
                _load(context, certificate, key)
            except ConfigError as error:  # perhaps half written: try again
                _log.warning("The renewed certificate is not used yet: %s", error)
            else:
                known = age
                _log.info("The renewed certificate is in use.")

    async with beside(watch(), name="certificate"):
        yield


def _load(context: ssl.SSLContext, certificate: Path, key: Path) -> None:
    try:
        # A pair that does not match would leave the context without a key: test it on another one.
        for each in (ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), context):
            # OpenSSL would ask for a key's password on the terminal; an empty one fails instead.
            each.load_cert_chain(certificate, key, password=lambda: b"")
    except (OSError, ssl.SSLError) as error:
        reason = error.strerror or getattr(error, "reason", None) or "unreadable"
        if missing := [str(each) for each in (certificate, key) if not each.is_file()]:
            reason = f"there is no file {' and no file '.join(missing)}"
        raise ConfigError(
            f"Cannot use the certificate {certificate} with the key {key} ({reason}). --tls-cert "
            "takes the whole chain and --tls-key its private key without a password, both PEM."
        ) from None


def _age(*paths: Path) -> tuple[int, ...] | None:
    try:
        return tuple(path.stat().st_mtime_ns for path in paths)
    except OSError:
        return None
