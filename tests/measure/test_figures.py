"""Every figure of the config, taken small. What comes out is checked for sense, never for speed."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
from hydra import compose, initialize_config_dir
from hydra.utils import instantiate

from rewardlab.errors import UserError
from rewardlab.measure import local, sandbox
from rewardlab.measure.command import python
from rewardlab.measure.ratio import Ratio
from rewardlab.measure.startup import AGAINST
from tests.test_experiments import command


def measured(root: Path, name: str, **settings: Any) -> list[Ratio]:
    with initialize_config_dir(str(root / "configs"), version_base=None):
        config = compose("measure")
    for setting, value in settings.items():
        config.figure[name][setting] = value  # a keyword of instantiate would be merged into a mapping
    return list(instantiate(config.figure[name]).measure())


def test_a_command_is_timed_and_its_memory_seen() -> None:
    ended = python("-c", "import time; x = b'1' * 200_000_000; time.sleep(0.3)")
    assert ended.seconds >= 0.3
    assert sys.platform != "linux" or 200e6 < ended.peak < 260e6
    with pytest.raises(UserError, match=r"status 1.*no such thing"):
        python("-c", "raise SystemExit('no such thing')")


def test_sandbox(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first, *_ = measured(root, "sandbox", calls=3, processes=1)
    assert first.what == "sandbox calls/s, monty"
    assert first.ratio > 1
    monkeypatch.setattr(sandbox, "PRINTED", "something else\n")
    with pytest.raises(UserError, match="does not print what it should"):
        measured(root, "sandbox", calls=1, processes=1)


@pytest.mark.slow
def test_endpoint(root: Path) -> None:
    (found,) = measured(root, "endpoint", latency=0.05, at_least={8: 0.1}, judgments=40, rounds=1)
    (run,) = found.raw["runs"]
    assert (run["judgments"], run["ok"], run["peak_in_flight"]) == (40, 40, 8)
    assert 0 < found.ratio <= 1
    assert found.measured == pytest.approx(40 / run["seconds"])


@pytest.mark.model
@pytest.mark.slow
def test_local(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from rewardlab.benchmarks.verifiable import Verifiable

    def short(**options: Any) -> Verifiable:
        return Verifiable(**options, families=["aiw"])

    monkeypatch.setattr(local, "Verifiable", short)
    found = measured(root, "local", prompts=1, concurrency=8)
    assert found[0].raw["judgments"] == 18
    assert found[0].raw["reused"] > 0
    assert found[0].raw["largest_difference"] < 1e-4
    assert [ratio.raw["reused"] > 0 for ratio in found if ratio.what == "judgments/s, batched"] == [False]


def test_startup_measures_what_the_table_names(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from rewardlab.measure import startup

    monkeypatch.setattr(startup, "python", lambda *_: python("-c", "pass"))
    monkeypatch.setattr(startup, "evaluate", lambda *_: python("-c", "pass"))
    found = measured(root, "startup", rounds=1)
    assert [ratio.what for ratio in found] == list(AGAINST)


def test_an_unknown_figure_is_answered_with_the_nearest(root: Path, tmp_path: Path) -> None:
    done = command(root, "measure.py", "figures=[endpont]", f"results_dir={tmp_path}")
    assert done.returncode == 2
    assert "Did you mean endpoint" in done.stderr
