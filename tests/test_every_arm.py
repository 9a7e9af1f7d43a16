"""Every arm runs on every benchmark that fits its forms, from the configs and the commands that a user has.

The full product runs against `model=scripted` in this process, as a session runs composed configs; sweeps by command
line run some of the arms, of each shape, against the script and on the embedded model.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir
from omegaconf import DictConfig

from rewardlab.benchmarks.protocol import Benchmark
from rewardlab.errors import UserError
from rewardlab.evaluation.finished import finished_folders, read_runs
from rewardlab.evaluation.guessing import NAME
from rewardlab.evaluation.profile import arms as arms_of
from rewardlab.evaluation.profile import placed
from rewardlab.evaluation.session import Session
from rewardlab.report.write import write_report
from rewardlab.skills.package import load_package
from rewardlab.skills.pool import pools
from rewardlab.task import Form, Setting
from rewardlab.verdict import Status
from tests.canaries import BENCHMARKS
from tests.test_experiments import command

STATIC = ("direct", "direct_reasoned", "self_consistency", "flat_standard", "flat_resource")  # these answer STEPS too
AGENTS = (
    "tool_only", "skill_standard", "skill_resource", "skill_brief", "skill_brief_resource", "skill_brief_exchanged",
    "skill_brief_wrong_reference",
)  # fmt: skip
NO_MODEL = ("reference_only", "verifier_only", "random")
ARMS = (*STATIC, *AGENTS, "rubric", "panel", *NO_MODEL)
ELSEWHERE = {
    "scalar": "a reward model: tests/judges/test_scalar.py",
    "process": "a reward model: tests/judges/test_process.py",
    "recorded": "recorded scores: tests/selection/test_recorded.py",
    "first": "a rule as random is", "last": "as first", "longest": "as first", "shortest": "as first",
    "refusal": "as first",
    "self_consistency_matched": "builds on a run: below", "reread": "builds on a run: below",
}  # fmt: skip
SMALL = ("limit=1", "tracking=none", "max_no_verdict=1")


def test_every_yaml_is_an_arm_here_or_has_a_reason(root: Path) -> None:
    assert {*ARMS, *ELSEWHERE} == {file.stem for file in (root / "configs" / "judge").glob("*.yaml")}


@pytest.fixture(scope="module", autouse=True)
def configs(root: Path) -> Iterator[None]:
    with initialize_config_dir(str(root / "configs"), version_base="1.3"):
        yield


@pytest.fixture(scope="module")
def session() -> Iterator[Session]:
    with Session() as shared:
        yield shared


@pytest.fixture(scope="module")
def composed(configs: None) -> dict[str, DictConfig]:
    return {arm: compose("evaluate", [f"judge={arm}", "model=scripted", *SMALL]) for arm in ARMS}


@pytest.mark.parametrize("name", BENCHMARKS)
def test_every_arm_runs_on_a_benchmark_that_fits_its_forms(
    session: Session, composed: dict[str, DictConfig], name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    benchmark: Benchmark = BENCHMARKS[name](tmp_path)
    monkeypatch.setattr(session, "benchmark", lambda config: benchmark)
    steps = benchmark.tasks(Setting.STANDARD)[0].form is Form.STEPS
    for arm, config in composed.items():
        config.results_dir = str(tmp_path / "results")
        if steps and arm not in STATIC:
            with pytest.raises(UserError, match="asks for steps"):
                session.run(config)
            continue
        run = session.run(config)
        # The scripted model always answers; votes and scores may be level, and a sample may have nothing to verify.
        allowed = {Status.OK.value}
        allowed |= set() if arm in ("direct", "direct_reasoned", "random") else {Status.UNPARSEABLE.value}
        allowed |= {Status.SKIPPED.value} if arm in ("reference_only", "verifier_only") else set()
        assert set(run.manifest["status"]) <= allowed, f"{arm}: {run.manifest['status']}"
        assert run.metrics["summary"]["judgments"] == run.manifest["judgments"] > 0
        assert (run.manifest["model"].get("model") == NAME) == (arm not in NO_MODEL)


def test_arms_that_build_on_another_run_and_the_tables_of_all(
    session: Session, composed: dict[str, DictConfig], tmp_path: Path
) -> None:
    for arm in ("direct", "skill_standard", "skill_resource"):
        config = composed[arm].copy()
        config.results_dir, config.benchmark.form = str(tmp_path), "pair"
        whole = session.run(config)
    built = (
        ("judge=self_consistency_matched", f"judge.budget_run='{whole.folder}'", "model=scripted"),
        ("judge=reread", f"judge.source_run='{whole.folder}'", "model=none"),
    )
    half = ("judge=skill_resource", "judge.name=half", "skill.pool=half_a", "model=scripted")
    for overrides in (*built, half):
        session.run(compose("evaluate", [*overrides, *SMALL, "benchmark.form=pair", f"results_dir={tmp_path}"]))
    tables = write_report(finished_folders(tmp_path), tmp_path / "out").markdown
    for title, arms in (("Ablations, with budgets", 6), ("Audit of the traces", 3)):
        table = tables.partition(f"### {title}")[2].partition("###")[0]
        assert len(re.findall(r"^\| \w+", table, re.MULTILINE)) == arms + 1, table


def test_a_sweep_by_command_line_runs_every_arm_that_it_names(root: Path, tmp_path: Path) -> None:
    arms = ("direct", "rubric", "flat_standard", "skill_resource")
    overrides = ("benchmark.form=pair", "model=scripted", *SMALL, f"results_dir={tmp_path}")
    done = command(root, "evaluate.py", "-m", f"judge={','.join(arms)}", *overrides)
    assert done.returncode == 0, done.stderr
    assert {run.judge for run in read_runs(finished_folders(tmp_path))} == set(arms)
    assert done.stdout.count(f"report.py runs={tmp_path / 'evaluate'}") == len(arms)


@pytest.mark.model
@pytest.mark.slow
def test_arms_of_each_shape_run_on_the_embedded_model(root: Path, tmp_path: Path) -> None:
    """One short question in both orders; what is cut at a few tokens is a status and no failure."""
    arms = ("direct_reasoned", "flat_standard", "skill_resource")
    few = ("judge.sampling.max_tokens=12", "benchmark.families=[chain_sum]", "benchmark.form=pair", *SMALL)
    done = command(root, "evaluate.py", "-m", f"judge={','.join(arms)}", *few, f"results_dir={tmp_path}")
    assert done.returncode == 0, done.stderr
    runs = read_runs(finished_folders(tmp_path))
    assert {run.judge for run in runs} == set(arms)
    assert {run.model for run in runs} == {"SmolLM2-135M-Instruct"}
    known = {Status.OK.value, Status.TRUNCATED.value, Status.UNPARSEABLE.value}
    assert all(set(run.manifest["status"]) <= known for run in runs)


@pytest.mark.parametrize("profile", ["ablation", "ablation_judgebench", "ablation_pools"])
def test_the_arms_of_a_profile_compose_and_have_names_of_their_own(root: Path, profile: str) -> None:
    folders: dict[str, str] = {}
    for overrides in arms_of(compose("reproduce", [f"profile={profile}"])):
        judge = compose("evaluate", placed(overrides, folders)).judge
        name = judge.get("name") or judge.rule
        assert name not in folders, f"two arms are called {name}"
        folders[name] = f"results/{name}"
    if profile == "ablation_pools":
        resources = load_package(root / "skills" / "reward-evaluation").resources
        assert len(folders) == 1 + len(pools(resources))  # and the baseline
