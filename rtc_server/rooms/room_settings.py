"""Rooms: number, members, deadlines and links."""

from dataclasses import dataclass

from rtc_server.options import option


@dataclass(frozen=True, slots=True)
class RoomSettings:
    """Room settings: one speaker, many listeners in their own languages."""

    max_rooms: int = option(8, "rooms at once; 0 for none", low=0, high=1000)
    room_listeners: int = option(
        100, "listeners and readers of one room at once", low=1, high=100_000
    )
    room_address_listeners: int = option(
        0,
        "listeners and readers of one room from one address; 0 leaves a fifth of the places to "
        "other addresses",
        low=0,
        high=100_000,
    )
    room_languages: int = option(
        6, "languages into which one room is interpreted at once", low=1, high=100
    )
    room_linger_s: float = option(
        10.0,
        "seconds for which a language is interpreted after its last listener left",
        low=0,
        high=3600,
    )
    room_wait_s: float = option(
        60.0, "seconds for which a room waits for its speaker to return", low=0, high=86_400
    )
    room_idle_minutes: int = option(
        180,
        "on a server with keys, minutes without speech after which a room closes; 0 for no limit",
        low=0,
        high=100_000,
    )
    room_link_hours: int = option(
        12, "hours for which a room's join link is valid, on a server with keys", low=1, high=720
    )
