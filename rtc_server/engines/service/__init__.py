"""Engines as sessions use them: submit a request on the event loop, await the answer.

One `AstService` and one `TtsService` are shared by all sessions. Each has a bounded queue, one task
that gives calls to the engine's process, and a deadline for everything that waits. A crash or hang
of the engine fails only the call in its process; the next process serves the waiting requests.
"""

from rtc_server.engines.service.ast import AstService
from rtc_server.engines.service.tts import Speech, TtsService

__all__ = ["AstService", "Speech", "TtsService"]
