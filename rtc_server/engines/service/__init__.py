"""The engines as sessions see them: ask from the event loop, await the answer.

One `AstService` and one `TtsService` are shared by all sessions. Each has a bounded queue, one task
that feeds the engine's process, and a deadline on everything that waits. A crash or hang of the
engine fails only the call in its process; what waits is served by the next process.
"""

from rtc_server.engines.service.ast import AstService
from rtc_server.engines.service.tts import Speech, TtsService

__all__ = ["AstService", "Speech", "TtsService"]
