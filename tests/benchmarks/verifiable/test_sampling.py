"""The embedded model's failed endings: which are kept, and that the benchmark shows them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from rewardlab.benchmarks.verifiable import Example, examples
from rewardlab.benchmarks.verifiable.gym import sampled_totals
from rewardlab.benchmarks.verifiable.sampling import COUNTS, FAMILIES, balanced, is_near


@given(st.integers(-9999, 9999), st.integers(-9999, 9999))
def test_a_total_that_is_kept_has_the_form_of_the_right_one(total: int, right: int) -> None:
    if is_near(total, right):
        assert total != right
        assert total * right > 0
        assert len(str(total)) == len(str(right))
        assert abs(total - right) <= max(1, abs(right) // 3)


def test_totals_above_and_below_are_kept_in_equal_numbers() -> None:
    """Of a model that only reckons too low, one total is kept until it errs the other way."""
    found = examples("test", 4, 0, ["chain_sum"])
    rights = [int(example.draft.right[0].answer) for example in found]
    assert balanced([(e, [r - 1]) for e, r in zip(found, rights, strict=True)]) == {str(found[0].index): rights[0] - 1}
    both = balanced([(e, [r - 1, r - 2, r + 1]) for e, r in zip(found, rights, strict=True)])
    assert [both[str(e.index)] - r for e, r in zip(found, rights, strict=True)] == [-1, 1, -1, 1]


def test_what_was_sampled_is_shown_and_wrong() -> None:
    for split, families in FAMILIES.items():
        found = [e for e in examples(split, COUNTS[split], 0, families) if _sampled(e) is not None]
        assert found
        shown = [e for e in found if "sampled answer" in e.draft.wrong[0].slips]
        assert len(shown) >= 0.9 * len(found)
        for example in shown:
            assert example.draft.wrong[0].slips == ("sampled answer",)
            assert example.draft.wrong[0].steps[-1].value == str(_sampled(example))


def _sampled(example: Example) -> int | None:
    return sampled_totals().get(example.family, {}).get(str(example.index))
