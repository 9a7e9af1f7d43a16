"""Select one of N candidates with a judge: python experiments/best_of_n.py benchmark=qwen_rm8 judge=recorded."""

from __future__ import annotations

import sys

from omegaconf import DictConfig

from rewardlab.entry import main


@main("best_of_n")
def best_of_n(config: DictConfig) -> int:
    """Run, show the tables, log to MLflow; status 1 when too many judgments have no verdict."""
    from rewardlab import tracking
    from rewardlab.report.write import write_report
    from rewardlab.selection.session import SelectionSession

    with SelectionSession() as session:
        run = session.run(config)
    report = write_report([run.folder], run.folder)
    tracking.log_run(config.tracking, run.folder)
    print(report.markdown)
    print(f"run folder: {run.folder} ({run.judged_now} judgments made now)")
    if run.no_verdict_share > config.max_no_verdict:
        share = f"{run.no_verdict_share:.0%}"
        print(f"{share} of the judgments have no verdict, more than max_no_verdict allows", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    best_of_n()
