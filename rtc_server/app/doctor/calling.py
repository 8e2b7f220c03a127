"""Client of a server: requests over HTTP, with a key if the server needs one."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import aiohttp

from rtc_server.errors import RtcServerError

PATIENCE = aiohttp.ClientTimeout(total=15)


@dataclass(frozen=True, slots=True)
class ServerAccess:
    """Address of a server, and the credentials for it."""

    http: aiohttp.ClientSession
    url: str
    """URL of its page, without a slash at the end."""
    key: str = ""

    @property
    def headers(self) -> dict[str, str]:
        """Headers of every request."""
        return {"Authorization": f"Bearer {self.key}"} if self.key else {}

    async def get(self, path: str, **query: str) -> Any:
        """Return a JSON answer.

        Raises:
            RtcServerError: no answer came, or an error, whose own sentence is the text.
        """
        try:
            async with self.http.get(
                self.url + path, params=query, headers=self.headers, timeout=PATIENCE
            ) as response:
                if response.status != 200:
                    raise RtcServerError(await sentence_of(response))
                return await response.json()
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            why = "" if isinstance(error, aiohttp.InvalidURL) else f" ({_why(error)})"
            raise RtcServerError(f"{self.url}{path} does not answer{why}.") from None


def negotiation(
    access: ServerAccess, source: str = "", target: str = ""
) -> Callable[[str], Awaitable[str]]:
    """Return a function that POSTs an offer and returns the answer. It raises `RtcServerError` with
    the server's sentence.
    """

    async def negotiate(offer: str) -> str:
        query = {key: text for key, text in (("source", source), ("target", target)) if text}
        try:
            async with access.http.post(
                f"{access.url}/v1/realtime/translations/calls",
                params=query,
                data=offer,
                headers={**access.headers, "Content-Type": "application/sdp"},
                timeout=PATIENCE,
            ) as response:
                if response.status != 201:
                    raise RtcServerError(await sentence_of(response))
                return await response.text()
        except (aiohttp.ClientError, TimeoutError) as error:
            raise RtcServerError(f"The call was not answered ({_why(error)}).") from None

    return negotiate


async def sentence_of(response: aiohttp.ClientResponse) -> str:
    """Return the sentence of an error answer, or its status if it is not a problem document."""
    try:
        detail = (await response.json(content_type=None))["detail"]
    except (ValueError, KeyError, TypeError):
        return f"The answer was {response.status} {response.reason}, and not from rtc-server."
    return f"{detail} ({response.status})"


def _why(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return "no answer within 15 s"
    return str(error) or type(error).__name__
