"""Tables, figures, pages and the paper's parts from stored rows, without a model call: python experiments/report.py."""

from __future__ import annotations

import sys

from omegaconf import DictConfig

from rewardlab.entry import main


@main("report")
def report(config: DictConfig) -> int:
    """Rebuild what is generated; status 1 when check=true finds that a file is stale."""
    from pathlib import Path

    from rewardlab.claims.registry import load_claims
    from rewardlab.report.experiment import run_folders
    from rewardlab.report.rebuild import rebuild
    from rewardlab.report.write import write_report

    claims = load_claims(Path(config.claims)) if config.claims else None
    if config.runs:
        runs, out = run_folders(Path(config.runs)), Path(config.out)
        print(write_report(runs, out, config.baseline, config.traces, claims).markdown)
        return 0
    places = Path(config.results_dir), Path(config.paper)
    rebuilt = rebuild(*places, claims, config.baseline, 0 if config.check else config.traces, config.pdf)
    if not config.check:
        print(f"{rebuilt.write()} files of {', '.join(map(str, rebuilt.kept))} are as the runs in {places[0]} say")
        return 0
    stale = rebuilt.stale()
    for line in stale:
        print(line, file=sys.stderr)
    if stale:
        print(f"{len(stale)} files are stale; python experiments/report.py makes them anew", file=sys.stderr)
    return int(bool(stale))


if __name__ == "__main__":
    report()
