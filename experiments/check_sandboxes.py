"""Attacks on the sandboxes of this machine: python experiments/check_sandboxes.py."""

from __future__ import annotations

from omegaconf import DictConfig

from rewardlab.entry import main


@main("check_sandboxes")
def check_sandboxes(config: DictConfig) -> int:
    """Attack every sandbox that is available, time calls, write the table; status 1 when an attack did harm."""
    import asyncio
    from pathlib import Path

    from hydra.utils import instantiate

    from rewardlab.report.sandboxes import table
    from rewardlab.sandbox.selfcheck import examine
    from rewardlab.store.atomic import write_text

    found = [asyncio.run(examine(instantiate(sandbox), config.calls)) for sandbox in config.sandboxes.values()]
    text = table(found)
    write_text(Path(config.results_dir) / "sandboxes" / "table.md", text)
    print(text)
    return int(not all(result.contained for examined in found for result in examined.results))


if __name__ == "__main__":
    check_sandboxes()
