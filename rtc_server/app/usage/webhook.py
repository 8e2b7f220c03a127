"""Usage records by POST, signed according to Standard Webhooks (standardwebhooks.com)."""

import base64
import hashlib
import hmac
from typing import Final

import aiohttp
from aiohttp import hdrs

from rtc_server.app.usage.usage_outbox import DeliveryError, Outgoing
from rtc_server.clock import Clock

TIMEOUT: Final = aiohttp.ClientTimeout(total=10)


class UsageWebhook:
    """Destination that POSTs one record at a time; an answer of 2xx means that it is delivered."""

    name = "the usage webhook"

    def __init__(self, url: str, key: bytes, http: aiohttp.ClientSession, wall: Clock) -> None:
        """Sign with `key`. `wall` gives Unix time, which the receiver compares with its own."""
        self._url, self._key, self._http, self._wall = url, key, http, wall

    async def deliver(self, record: Outgoing) -> None:
        """See `Destination.deliver`."""
        timestamp = str(int(self._wall()))
        headers = {
            hdrs.CONTENT_TYPE: "application/json",
            "webhook-id": record.record_id,
            "webhook-timestamp": timestamp,
            "webhook-signature": signature(self._key, record, timestamp),
        }
        try:
            async with self._http.post(
                self._url, data=record.body, headers=headers, timeout=TIMEOUT, allow_redirects=False
            ) as response:
                if not 200 <= response.status < 300:
                    raise DeliveryError(f"it answered {response.status}")
        except (aiohttp.ClientError, TimeoutError) as error:
            raise DeliveryError(type(error).__name__) from None


def signature(key: bytes, record: Outgoing, timestamp: str) -> str:
    """Return ``v1,`` and the HMAC-SHA256 of id, time and body, in Base64."""
    signed = f"{record.record_id}.{timestamp}.{record.body}".encode()
    return "v1," + base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()
