"""Requests that mean one thing to a proxy and another to us, and headers made of parts of them."""

import asyncio
import contextlib

from rtc_server.app.server import running
from rtc_server.config import HttpSettings, Settings
from tests.support.patient import QUICK

KEY = "k" * 32
SETTINGS = Settings(
    http=HttpSettings(port=0, api_key=KEY, trusted_proxies=("127.0.0.1",), path_prefix="/talk"),
    engines=QUICK,
)
HIDDEN = b"GET /talk/v1/engines HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + KEY.encode()
"""Request that is smuggled: if it were answered, the answer would begin with 200."""


async def answers(port: int, raw: bytes) -> list[bytes]:
    """The status lines of all that comes back before the server hangs up, or goes quiet."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(raw)
    received = bytearray()
    with contextlib.suppress(TimeoutError, ConnectionError):
        patience_s = 60.0
        while chunk := await asyncio.wait_for(reader.read(65536), patience_s):
            received += chunk
            patience_s = 1.0
    writer.close()
    return [line for line in bytes(received).split(b"\r\n") if line.startswith(b"HTTP/1.")]


def request(headers: bytes, body: bytes = b"", path: bytes = b"/talk/healthz") -> bytes:
    return b"POST " + path + b" HTTP/1.1\r\nHost: x\r\n" + headers + b"\r\n" + body


SMUGGLED = {
    "both lengths": request(
        b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n", b"0\r\n\r\n" + HIDDEN + b"\r\n\r\n"
    ),
    "two lengths": request(
        b"Content-Length: 0\r\nContent-Length: 150\r\n", HIDDEN + b"\r\n\r\n"
    ),
    "a list of lengths": request(b"Content-Length: 0, 150\r\n", HIDDEN + b"\r\n\r\n"),
    "a length with a sign": request(b"Content-Length: +0\r\n", HIDDEN + b"\r\n\r\n"),
    "an unknown encoding": request(
        b"Transfer-Encoding: xchunked\r\n", b"0\r\n\r\n" + HIDDEN + b"\r\n\r\n"
    ),
    "an encoding behind a space": request(
        b"Transfer-Encoding : chunked\r\n", b"0\r\n\r\n" + HIDDEN + b"\r\n\r\n"
    ),
    "a folded header": request(
        b"X: y\r\n Transfer-Encoding: chunked\r\n", b"0\r\n\r\n" + HIDDEN + b"\r\n\r\n"
    ),
    "a chunk size with a sign": request(
        b"Transfer-Encoding: chunked\r\n", b"-1\r\n\r\n" + HIDDEN + b"\r\n\r\n"
    ),
    "a bare line feed": request(
        b"X: y\nContent-Length: 150\r\n", HIDDEN + b"\r\n\r\n"
    ),
}  # fmt: skip


async def test_a_request_within_a_request_is_not_answered_with_its_key() -> None:
    """Either the whole is refused, or the rest is a request of its own by the same rules that any
    proxy in front has: never a length that may be read in two ways."""
    async with running(SETTINGS) as running_server:
        answered = await asyncio.gather(
            *(answers(running_server.port, raw) for raw in SMUGGLED.values())
        )
    for name, statuses in zip(SMUGGLED, answered, strict=True):
        assert statuses, f"{name} must be answered"
        assert not any(b" 200 " in status for status in statuses), (name, statuses)


ELSEWHERE = (
    b"/talk/../v1/engines",
    b"/talk/%2e%2e/v1/engines",
    b"/v1/engines",
    b"//v1/engines",
    b"/talk//v1/engines",
    b"/talk/v1/engines/..;/",
    b"/talk/static/../../rtc_server/config.py",
    b"/talk/static/%2e%2e/%2e%2e/pyproject.toml",
    b"/talk/static/..%2f..%2fpyproject.toml",
    b"http://elsewhere/talk/v1/engines",
)


async def test_no_path_leads_around_the_prefix_or_the_key() -> None:
    async with running(SETTINGS) as running_server:
        for path in ELSEWHERE:
            raw = b"GET " + path + b" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
            [status] = await answers(running_server.port, raw)
            assert status.split(b" ")[1] in (b"400", b"401", b"403", b"404"), (path, status)


HEADERS = (
    b"X-Forwarded-Prefix: /a\r\nX-Forwarded-Prefix: //evil.example\r\n",
    b"X-Forwarded-Prefix: //evil.example\r\n",
    b"X-Forwarded-Prefix: https://evil.example\r\n",
    b"X-Forwarded-Prefix: /%0d%0aSet-Cookie:x\r\n",
    b"X-Forwarded-Host: evil.example\r\nOrigin: http://evil.example%0d%0aX: y\r\n",
    b"Origin: http://evil.example\r\n",
)


async def test_no_header_comes_back_as_one_of_ours() -> None:
    async with running(SETTINGS) as running_server:
        for headers in HEADERS:
            reader, writer = await asyncio.open_connection("127.0.0.1", running_server.port)
            for path in (b"/talk", b"/talk/v1/languages?source=%0d%0aSet-Cookie:%20x"):
                writer.write(b"GET " + path + b" HTTP/1.1\r\nHost: x\r\n" + headers + b"\r\n")
                head = await reader.readuntil(b"\r\n\r\n")
                [length] = [
                    line
                    for line in head.split(b"\r\n")
                    if line.lower().startswith(b"content-length")
                ]
                await reader.readexactly(int(length.split(b":")[1]))
                assert b"evil" not in head, headers
                assert b"cookie" not in head.lower(), headers
            writer.close()
            await writer.wait_closed()
