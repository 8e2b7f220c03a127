"""Choice of a server by session: rendezvous hashing (Thaler and Ravishankar, 1998).

Each pair of session and server has a number, and the server with the highest is chosen: all media
processes choose alike without asking each other, and when a server comes or goes only its own
sessions move.
"""

import hashlib
from collections.abc import Iterable, Sequence


def ranked(key: str, servers: Iterable[str]) -> Sequence[str]:
    """Return the servers in the order in which `key` prefers them."""
    return sorted(servers, key=lambda server: _weight(key, server), reverse=True)


def affinity(session_id: str) -> str:
    """Return the key of a session, by which servers are chosen: one for all languages of a room.

    Their ids are ``room ID LANGUAGE``. On one server their equal audio gets into one batch, and an
    engine that encodes before it translates encodes it once.
    """
    words = session_id.split(" ")
    return " ".join(words[:2]) if words[0] == "room" else session_id


def _weight(key: str, server: str) -> bytes:
    return hashlib.blake2b(f"{key}\0{server}".encode("utf-8", "replace"), digest_size=8).digest()
