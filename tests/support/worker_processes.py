"""Workers without processes, for a supervisor in virtual time."""

from collections.abc import Mapping
from pathlib import Path

from rtc_server.app.workers.control import Handler
from rtc_server.app.workers.process import WorkerProcess
from rtc_server.app.workers.supervisor import Supervisor
from rtc_server.app.workers.worker_order import EngineOrder, WorkerOrder
from rtc_server.config import EngineSettings, HttpSettings, Settings, WorkerSettings
from rtc_server.errors import ConfigError
from rtc_server.metrics import Metrics

SERVERS = ("unix:/nowhere",)


class FakeProcess(WorkerProcess):
    """Worker that starts when the test allows it, and ends when it is killed."""

    def __init__(self, order: WorkerOrder | EngineOrder, handlers: Mapping[str, Handler]) -> None:
        super().__init__(order, handlers)
        self.handlers = handlers
        self.fails = False
        """True if the system has no process for it."""

    async def start(self) -> None:
        if self.fails:
            raise OSError("Cannot allocate memory")

    async def watch(self) -> int:
        await self.gone.wait()
        if not self.announcement.done():
            self.announcement.set_exception(ConfigError("It did not start."))
        return -9

    async def kill(self) -> None:
        self.gone.set()

    def announce(self) -> None:
        """Take calls from now on."""
        self.announcement.set_result({})


class Crew:
    """A supervisor and all workers that it has made so far, by number less one."""

    def __init__(self, workers: int = 2, max_sessions: int = 50) -> None:
        self.made: list[FakeProcess] = []
        self.failures = 0
        """Starts to come for which the system has no process."""
        settings = Settings(
            http=HttpSettings(max_sessions=max_sessions),
            engines=EngineSettings(ast_servers=SERVERS, tts_servers=SERVERS),
            workers=WorkerSettings(str(workers)),
        )
        self.supervisor = Supervisor(settings, Path("/nowhere"), Metrics(), self._make)

    def _make(
        self, order: WorkerOrder | EngineOrder, handlers: Mapping[str, Handler]
    ) -> WorkerProcess:
        process = FakeProcess(order, handlers)
        self.made.append(process)
        if self.failures:
            self.failures, process.fails = self.failures - 1, True
        return process
