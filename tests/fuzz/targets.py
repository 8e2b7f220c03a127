"""Targets of fuzzing: each reads one input, and may refuse it only in the way it says."""

from tests.fuzz.engine_targets import ENGINE_TARGETS
from tests.fuzz.media_targets import MEDIA_TARGETS
from tests.fuzz.signaling_targets import SIGNALING_TARGETS

TARGETS = (*SIGNALING_TARGETS, *MEDIA_TARGETS, *ENGINE_TARGETS)
"""Everything that reads what strangers, or engines, send."""
