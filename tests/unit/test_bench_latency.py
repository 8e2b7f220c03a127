"""Settings that the latency bench asks for: the same by both transports."""

import json

from bench.ws_speaker import MODE, WANTED
from rtc_server.events.client import SessionUpdate, parse_client_event
from rtc_server.events.session_patch import SessionPatch


def test_a_websocket_asks_for_the_mode_that_a_call_begins_in() -> None:
    update = parse_client_event(json.dumps(WANTED))
    assert isinstance(update, SessionUpdate)
    assert update.patch == SessionPatch(
        mode=MODE["x"]["mode"], x_events=frozenset({"metrics", "segment"})
    )
