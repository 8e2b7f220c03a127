"""Media from strangers: a flood does not hide the peer after its NAT has rebound."""

from rtc_server.transport.ice_agent import STRAY_PER_S, STRAYS_PER_S
from rtc_server.transport.source_limiter import SourceLimiter


def test_a_flood_from_one_address_leaves_room_for_another() -> None:
    limiter = SourceLimiter(stranger_per_s=STRAY_PER_S, strangers_per_s=STRAYS_PER_S)
    flood = [limiter.allows(("192.0.2.1", 1), trusted=False, now_s=0.0) for _ in range(500)]
    assert sum(flood) == 2 * STRAY_PER_S
    assert limiter.allows(("192.0.2.2", 2), trusted=False, now_s=0.0)
