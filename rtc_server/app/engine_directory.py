"""Directories of engine servers as options name them: some by address, some as lists over HTTP."""

import asyncio
import logging
from collections.abc import Iterable, Sequence
from urllib.parse import urlsplit

import aiohttp

from rtc_server.app.engine_channel import engine_token, trusted_certificates
from rtc_server.app.shared_lookups import SharedLookups
from rtc_server.config import EngineSettings
from rtc_server.engines.remote.directory import Directory, NamedServers, parse_address
from rtc_server.engines.remote.server_lists import (
    MOST_LIST_BYTES,
    FetchList,
    JoinedDirectories,
    ListedServers,
    is_directory,
    parse_directory,
)
from rtc_server.errors import EngineUnavailable
from rtc_server.host_system import is_loopback, is_private

ANSWER_S = 2.0
"""Time limit for a directory's answer: new servers of other directories wait for it."""
_READ_BYTES = 4096

_log = logging.getLogger(__name__)


def directory_of(
    names: Sequence[str], settings: EngineSettings, lookups: SharedLookups | None = None
) -> Directory:
    """Return the directory of ``--ast-servers`` or ``--tts-servers``.

    Args:
        names: what the option names.
        settings: the token, and the issuers of certificates that are trusted.
        lookups: shared look-ups of host names, if several directories share them.

    Raises:
        ConfigError: a name is not an address, or the token or certificates cannot be read.
    """
    urls = [parse_directory(each) for each in names if is_directory(each)]
    named = NamedServers([parse_address(each) for each in names if not is_directory(each)])
    if not urls:
        return named
    return JoinedDirectories([named, ListedServers(urls, fetcher(settings, lookups))])


def warn_of_plain_directories(names: Iterable[str]) -> None:
    """Log which directories are asked without TLS over foreign networks.

    Args:
        names: all that the options name, already checked.
    """
    for url in dict.fromkeys(names):
        host = urlsplit(url).hostname if url.startswith("http://") else None
        if host is not None and not (is_loopback(host) or is_private(host)):
            _log.warning(
                "The directory %s is asked without TLS: token and list can be read and changed on "
                "the way. Give its URL with https://, or use it only in a private network.",
                url,
            )


def fetcher(settings: EngineSettings, lookups: SharedLookups | None = None) -> FetchList:
    """Return the function that fetches a directory's list. Raises `ConfigError`."""
    resolver = lookups or SharedLookups()
    token, trusted = engine_token(settings), trusted_certificates(settings)
    headers = {"Authorization": f"Bearer {token}"} if token else {}

    async def fetch(url: str) -> bytes:
        try:
            # A connection for each question: one that is kept could be to a proxy that is parted
            # from us, or to one of several that knows nothing new.
            async with (
                asyncio.timeout(ANSWER_S),
                aiohttp.ClientSession(
                    connector=aiohttp.TCPConnector(
                        ssl=trusted, force_close=True, resolver=resolver
                    ),
                    trust_env=False,
                ) as session,
                session.get(url, headers=headers, allow_redirects=False) as response,
            ):
                if response.status != 200:
                    raise EngineUnavailable(_refusal(response.status))
                body = bytearray()
                async for piece in response.content.iter_chunked(_READ_BYTES):
                    body += piece
                    if len(body) > MOST_LIST_BYTES:
                        raise EngineUnavailable(f"its answer has more than {MOST_LIST_BYTES} bytes")
                return bytes(body)
        except TimeoutError:
            raise EngineUnavailable(f"no answer within {ANSWER_S:g} s") from None
        except aiohttp.ClientConnectorCertificateError as error:
            raise EngineUnavailable(
                f"its certificate is not trusted ({error.certificate_error}); see --engine-ca"
            ) from None
        except (aiohttp.ClientError, OSError) as error:
            inner = getattr(error, "os_error", None) or error
            reason = getattr(inner, "strerror", None) or type(error).__name__
            raise EngineUnavailable(f"cannot be reached ({reason})") from None
        except UnicodeError:  # the name is not valid
            raise EngineUnavailable("cannot be reached (its host name is invalid)") from None

    return fetch


def _refusal(status: int) -> str:
    if status in (401, 403):
        return "it refused our token; see --engine-token"
    return f"it has no list now (HTTP {status})"
