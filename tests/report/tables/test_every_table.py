from __future__ import annotations

from rewardlab.report.comparison import Comparison
from rewardlab.report.markdown import to_markdown
from rewardlab.report.tables.costs import costs
from rewardlab.report.tables.groups import groups
from rewardlab.report.tables.results import results
from rewardlab.report.tables.runs import runs


def test_no_cell_is_empty_without_a_reason(comparison: Comparison) -> None:
    for make in (results, costs, groups, runs):
        for row in make(comparison).rows:
            assert all(x.note for x in row if x.text == "–"), make


def test_every_number_of_an_arm_can_be_traced_to_its_run(comparison: Comparison) -> None:
    ids = {arm.label: arm.run.run_id for arm in comparison.arms}
    for make in (results, costs, runs):
        for row in make(comparison).rows:
            numbers = [x for x in row if x.value is not None and row[0].text in ids]
            assert all(ids[row[0].text] in x.trace for x in numbers), (make, row[0])


def test_the_terminal_tables_fit_160_columns(comparison: Comparison) -> None:
    for make in (results, costs):
        assert max(len(line) for line in to_markdown(make(comparison).brief()).splitlines()) <= 160
