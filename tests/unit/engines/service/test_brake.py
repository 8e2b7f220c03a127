"""Time in which an engine rests from partials."""

import pytest

from rtc_server.engines.service.brake import PartialsBrake


def test_the_rest_is_as_long_as_the_partials_took() -> None:
    brake = PartialsBrake()
    assert brake.rest_s(now_s=5.0) == 0.0
    brake.served(took_s=0.4, now_s=10.4)
    assert brake.rest_s(now_s=10.4) == pytest.approx(0.4)
    assert brake.rest_s(now_s=10.7) == pytest.approx(0.1)
    assert brake.rest_s(now_s=10.8) == 0.0
