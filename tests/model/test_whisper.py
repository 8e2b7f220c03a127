"""People's speech by Whisper's published weights: through Opus, cut by the server, written down."""

from pathlib import Path

import numpy as np
import pytest

from bench.phrasebook.people import in_room, segments
from bench.recognise_people import sentences, through_opus, word_errors, words
from models import whisper_base
from rtc_server.engines.base import AstRequest, AstStatus, EngineOptions
from tests.support.whisper import create

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not whisper_base.is_installed(),
        reason=f"the weights (133 MB) are not installed: {whisper_base.INSTALL}",
    ),
]
PROMPTS = 16


def test_people_are_understood_and_noise_is_not(tmp_path: Path) -> None:
    engine = create(EngineOptions(models_dir=whisper_base.write(tmp_path), threads=1))
    for source, target, most in (("en", "ru", 0.03), ("ru", "en", 0.25)):
        errors = total = 0
        for prompt in sentences(source, PROMPTS):
            sound = through_opus(in_room(prompt.samples))
            requests = [AstRequest(part.samples, source, target) for part in segments(sound)]
            results = engine.translate(requests)
            assert {result.status for result in results} == {AstStatus.OK}, prompt.text
            wanted = words(prompt.text, source)
            got = words(" ".join(result.source_text for result in results), source)
            errors, total = errors + word_errors(wanted, got), total + len(wanted)
        assert errors <= most * total, f"{source}: {errors} of {total} words"
        noise = (0.05 * np.random.default_rng(0).standard_normal(48_000)).astype(np.float32)
        (result,) = engine.translate([AstRequest(noise, source, target)])
        assert result.status is AstStatus.NOT_UNDERSTOOD
