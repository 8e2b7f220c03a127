"""Keys and client secrets, as a client shows them."""

from typing import Any

from tests.support.signaling_fakes import Served

SECRETS = "/v1/realtime/translations/client_secrets"
KEY = "a key that somebody chose"


def bearer(token: str, **more: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}", **more}


async def mint(server: Served, key: str = KEY, **body: Any) -> dict[str, Any]:
    async with server.client.post(SECRETS, json=body, headers=bearer(key)) as response:
        assert response.status == 200, await response.text()
        assert response.headers["Cache-Control"] == "no-store"
        answer: dict[str, Any] = await response.json()
        return answer
