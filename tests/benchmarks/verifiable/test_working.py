"""Slips: they happen where they are told to, carry through, and come in squares."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rewardlab.benchmarks.verifiable.example import Style
from rewardlab.benchmarks.verifiable.working import Implausible, Working, carry_slips, near_misses, product_slips
from rewardlab.randomness import stream


def double_sum(working: Working) -> str:
    total = working.compute("Add", "20 + 30", 50, carry_slips(50))
    return str(working.total("Add again", f"{total} + 40", total + 40))


def test_without_slips_the_working_is_right() -> None:
    working = Working()
    assert double_sum(working) == "90"
    assert [step.claim for step in working.steps] == ["20 + 30 = 50", "50 + 40 = 90"]
    assert not working.taken


def test_a_slip_carries_through() -> None:
    working = Working({0: 0})
    assert double_sum(working) == "100"
    assert [step.claim for step in working.steps] == ["20 + 30 = 60", "60 + 40 = 100"]
    assert working.taken == ["calculation"]


def test_ways_equal_to_the_right_one_do_not_count() -> None:
    working = Working({0: 0})
    assert working.choose("swapped operand", 3, 3) == 3
    assert working.ways == [0]
    assert not working.taken


def test_the_four_candidates_are_a_square() -> None:
    """No candidate shares more steps with the others than the right one does, or fewer."""
    found = near_misses(double_sum, lambda answer: answer == "90", stream(0, "square"))
    assert found is not None
    right, wrong = found
    slips = [len(solution.slips) for solution in (right, *wrong)]
    assert slips == [0, 1, 1, 2]
    firsts = [solution.steps[0].value for solution in (right, *wrong)]
    assert sorted(firsts.count(value) for value in firsts) == [2, 2, 2, 2]


def test_a_sampled_total_ends_the_first_wrong_solution() -> None:
    found = near_misses(double_sum, lambda answer: answer == "90", stream(0, "sampled"), sampled=87)
    assert found is not None
    right, (alone, other, both) = found
    assert (right.answer, alone.answer) == ("90", "87")
    assert alone.slips == ("sampled answer",)
    assert [step.claim for step in alone.steps] == ["20 + 30 = 50", "50 + 40 = 87"]
    assert other.slips == ("calculation",)
    assert set(both.slips) == {"sampled answer", "calculation"}
    assert int(both.answer) - int(other.answer) == 87 - 90


def test_a_sampled_value_of_a_last_step_that_is_no_total_changes_nothing() -> None:
    def product(working: Working) -> str:
        total = working.total("Add", "2 + 3", 5)
        return str(working.compute("Double", f"{total} * 2", total * 2, product_slips(total, 2)))

    plain, sampled = (near_misses(product, lambda a: a == "10", stream(0, "plain"), s) for s in (None, 12))
    assert plain == sampled


def test_a_sampled_total_that_no_square_can_hold_is_left_out() -> None:
    def guarded(working: Working) -> str:
        answer = double_sum(working)
        if int(answer) < 88:
            raise Implausible
        return answer

    found = near_misses(guarded, lambda answer: answer == "90", stream(0, "guarded"), sampled=87)
    assert found is None or not any("sampled answer" in solution.slips for solution in found[1])


def test_a_wrong_solver_is_a_bug_and_not_an_example() -> None:
    with pytest.raises(ValueError, match="fails the verifier"):
        near_misses(double_sum, lambda answer: answer == "91", stream(0, "bug"))


def test_degenerate_problems_and_single_places_give_nothing() -> None:
    def hopeless(working: Working) -> str:
        raise Implausible

    def one_place(working: Working) -> str:
        return str(working.compute("Add", "1 + 1", 2, (3, 1)))

    assert near_misses(hopeless, lambda answer: True, stream(0, "none")) is None
    assert near_misses(one_place, lambda answer: answer == "2", stream(0, "none")) is None


@given(st.integers(-10_000, 10_000))
def test_carry_slips_are_symmetric_and_keep_the_sign(value: int) -> None:
    wrong = carry_slips(value)
    assert value not in wrong
    assert sum(wrong) == len(wrong) * value
    assert all(w * value >= 0 for w in wrong)


@given(st.integers(-99, 99), st.integers(-99, 99))
def test_product_slips_are_symmetric(left: int, right: int) -> None:
    wrong = product_slips(left, right)
    assert left * right not in wrong
    assert sum(wrong) == len(wrong) * left * right


def test_the_three_styles_grow_in_length() -> None:
    found = near_misses(double_sum, lambda answer: answer == "90", stream(0, "styles"))
    assert found is not None
    for solution in (found[0], *found[1]):
        lengths = [len(solution.texts[style]) for style in Style]
        assert lengths == sorted(lengths)
