"""WebSockets to and from engine servers: by TCP, with TLS or without, and by Unix sockets."""

import contextlib
import ssl
from pathlib import Path
from typing import TypeAlias

import aiohttp
from aiohttp import web

from rtc_server.config import EngineSettings
from rtc_server.engines.engine_settings import check_engine_token
from rtc_server.engines.registry import Kind
from rtc_server.engines.remote.connection import Connect
from rtc_server.engines.remote.directory import ServerAddress
from rtc_server.engines.remote.frames import MOST_FRAME_BYTES
from rtc_server.engines.remote.messages import PROTOCOL
from rtc_server.engines.remote.unusable import Cause, UnusableServer
from rtc_server.errors import ConfigError, EngineError

PATH = "/v1/engine"
"""Path of the WebSocket; its query names the kind of engine and the media process."""
CLOSE_S = 1.0
"""Time that the other side may take to answer a close."""

_Socket: TypeAlias = "aiohttp.ClientWebSocketResponse[bool] | web.WebSocketResponse[bool]"


class WebSocketChannel:
    """A WebSocket as a `FrameChannel`."""

    def __init__(self, socket: _Socket, session: aiohttp.ClientSession | None = None) -> None:
        """`session` is closed with it."""
        self._socket, self._session = socket, session

    async def send(self, frame: bytes) -> None:
        """See `FrameChannel.send`."""
        try:
            await self._socket.send_bytes(frame)
        except (ConnectionError, RuntimeError) as error:  # RuntimeError: it is closing
            raise EOFError(type(error).__name__) from None

    async def receive(self) -> bytes:
        """See `FrameChannel.receive`."""
        message = await self._socket.receive()
        match message.type:
            case aiohttp.WSMsgType.BINARY:
                data: bytes = message.data
                return data
            case aiohttp.WSMsgType.ERROR if isinstance(message.data, aiohttp.WebSocketError):
                raise EngineError(f"It sent an invalid frame: {_lower(str(message.data))}.")
            case aiohttp.WSMsgType.TEXT:
                raise EngineError("It sent text instead of a frame.")
        raise EOFError(_lower(str(message.extra or "")))

    async def close(self) -> None:
        """See `FrameChannel.close`."""
        with contextlib.suppress(OSError, RuntimeError):
            await self._socket.close()
        if self._session is not None:
            await self._session.close()


def engine_token(settings: EngineSettings) -> str:
    """Return the token of the options, or of their file; empty for none. Raises `ConfigError`."""
    if not settings.engine_token_file:
        token = settings.engine_token
    elif settings.engine_token:
        raise ConfigError("Set --engine-token or --engine-token-file, not both.")
    else:
        try:
            token = Path(settings.engine_token_file).read_text("utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or "it is not text"
            raise ConfigError(
                f"Cannot read --engine-token-file {settings.engine_token_file} ({reason})."
            ) from None
        if not token:
            raise ConfigError(f"--engine-token-file {settings.engine_token_file} is empty.")
    check_engine_token(token)
    return token


def trusted_certificates(settings: EngineSettings) -> ssl.SSLContext:
    """Return the TLS context that checks engine servers' certificates. Raises `ConfigError`."""
    try:
        return ssl.create_default_context(cafile=settings.engine_ca or None)
    except (OSError, ssl.SSLError) as error:
        raise ConfigError(
            f"Cannot use --engine-ca {settings.engine_ca} ({error.strerror or 'unreadable'})."
        ) from None


def connector(kind: Kind, client: str, settings: EngineSettings) -> Connect:
    """Return the function that connects to servers of one kind of engine. Raises `ConfigError`."""
    token, trusted = engine_token(settings), trusted_certificates(settings)
    headers = {"Authorization": f"Bearer {token}"} if token else {}

    async def connect(address: ServerAddress) -> WebSocketChannel:
        session = aiohttp.ClientSession(
            connector=(
                aiohttp.UnixConnector(address.unix)
                if address.unix
                else aiohttp.TCPConnector(ssl=trusted, force_close=True)
            ),
            timeout=aiohttp.ClientTimeout(total=None),
        )
        try:
            socket = await session.ws_connect(
                _url(address),
                params={"kind": kind, "client": client},
                headers=headers,
                protocols=(PROTOCOL,),
                max_msg_size=MOST_FRAME_BYTES,
                server_hostname=address.certified or None,
                # No wait for the close of a server that hangs: its calls wait to be moved.
                timeout=aiohttp.ClientWSTimeout(ws_close=CLOSE_S),
            )
        except aiohttp.WSServerHandshakeError as error:
            await session.close()
            raise _refusal(error) from None
        except aiohttp.ClientConnectorCertificateError as error:
            await session.close()
            raise UnusableServer(
                Cause.CERTIFICATE,
                f"its certificate is not trusted ({error.certificate_error}); see --engine-ca",
            ) from None
        except aiohttp.ClientError as error:
            await session.close()
            raise UnusableServer(
                Cause.UNREACHABLE, f"cannot be reached ({_reason(error)})"
            ) from None
        except ValueError:  # UnicodeError among them, for a name that is not valid
            await session.close()
            raise UnusableServer(
                Cause.UNREACHABLE, "cannot be reached (its host name is invalid)"
            ) from None
        except BaseException:
            await session.close()
            raise
        if socket.protocol != PROTOCOL:
            await WebSocketChannel(socket, session).close()
            raise UnusableServer(Cause.PROTOCOL, f"it does not speak {PROTOCOL}")
        return WebSocketChannel(socket, session)

    return connect


def _url(address: ServerAddress) -> str:
    if address.unix:
        return f"ws://engines{PATH}"
    host = f"[{address.host}]" if ":" in address.host else address.host
    return f"{'wss' if address.tls else 'ws'}://{host}:{address.port}{PATH}"


def _refusal(error: aiohttp.WSServerHandshakeError) -> UnusableServer:
    match error.status:
        case 401:
            return UnusableServer(Cause.TOKEN, "it refused our token; see --engine-token")
        case 426:
            return UnusableServer(
                Cause.PROTOCOL,
                f"it speaks another version of the protocol than {PROTOCOL}; upgrade one side",
            )
        case 503:
            return UnusableServer(
                Cause.CLOSED, "it accepts no connections now, or has no engine of this kind"
            )
    return UnusableServer(Cause.STRANGER, f"it is not an engine server (HTTP {error.status})")


def _reason(error: aiohttp.ClientError) -> str:
    inner = getattr(error, "os_error", None)
    return getattr(inner, "strerror", None) or type(error).__name__


def _lower(sentence: str) -> str:
    return sentence[:1].lower() + sentence[1:].rstrip(".")
