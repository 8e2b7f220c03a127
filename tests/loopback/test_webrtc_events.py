"""The data channel between an aiortc client and our transport."""

import json

import pytest

from rtc_server.transport.outbox import MAX_MESSAGES
from tests.support.peers import Server
from tests.support.rtc_client import RtcClient


async def test_events_both_ways() -> None:
    async with Server() as server, RtcClient(server.negotiate) as client:
        client.send({"type": "x.ping"})
        await server.session.until(lambda: bool(server.session.messages))
        assert json.loads(server.session.messages[0]) == {"type": "x.ping"}
        assert server.transport.send_message('{"type": "x.pong"}')
        assert (await client.event("x.pong"))["type"] == "x.pong"


async def test_events_sent_before_the_channel_opened_come_first_and_in_order() -> None:
    async with Server() as server:

        async def negotiate(offer: str) -> str:
            answer = await server.negotiate(offer)
            for number in range(20):
                assert server.transport.send_message(json.dumps({"type": "early", "n": number}))
            return answer

        async with RtcClient(negotiate) as client:
            await client.event("early", count=20)
            assert [each["n"] for each in client.events] == list(range(20))
            assert server.session.channel_open


async def test_a_channel_of_any_label_is_used() -> None:
    async with Server() as server, RtcClient(server.negotiate, channel="captions") as client:
        server.transport.send_message('{"type": "hello"}')
        await client.event("hello")


@pytest.mark.parametrize("number", [0, 1, 7, 1000])
async def test_a_channel_that_is_not_announced_is_taken_when_it_is_used(number: int) -> None:
    async with Server() as server, RtcClient(server.negotiate, channel_id=number) as client:
        assert server.transport.send_message('{"type": "early"}')
        client.send({"type": "x.ping"})
        await server.session.until(lambda: bool(server.session.messages))
        await client.event("early")
        assert server.session.channel_open
        assert server.transport.send_message('{"type": "x.pong"}')
        await client.event("x.pong")


async def test_a_second_channel_that_is_not_announced_is_refused_once() -> None:
    async with Server() as server, RtcClient(server.negotiate, channel_id=2) as client:
        client.send({"type": "first"})
        await server.session.until(lambda: len(server.session.messages) == 1)
        other = client.pc.createDataChannel("other", negotiated=True, id=4)
        for number in range(3):
            other.send(json.dumps({"type": "other", "n": number}))
        client.send({"type": "second"})
        await server.session.until(lambda: len(server.session.messages) == 2)
        assert [json.loads(each)["type"] for each in server.session.messages] == ["first", "second"]


async def test_a_number_is_free_for_another_channel_when_the_first_is_closed() -> None:
    async with Server() as server, RtcClient(server.negotiate, channel_id=2) as client:
        for number in range(1, 4):
            client.send({"type": "x.ping"})
            await server.session.until(lambda: len(server.session.messages) == number)  # noqa: B023
            assert server.transport.send_message('{"type": "x.pong"}')
            await client.event("x.pong", count=number)
            await client.replace_channel(2)


async def test_a_client_without_a_channel_is_served_too() -> None:
    async with Server() as server, RtcClient(server.negotiate, channel=None):
        session = server.session
        await session.until(lambda: session.samples >= 8_000)
        for _ in range(400):
            assert not server.transport.send_message("{}")
        before = session.samples
        await session.until(lambda: session.samples > before + 8_000)
        assert not session.channel_open
        assert not session.reasons


async def test_before_its_channel_opens_a_client_misses_only_the_oldest() -> None:
    async with Server() as server:

        async def negotiate(offer: str) -> str:
            answer = await server.negotiate(offer)
            for number in range(400):
                assert server.transport.send_message(json.dumps({"type": "early", "n": number}))
            return answer

        async with RtcClient(negotiate) as client:
            await client.event("early", count=MAX_MESSAGES)
            assert [each["n"] for each in client.events] == list(range(400 - MAX_MESSAGES, 400))
            assert not server.session.reasons


async def test_binary_large_and_broken_messages_are_refused_and_the_call_goes_on() -> None:
    async with Server() as server, RtcClient(server.negotiate) as client:
        session = server.session
        client.send(b"\x00\x01")
        client.send('"' + "x" * 20_000 + '"')
        client.send("й" * 9_000)  # 18 kB in UTF-8
        client.send("{not json")
        await session.until(lambda: len(session.bad_messages) == 3 and len(session.messages) == 1)
        assert session.messages == ["{not json"]
        before = session.samples
        await session.until(lambda: session.samples > before + 8_000)


async def test_text_that_is_not_utf8_is_refused_and_the_call_goes_on() -> None:
    async with Server() as server, RtcClient(server.negotiate) as client:
        session = server.session
        sctp = client.pc.sctp
        assert sctp is not None
        await sctp._send(1, 51, b'{"text": "\xff\xfe"}')  # 51: WebRTC string (RFC 8831)
        await session.until(lambda: len(session.bad_messages) == 1)
        client.send("{}")
        await session.until(lambda: session.messages == ["{}"])


async def test_nonsense_on_sctp_leaves_audio_alone() -> None:
    async with Server() as server, RtcClient(server.negotiate) as client:
        session = server.session
        dtls = client.pc.getTransceivers()[0].receiver.transport
        for data in (b"", b"\x00" * 4, b"\xff" * 40, bytes(range(200))):
            await dtls._send_data(data or b"\x01")
        sctp = client.pc.sctp
        assert sctp is not None
        for data in (b"\x03", b"\x03" + b"\xff" * 20, b"\x02"):
            await sctp._send(7, 50, data)  # 50: channel control (RFC 8832)
        before = session.samples
        await session.until(lambda: session.samples > before + 8_000)
        client.send("{}")
        await session.until(lambda: session.messages == ["{}"])


async def test_further_channels_are_closed() -> None:
    async with Server() as server, RtcClient(server.negotiate) as client:
        server.transport.send_message('{"type": "one"}')
        await client.event("one")
        others = [client.pc.createDataChannel(f"other-{i}") for i in range(20)]
        for other in others:
            other.on("close", client._notify)
        await client.until(lambda: all(each.readyState == "closed" for each in others))
        server.transport.send_message('{"type": "two"}')
        await client.event("two")


async def test_a_client_that_does_not_read_is_closed_and_the_queue_stays_bounded() -> None:
    async with Server() as server, RtcClient(server.negotiate) as client:
        sctp = client.pc.sctp
        assert sctp is not None

        async def ignore(data: bytes) -> None:
            """Acknowledge nothing."""

        sctp._handle_data = ignore  # type: ignore[method-assign]
        text = json.dumps({"type": "x", "pad": "y" * 4000})
        sent = 0
        while server.transport.send_message(text):
            sent += 1
            assert sent < 1000
        await server.session.until(lambda: bool(server.session.reasons))
        assert not server.transport.send_message(text)
