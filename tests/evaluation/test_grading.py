from __future__ import annotations

from dataclasses import replace

import pytest

from rewardlab.evaluation.grading import grade, metrics
from rewardlab.verdict import Event, Judgment, Source, Status, Verdict
from tests.evaluation.toy import ToyBenchmark

BENCHMARK = ToyBenchmark({"math": 4})


def rows(*said: Verdict) -> list[Judgment]:
    return [Judgment(f"math-{i}-0", (f"math-{i}-0/a", f"math-{i}-0/b"), 0, verdict) for i, verdict in enumerate(said)]


def right(i: int, source: Source = Source.OWN) -> Verdict:
    return Verdict(Status.OK, choice=f"math-{i}-0/b", source=source)


def test_a_fallback_counts_officially_and_never_strictly() -> None:
    judged = rows(right(0), right(1, Source.REPAIR), right(2, Source.FALLBACK), Verdict(Status.OK, choice="math-3-0/a"))
    grades, content = metrics(BENCHMARK, judged, seed=0)
    assert (grades.official["accuracy"], grades.strict["accuracy"]) == (0.75, 0.5)
    assert [item.strict for item in grades.items] == [1, 1, None, 0]
    assert [item.official for item in grades.items] == [1, 1, 1, 0]
    assert content["no_verdict_items"] == 1
    assert content["missing_verdicts"] == {"excluded": pytest.approx(2 / 3), "worst": 0.5, "best": 0.75}
    assert (content["summary"]["own_verdict_rate"], content["summary"]["fallback_rate"]) == (0.75, 0.25)


def test_rows_are_gone_through_once_and_what_grading_does_not_read_is_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    judged = rows(right(0), Verdict(Status.OK, choice="math-1-0/a", trace=(Event("prompt", {"text": "long"}),)))
    seen: list[Judgment] = []
    of_benchmark = BENCHMARK.grade
    monkeypatch.setattr(BENCHMARK, "grade", lambda graded: (seen.extend(graded), of_benchmark(graded))[1])
    grades, content = metrics(BENCHMARK, iter(judged), seed=0)
    assert grades == of_benchmark(judged)
    assert content["summary"]["judgments"] == 2
    assert [j.verdict.choice for j in seen] == [j.verdict.choice for j in judged]
    assert not any(j.verdict.trace for j in seen)
    assert of_benchmark(seen) == of_benchmark(judged)
    seen.clear()
    metrics(BENCHMARK, rows(Verdict(Status.UNPARSEABLE, note="a"), Verdict(Status.UNPARSEABLE, note="b")), seed=0)
    assert seen[0].verdict is seen[1].verdict


def test_without_fallbacks_grading_is_the_benchmarks() -> None:
    judged = rows(right(0), right(1), Verdict(Status.UNPARSEABLE), Verdict(Status.OK, choice="math-3-0/a"))
    assert grade(BENCHMARK, judged) == BENCHMARK.grade(judged)
    fallen = [replace(j, verdict=replace(j.verdict, source=Source.FALLBACK)) for j in judged]
    assert grade(BENCHMARK, fallen).official == BENCHMARK.grade(judged).official
    assert grade(BENCHMARK, fallen).strict["accuracy"] == 0
