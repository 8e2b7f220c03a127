"""Translation by a pool of engine servers: `AstPort` for sessions, `AstService` for the app."""

import asyncio
from functools import partial

from rtc_server.background import result_of
from rtc_server.engines.base import AstCapabilities, AstRequest, AstResult
from rtc_server.engines.remote.calls import AstCall
from rtc_server.engines.remote.messages import AskKind
from rtc_server.engines.remote.pool import EnginePool
from rtc_server.engines.remote.remote_engine import RemoteEngine
from rtc_server.errors import EngineUnavailable


class RemoteAst(RemoteEngine):
    """Translation engine in other processes, shared by all sessions."""

    capabilities: AstCapabilities
    """Capabilities of the engine; set after `start`."""

    def __init__(self, pool: EnginePool) -> None:
        super().__init__(pool)
        self._speculative: dict[asyncio.Future[AstResult | None], AstCall] = {}

    async def start(self) -> None:
        """Connect to the servers.

        Raises:
            EngineUnavailable: no server can be used; the text says why.
        """
        self.hello = await self._pool.start()
        if self.hello.ast is None:
            raise EngineUnavailable("The engine servers do not translate speech.")
        self.capabilities = self.hello.ast
        self._pool.deadline_s = self.capabilities.deadline_s

    def submit(self, request: AstRequest, *, session_id: str) -> asyncio.Future[AstResult]:
        """Request the translation of a whole segment. Cancelling the future withdraws the request.

        The future raises the errors of `AstService.submit`, and `EngineCrashed` when several
        servers were lost with the request.

        Raises:
            EngineOverloaded: too many calls are open.
        """
        return self._ask(AstCall(AskKind.FINAL, request, session_id)).future

    def submit_partial(
        self, request: AstRequest, *, session_id: str
    ) -> asyncio.Future[AstResult | None]:
        """Request the text so far; the future gives None if the request was dropped."""
        return self._ask(AstCall(AskKind.PARTIAL, request, session_id)).future

    def submit_speculative(
        self, request: AstRequest, *, session_id: str
    ) -> asyncio.Future[AstResult | None]:
        """Request a segment that may be over. See `AstService.submit_speculative`."""
        call = self._ask(AstCall(AskKind.SPECULATIVE, request, session_id))
        self._speculative[call.future] = call
        call.future.add_done_callback(self._forget_speculative)
        return call.future

    def commit(
        self,
        request: AstRequest,
        speculative: asyncio.Future[AstResult | None],
        *,
        session_id: str,
    ) -> asyncio.Future[AstResult]:
        """Request as `submit`, using the answer to `speculative` if it came or is on its way.

        Raises:
            EngineOverloaded: too many calls are open.
        """
        call = AstCall(AskKind.FINAL, request, session_id)
        if not speculative.done():
            call.kind = AskKind.COMMIT
            call.speculative = self._speculative.get(speculative)
        elif (result := result_of(speculative)) is not None:
            call.future.set_result(result)
            return call.future
        self._ask(call)
        # Its answer may be on its way already, while the server has not read of the commit.
        speculative.add_done_callback(partial(_settle, call))
        return call.future

    def _ask(self, call: AstCall) -> AstCall:
        self._pool.submit(call)
        call.future.add_done_callback(lambda _: self._pool.ended(call))
        return call

    def _forget_speculative(self, future: asyncio.Future[AstResult | None]) -> None:
        self._speculative.pop(future, None)


def _settle(call: AstCall, speculative: asyncio.Future[AstResult | None]) -> None:
    if not call.is_over and (result := result_of(speculative)) is not None:
        call.future.set_result(result)
