"""Engine server: clients that are refused, and servers that are not believed."""

from pathlib import Path

import aiohttp
import pytest

from rtc_server.app.engine_channel import PATH
from rtc_server.config import EngineSettings, HttpSettings
from rtc_server.engines.remote.messages import PROTOCOL
from rtc_server.errors import ConfigError
from tests.support.certificates import self_signed
from tests.support.engine_server import (
    FAKES,
    SHOWN,
    TOKEN,
    WHO,
    asking,
    fake_engines,
    http_of,
    refused,
    translated,
)


async def test_a_web_page_is_refused(caplog: pytest.LogCaptureFixture) -> None:
    async with fake_engines(token="") as server, aiohttp.ClientSession() as http:
        url = http_of(server.address) + PATH
        for origin in ("https://example.org", "null"):
            with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
                await http.ws_connect(url, params=WHO, origin=origin, protocols=(PROTOCOL,))
            assert refused.value.status == 403
        assert "it is a web page" in caplog.text
        async with http.ws_connect(url, params=WHO, protocols=(PROTOCOL,)) as honest:
            assert (await honest.receive()).type is aiohttp.WSMsgType.BINARY


async def test_others_are_never_served_without_a_token() -> None:
    for listen in ("0.0.0.0:0", "[::]:7070", "192.0.2.1:7070", "gpu.example:7070"):
        with pytest.raises(ConfigError, match="would let anyone use these engines"):
            async with fake_engines(listen, token=""):
                pass
    with pytest.raises(ConfigError, match="needs 16 or more"):
        async with fake_engines(token="short"):
            pass


@pytest.mark.parametrize("token", ["", "0123456789abcdeF", "another-token-of-some-length"])
async def test_a_wrong_token_is_refused_with_a_sentence_on_both_sides(
    token: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with fake_engines() as server, asking(server.address) as honest:
        settings = EngineSettings(ast_servers=(server.address,), engine_token=token, tts=FAKES[1])
        await refused(settings, "refused our token", caplog)
        assert "sent no token, or a wrong one" in caplog.text
        assert TOKEN not in caplog.text and (not token or token not in caplog.text)
        assert (await translated(honest)).samples == 16000


async def test_another_version_of_the_protocol_is_refused(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with fake_engines() as server, aiohttp.ClientSession() as http:
        url = http_of(server.address) + PATH
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await http.ws_connect(url, params=WHO, headers=SHOWN, protocols=("rtc-engines.99",))
        assert refused.value.status == 426
        assert f"does not speak {PROTOCOL}" in caplog.text
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await http.ws_connect(url, params={"kind": "x"}, headers=SHOWN, protocols=(PROTOCOL,))
        assert refused.value.status == 400


async def test_a_certificate_that_nobody_vouches_for_is_said(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    cert, key = self_signed(tmp_path)
    async with fake_engines(http=HttpSettings(tls_cert=str(cert), tls_key=str(key))) as server:
        settings = EngineSettings(ast_servers=(server.address,), engine_token=TOKEN, tts=FAKES[1])
        await refused(settings, "its certificate is not trusted", caplog)


async def test_a_certificate_must_have_the_name_that_was_asked_for(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    cert, key = self_signed(tmp_path)  # for 127.0.0.1
    async with fake_engines(http=HttpSettings(tls_cert=str(cert), tls_key=str(key))) as server:
        settings = EngineSettings(
            ast_servers=(server.address.replace("127.0.0.1", "localhost"),),
            engine_token=TOKEN,
            engine_ca=str(cert),
            tts=FAKES[1],
        )
        await refused(settings, "its certificate is not trusted", caplog)
