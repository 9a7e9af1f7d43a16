import heapq

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rewardlab.models.limiter import Limiter
from rewardlab.randomness import stream


def answer(limiter, rounds, seconds):
    for _ in range(rounds):
        for _ in range(max(8, limiter.limit)):
            limiter.answered(seconds, limiter.limit)


@given(
    st.integers(1, 300),
    st.integers(1, 300),
    st.lists(st.one_of(st.none(), st.floats(0, 100)), max_size=300),
)
def test_the_limit_stays_between_one_and_the_ceiling(start, ceiling, events):
    limiter = Limiter(start, ceiling)
    for seconds in events:
        if seconds is None:
            limiter.refused()
        else:
            limiter.answered(seconds, limiter.limit)
        assert 1 <= limiter.limit <= ceiling


def test_a_server_that_refuses_everything_is_asked_little_and_then_more_again():
    limiter = Limiter(64, 64)
    for _ in range(500):
        limiter.refused()
    assert limiter.limit <= 5
    answer(limiter, 40, 0.2)
    assert limiter.limit == 64


def mixed(limiter, events, refused):
    """The limits over events whose n-th is refused as `refused(n)` says, with all slots taken."""
    limits = []
    for n in range(events):
        if refused(n):
            limiter.refused()
        else:
            limiter.answered(0.2, limiter.limit)
        limits.append(limiter.limit)
    return limits


@pytest.mark.parametrize("share", [0.1, 0.3])
def test_refusals_that_no_cut_removes_do_not_hold_the_limit_down(share):
    draws = stream(0, "refusals").random(40_000) < share
    limits = mixed(Limiter(64, 64), 20_000, lambda n: draws[n])
    assert sum(limits[2000:]) / len(limits[2000:]) > 0.75 * 64
    # Nor from below.
    limits = mixed(Limiter(4, 64), 20_000, lambda n: draws[n])
    assert sum(limits[2000:]) / len(limits[2000:]) > 0.75 * 64


def test_more_refusals_than_are_worth_bearing_lower_the_limit_whatever_their_cause():
    draws = stream(0, "refusals").random(40_000) < 0.8
    limits = mixed(Limiter(64, 64), 40_000, lambda n: draws[n])
    assert sum(limits[20_000:]) / 20_000 < 16


def test_a_server_that_is_well_again_is_soon_used_to_the_full():
    limiter = Limiter(256, 256)
    for _ in range(2000):
        limiter.refused()
    answer(limiter, 16, 0.2)
    assert limiter.limit == 256


def test_a_limit_that_is_not_reached_does_not_grow():
    limiter = Limiter(16, 64)
    for _ in range(1000):
        limiter.answered(0.2, 4)
    assert limiter.limit == 16


def test_a_slow_round_lowers_the_limit():
    limiter = Limiter(64, 64)
    answer(limiter, 2, 0.2)
    answer(limiter, 1, 1.0)
    assert limiter.limit < 40


def test_longer_answers_are_not_taken_for_a_queue_for_ever():
    limiter = Limiter(64, 64)
    answer(limiter, 2, 0.2)
    answer(limiter, 60, 1.0)
    assert limiter.limit == 64


@pytest.mark.parametrize("capacity", [8, 20, 40])
def test_the_limit_finds_the_capacity_of_a_server_that_refuses(capacity):
    """Simulated: every call lasts one second, and one that would be above the capacity is refused at once."""
    limiter, running, now, sent, refused, limits = Limiter(64, 64), [], 0.0, 0, 0, []
    for _ in range(20_000):
        while len(running) < limiter.limit and len(running) < capacity:
            heapq.heappush(running, now + 1.0 + 0.001 * len(running))
            sent += 1
        if len(running) < limiter.limit:
            sent += 1
            refused += 1
            limiter.refused()
        now = heapq.heappop(running)
        limiter.answered(1.0, len(running) + 1)
        limits.append(limiter.limit)
    settled = sum(limits[10_000:]) / 10_000
    assert 0.6 * capacity <= settled <= 1.4 * capacity
    assert refused / sent < 0.3
