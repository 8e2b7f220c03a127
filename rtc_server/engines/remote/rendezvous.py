"""Choice of a server by session: rendezvous hashing (Thaler and Ravishankar, 1998).

Each (session, server) has a number, and the highest wins: every media process chooses alike without
asking another, and when a server comes or goes only its own sessions move.
"""

import hashlib
from collections.abc import Iterable, Sequence


def ranked(key: str, servers: Iterable[str]) -> Sequence[str]:
    """Return the servers in the order in which `key` prefers them."""
    return sorted(servers, key=lambda server: _weight(key, server), reverse=True)


def affinity(session_id: str) -> str:
    """Return what a session shares a server by: the languages of a room share the room's.

    Their ids are ``room ID LANGUAGE``. Together, equal audio meets in one batch, and an engine that
    encodes before it translates does so once.
    """
    words = session_id.split(" ")
    return " ".join(words[:2]) if words[0] == "room" else session_id


def _weight(key: str, server: str) -> bytes:
    return hashlib.blake2b(f"{key}\0{server}".encode("utf-8", "replace"), digest_size=8).digest()
