"""Client secrets: short-lived tokens for browsers, signed and never stored.

``ek_<key id>.<payload>.<signature>``. The signature is HMAC-SHA256 under the server's own key over
the first two parts and the digest of the API key that requested it: revoking or changing that key
ends its secrets. The payload has its end, and the settings of a session opened with it.
"""

import base64
import hashlib
import hmac
import json
import secrets
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from rtc_server.errors import ConfigError
from rtc_server.events.client import SessionPatch

PREFIX = "ek_"
KEY_BYTES = 32
"""Least length of the key that signs."""
TOKEN_LIMIT_CHARS = 4096
"""Longer ones are not ours."""


@dataclass(frozen=True, slots=True)
class ClientSecret:
    """Content of a client secret."""

    id: str
    """Of the session configuration, ``sess_…``; names the secret's own sessions."""
    key: str
    """Id of the API key that requested it."""
    expires_at: int
    """Unix seconds."""
    model: str | None = None
    """Shown back by its sessions."""
    settings: SessionPatch = field(default_factory=SessionPatch)
    """Settings that its sessions start with."""
    origin: str | None = None
    """The only web origin whose pages may use it; None for any that may use the server."""
    room: str | None = None
    """The only thing it opens: this room, to speak or to listen. None for sessions of one's own."""
    speaks: bool = False
    """Of one with a room: to speak there; else to listen."""


class SecretSigner:
    """Signer and reader of secrets. `digest_of` gives a valid key's digest by its id, or None."""

    def __init__(self, server_key: bytes, digest_of: Callable[[str], bytes | None]) -> None:
        self._server_key, self._digest_of = server_key, digest_of

    def sign(self, secret: ClientSecret) -> str:
        """Return the token. The key it names must be valid."""
        key_digest = self._digest_of(secret.key)
        assert key_digest is not None
        signed = f"{secret.key}.{_encode(_pack(secret))}"
        return f"{PREFIX}{signed}.{_encode(self._mac(signed, key_digest))}"

    def read(self, token: str) -> ClientSecret | None:
        """Return the secret that was signed, expired or not; None for anything else. Raises
        nothing.
        """
        signed, _, signature = token.removeprefix(PREFIX).rpartition(".")
        key_id, _, payload = signed.partition(".")
        if len(token) > TOKEN_LIMIT_CHARS or not token.startswith(PREFIX):
            return None
        key_digest = self._digest_of(key_id)
        right = _encode(self._mac(signed, key_digest or bytes(32))).encode()
        given = signature.encode("utf-8", "surrogatepass")
        if not hmac.compare_digest(right, given) or key_digest is None:
            return None
        return _unpack(key_id, _decode(payload))

    def _mac(self, signed: str, key_digest: bytes) -> bytes:
        message = key_digest + signed.encode("utf-8", "surrogatepass")
        return hmac.digest(self._server_key, message, hashlib.sha256)


def server_key(path: Path | None) -> bytes:
    """Return the key that signs: the one in the file, or a new one that ends with the process.

    Raises:
        ConfigError: the file cannot be read, or is too short to be secret.
    """
    if path is None:
        return secrets.token_bytes(KEY_BYTES)
    try:
        key = path.read_bytes().strip()
    except OSError as error:
        raise ConfigError(
            f"Cannot read the secret key file {path}: {error.strerror}. Correct --secret-key-file, "
            f"or make a key with `openssl rand -hex {KEY_BYTES}`."
        ) from None
    if len(key) < KEY_BYTES:
        raise ConfigError(
            f"{path} holds fewer than {KEY_BYTES} bytes. Make a key with "
            f"`openssl rand -hex {KEY_BYTES}`."
        )
    return key


def _pack(secret: ClientSecret) -> bytes:
    settings: dict[str, Any] = {
        name: sorted(value) if isinstance(value, frozenset) else value
        for name, value in asdict(secret.settings).items()
        if value is not None
    }
    fields = {
        "i": secret.id,
        "e": secret.expires_at,
        "m": secret.model,
        "s": settings,
        "o": secret.origin,
        "r": secret.room,
        "w": secret.speaks,
    }
    kept = {name: value for name, value in fields.items() if value}
    return json.dumps(kept, ensure_ascii=False, separators=(",", ":")).encode()


def _unpack(key_id: str, payload: bytes) -> ClientSecret:
    """Return the secret of a payload that `_pack` made: the signature was right."""
    body = json.loads(payload)
    settings = body.get("s", {})
    if "x_events" in settings:
        settings["x_events"] = frozenset(settings["x_events"])
    return ClientSecret(
        id=body["i"],
        key=key_id,
        expires_at=body["e"],
        model=body.get("m"),
        settings=SessionPatch(**settings),
        origin=body.get("o"),
        room=body.get("r"),
        speaks=body.get("w", False),
    )


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
