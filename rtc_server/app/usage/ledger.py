"""All destinations of usage records."""

import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import asdict
from pathlib import Path

import aiohttp

from rtc_server.app.usage.file import UsageFile
from rtc_server.app.usage.usage_outbox import Destination, Outgoing, UsageOutbox
from rtc_server.app.usage.webhook import UsageWebhook
from rtc_server.clock import Clock, wall
from rtc_server.config import UsageSettings
from rtc_server.metrics import Metrics
from rtc_server.session.usage import AccountRecord


class UsageLedger:
    """Receiver of the records of sessions and rooms; without a destination they are dropped."""

    def __init__(self, settings: UsageSettings, metrics: Metrics, clock: Clock = wall) -> None:
        """`clock`: Unix time."""
        self._settings, self._metrics, self._wall = settings, metrics, clock
        self._outboxes: list[UsageOutbox] = []

    def record(self, record: AccountRecord) -> None:
        """Queue a record for each destination; return at once."""
        outgoing = Outgoing(record.record_id, json.dumps(asdict(record), ensure_ascii=False))
        for outbox in self._outboxes:
            outbox.put(outgoing)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Deliver while the block runs, and up to `LAST_TRIES_S` longer.

        Raises:
            ConfigError: the file cannot be written.
        """
        async with AsyncExitStack() as stack:
            destinations: list[Destination] = []
            if self._settings.usage_file:
                file = UsageFile(Path(self._settings.usage_file))
                file.check()
                destinations.append(file)
            if self._settings.usage_webhook:
                http = await stack.enter_async_context(aiohttp.ClientSession())
                key = self._settings.webhook_key()
                destinations.append(
                    UsageWebhook(self._settings.usage_webhook, key, http, self._wall)
                )
            for destination in destinations:
                outbox = UsageOutbox(destination, self._metrics.queue_drops.labels("usage").inc)
                await stack.enter_async_context(outbox.delivering())
                self._outboxes.append(outbox)
            try:
                yield
            finally:
                self._outboxes = []
