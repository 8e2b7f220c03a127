"""Trace of a call: its segments, and below each the steps of its translation."""

import asyncio
from dataclasses import dataclass
from typing import cast

import pytest

from rtc_server.engines.base import AstRequest, AstResult
from rtc_server.errors import EngineCrashed
from rtc_server.tracing import Attribute
from tests.support.fakes import FakeAst, FakeTts, joined, ok, silence, tone
from tests.support.session_bench import SessionBench, session_bench, speak
from tests.support.spans import KeptSpans, length_s, parent_id, span_id, trace_ids, values

SAID = joined([tone(1), silence(2.5)])


async def one_sentence(ast: FakeAst, tts: FakeTts | None = None) -> tuple[KeptSpans, SessionBench]:
    """The spans of a call in which one sentence was said."""
    spans = KeptSpans(asyncio.get_running_loop().time)
    async with session_bench(ast, tts, tracer=spans.tracer) as home:
        session_id = await home.call()
        await speak(home.transports[0], SAID)
        await home.manager.close_call(session_id, drain=False)
    return spans, home


async def test_a_sentence_is_one_branch_of_the_trace_of_its_call() -> None:
    spans, home = await one_sentence(FakeAst([ok("слово", "word")]))
    assert len(trace_ids(spans.all)) == 1
    call, segment = spans.one("call"), spans.one("segment")
    assert call.parent is None
    assert parent_id(segment) == span_id(call)
    parts = [spans.one(name) for name in ("translate", "speak", "first audio")]
    assert [parent_id(part) for part in parts] == [span_id(segment)] * 3
    assert values(segment) == {
        "rtc.segment": "seg_1",
        "rtc.source_language": "ru",
        "rtc.target_language": "en",
        "rtc.status": "final",
    }
    assert values(parts[0])["rtc.status"] == "ok"
    assert values(parts[1]) == {"rtc.characters": 4, "rtc.first_sample_ms": 20}
    assert values(call)["rtc.session"].startswith("sess_")
    assert values(call)["rtc.reason"] == "local"
    # The span is what the metric of the same moment counts.
    sample = home.metrics.registry.get_sample_value("rtc_first_audio_seconds_sum")
    assert length_s(parts[2]) == pytest.approx(sample)


async def test_nothing_of_what_is_said_is_in_a_trace() -> None:
    spans, _ = await one_sentence(FakeAst([ok("слово", "word")], partial="слово слово"))
    for span in spans.all:
        written = span.to_json(indent=None).encode().decode("unicode_escape")
        assert "слово" not in written and '"word"' not in written


async def test_a_segment_that_fails_says_by_its_code_what_failed() -> None:
    secret = EngineCrashed("The engine fell over слово.")
    spans, _ = await one_sentence(FakeAst([secret]))
    for name in ("segment", "translate"):
        status = spans.one(name).status
        assert (status.is_ok, status.description) == (False, "engine_crashed")
    assert values(spans.one("segment"))["rtc.status"] == "failed"
    assert spans.of("speak") == spans.of("first audio") == []


async def test_a_voice_that_fails_says_so_in_its_own_span() -> None:
    spans, _ = await one_sentence(FakeAst(), FakeTts(failure=EngineCrashed("слово")))
    assert spans.one("speak").status.description == "engine_crashed"
    assert spans.one("segment").status.description == "engine_crashed"
    assert spans.one("translate").status.is_ok


async def test_what_is_open_when_a_call_ends_is_ended_with_it() -> None:
    spans = KeptSpans(asyncio.get_running_loop().time)
    async with session_bench(FakeAst(delay_s=60.0), tracer=spans.tracer) as home:
        session_id = await home.call()
        await speak(home.transports[0], SAID)
        await home.manager.close_call(session_id, drain=False)
    assert parent_id(spans.one("segment")) == span_id(spans.one("call"))
    assert spans.of("translate") == [], "nobody waits for it, so it is not reported"


@dataclass
class QuickAst(FakeAst):
    """Engine that answers a speculative request before the segment is over."""

    crash: EngineCrashed | None = None
    """Answer to the speculative question instead of a translation."""

    def submit_speculative(
        self, request: AstRequest, *, session_id: str
    ) -> asyncio.Future[AstResult | None]:
        answer = super().submit_speculative(request, session_id=session_id)
        if self.crash is None:
            answer.set_result(ok("слово", "word"))
        else:
            answer.set_exception(self.crash)
        return answer

    def commit(
        self,
        request: AstRequest,
        speculative: asyncio.Future[AstResult | None],
        *,
        session_id: str,
    ) -> asyncio.Future[AstResult]:
        if self.crash is None:
            return cast("asyncio.Future[AstResult]", speculative)
        return super().commit(request, speculative, session_id=session_id)


async def test_an_answer_from_before_the_commit_is_reported_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    spans, _ = await one_sentence(QuickAst())
    assert values(spans.one("translate"))["rtc.pass"] == "speculative"
    assert values(spans.one("segment"))["rtc.status"] == "final"
    assert "ended span" not in caplog.text


async def test_a_question_that_is_asked_again_has_a_span_of_its_own(
    caplog: pytest.LogCaptureFixture,
) -> None:
    ast = QuickAst(crash=EngineCrashed("It fell over."))
    spans, _ = await one_sentence(ast)
    first, again = spans.of("translate")
    assert values(first)["rtc.pass"] == "speculative"
    assert first.status.description == "engine_crashed"
    assert (values(again)["rtc.pass"], values(again)["rtc.status"]) == ("whole", "ok")
    assert again.status.is_ok
    assert f"{span_id(again):016x}" in ast.requests[0].trace
    assert "ended span" not in caplog.text


def test_nothing_is_noted_of_a_span_that_is_over(caplog: pytest.LogCaptureFixture) -> None:
    spans = KeptSpans(lambda: 0.0)
    span = spans.tracer.start("call")
    span.end()
    span.note(Attribute.REASON, "local")
    span.fail("engine_crashed")
    assert spans.one("call").status.is_ok and not values(spans.one("call"))
    assert "ended span" not in caplog.text
