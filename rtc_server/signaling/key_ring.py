"""Keys that are valid now: the one of the settings and those of the key file."""

import hmac
import logging
from dataclasses import dataclass
from pathlib import Path

from rtc_server.errors import ConfigError
from rtc_server.session.quota import KeyLimits
from rtc_server.signaling.keys import digest, key_id_of, read_keys

SETTINGS_KEY = "settings"
"""Id of the key given by --api-key."""
PAGE_KEY = "page"
"""Id of what stands for a key where our own page makes secrets: nothing can be sent for it."""
NO_KEY = ""
"""Id of the same for everybody, on a server without keys."""

_NOBODY = bytes(32)

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ValidKey:
    """Key that is valid."""

    id: str
    digest: bytes
    """SHA-256 of the key; also what its client secrets are bound to."""
    limits: KeyLimits


class KeyRing:
    """See `find` for keys of the file, `find_chosen` for the one of the settings."""

    def __init__(
        self, single: str, path: Path | None, defaults: KeyLimits, *, page: bool = False
    ) -> None:
        """`single` or `path` or neither; `page`: may our own page make secrets?

        Raises `ConfigError` when the key file cannot be read.
        """
        self._path, self._defaults = path, defaults
        self._single = ValidKey(SETTINGS_KEY, digest(single), defaults) if single else None
        self._standing = {SETTINGS_KEY: self._single} if self._single else {}
        if page:
            self._standing[PAGE_KEY] = ValidKey(PAGE_KEY, _NOBODY, defaults)
        if not single and not path:
            limits = KeyLimits(session_minutes=defaults.session_minutes)
            self._standing[NO_KEY] = ValidKey(NO_KEY, _NOBODY, limits)
        self._keys: dict[str, ValidKey] = {}
        self._stamp: tuple[int, int, int] | None = None
        if path:
            self._stamp = _stamp(path)
            self._keys = self._read(path)
            if not self._keys and not single:
                logger.warning("There is no key in %s yet: nobody can use this server.", path)

    def by_id(self, key_id: str) -> ValidKey | None:
        """Return a valid key by its id."""
        return self._standing.get(key_id) or self._keys.get(key_id)

    def has_others(self, key_id: str) -> bool:
        """Return whether somebody may come with another key."""
        return bool((self._standing.keys() | self._keys.keys()) - {key_id})

    def find(self, token: str) -> ValidKey | None:
        """Return the generated key that `token` is, if any. Its time reveals no more than an id."""
        key = self._keys.get(key_id_of(token) or "")
        right = hmac.compare_digest(digest(token), key.digest if key else _NOBODY)
        return key if right else None

    def find_chosen(self, token: str) -> ValidKey | None:
        """Return the key of the settings, if `token` is it. A person chose it, so it could be
        guessed.
        """
        single = self._single
        right = hmac.compare_digest(digest(token), single.digest if single else _NOBODY)
        return single if right else None

    def reload(self) -> frozenset[str]:
        """Read the file again if it has changed; ids that are no longer valid.

        A file that cannot be read changes nothing, and is complained of once.
        """
        if self._path is None or (stamp := _stamp(self._path)) == self._stamp:
            return frozenset()
        self._stamp = stamp
        try:
            keys = self._read(self._path)
        except ConfigError as error:
            logger.warning("%s The keys stay as they were.", error)
            return frozenset()
        revoked = frozenset(
            old.id
            for old in self._keys.values()
            if old.id not in keys or keys[old.id].digest != old.digest
        )
        self._keys = keys
        logger.info("Keys read again: %d valid, %d revoked.", len(keys), len(revoked))
        return revoked

    def _read(self, path: Path) -> dict[str, ValidKey]:
        return {
            key.id: ValidKey(key.id, bytes.fromhex(key.sha256), key.limits(self._defaults))
            for key in read_keys(path)
        }


def _stamp(path: Path) -> tuple[int, int, int] | None:
    """Changes whenever the file does; None while there is none."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino
