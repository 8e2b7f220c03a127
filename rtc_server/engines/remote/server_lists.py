"""Directories that list engine servers over HTTP, and several directories as one.

The latest list of a directory stays in force until there is a newer one: a directory that cannot be
reached, or whose list is empty, removes no server.
"""

import asyncio
import itertools
import json
import logging
import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

from rtc_server.engines.remote.directory import Directory, ServerAddress, is_host, parse_address
from rtc_server.errors import ConfigError, EngineUnavailable
from rtc_server.limits import LogLimit, ReasonLimit, not_logged
from rtc_server.options.option import hidden_query

MOST_LIST_BYTES = 65_536
"""Largest size of a list, in bytes."""
MOST_LISTED = 256
"""Most servers of a list."""
_URL = re.compile(r"https?://(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::([0-9]{1,5}))?(/[\w./~-]*)?")
_DEPLOYMENT = re.compile(r"[!-~]{1,200}")
_HOST_NAME = re.compile(r"[A-Za-z0-9._-]{1,253}")

FetchList: TypeAlias = Callable[[str], Awaitable[bytes]]
"""Function that returns the body behind a URL, in bounded time and size. Raises
`EngineUnavailable`.
"""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ServerList:
    """Answer of a directory."""

    deployment: str
    """Deployment that the servers belong to; several directories may list the same one."""
    servers: tuple[ServerAddress, ...]
    """Servers that take calls."""
    unreadable: frozenset[str] = frozenset()
    """Entries that name no server, as JSON. Not for the log: another program wrote them."""


def is_directory(text: str) -> bool:
    """Return True if an option names a directory, and not a server itself."""
    return text.startswith(("http://", "https://"))


def parse_directory(text: str) -> str:
    """Return the URL of a directory that an option names. Raises `ConfigError`."""
    match = _URL.fullmatch(text)
    if match is None or not (is_host(match[1]) and 0 < int(match[2] or 80) < 65536):
        raise ConfigError(
            f"{hidden_query(text)!a} is not the address of a directory of engine servers. "
            "Use http://HOST:PORT/PATH or https://HOST:PORT/PATH."
        )
    return text


def check_server(text: str) -> None:
    """Raise `ConfigError` if an option names neither an engine server nor a directory."""
    if is_directory(text):
        parse_directory(text)
    else:
        parse_address(text)


def parse_server_list(body: bytes) -> ServerList:
    """Return the list that a directory answered, checked field by field.

    ``{"deployment": TEXT, "servers": [{"address": "HOST:PORT", "certified": NAME}, …]}``;
    ``certified``, which may be left out, is the name that the server's certificate has. An entry
    that names no server is skipped.

    Raises:
        EngineUnavailable: it is no such list, or none of its entries can be read. The text
            quotes nothing of it.
    """
    found: dict[str, ServerAddress] = {}
    unreadable: set[str] = set()
    try:
        answer = json.loads(body)
        deployment, servers = answer["deployment"], answer["servers"]
        is_list = (
            _DEPLOYMENT.fullmatch(deployment)
            and isinstance(servers, list)
            and len(servers) <= MOST_LISTED
        )
        for entry in servers if is_list else ():
            if (server := _listed_server(entry)) is not None:
                found[server.name] = server
            else:
                unreadable.add(json.dumps(entry, sort_keys=True))
    except (ValueError, KeyError, TypeError, RecursionError):
        is_list = False
    if not is_list or (unreadable and not found):
        raise EngineUnavailable("it answers with no list of engine servers")
    return ServerList(deployment, tuple(found.values()), frozenset(unreadable))


def _listed_server(entry: Any) -> ServerAddress | None:
    try:
        return _read_server(entry)
    except (ValueError, KeyError, TypeError, AttributeError, ConfigError):
        return None


def _read_server(entry: Any) -> ServerAddress:
    address, certified = parse_address(entry["address"]), entry.get("certified", "")
    # A path would be one of this host, which a list from elsewhere must not choose.
    if address.unix or (certified != "" and not _is_certified(certified)):
        raise ValueError
    return replace(address, certified=certified)


def _is_certified(name: Any) -> bool:
    return isinstance(name, str) and _HOST_NAME.fullmatch(name) is not None and is_host(name)


class ListedServers:
    """Directory of servers that other programs list, each at a URL."""

    def __init__(self, urls: Sequence[str], fetch: FetchList) -> None:
        self._urls, self._fetch = urls, fetch
        self._last: dict[str, ServerList] = {}
        """Newest list of each URL that named a server."""
        self._complaints = {url: ReasonLimit() for url in urls}
        self._unreadable: dict[str, frozenset[str]] = {}
        """Entries of each URL's newest list that name no server."""
        # Limited: an entry that changes at each look is new at each look.
        self._entry_lines = {url: LogLimit(burst=5, per_second=0.002) for url in urls}

    async def addresses(self) -> Sequence[ServerAddress]:
        """Return the servers. See `Directory`."""
        answers = await asyncio.gather(*(self._ask(url) for url in self._urls))
        new = {url: list_ for url, list_ in zip(self._urls, answers, strict=True) if list_}
        # The latest list of one URL is void once another URL lists the same deployment.
        fresh = {each.deployment for each in new.values()}
        self._last = {u: each for u, each in self._last.items() if each.deployment not in fresh}
        self._last |= new
        listed = [server for each in self._last.values() for server in each.servers]
        return list({server.name: server for server in listed}.values())

    async def _ask(self, url: str) -> ServerList | None:
        """Return a list with servers in it, or None."""
        try:
            found = parse_server_list(await self._fetch(url))
        except EngineUnavailable as error:
            self._complain(url, str(error))
            return None
        self._complain(url, "" if found.servers else "it lists no server")
        new = found.unreadable - self._unreadable.get(url, frozenset())
        self._unreadable[url] = found.unreadable
        lines = self._entry_lines[url]
        if new and lines.admit(asyncio.get_running_loop().time()) is not None:
            _log.warning(
                "Directory of engine servers %s: %d of its entries name no server that can be "
                "used, and are skipped; the other %d are used",
                url,
                len(found.unreadable),
                len(found.servers),
            )
        return found if found.servers else None

    def _complain(self, url: str, reason: str) -> None:
        """Log a fault of a directory, within the limit; an empty reason means that all is well."""
        held_back = self._complaints[url].admit(reason, asyncio.get_running_loop().time())
        if held_back is not None:
            _log.warning("Directory of engine servers %s: %s%s", url, reason, not_logged(held_back))


class JoinedDirectories:
    """Several directories as one. For a server in several, the first directory's entry counts: the
    operator's own is first, so that no list turns its TLS off.
    """

    def __init__(self, directories: Sequence[Directory]) -> None:
        self._directories = directories

    async def addresses(self) -> Sequence[ServerAddress]:
        """Return the servers of all, each once. See `Directory`."""
        found = await asyncio.gather(*(each.addresses() for each in self._directories))
        servers: dict[str, ServerAddress] = {}
        for server in itertools.chain.from_iterable(found):
            servers.setdefault(server.name, server)
        return list(servers.values())
