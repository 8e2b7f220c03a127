"""Messages of the golden files: offers, session objects and client events, right and wrong."""

import base64
import json

from tests.support.offers import AUDIO, CHROME, DATA, INACTIVE, RECVONLY, VIDEO, offer

OFFERS: dict[str, str | bytes] = {
    "nothing": "",
    "white space": " \r\n",
    "not SDP": "junk",
    "not UTF-8": b"\xff\xfe",
    "no audio": offer(DATA),
    "only video": offer(VIDEO),
    "audio that only listens": offer(RECVONLY),
    "audio that does nothing": offer(INACTIVE),
    "two audio sections": offer(AUDIO, AUDIO.replace("mid:0", "mid:3")),
    "no Opus": offer(AUDIO.replace("opus/48000/2", "speex/16000")),
    "no ICE credentials": offer(AUDIO.replace("a=ice-ufrag:4ZcD\n", "")),
    "no fingerprint": offer("\n".join(a for a in AUDIO.split("\n") if "fingerprint" not in a)),
    "too large": CHROME + "a=x\r\n" * 20_000,
    "too many sections": offer(*[VIDEO] * 40),
}
"""Offers that are refused, by name."""

EVERYTHING = {
    "model": "gpt-realtime-translate",
    "audio": {
        "output": {"language": "en"},
        "input": {"transcription": {"model": "any"}, "noise_reduction": {"type": "near_field"}},
    },
    "x_events": ["segment", "playout", "vad", "metrics"],
}
"""Session object that names most settings."""
NO_AUDIO: list[object] = ["AA==", 7, None, []]


def each_with(key: str, *values: object, **more: object) -> list[object]:
    """Return one object for each value of one key."""
    return [{**more, key: value} for value in values]


SETTINGS: list[object] = [
    {"source_language": 5},
    {"source_language": "x" * 129},
    {"target_language": "a\nb"},
    {"voice": []},
    {"voice": "\ud800"},
    {"engine": True},
    {"mode": "slow"},
    {"mode": 1},
    {"vad": "auto"},
    {"vad": []},
    {"vad": {"mode": "loud"}},
    {"vad": {"mode": 7}},
    {"vad": {"hangover_ms": 99}},
    {"vad": {"hangover_ms": 3000.5}},
    {"vad": {"hangover_ms": True}},
    {"vad": {"hangover_ms": "300"}},
    {"vad": {"hangover_ms": float("nan")}},
    {"vad": {"hangover_ms": float("inf")}},
    {"vad": {"hangover_ms": 10**400}},
    {"x_events": "vad"},
    {"x_events": {}},
    {"x_events": ["vad", 7]},
    {"x_events": ["vad", "all", "any"]},
    {"x_events": ["\u0434" * 70]},
    {"vad": {"mode": "loud", "hangover_ms": 1}, "mode": "slow", "voice": 7},
]
"""Flat settings that are refused. The last has several faults."""

SESSIONS: list[object] = [
    *(7, [], "text", False),
    {"model": 7},
    {"model": "m" * 129},
    {"model": "a\x00"},
    {"audio": []},
    {"audio": {"output": 7}},
    {"audio": {"output": {"language": 7}}},
    {"audio": {"input": "x"}},
    {"audio": {"input": {"transcription": "on"}}},
    {"audio": {"input": {"transcription": {"model": 7}}}},
    {"audio": {"input": {"transcription": {"language": ["ru"]}}}},
    {"audio": {"input": {"noise_reduction": True}}},
    {"audio": {"input": {"noise_reduction": {"type": 7}}}},
    {"audio": {"input": {"noise_reduction": 7}, "output": {"language": 7}}, "x_events": 7},
    {"x": 7},
    {"x": []},
    {"x": {"engine": "other"}},
    {"x": {"voice": "none"}},
    {"x": {"source_language": "de"}},
    *({"x": each} for each in SETTINGS),
]
"""Session objects that are refused."""

RIGHT: list[object] = [
    {"type": "x.ping", "event_id": "mine"},
    {"type": "x.ping", "event_id": 7},
    {"type": "x.ping", "event_id": "e" * 100},
    {"type": "x.ping", "event_id": "a\nb"},
    {"type": "x.ping", "event_id": None, "unknown": {"a": [1]}},
    {"type": "session.update", "session": {}},
    {"type": "session.update", "session": {"type": "translation", "unknown": 7, "audio": None}},
    {"type": "session.update", "session": {"audio": {"input": None, "output": None}, "x": None}},
    {
        "type": "session.update",
        "event_id": "u1",
        "session": {"audio": {"input": {"transcription": {"model": "any", "language": "en_US"}}}},
    },
    {"type": "session.update", "session": {"audio": {"output": {"language": " RU-ru "}}}},
    {"type": "session.update", "session": {"audio": {"input": {"transcription": None}}}},
    {
        "type": "session.update",
        "session": {
            "audio": {"output": {"language": "ru"}, "input": {"noise_reduction": {"type": None}}},
            "x": {"target_language": "en", "source_language": "ru", "x_events": []},
            "x_events": ["vad"],
        },
    },
    {"type": "x.session", "vad": {"mode": "off", "hangover_ms": 250}, "x_events": ["segment"]},
    {"type": "x.session", "vad": {"hangover_ms": 299.5}, "mode": "fast", "engine": "fake"},
    {"type": "x.session", "vad": {"hangover_ms": 300.5, "mode": None}, "voice": "b"},
    {"type": "x.session", "vad": None, "mode": None, "voice": None, "x_events": None},
    {"type": "x.session", "vad": {"mode": "auto", "hangover_ms": 3e2}, "mode": "consecutive"},
    {"type": "x.session", "x_events": ["vad", "vad", "metrics"]},
    {"type": "x.session", "x_events": []},
    {"type": "x.input.start"},
    {"type": "x.input.commit"},
    {"type": "x.input.commit", "tail_ms": 0},
    {"type": "x.input.commit", "tail_ms": 99.5},
    {"type": "x.input.commit", "tail_ms": None},
    {"type": "x.output.clear", "event_id": "c"},
]
WRONG: list[object] = [
    *([], 7, "text", None, True, {}),
    *each_with("type", None, 7, ["x.ping"], "", "ping", "x.ping ", "\ud800", "я" * 70),
    {"type": "session.updat", "event_id": "mine"},
    {"type": "session.update"},
    {"type": "session.update", "session": None},
    *({"type": "session.update", "session": each, "event_id": "s"} for each in SESSIONS[1:]),
    *(
        {"type": "x.session", **each, "event_id": "x"}
        for each in SETTINGS
        if isinstance(each, dict)
    ),
    {"type": "x.session", "target_language": "de", "event_id": "mine"},
    {"type": "x.session", "voice": "c"},
    {"type": "x.session", "voice": "\ud800", "event_id": "\ud800"},
    *each_with("tail_ms", -1, 1001, True, "5", [], 1e999, type="x.input.commit"),
    *each_with("text", "", None, 7, "x" * 301, "No such phrase.", type="x.say"),
    {"type": "x.say"},
    {"type": "session.input_audio_buffer.append", "audio": "AAAA"},
    {"type": "start"},
]
CLIENT_EVENTS = [
    *map(json.dumps, RIGHT),
    *map(json.dumps, WRONG),
    *("", "{", "[" * 2000, '{"type":"x.ping"}}', '{"type":"x.ping"} x', "{'type':'x.ping'}"),
    *('{"type":"x.ping","type":"nonsense"}', '\ufeff{"type":"x.ping"}', '{"type":"x.ping",}'),
    *('{"type":"x.ping","a":NaN,"event_id":"n"}', '{"type":"x.ping","a":01}', "nul", "NaN"),
    *('{"type":"x.ping","event_id":"\\ud83d\\ude00"}', '{"type":"x.ping","event_id":"a\tb"}'),
    *('{"type":"x.ping","a":"\\x"}', '{"type":"x.ping","a":1e999}', ' {"type" : "x.ping"}\n'),
    *('{"type":"x.ping","a":"\\ud800"}', '{"type":"x.ping","a":' + "9" * 50 + "}"),
    '{"type":"x.session","vad":{"hangover_ms":300},"vad":{"hangover_ms":400}}',
    '{"type":"x.session","vad":{"hangover_ms":1e400}}',
    '{"type":"x.session","vad":{"hangover_ms":-Infinity}}',
]
"""Texts of client events: valid ones, ones that are refused, and texts that are not or hardly JSON.
"""


def append(audio: object, **more: object) -> str:
    """Return a message with audio of the Realtime Translations form."""
    return json.dumps({"type": "session.input_audio_buffer.append", "audio": audio, **more})


APPENDS: list[str | bytes] = [
    append(base64.b64encode(bytes(960)).decode()),
    append("AAAA\nAAAA"),
    *(append(each, event_id="mine") for each in ("AAA", "AAAAA", "AA==AA==", "=AAA", "AAA==")),
    *(append(each, event_id="mine") for each in ("A-_A", "ж", "data:audio/wav;base64,AAAA")),
    *(append(audio, event_id="mine") for audio in NO_AUDIO),
    append("", event_id=7),
    '{"type":"session.input_audio_buffer.append"}',
    '{"type":"session.input_audio_buffer.append"',
    '{"audio":"AA==AA==","type":"session.input_audio_buffer.append","event_id":"e\\u0301"}',
    '{"type":"session.input_audio_buffer.append","audio":"AAAA","audio":7}',
    '{"type":"x.ping","event_id":"session.input_audio_buffer.append"}',
    '["session.input_audio_buffer.append"]',
    b"\0\0",
    "x" * 20_000,
    append("x" * 16_384, type="x.ping"),
    json.dumps({"type": "session.update", "session": {"audio": {"output": {"language": "en"}}}}),
    json.dumps({"type": "session.update", "session": 7, "event_id": "mine"}),
]
"""Messages of the Realtime Translations form."""

PLAIN: list[str | bytes] = [
    bytes(640),
    b"\0" * 641,
    b"\0" * 65_538,
    json.dumps({"type": "x.ping", "event_id": "mine"}),
    '{"type":"x.ping","pad":"' + "x" * 20_000 + '"}',
    json.dumps({"type": "start", "source": "ru-RU", "target": "en", "vad": True, "event_id": "a"}),
    json.dumps({"type": "start", "vad": "yes", "event_id": "b"}),
    json.dumps({"type": "start", "source": 7, "event_id": "c"}),
    json.dumps({"type": "start", "target": "xx", "event_id": 7}),
    json.dumps({"type": "start"}),
    json.dumps({"type": ["start"]}),
    '{"type":"start"',
    json.dumps({"type": "session.update", "session": {"x_events": ["segment", "vad", "playout"]}}),
]
"""Messages of ``/ws/audio``."""
WAV = b"RIFF\x24\0\0\0WAVEfmt " + bytes(48)
"""Beginning of a WAV file, which clients may not send."""


def secret_bodies() -> list[str]:
    """Return bodies of requests for client secrets, right and wrong."""
    right: list[object] = [
        {},
        {"session": EVERYTHING, "expires_after": {"anchor": "created_at", "seconds": 10}},
        {"expires_after": {"seconds": 7200}, "x": {"origin": "https://app.example"}},
        {"expires_after": {}, "session": None, "x": {"room": {"name": "hall", "role": "speaker"}}},
        {"x": {"room": None, "origin": None}, "unknown": 7},
    ]
    wrong: list[object] = [
        *each_with("expires_after", "soon", [], {"anchor": "now"}, {"anchor": None}),
        *(
            {"expires_after": each}
            for each in each_with("seconds", 9, 7201, 60.0, True, "60", None)
        ),
        *each_with("session", [], "x", {"model": 7}, {"x": {"target_language": "xx"}}),
        *each_with("x", 7, {"origin": 7}, {"origin": "https://a/b"}, {"origin": ""}),
        *(
            {"x": each}
            for each in each_with("room", {}, "hall", {"name": "a b", "role": "speaker"})
        ),
        *({"x": {"room": each}} for each in ({"name": "a", "role": "x"}, {"role": "listener"})),
        *([], "text", 7),
    ]
    return [*map(json.dumps, right + wrong), "{", "", "[" * 9999]
