"""Access: keys, their limits, and the pages that may use the server."""

import re
from dataclasses import dataclass

from rtc_server.errors import ConfigError
from rtc_server.options import option
from rtc_server.session.quota import KeyLimits

_NAME = r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?"
ORIGIN = re.compile(
    r"(?!(?:about|blob|data|file|ftp|javascript|wss?):)"
    r"[A-Za-z][A-Za-z0-9+.-]*://([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?"
)
"""Origin as browsers send it: of a web page, or of an extension or app with a scheme of its own
(``chrome-extension://…``, ``capacitor://localhost``). Pages of the schemes that are left out have
the opaque origin ``null``, or do not exist."""


@dataclass(frozen=True, slots=True)
class AccessSettings:
    """Access settings: keys, secrets, pages that may use the server, and quotas."""

    api_keys: str = option(
        "", "file of API keys (see `rtc-server keys`); read again when it changes"
    )
    secret_key_file: str = option(
        "",
        "file with the key that signs client secrets, 32 bytes or more; by default a random key, "
        "so secrets end with the process",
    )
    page_access: str = option(
        "off",
        "on a server with keys, whether its own page works without one: open gives a short-lived "
        "secret to anybody who can reach POST /page/secret",
        choices=("off", "open"),
    )
    cors_origins: tuple[str, ...] = option(
        (),
        "origins whose pages, extensions and apps may use the server, comma separated; * for all "
        "(needs keys)",
    )
    server_names: tuple[str, ...] = option(
        (),
        "host names of this server, comma separated; requests for other names are refused. "
        "Default: loopback names if it listens on loopback, else any name",
    )
    session_minutes: int = option(
        0, "longest session in minutes; 0 for no limit", low=0, high=100_000
    )
    key_sessions: int = option(
        0, "sessions at once of each key; 0 for no limit", low=0, high=100_000
    )
    key_minutes_a_day: int = option(
        0, "minutes of sessions a day (UTC) of each key; 0 for no limit", low=0, high=10_000_000
    )
    quota_file: str = option(
        "",
        "SQLite file that keeps the minutes used today; without one, they start at zero after a "
        "restart",
    )
    key_requests_a_minute: int = option(
        0, "HTTP requests a minute of each key; 0 for no limit", low=0, high=10_000_000
    )

    secret_sessions: int = option(
        2, "sessions at once of each client secret; 0 for no limit", low=0, high=100_000
    )
    idle_minutes: int = option(
        30,
        "on a server with keys, minutes without speech after which a session ends; 0 for no limit",
        low=0,
        high=100_000,
    )

    def __post_init__(self) -> None:
        for origin in self.cors_origins:
            if origin != "*" and not ORIGIN.fullmatch(origin):
                raise ConfigError(
                    f"{origin!a} is not an origin. --cors-origins takes what browsers send, such "
                    "as https://app.example or chrome-extension://abc, without a path. Pages from "
                    "files have no origin that could be listed."
                )
        for name in self.server_names:
            if not re.fullmatch(_NAME, name):
                raise ConfigError(
                    f"{name!a} is not a host name. --server-names takes names such as "
                    "interpreter.example, without a port."
                )

    def key_limits(self) -> KeyLimits:
        """Return the limits of a key that has none of its own."""
        return KeyLimits(
            sessions=self.key_sessions,
            minutes_a_day=self.key_minutes_a_day,
            session_minutes=self.session_minutes,
            requests_a_minute=self.key_requests_a_minute,
            secret_sessions=self.secret_sessions,
            idle_minutes=self.idle_minutes,
        )
