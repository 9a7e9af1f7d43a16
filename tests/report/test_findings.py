from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from rewardlab.benchmarks.judgebench import JudgeBench
from rewardlab.evaluation.finished import read_runs
from rewardlab.report.comparison import compare
from rewardlab.report.experiment import leading, read_experiment
from rewardlab.report.findings import findings
from tests.report.finished import model_arm, small_benchmark


def test_each_contender_gets_a_sentence_from_its_numbers(folders: list[Path]) -> None:
    (comparison,) = compare(read_runs(folders), "direct")
    base, quiet, skill = findings(comparison)
    assert (base.arm, quiet.arm, skill.arm) == ("direct", "quiet", "skill")
    assert base.text.endswith("n 40; the baseline; chance is 50.0 %")
    assert "no difference shown at 0.05" in quiet.text and not quiet.holds
    assert "points to direct: better, p " in skill.text and skill.holds


def test_a_judge_that_goes_by_position_is_called_out(folders: list[Path]) -> None:
    (comparison,) = compare(read_runs(folders[3:]), "nobody")
    first, random = findings(comparison)
    assert "chose the candidate shown first in 100.0 % of its choices" in first.text
    assert "shown first" not in random.text


def test_verifiers_and_code_of_its_own_are_told_apart(folders: list[Path]) -> None:
    def told(calls: dict[str, float]) -> str:
        runs = {run.judge: run for run in read_runs(folders)}
        summary = {**runs["skill"].metrics["summary"], "tool_calls_per_judgment": calls}
        identity = {**runs["skill"].identity, "config.judge.trigger": "always"}
        metrics = {**runs["skill"].metrics, "summary": summary}
        (comparison,) = compare([runs["direct"], replace(runs["skill"], metrics=metrics, identity=identity)], "direct")
        return findings(comparison)[1].text

    loaded = "it began with its skill loaded and ran"
    assert told({"run_resource": 0.5, "final_answer": 1.0}).endswith(f"{loaded} 0.50 verifiers a judgment")
    assert told({"python_sandbox": 0.9}).endswith(f"{loaded} 0.00 verifiers and 0.90 pieces of code a judgment")


def test_a_loss_that_holds_is_called_worse(folders: list[Path]) -> None:
    (comparison,) = compare(read_runs(folders), "skill")
    direct = next(finding for finding in findings(comparison) if finding.arm == "direct")
    assert "points to skill: worse" in direct.text and direct.holds


def test_arms_without_a_model_speak_where_nobody_else_does(folders: list[Path]) -> None:
    (comparison,) = compare(read_runs(folders[3:]), "direct")
    assert [finding.text.split("; ")[1] for finding in findings(comparison)] == ["no baseline to compare with"] * 2


def test_of_many_arms_those_without_a_difference_share_a_sentence(
    tmp_path: Path, folders: list[Path], benchmark_of_sums: JudgeBench
) -> None:
    alike = [model_arm(tmp_path, benchmark_of_sums, f"quiet_{n}", right=0.5, silent=0.1) for n in range(4)]
    (comparison,) = compare(read_runs([*folders, *alike]), "direct")
    base, skill, others = findings(comparison)
    assert (base.arm, skill.arm, others.arm) == ("direct", "skill", "the others")
    assert skill.holds and not others.holds
    assert all(name in others.text for name in ("quiet (", "quiet_0 (", "quiet_3 ("))
    assert "detectable: " in others.text


def test_models_are_told_of_before_rules_and_large_samples_before_small_ones(
    tmp_path: Path, folders: list[Path]
) -> None:
    small = small_benchmark(tmp_path / "small", questions=4)
    few = [model_arm(tmp_path, small, "direct", right=0.5), model_arm(tmp_path, small, "skill", right=0.9)]
    sections = [
        section
        for name, of, baseline in (
            ("rules", folders[3:], "always_first"),
            ("few", few, "direct"),
            ("many", folders, "direct"),
        )
        for section in read_experiment(name, of, baseline).named().sections
    ]
    assert [section.experiment for section in leading(sections)] == ["many", "few", "rules"]
