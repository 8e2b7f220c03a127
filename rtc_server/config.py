"""Every setting of the server, once, and the rules between settings.

A field is a flag and an environment variable (`rtc_server.options`). Layers receive their section,
never all.
"""

import argparse
import base64
import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from rtc_server.engine_sets import EMBEDDED, ENGINE_SETS
from rtc_server.errors import ConfigError
from rtc_server.ice import ICE_POLICIES, IceServers, parse_ice_server
from rtc_server.options import ENV_PREFIX, option, read_options, refuse_unknown_variables

T = TypeVar("T")

_NAME = r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?"
ORIGIN = re.compile(
    r"(?!(?:about|blob|data|file|ftp|javascript|wss?):)"
    r"[A-Za-z][A-Za-z0-9+.-]*://([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?"
)
"""Origin as browsers send it: of a web page, or of an extension or app with a scheme of its own
(``chrome-extension://…``, ``capacitor://localhost``). Pages of the schemes that are left out have
the opaque origin ``null``, or do not exist."""
PUBLIC_BY_STUN = "stun"
"""Value of ``--public-address`` that is no address: ask for it."""
SHORTEST_KEY = 16
"""Characters of a key on an address that others reach: shorter ones are guessed."""
WEBHOOK_SECRET = "whsec_"
"""Beginning of a secret, as Standard Webhooks has it."""
SHORTEST_WEBHOOK_KEY = 24
PATH_PREFIX = re.compile(r"(/[A-Za-z0-9._~-]+)+")
"""A path that needs no escaping, without a slash at the end."""


def is_loopback(host: str) -> bool:
    """Return whether a host, by address or as ``localhost``, is this machine itself."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


@dataclass(frozen=True, slots=True)
class HttpSettings:
    """HTTP settings: addresses, TLS, proxies and limits of connections."""

    host: str = option("127.0.0.1", "address to listen on; anything but loopback needs an API key")
    port: int = option(8000, "TCP port to listen on; 0 takes a free one", low=0, high=65535)
    path_prefix: str = option(
        "", "path below which everything is served, such as /interpreter; by default the root"
    )
    tls_cert: str = option("", "certificate chain (PEM); with --tls-key the server speaks HTTPS")
    tls_key: str = option("", "private key of the certificate (PEM, without a password)")
    trusted_proxies: tuple[str, ...] = option(
        (),
        "addresses or networks of reverse proxies, comma separated, whose X-Forwarded-For, -Host "
        "and -Prefix headers are believed",
    )
    api_key: str = option("", "key that callers must present as a Bearer token")
    max_sessions: int = option(50, "sessions at once; further calls get 503", low=1, high=10_000)
    address_sessions: int = option(
        0,
        "sessions at once of one address, of IPv6 of one /64; 0 takes half of --max-sessions. "
        "Loopback, --trusted-proxies and who shows the API key itself are not counted",
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
        "TCP connections at once of one address, of IPv6 of one /64; 0 for no limit. Loopback and "
        "--trusted-proxies are not counted",
        low=0,
        high=1_000_000,
    )
    keepalive_s: float = option(
        0.0,
        "seconds a connection may wait for its first or next request; 0 takes 10, and 75 with "
        "--trusted-proxies",
        low=0,
        high=3600,
    )
    drain_s: float = option(
        10.0,
        "seconds that open sessions and rooms may take to finish their sentence when the server is "
        "told to stop; a second signal ends it at once",
        low=0,
        high=600,
    )
    log_level: str = option(
        "info", "how much to log", choices=("debug", "info", "warning", "error")
    )
    log_format: str = option(
        "text", "lines for people, or one JSON object a line", choices=("text", "json")
    )

    def __post_init__(self) -> None:
        if bool(self.tls_cert) != bool(self.tls_key):
            raise ConfigError("Set --tls-cert and --tls-key together, or neither.")
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

    def is_loopback(self) -> bool:
        """Return whether only this machine can reach the server."""
        return is_loopback(self.host)


@dataclass(frozen=True, slots=True)
class AccessSettings:
    """Access settings: keys, secrets, pages that may use the server, and quotas."""

    api_keys: str = option(
        "", "file of API keys (see `rtc-server keys`); read again when it changes"
    )
    secret_key_file: str = option(
        "",
        "file whose text signs client secrets, 32 bytes or more; by default a random key, so that "
        "secrets end with the process",
    )
    page_access: str = option(
        "off",
        "on a server with keys, whether its own page works without one: open gives a short-lived "
        "secret to whoever can reach POST /page/secret",
        choices=("off", "open"),
    )
    cors_origins: tuple[str, ...] = option(
        (),
        "origins whose pages, extensions and apps may use the server, comma separated; * for all "
        "(needs keys)",
    )
    server_names: tuple[str, ...] = option(
        (),
        "host names this server is reached by, comma separated; other names are refused. By "
        "default loopback names only when it listens on loopback, else any",
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
        "SQLite file that keeps the minutes used today; by default a restart forgets them",
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


@dataclass(frozen=True, slots=True)
class TransportSettings:
    """WebRTC settings: addresses, servers and deadlines."""

    ice_addresses: tuple[str, ...] = option(
        (),
        "local addresses to offer, comma separated; by default loopback when the server listens "
        "on loopback, else every address of this machine",
    )
    public_address: str = option(
        "",
        "address clients reach this machine at, when it stands behind a 1:1 NAT; stun asks the "
        "first of --ice-servers for it at start",
    )
    udp_port_first: int = option(
        0, "first UDP port for media; 0 lets the system choose any", low=0, high=65535
    )
    udp_port_last: int = option(0, "last UDP port for media", low=0, high=65535)
    ice_servers: tuple[str, ...] = option(
        (),
        "STUN and TURN servers for clients, comma separated (turn:host:port, or with a fixed user "
        "turn:user:password@host:port)",
    )
    turn_secret: str = option(
        "", "static-auth-secret of the TURN servers without a user; makes one for each session"
    )
    turn_credential_s: int = option(
        3600, "seconds a TURN user made for a session may open relays", low=60, high=604_800
    )
    ice_policy: str = option(
        "all",
        "which paths clients may use; relay: through a TURN server only",
        choices=ICE_POLICIES,
    )
    server_relay: str = option(
        "off",
        "whether this server is itself reached through the first TURN server: no, also, or in no "
        "other way",
        choices=("off", "also", "only"),
    )
    connect_timeout_s: float = option(
        15.0, "seconds a new call may take to connect", low=1, high=120
    )
    dead_peer_timeout_s: float = option(
        8.0, "seconds without a packet after which a peer counts as gone", low=2, high=120
    )
    resume_s: float = option(
        30.0,
        "seconds a session waits for a client that the network took away, and its transcript "
        "for a reader; 0 ends it at once",
        low=0,
        high=600,
    )

    def __post_init__(self) -> None:
        if self.udp_port_last < self.udp_port_first:
            raise ConfigError(
                f"The UDP port range {self.udp_port_first} to {self.udp_port_last} is empty. "
                "Set --udp-port-first and --udp-port-last together."
            )
        servers = self.ice().servers
        if self.server_relay != "off" and all(each.scheme == "stun" for each in servers):
            raise ConfigError("--server-relay needs a TURN server in --ice-servers.")
        public = self.public_address
        if public == PUBLIC_BY_STUN and not servers:
            raise ConfigError(
                "--public-address stun needs a server to ask. Name one in --ice-servers."
            )
        addresses = [] if public in ("", PUBLIC_BY_STUN) else [public]
        for address in (*self.ice_addresses, *addresses):
            try:
                ipaddress.ip_address(address)
            except ValueError:
                raise ConfigError(
                    f"{address!r} is not an IP address. --ice-addresses and --public-address "
                    "take addresses such as 192.0.2.7, not names."
                ) from None

    def ice(self) -> IceServers:
        """Return the STUN and TURN servers. Raises `ConfigError` when they cannot work."""
        return IceServers(
            servers=tuple(map(parse_ice_server, self.ice_servers)),
            secret=self.turn_secret,
            credential_s=self.turn_credential_s,
            policy=self.ice_policy,
        )


@dataclass(frozen=True, slots=True)
class ListenerSettings:
    """Settings of endpointing: the start and end of speech."""

    vad: str = option("silero", "voice activity detector", choices=("silero", "webrtc"))
    vad_threshold: float = option(
        0.5, "speech probability at which speech begins", low=0.05, high=0.95
    )
    hangover_ms: int = option(300, "silence that ends a segment, in ms", low=100, high=3000)
    preroll_ms: int = option(
        300, "audio kept from before speech was noticed, in ms", low=0, high=1000
    )
    min_speech_ms: int = option(
        90, "shorter sounds than this, in ms, are not speech", low=0, high=1000
    )
    max_segment_s: float = option(
        15.0, "longest segment in seconds; it is cut at a dip before that", low=3, high=35
    )


@dataclass(frozen=True, slots=True)
class EngineSettings:
    """Engine settings: engines in use, their deadlines and queues."""

    engines: str = option(
        EMBEDDED,
        "set of engines, which fills --ast and --tts: embedded (a phrasebook), laptop (anything, "
        "on any CPU), gpu (anything, on an NVIDIA GPU)",
        choices=tuple(ENGINE_SETS),
    )
    ast: str = option(
        "", "speech translation engine (see `rtc-server engines`) instead of the set's"
    )
    tts: str = option("", "speech synthesis engine (see `rtc-server engines`) instead of the set's")
    phrasebook: tuple[Path, ...] = option(
        (), "further phrasebook files for the phrasebook engine, comma separated"
    )
    canary_model: str = option(
        "nvidia/canary-1b-v2",
        "Canary's model: a .nemo file (canary), a folder (canary-hf), or a name fetched before",
    )
    canary_heads: str = option(
        "-2",
        "attention heads of Canary's decoder that say where in the audio words are (canary): "
        "layers with a space between, each with heads or without (docs/canary.md)",
    )
    models_dir: str = option(
        "", "folder of fetched models; by default rtc-server/models in your cache folder"
    )
    silero_models: tuple[str, ...] = option(
        (),
        "models for the silero engine, comma separated (see `rtc-server models list`); by default "
        "the usual one of each language among those that were fetched",
    )
    piper_voices: tuple[Path, ...] = option(
        (), "voices (.onnx files) or folders of them for the piper engine, comma separated"
    )
    device: str = option(
        "auto", "where models compute; auto takes a GPU if any", choices=("auto", "cpu", "cuda")
    )
    tts_device: str = option(
        "",
        "where voices compute, when not where --device says; Silero is quick on a CPU",
        choices=("auto", "cpu", "cuda"),
    )
    engine_threads: int = option(
        0,
        "CPU threads of one engine call (laptop, piper); 0 takes the cores less one",
        low=0,
        high=256,
    )
    ast_deadline_s: float = option(
        0.0,
        "seconds of a translation batch in which its engine may show no sign of work before it is "
        "restarted; 0 takes the engine's own limit",
        low=0,
        high=120,
    )
    tts_deadline_s: float = option(
        0.0,
        "the same for the next piece of synthesized speech",
        low=0,
        high=120,
    )
    engine_patience_s: float = option(
        30.0,
        "seconds beyond its limit that a call may take while its engine works, as on a busy "
        "machine; what waits behind it waits so much longer",
        low=0,
        high=600,
    )
    engine_wait_s: float = option(
        5.0,
        "seconds a segment or a text may wait for its turn before it fails; longer, by up to "
        "--engine-patience-s, while a call takes more than half of that or the engine is restarted",
        low=0.5,
        high=120,
    )
    engine_start_s: float = option(
        300.0, "seconds an engine may take to load and warm up", low=1, high=3600
    )
    engine_memory_mb: int = option(
        0,
        "address space of each engine's process in MB; 0 for no limit, which CUDA needs",
        low=0,
        high=100_000_000,
    )
    ast_queue: int = option(
        64, "segments that may wait for translation, all sessions", low=1, high=10_000
    )
    tts_queue: int = option(
        64, "texts that may wait for synthesis, all sessions", low=1, high=10_000
    )

    def __post_init__(self) -> None:
        for name in ("ast", "tts"):  # filled here, once: nobody else reads the set's choice
            if not getattr(self, name):
                object.__setattr__(self, name, getattr(ENGINE_SETS[self.engines], name))


@dataclass(frozen=True, slots=True)
class InterpreterSettings:
    """Defaults of a new session."""

    source: str = option("ru", "language spoken, unless a call says otherwise")
    target: str = option("en", "language to translate into, unless a call says otherwise")
    mode: str = option(
        "balanced",
        "when speech is translated, unless a call says otherwise: while it goes on (fast, "
        "balanced, accurate), where the engine can, or when a sentence is over",
        choices=("fast", "balanced", "accurate", "consecutive"),
    )
    partial_interval_ms: int = option(
        250, "least time between two partial captions of a segment, in ms", low=50, high=5000
    )
    max_playout_s: float = option(
        30.0, "seconds of translated speech that may wait to be heard", low=2, high=600
    )
    own_voice_guard: bool = option(
        True, "whether speech played through a loudspeaker is kept from being translated again"
    )


@dataclass(frozen=True, slots=True)
class RoomSettings:
    """Room settings: one speaker, many listeners in their own languages."""

    max_rooms: int = option(8, "rooms at once; 0 for none", low=0, high=1000)
    room_listeners: int = option(
        100, "listeners and readers of one room at once", low=1, high=100_000
    )
    room_languages: int = option(
        6, "languages that one room is interpreted into at once", low=1, high=100
    )
    room_linger_s: float = option(
        10.0, "seconds a language is interpreted after its last listener left", low=0, high=3600
    )
    room_wait_s: float = option(
        60.0, "seconds a room waits for its speaker to come back", low=0, high=86_400
    )
    room_idle_minutes: int = option(
        180,
        "on a server with keys, minutes without speech after which a room closes; 0 for no limit",
        low=0,
        high=100_000,
    )
    room_link_hours: int = option(
        12, "hours that a room's join link is good for, on a server with keys", low=1, high=720
    )


@dataclass(frozen=True, slots=True)
class UsageSettings:
    """Destinations of a record of each session: key, length, languages, characters, no text."""

    usage_file: str = option("", "file that takes one JSON object a line for each session")
    usage_webhook: str = option("", "URL that each record is POSTed to, signed")
    usage_webhook_secret: str = option(
        "", f"what signs these requests: {WEBHOOK_SECRET} and 24 bytes or more in Base64"
    )

    def __post_init__(self) -> None:
        if bool(self.usage_webhook) != bool(self.usage_webhook_secret):
            raise ConfigError("Set --usage-webhook and --usage-webhook-secret together.")
        if not self.usage_webhook:
            return
        if not re.fullmatch(r"https?://[^\s/]+(/\S*)?", self.usage_webhook):
            raise ConfigError(
                f"{self.usage_webhook!a} is not a URL. --usage-webhook takes such as "
                "https://billing.example/usage."
            )
        if len(self.webhook_key()) < SHORTEST_WEBHOOK_KEY:
            raise ConfigError(
                f"--usage-webhook-secret is {WEBHOOK_SECRET} and {SHORTEST_WEBHOOK_KEY} bytes or "
                f'more in Base64. `echo {WEBHOOK_SECRET}"$(openssl rand -base64 32)"` makes one.'
            )

    def webhook_key(self) -> bytes:
        """Return what signs; empty when the secret is not written as it must be."""
        try:
            text = self.usage_webhook_secret.removeprefix(WEBHOOK_SECRET)
            return base64.b64decode(text, validate=True)
        except ValueError:
            return b""


@dataclass(frozen=True, slots=True)
class Settings:
    """All sections."""

    http: HttpSettings = field(default_factory=HttpSettings)
    access: AccessSettings = field(default_factory=AccessSettings)
    transport: TransportSettings = field(default_factory=TransportSettings)
    listener: ListenerSettings = field(default_factory=ListenerSettings)
    engines: EngineSettings = field(default_factory=EngineSettings)
    interpreter: InterpreterSettings = field(default_factory=InterpreterSettings)
    rooms: RoomSettings = field(default_factory=RoomSettings)
    usage: UsageSettings = field(default_factory=UsageSettings)

    def __post_init__(self) -> None:
        self._check_key()
        if self.needs_key():
            return
        if not self.http.is_loopback():
            raise ConfigError(
                f"Listening on {self.http.host} would let anyone use this server. Set an API key "
                f"(--api-key or {ENV_PREFIX}API_KEY, or --api-keys), or listen on 127.0.0.1."
            )
        if "*" in self.access.cors_origins:
            raise ConfigError(
                "--cors-origins * would let every web page use this server without a key. Set an "
                "API key, or name the origins."
            )

    def _check_key(self) -> None:
        """Raise `ConfigError` for a key that would be guessed, or that nobody could use."""
        key = self.http.api_key
        if key.startswith("ek_"):
            raise ConfigError(
                "--api-key begins with ek_, as client secrets do, so it would never be let in. "
                "`openssl rand -hex 32` makes a key."
            )
        if key and len(key) < SHORTEST_KEY and not self.http.is_loopback():
            raise ConfigError(
                f"--api-key has {len(key)} characters; where others reach the server it needs "
                f"{SHORTEST_KEY} or more. `openssl rand -hex 32` makes a key."
            )

    def needs_key(self) -> bool:
        """Return whether callers must show a key or a secret."""
        return bool(self.http.api_key or self.access.api_keys)


SECTIONS: tuple[type[Any], ...] = (
    HttpSettings,
    AccessSettings,
    TransportSettings,
    ListenerSettings,
    EngineSettings,
    InterpreterSettings,
    RoomSettings,
    UsageSettings,
)


def load(
    arguments: argparse.Namespace, environ: Mapping[str, str], *sections: type[T]
) -> list[Any]:
    """Return the given sections from parsed flags and the environment.

    Raises:
        ConfigError: a value does not fit, or the environment names a setting that does not exist.
    """
    refuse_unknown_variables(environ, SECTIONS)
    return read_options(arguments, environ, *sections)


def load_settings(arguments: argparse.Namespace, environ: Mapping[str, str]) -> Settings:
    """Return all sections, checked together."""
    return Settings(*load(arguments, environ, *SECTIONS))
