"""Fourteen kinds of misbehaviour against a server, each a visit of a few seconds.

A visit takes a `Mischief` and returns when it is over; what it opened is closed by then, or left
lying as its kind demands. All of its chance comes from the visit's own generator.
"""

import asyncio
import contextlib
import socket
import struct
from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

from bench.mischief import CALLS, PAIR, Mischief
from tests.support.offers import AUDIO, DATA, TRICKLE, offer
from tests.support.rtc_client import RtcClient

SDP = {"Content-Type": "application/sdp"}
FORM = {"Content-Type": "multipart/form-data; boundary=b"}
FORM_BYTES = 128 * 1024
CONTAINERS = (
    b"\x1a\x45\xdf\xa3\x9f\x42\x86\x81\x01\x42\xf7\x81\x01",  # WebM
    b"OggS\x00\x02" + bytes(20) + b"\x01\x13OpusHead\x01",
    b"RIFF\xff\xff\xff\xffWAVEfmt \x10\x00\x00\x00",
    b"ID3\x04\x00\x00\x7f\x7f\x7f\x7f",  # MP3
    b"\x00\x00\x00\x20ftypisom",  # MP4
)
"""Beginnings of files with sound in them."""
FLOOD_S, UNSENT_BYTES = 3.0, 1000


async def multipart_bomb(m: Mischief) -> None:
    """A form of nothing but boundaries, as an offer or to come back."""
    piece = m.rng.choice((b"--b\r\n\r\n", b"--b\r\nA: b\r\n\r\n\r\n", b"\r\n--", b"\r\n"))
    path = m.rng.choice((CALLS, m.prey.location + "/resume", CALLS + "/sess_none/resume"))
    await m.ask("POST", path, FORM | m.bearer(), b"--b\r\n" + piece * (FORM_BYTES // len(piece)))


async def half_open(m: Mischief) -> None:
    """Connections that send half a request, or nothing, and then hang up without a word."""
    at = urlsplit(m.url)
    lines = b"POST /v1/realtime/translations/calls HTTP/1.1\r\nHost: x\r\nContent-Length: 900\r\n"
    writers = []
    for _ in range(40):
        _, writer = await asyncio.open_connection(at.hostname, at.port)
        writer.write(lines[: m.rng.randrange(len(lines))])
        writers.append(writer)
    for _ in range(5):
        await asyncio.sleep(m.rng.random())
        for writer in m.rng.sample(writers, 20):
            writer.write(b"X-A: 1\r\n")
    for writer in writers:
        writer.transport.abort()


async def never_connects(m: Mischief) -> None:
    """Offers of a peer that is never there."""
    for _ in range(m.rng.randrange(1, 5)):
        await m.ask("POST", CALLS + PAIR, SDP | m.bearer(), offer(AUDIO, DATA))


async def many_candidates(m: Mischief) -> None:
    """An offer with more than a hundred addresses, and a hundred more by fragments."""

    def some(count: int) -> str:
        hosts = ("127.0.0.1", "127.0.0.2", "10.1.2.3", "192.168.7.7", "224.0.0.1", "::1", "a.local")
        return "".join(
            f"a=candidate:{n} 1 udp {n + 1} {m.rng.choice(hosts)} {m.rng.randrange(1, 65_536)} "
            "typ host\r\n"
            for n in range(count)
        )

    first, rest = offer(AUDIO, DATA).split("a=candidate", 1)
    body = first + some(120) + "a=candidate" + rest
    async with m.http.post(m.url + CALLS, headers=SDP | m.bearer(), data=body) as response:
        m.answers[response.status] += 1
        location = response.headers.get("Location")
    if location:
        fragment = {"Content-Type": "application/trickle-ice-sdpfrag"} | m.bearer()
        await m.ask("PATCH", location, fragment, TRICKLE + some(100))


async def stray_datagrams(m: Mischief) -> None:
    """Datagrams of every kind to the media port of an honest call."""
    heads = (
        b"",
        struct.pack("!HHI", 1, 8, 0x2112A442),  # STUN
        b"\x16\xfe\xfd\x00\x00",  # DTLS, a handshake
        b"\x17\xfe\xfd\x00\x01",  # DTLS, data
        b"\x80\x6f",  # RTP
        b"\x80\xc8\x00\x06",  # RTCP
    )
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stray:
        stray.setblocking(False)
        for number in range(400):
            data = m.rng.choice(heads) + m.rng.randbytes(m.rng.choice((0, 1, 12, 20, 200, 1400)))
            with contextlib.suppress(BlockingIOError):
                stray.sendto(data, m.prey.address)
            if number % 20 == 19:
                await asyncio.sleep(0.02)


async def channel_flood(m: Mischief) -> None:
    """Events on the data channel as fast as it takes them, many of them no events at all."""
    pieces: tuple[str | bytes, ...] = ('{"type":"x.ping"}', "{", b"\x00", '{"type":"no.such"}')
    async with (
        RtcClient(m.url + CALLS + PAIR, headers=m.bearer()) as client,
        asyncio.timeout(FLOOD_S),
    ):
        while True:
            # Never much at once: aiortc goes through all waiting messages at each message, and the
            # honest callers are in this process as well.
            if client.unsent_bytes < UNSENT_BYTES:
                client.send(m.rng.choice(pieces))
            else:
                await asyncio.sleep(0.01)


async def socket_flood(m: Mischief) -> None:
    """Thousands of tiny messages on a WebSocket."""
    async with m.socket() as ws:
        for number in range(3000):
            match m.rng.randrange(4):
                case 0:
                    await ws.send_str("")
                case 1:
                    await ws.send_str('{"type":"x.ping"}')
                case 2:
                    await ws.send_bytes(b"")
                case _:
                    await ws.send_bytes(m.rng.randbytes(2))
            if number % 100 == 99:
                await asyncio.sleep(0.01)


async def socket_garbage(m: Mischief) -> None:
    """Send bytes after the upgrade that are not WebSocket frames."""
    at = urlsplit(m.url)
    reader, writer = await asyncio.open_connection(at.hostname, at.port)
    try:
        writer.write(
            f"GET /ws/audio{PAIR} HTTP/1.1\r\nHost: {at.netloc}\r\nUpgrade: websocket\r\n"
            "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: "
            f"AAAAAAAAAAAAAAAAAAAAAA==\r\nAuthorization: Bearer {m.secrets[0]}\r\n\r\n".encode()
        )
        await reader.readuntil(b"\r\n\r\n")
        writer.write(
            m.rng.choice(
                (
                    m.rng.randbytes(3000),
                    b"\x82\xff" + b"\x7f" * 8 + bytes(64),  # a message of 2^63 bytes
                    b"\xc1\x85" + m.rng.randbytes(9),  # compressed, which was not agreed on
                    b"\x89\xfe\x10\x00" + m.rng.randbytes(2000),  # a ping that is too long
                )
            )
        )
        await reader.read()
    finally:
        writer.transport.abort()


async def containers(m: Mischief) -> None:
    """Files in place of raw samples, and in place of an offer."""
    file = m.rng.choice(CONTAINERS) + m.rng.randbytes(16_000)
    await m.ask("POST", CALLS, SDP | m.bearer(), file)
    async with m.socket() as ws:
        for at in range(0, len(file), 1600):
            await ws.send_bytes(file[at : at + m.rng.choice((1599, 1600))])


async def strangers_sessions(m: Mischief) -> None:
    """Ends, candidates, transcripts and returns for a call of somebody else, and for none."""
    for location in (m.prey.location, CALLS + "/sess_" + "A" * 22):
        fragment = {"Content-Type": "application/trickle-ice-sdpfrag"}
        await m.ask("DELETE", location, m.bearer())
        await m.ask("PATCH", location, fragment | m.bearer(), TRICKLE)
        await m.ask("GET", location + "/transcript", m.bearer())
        await m.ask("POST", location + "/resume", SDP | m.bearer(), offer(AUDIO, DATA))
    forged = m.rng.choice(m.secrets)[:-4] + "AAAA"
    resume = m.prey.location.rpartition("/")[2]
    await m.ask("GET", f"/ws/audio?resume={resume}", {"Authorization": f"Bearer {forged}"})


async def wrong_rooms(m: Mischief) -> None:
    """Visits to rooms with secrets that are not for them."""
    for room in ("honest", "none", "x" * 64):
        await m.ask("POST", f"/whep/{room}?language=ru", SDP | m.bearer(), offer(AUDIO))
        await m.ask("GET", f"/v1/rooms/{room}", m.bearer())
        await m.ask("GET", f"/v1/rooms/{room}/captions?language=ru", m.bearer())
        await m.ask("POST", f"/v1/rooms/{room}/link", m.bearer())
        await m.ask("DELETE", f"/whip/{room}/peer", m.bearer())


async def vanishing(m: Mischief) -> None:
    """Disappear in the middle of a sentence, without closing anything."""
    client = RtcClient(m.url + CALLS + PAIR, audio=m.speech, headers=m.bearer())
    try:
        async with asyncio.timeout(10):
            await client.__aenter__()
            await asyncio.sleep(0.3 + m.rng.random())
            client.vanish()
    finally:
        await client.close()


async def chopped_speech(m: Mischief) -> None:
    """Speech that is cut into pieces by ten commits a second."""
    step = len(m.pcm) // 20 // 2 * 2
    async with m.socket() as ws:
        await ws.send_json({"type": "x.session", "vad": {"mode": "off"}})
        for at in range(0, len(m.pcm) - step, step):
            await ws.send_json({"type": "x.input.start"})
            await ws.send_bytes(m.pcm[at : at + step])
            await ws.send_json({"type": "x.input.commit"})
            await asyncio.sleep(0.1)


async def stalled_readers(m: Mischief) -> None:
    """Readers of a room's captions that never read."""
    room, bearer = f"r{m.rng.randrange(10**9)}", {"Authorization": f"Bearer {m.secrets[0]}"}
    at = urlsplit(m.url)
    asked = (
        f"GET /v1/rooms/{room}/captions?language=ru HTTP/1.1\r\nHost: {at.netloc}\r\n"
        f"Authorization: {bearer['Authorization']}\r\n\r\n"
    ).encode()
    speaker = f"{m.url}/whip/{room}?source=en"
    async with (
        RtcClient(speaker, channel=None, audio=m.speech, headers=bearer),
        contextlib.AsyncExitStack() as stack,
    ):
        for _ in range(10):
            reader = socket.create_connection((at.hostname, at.port))
            stack.enter_context(reader)
            reader.sendall(asked)
        await asyncio.sleep(len(m.pcm) / 32_000 + m.rng.random())


Kind = Callable[[Mischief], Awaitable[None]]
KINDS: tuple[Kind, ...] = (
    multipart_bomb,
    half_open,
    never_connects,
    many_candidates,
    stray_datagrams,
    channel_flood,
    socket_flood,
    socket_garbage,
    containers,
    strangers_sessions,
    wrong_rooms,
    vanishing,
    chopped_speech,
    stalled_readers,
)
