"""The documented limits."""

from __future__ import annotations

import pytest

from ingestor.simulator.problems import Refusal
from ingestor.simulator.rate_limits import CONNECTIONS, PER_SECOND, RateLimits


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


def spend(limits, family, calls):
    for _ in range(calls):
        with limits.call(family):
            pass


@pytest.mark.parametrize(("family", "most"), PER_SECOND.items())
def test_one_call_more_than_allowed_in_a_second_is_refused(family, most):
    clock = Clock()
    limits = RateLimits(clock=clock)
    spend(limits, family, most)
    with pytest.raises(Refusal) as caught:
        spend(limits, family, 1)
    assert caught.value.answer.status == 429
    assert caught.value.answer.headers["Retry-After"] == "1"
    assert caught.value.answer.body == b'{"detail":"Too many requests"}'
    clock.now += 1
    spend(limits, family, most)


def test_families_have_limits_of_their_own():
    limits = RateLimits(clock=Clock())
    spend(limits, "metadata", PER_SECOND["metadata"])
    spend(limits, "symbology", PER_SECOND["symbology"])


def test_the_second_slides():
    clock = Clock()
    limits = RateLimits(clock=clock)
    spend(limits, "metadata", 15)
    clock.now = 0.6
    spend(limits, "metadata", 5)
    clock.now = 1.1
    spend(limits, "metadata", 15)
    with pytest.raises(Refusal):
        spend(limits, "metadata", 1)


def test_calls_under_way_are_limited_and_ended_ones_are_not():
    clock = Clock()
    limits = RateLimits(clock=clock)
    held = [limits.call("timeseries") for _ in range(CONNECTIONS)]
    for each in held:
        each.__enter__()
        clock.now += 0.02
    with pytest.raises(Refusal) as caught, limits.call("timeseries"):
        pass
    assert caught.value.answer.status == 429
    held[0].__exit__(None, None, None)
    spend(limits, "timeseries", 1)


def test_limits_can_be_left_out():
    spend(RateLimits(enforced=False, clock=Clock()), "metadata", 1_000)
