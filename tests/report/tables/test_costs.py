from __future__ import annotations

from dataclasses import replace

from rewardlab.report.comparison import Comparison
from rewardlab.report.tables.costs import costs
from rewardlab.verdict import Usage
from tests.report.tables.cells import cell


def test_statuses_and_costs_are_those_of_the_run(comparison: Comparison) -> None:
    frame, quiet = costs(comparison), comparison.arms[1].run
    unparseable = quiet.metrics["summary"]["status_rate"]["unparseable"]
    assert unparseable > 0
    assert cell(frame, "quiet", "unparseable").text == f"{100 * unparseable:.1f}"
    assert cell(frame, "quiet", "calls").value == quiet.usage.calls / quiet.judgments
    assert cell(frame, "always_first", "first").text == "100.0"
    assert cell(frame, "always_first", "consistent").text == "0.0"
    assert cell(frame, "always_first", "calls").note == "no model calls"


def test_cached_tokens_and_money_are_shown_where_they_are_known(comparison: Comparison) -> None:
    usage = Usage(calls=160, prompt_tokens=80_000, cached_tokens=40_000, completion_tokens=800, seconds=40, cost=0.8)
    arm = replace(comparison.arms[0], run=replace(comparison.arms[0].run, usage=usage))
    frame = costs(replace(comparison, arms=(arm,)))
    texts = [x.text + x.small for x in frame.rows[0][-7:]]
    right = f"{1010 / arm.strict.point:,.0f}"  # type: ignore[operator]
    assert texts == ["2.00", "1,000(500)", "10.0", right, "0.50", "0.03", "0.01000"]


def test_tokens_for_a_right_judgment_are_undefined_where_nothing_is_right(comparison: Comparison) -> None:
    arm = replace(comparison.arms[0], strict=comparison.arms[0].strict._replace(point=0.0))
    shown = cell(costs(replace(comparison, arms=(arm,))), "direct", "per right")
    assert shown.note == "nothing is right"
