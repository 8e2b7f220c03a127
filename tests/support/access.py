"""Keys and client secrets, as a client shows them."""

from collections.abc import Mapping
from typing import Any

from tests.support.signaling_fakes import CALLS, OFFER, SDP, Served

SECRETS = "/v1/realtime/translations/client_secrets"
KEY = "a key that somebody chose"
KEY_BEYOND_ASCII = "s3cret-ключ"


def bearer(token: str, **more: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}", **more}


async def mint(server: Served, key: str = KEY, **body: Any) -> dict[str, Any]:
    async with server.client.post(SECRETS, json=body, headers=bearer(key)) as response:
        assert response.status == 200, await response.text()
        assert response.headers["Cache-Control"] == "no-store"
        answer: dict[str, Any] = await response.json()
        return answer


async def call(server: Served, token: str, query: str = "", **headers: str) -> int:
    """Open a call; return its status."""
    sent = {**bearer(token), **SDP, **headers}
    async with server.client.post(CALLS + query, data=OFFER, headers=sent) as response:
        if response.status != 201:
            body: Mapping[str, Any] = await response.json(content_type="application/problem+json")
            assert body["detail"].endswith(".")
        return response.status
