"""One judge over one benchmark: python experiments/evaluate.py judge=skill_standard benchmark=verifiable limit=20."""

from __future__ import annotations

import sys

from omegaconf import DictConfig

from rewardlab.entry import main


@main("evaluate")
def evaluate(config: DictConfig) -> int:
    """Run, show the table, log to MLflow; status 1 when too many judgments have no verdict."""
    from rewardlab import tracking
    from rewardlab.evaluation.session import Session
    from rewardlab.report.write import write_report

    with Session() as session:
        run = session.run(config)
    report = write_report([run.folder], run.folder, config.baseline)
    tracking.log_run(config.tracking, run.folder)
    print(report.markdown)
    print(f"\nrun folder: {run.folder} ({run.judged_now} judgments made now)")
    print(f"beside other runs: python experiments/report.py runs={run.folder.parent}")
    if run.no_verdict_share > config.max_no_verdict:
        share = f"{run.no_verdict_share:.0%}"
        print(f"{share} of the judgments have no verdict, more than max_no_verdict allows", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    evaluate()
