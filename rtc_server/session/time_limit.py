"""Limits on a session's time: on the whole session, and on its last sentence."""

import asyncio

from rtc_server.events.server import ExpiringReason
from rtc_server.events.session_events import SessionUpdated
from rtc_server.interpreter.interpreter import Interpreter
from rtc_server.session.event_stream import EventStream
from rtc_server.session.expiry import Expiry
from rtc_server.session.services import Services
from rtc_server.session.session_settings import SessionSettings
from rtc_server.standstill import standstills

LEASE_CHECK_S = 1.0
"""Interval at which a session checks its lease, because a key may be revoked at any time."""
DRAIN_MARGIN_S = 10.0
"""Time for translating and speaking the last sentence, besides the speech that waits already."""


async def time_is_up(
    expiry: Expiry, services: Services, events: EventStream, settings: SessionSettings
) -> ExpiringReason:
    """Wait until a session's time is up; return the reason.

    The client gets the notices of `expiry`, and ``session.updated`` when the lease was renewed.
    """
    while (event := expiry.news(services.clock(), services.wall())) is None or event.in_ms:
        if event is not None:
            events.emit(event)
        if expiry.renew(services.wall()):
            events.emit(SessionUpdated(settings.info()))
        await services.scheduler.sleep(LEASE_CHECK_S)
    events.emit(event)
    return event.reason


async def spoken_in_time(interpreter: Interpreter) -> bool:
    """Wait until everything said is translated and spoken; return False if it takes too long."""
    limit_s = interpreter.queue_ms / 1000 + DRAIN_MARGIN_S
    drained = asyncio.create_task(interpreter.drained(), name="drained")
    try:
        await standstills().wait({drained}, limit_s)
        return drained.done()
    finally:
        drained.cancel()
