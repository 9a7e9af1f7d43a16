"""Weights of a static rubric whose categories count alike, however many criteria each of them has.

R = (1/K) sum over categories k of sum over j in k of w_j s_j / W_k, with W_k the weight of the category's criteria: the
category-balanced reward that POW3R is compared with (arXiv 2605.20164, Eq. 3). It is a weighted share of met criteria
whose weights are divided by those of their category, so the rubric judge needs nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping

from rewardlab.errors import UserError


def balanced(categories: Mapping[str, Mapping[str, float]]) -> dict[str, float]:
    """Criterion to weight, balanced between categories.

    Args:
        categories: Category to its criteria with their weights, all above 0.

    Raises:
        UserError: When a criterion stands in two categories.

    >>> balanced({"form": {"short": 1, "polite": 3}, "content": {"true": 5}})
    {'short': 0.25, 'polite': 0.75, 'true': 1.0}
    """
    found: dict[str, float] = {}
    for name, criteria in categories.items():
        total = sum(criteria.values())
        for criterion, weight in criteria.items():
            if criterion in found:
                raise UserError(f"the criterion {criterion!r} of category {name} stands in another category too")
            found[criterion] = weight / total
    return found
