"""Policy of scaling: as many replicas as the open calls need. Plain Python, loaded by Ray's
controller by its name.
"""

import math
from collections.abc import Mapping
from typing import Any, Protocol


class ScalingContext(Protocol):
    """State of the deployment: the part of Ray's ``AutoscalingContext`` that is read here."""

    @property
    def aggregated_metrics(self) -> Mapping[str, Mapping[Any, float]] | None:
        """Of each figure, the recent mean of each replica."""

    @property
    def target_num_replicas(self) -> int:
        """Replicas wanted until now."""


class CallsPolicy:
    """Replicas by the calls that wait or are worked on in all of them.

    Ray itself counts requests that pass through it. Ours do not: media processes speak to replicas
    directly, so each replica reports its open calls. Limits and delays are Ray's.
    """

    def __init__(self, calls_per_replica: float) -> None:
        self._calls_per_replica = calls_per_replica

    def __call__(self, context: ScalingContext) -> tuple[int, dict[str, Any]]:
        """Return the replicas that are wanted, and nothing to remember."""
        calls = (context.aggregated_metrics or {}).get("calls")
        if not calls:
            # No replica has reported, as after the loss of the head: that is no reason to end any.
            return context.target_num_replicas, {}
        # Ten digits: sums of means may exceed a whole multiple by a rounding error.
        wanted = math.ceil(round(sum(calls.values()) / self._calls_per_replica, 10))
        return max(1, wanted), {}
