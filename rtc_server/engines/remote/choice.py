"""Choice of a session's server: a plain object that never waits."""

from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Generic, Protocol, TypeVar

from rtc_server.engines.remote.rendezvous import ranked

_MOST_HOMES = 8192
"""Sessions whose server is remembered; beyond it the earliest are forgotten and chosen for anew."""


class Choosable(Protocol):
    """A server to choose from."""

    @property
    def name(self) -> str:
        """Name of the server."""

    @property
    def takes_calls(self) -> bool:
        """True while calls may be sent to it."""

    @property
    def is_well(self) -> bool:
        """True while it takes calls and answers pings."""

    @property
    def is_ready(self) -> bool:
        """True while it is well and its engine is not being restarted."""

    @property
    def retry_after_s(self) -> int:
        """Seconds until it can carry another session; 0 for at once."""


S = TypeVar("S", bound=Choosable)


class Homes(Generic[S]):
    """Servers of sessions, by the key that sessions of one room share.

    A session stays with its server for as long as that is ready: there the queue counts the work
    done for the session, and the audio of its open segment is kept.
    """

    def __init__(self) -> None:
        self._homes: OrderedDict[str, str] = OrderedDict()

    def of(self, key: str) -> str:
        """Return the name of a session's server; empty when it has none."""
        return self._homes.get(key, "")

    def forget(self, key: str) -> None:
        """Forget the server of a session that is over."""
        self._homes.pop(key, None)

    def choose(self, key: str, servers: Sequence[S], lost_by: set[str]) -> S | None:
        """Return the server for a call, or None when none takes calls.

        Preferred are servers that answer pings, then those that have not lost this call before
        (`lost_by`), then those whose engine is not being restarted. Among them it is the session's
        own; else the first by rendezvous hashing of those that can carry another session.
        """
        home_name = self.of(key)
        for each in servers:
            if each.name == home_name and each.is_ready and home_name not in lost_by:
                return each  # the same result as below, and the usual case
        some = [each for each in servers if each.takes_calls]
        tests: tuple[Callable[[S], bool], ...] = (
            lambda each: each.is_well,
            lambda each: each.name not in lost_by,
            lambda each: each.is_ready,
        )
        for is_better in tests:
            some = [each for each in some if is_better(each)] or some
        if not some:
            return None
        names = {each.name: each for each in some}
        if (home := names.get(home_name)) is not None:
            return home
        calm = [name for name, each in names.items() if not each.retry_after_s]
        chosen = ranked(key, calm or names)[0]
        self._homes[key] = chosen
        self._homes.move_to_end(key)
        if len(self._homes) > _MOST_HOMES:
            self._homes.popitem(last=False)
        return names[chosen]
