"""Every run of a profile, and what compares them: python experiments/reproduce.py profile=embedded."""

from __future__ import annotations

import sys

from omegaconf import DictConfig

from rewardlab.entry import main


@main("reproduce")
def reproduce(config: DictConfig) -> int:
    """Run the profile's arms one after another, then write table, figure and page."""
    if config.dry_run:
        return show(config)
    from pathlib import Path

    from rewardlab import tracking
    from rewardlab.evaluation.profile import run_profile
    from rewardlab.report.write import write_report

    with tracking.store_in_the_making(config.tracking):
        runs = run_profile(config)
        folder = Path(config.results_dir) / config.profile.name
        report = write_report([run.folder for run in runs], folder, config.profile.baseline)
    tracking.log_experiment(config.tracking, config.profile.name, [run.folder for run in runs], folder)
    print(report.markdown)
    print(f"\ntable, page and runs: {folder}")
    return 0


def show(config: DictConfig) -> int:
    """Judge a sample of every arm, and print what the rest would need; status 1 when an arm cannot be measured."""
    from rewardlab.evaluation.profile import forecast_profile
    from rewardlab.report.markdown import to_markdown
    from rewardlab.report.tables.forecast import forecasts

    found, lacking = forecast_profile(config)
    print(to_markdown(forecasts(found)))
    print("\n".join(lacking), file=sys.stderr, end="\n" if lacking else "")
    return 1 if lacking else 0


if __name__ == "__main__":
    reproduce()
