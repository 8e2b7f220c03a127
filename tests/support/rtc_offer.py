"""Offer of a call, posted to a server."""

import json
from collections.abc import Mapping
from typing import Any

import aiohttp


async def post_offer(
    url: str, offer: str, session: Mapping[str, Any] | None, headers: Mapping[str, str]
) -> tuple[str, str]:
    """Return the answer to an offer, and the URL path of the call.

    Raises:
        ConnectionError: the server refused; the message is its answer.
    """
    if session is None:
        content_type, body = "application/sdp", offer
    else:
        content_type = "application/json"
        body = json.dumps({"sdp": offer, "session": session})
    async with (
        aiohttp.ClientSession() as http,
        http.post(url, data=body, headers={"Content-Type": content_type, **headers}) as response,
    ):
        answer = await response.text()
        if response.status != 201:
            raise ConnectionError(f"{response.status}: {answer}")
        return answer, response.headers.get("Location", "")
