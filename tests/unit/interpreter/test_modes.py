"""Choice of mode and commit policy by the capabilities of an engine."""

from dataclasses import replace

import pytest

from rtc_server.engines.base import AstCapabilities
from rtc_server.interpreter.commit_policy import Agreement, Attention
from rtc_server.interpreter.modes import PRESETS, Mode, commit_policies, possible
from tests.support.fakes import AST_CAPABILITIES
from tests.support.talk import AGREEING, ALIGNED, TIMED

SIMULTANEOUS = [mode for mode in Mode if mode is not Mode.CONSECUTIVE]


@pytest.mark.parametrize("mode", SIMULTANEOUS)
@pytest.mark.parametrize(
    ("engine", "source", "target"),
    [
        (ALIGNED, Attention, Attention),
        (TIMED, Attention, Agreement),
        (AGREEING, Agreement, Agreement),
        (replace(AGREEING, prefix=True), Agreement, Agreement),
    ],
    ids=["times of both", "times of the source", "no times", "no times, continues"],
)
def test_words_with_times_are_committed_by_attention_and_others_by_agreement(
    mode: Mode, engine: AstCapabilities, source: type, target: type
) -> None:
    assert possible(mode, engine) is mode
    policies = commit_policies(PRESETS[mode], engine)
    assert [type(policy) for policy in policies] == [source, target]
    assert policies[0] is not policies[1], "each remembers the passes of one language"


@pytest.mark.parametrize("mode", list(Mode))
@pytest.mark.parametrize(
    "engine",
    [AST_CAPABILITIES, replace(ALIGNED, target_partials=False), replace(ALIGNED, partials=False)],
    ids=["whole segments", "no open translations", "no open texts"],
)
def test_an_engine_that_does_not_translate_open_speech_is_consecutive(
    mode: Mode, engine: AstCapabilities
) -> None:
    assert possible(mode, engine) is Mode.CONSECUTIVE
