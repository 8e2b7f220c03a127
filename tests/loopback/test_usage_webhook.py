"""Usage records on their way to a real HTTP server."""

import asyncio
import json
from pathlib import Path

from aiohttp import web

from rtc_server.app.usage import UsageLedger
from rtc_server.app.usage.usage_outbox import Outgoing
from rtc_server.app.usage.webhook import signature
from rtc_server.config import UsageSettings
from rtc_server.metrics import Metrics
from rtc_server.session.usage import PairUsage, UsageRecord

RECORD = UsageRecord(
    session="sess_1",
    key="key_1",
    started="2026-11-29T12:00:00.000Z",
    ended="2026-11-29T12:01:00.000Z",
    seconds=60.0,
    reason="remote",
    pairs=(PairUsage("ru", "en", 3, 40, 44),),
)


async def test_a_record_is_sent_until_it_is_taken_and_is_in_the_file_too(tmp_path: Path) -> None:
    answers = [503, 302, 204]
    requests: list[tuple[dict[str, str], str]] = []
    taken = asyncio.Event()

    async def take(request: web.Request) -> web.Response:
        requests.append((dict(request.headers), await request.text()))
        status = answers.pop(0)
        if not answers:
            taken.set()
        return web.Response(status=status, headers={"Location": "/elsewhere"})

    app = web.Application()
    app.router.add_post("/usage", take)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        port = runner.addresses[0][1]
        settings = UsageSettings(
            usage_file=str(tmp_path / "usage.jsonl"),
            usage_webhook=f"http://127.0.0.1:{port}/usage",
            usage_webhook_secret="whsec_" + 32 * "A",
        )
        ledger = UsageLedger(settings, Metrics(), clock=lambda: 1_790_000_000.5)
        async with ledger.running():
            ledger.record(RECORD)
            await taken.wait()
    finally:
        await runner.cleanup()
    (line,) = (tmp_path / "usage.jsonl").read_text().splitlines()
    assert [body for _, body in requests] == [line] * 3, "each try is the same"
    assert json.loads(line) == {
        "session": "sess_1",
        "key": "key_1",
        "started": "2026-11-29T12:00:00.000Z",
        "ended": "2026-11-29T12:01:00.000Z",
        "seconds": 60.0,
        "reason": "remote",
        "pairs": [
            {"source": "ru", "target": "en", "segments": 3, "source_chars": 40, "target_chars": 44}
        ],
    }
    for headers, body in requests:
        assert (headers["webhook-id"], headers["webhook-timestamp"]) == ("sess_1", "1790000000")
        expected = signature(settings.webhook_key(), Outgoing("sess_1", body), "1790000000")
        assert headers["webhook-signature"] == expected
