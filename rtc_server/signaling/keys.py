"""API keys as they are made, shown and kept.

A key reads ``rk_<id>_<secret>``: the id finds its record, the secret is 256 random bits. What is
kept is the key's SHA-256. A slow password hash would add nothing against a search of 2^256, and
would let strangers spend our CPU by sending wrong keys.
"""

import fcntl
import hashlib
import json
import os
import re
import secrets
import stat
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from rtc_server.errors import ConfigError
from rtc_server.session.quota import KeyLimits

_KEY = re.compile(r"rk_(?P<id>[0-9a-f]{8})_[A-Za-z0-9_-]{43}")
_NAME_LIMIT_CHARS = 64
_LIMITS = tuple(f.name for f in fields(KeyLimits))


@dataclass(frozen=True, slots=True)
class ApiKey:
    """One key of the file. A limit of None takes the server's setting."""

    id: str
    """Eight hexadecimal digits."""
    name: str
    """Name that its owner gave it; unique in the file."""
    sha256: str
    """Of the whole key, in hexadecimal."""
    created: str
    """The day it was made, ISO 8601."""
    sessions: int | None = None
    minutes_a_day: int | None = None
    session_minutes: int | None = None
    requests_a_minute: int | None = None
    secret_sessions: int | None = None
    idle_minutes: int | None = None

    def limits(self, defaults: KeyLimits) -> KeyLimits:
        """Return the limits that apply to this key."""
        own = {name: getattr(self, name) for name in _LIMITS}
        return KeyLimits(**{k: getattr(defaults, k) if own[k] is None else own[k] for k in _LIMITS})


def digest(key: str) -> bytes:
    """Return the stored form of a key: 32 bytes."""
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).digest()


def new_key(name: str, created: str, limits: dict[str, int]) -> tuple[str, ApiKey]:
    """Return a key, to be shown once, and its record. `limits` has names of `KeyLimits`."""
    key_id = secrets.token_hex(4)
    key = f"rk_{key_id}_{secrets.token_urlsafe(32)}"
    return key, ApiKey(key_id, name, digest(key).hex(), created, **limits)


def key_id_of(token: str) -> str | None:
    """Return the id in a token that has the shape of a key."""
    match = _KEY.fullmatch(token)
    return match["id"] if match else None


def read_keys(path: Path) -> tuple[ApiKey, ...]:
    """Return the records of a key file.

    Raises:
        ConfigError: it cannot be read, or something in it is not as `write_keys` writes it.
    """
    try:
        _check_private(path)
        body = json.loads(path.read_text(encoding="utf-8"))
        keys = tuple(_record(item) for item in body["keys"])
    except OSError as error:
        raise ConfigError(
            f"Cannot read the key file {path}: {error.strerror}. `rtc-server keys new` makes one."
        ) from None
    except (ValueError, TypeError, KeyError):
        raise ConfigError(
            f"{path} is not a key file, or is damaged. `rtc-server keys` writes such files."
        ) from None
    for what in ("id", "name"):
        if len({getattr(key, what) for key in keys}) < len(keys):
            raise ConfigError(f"Two keys in {path} have the same {what}. Remove one of them.")
    return keys


def _check_private(path: Path) -> None:
    """Raise `ConfigError` when other users could put a key of theirs into the file."""
    status = path.stat()
    if stat.S_ISDIR(status.st_mode):
        raise ConfigError(f"{path} is a folder. Name the key file in it.")
    if status.st_uid not in (os.geteuid(), 0):
        raise ConfigError(f"The key file {path} belongs to another user. Run `chown` on it.")
    if status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise ConfigError(f"Other users may write the key file {path}. Run `chmod go-w` on it.")


@contextmanager
def changing(path: Path) -> Iterator[Path]:
    """Keep others from changing a key file meanwhile; yields the file itself, behind symlinks.

    Raises:
        ConfigError: it cannot be written there.
    """
    path = path.resolve()  # else the link would be replaced, and its target stay as it was
    try:
        lock = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as error:
        raise _unwritable(path, error) from None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)  # of the folder: the file is replaced each time
        yield path
    finally:
        os.close(lock)


def write_keys(path: Path, keys: Iterable[ApiKey]) -> None:
    """Replace a key file at once and for good, readable by its owner only.

    Raises:
        ConfigError: it cannot be written there.
    """
    rows = [{k: v for k, v in asdict(key).items() if v is not None} for key in keys]
    text = json.dumps({"keys": rows}, ensure_ascii=False, indent=2) + "\n"
    try:
        descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=path.name)  # mode 0600
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            Path(temporary).replace(path)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise _unwritable(path, error) from None


def _unwritable(path: Path, error: OSError) -> ConfigError:
    remedy = ""
    if isinstance(error, (FileNotFoundError, NotADirectoryError)):
        remedy = " Its folder must exist."
    elif isinstance(error, PermissionError):
        remedy = " Run as a user who may write to its folder."
    return ConfigError(f"Cannot write the key file {path}: {error.strerror}.{remedy}")


def check_name(name: str, keys: Sequence[ApiKey]) -> None:
    """Raise `ConfigError` unless a new key may have this name."""
    if not name.strip() or len(name) > _NAME_LIMIT_CHARS or not name.isprintable():
        raise ConfigError(f"A key's name is 1 to {_NAME_LIMIT_CHARS} characters of plain text.")
    if any(key.name == name for key in keys):
        raise ConfigError(f"There is a key called {name!a} already. Revoke it, or choose another.")


def _record(item: dict[str, object]) -> ApiKey:
    """Return a key of the file. Raises `ValueError`, `TypeError` or `KeyError` for a bad one."""
    key = ApiKey(**item)  # type: ignore[arg-type]  # each is checked below
    texts = (key.id, key.name, key.sha256, key.created)
    if not all(isinstance(text, str) for text in texts):
        raise TypeError
    if not re.fullmatch(r"[0-9a-f]{8}", key.id) or not re.fullmatch(r"[0-9a-f]{64}", key.sha256):
        raise ValueError
    for name in _LIMITS:
        limit = getattr(key, name)
        if limit is not None and (type(limit) is not int or limit < 0):
            raise ValueError
    return key
