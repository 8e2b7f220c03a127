"""Cost of reading a client's commonest messages, in units of the standard library's `json.loads`.

``python -m bench.decode`` measures in turns and prints medians. To compare two versions, run this
file with each on PYTHONPATH, in turns.
"""

import base64
import json
import statistics
import time
from collections.abc import Callable
from functools import partial

from rtc_server.events.client import parse_client_event
from rtc_server.transport.websocket.translations import APPEND, TranslationsForm

ROUNDS, TIMES = 60, 400
APPENDED = json.dumps({"type": APPEND, "audio": base64.b64encode(bytes(range(240)) * 4).decode()})
"""20 ms of audio at 24 kHz."""
UPDATE = json.dumps(
    {
        "type": "session.update",
        "event_id": "event_1",
        "session": {
            "audio": {
                "output": {"language": "en"},
                "input": {"transcription": {"model": "any", "language": "ru"}},
            },
            "x_events": ["segment", "playout", "vad", "metrics"],
            "x": {"voice": "a", "vad": {"mode": "auto", "hangover_ms": 300}},
        },
    }
)
PING = '{"type":"x.ping","event_id":"event_1"}'


def seconds(call: Callable[[], object]) -> float:
    """Return the time of one call."""
    began_s = time.perf_counter()
    for _ in range(TIMES):
        call()
    return (time.perf_counter() - began_s) / TIMES


def main() -> None:
    """Measure and print."""
    form = TranslationsForm()
    cases: dict[str, tuple[str, Callable[[], object]]] = {
        "append of 20 ms": (APPENDED, lambda: form.read(APPENDED)),
        "session.update": (UPDATE, lambda: parse_client_event(UPDATE)),
        "x.ping": (PING, lambda: parse_client_event(PING)),
    }
    for name, (text, read) in cases.items():
        turns = [(seconds(read), seconds(partial(json.loads, text))) for _ in range(ROUNDS)]
        own_us, json_us = (statistics.median(side) * 1e6 for side in zip(*turns, strict=True))
        ratio = statistics.median(own / plain for own, plain in turns)
        print(f"{name}: {own_us:.2f} µs, json.loads {json_us:.2f} µs, ratio {ratio:.2f}")


if __name__ == "__main__":
    main()
