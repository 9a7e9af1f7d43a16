"""One judge over one benchmark: python experiments/evaluate.py judge=skill_standard benchmark=verifiable limit=20."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from omegaconf import DictConfig

from rewardlab.entry import in_sweep, main

if TYPE_CHECKING:
    from rewardlab.evaluation.forecast import Forecast


@main("evaluate")
def evaluate(config: DictConfig) -> int:
    """Run, show the table, log to MLflow; status 1 when too many judgments have no verdict."""
    from rewardlab.evaluation.session import Session

    with Session() as session:
        if config.dry_run:
            return show(session.forecast(config))
        run = session.run(config)
    if in_sweep() and not run.judged_now and (run.folder / "report.html").exists():
        print(f"finished before: {run.folder}")
    else:
        report(config, run.folder)
        print(f"\nrun folder: {run.folder} ({run.judged_now} judgments made now)")
        print(f"beside other runs: python experiments/report.py runs={run.folder.parent}")
    if run.no_verdict_share > config.max_no_verdict:
        share = f"{run.no_verdict_share:.0%}"
        print(f"{share} of the judgments have no verdict, more than max_no_verdict allows", file=sys.stderr)
        return 1
    return 0


def show(forecast: Forecast) -> int:
    """Print what the run would need."""
    from rewardlab.report.markdown import to_markdown
    from rewardlab.report.tables.forecast import forecasts

    print(to_markdown(forecasts([forecast])))
    print(f"run folder: {forecast.folder}")
    return 0


def report(config: DictConfig, folder: Path) -> None:
    """Write table, figures and page, show the table, and log to MLflow."""
    from rewardlab import tracking
    from rewardlab.report.write import write_report

    written = write_report([folder], folder, config.baseline)
    tracking.log_run(config.tracking, folder)
    print(written.markdown)


if __name__ == "__main__":
    evaluate()
