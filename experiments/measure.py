"""Speed and size as ratios: python experiments/measure.py, or a part of it: figures=[endpoint,startup]."""

from __future__ import annotations

from omegaconf import DictConfig

from rewardlab.entry import main


@main("measure")
def measure(config: DictConfig) -> int:
    """Measure, write each figure as it comes, and show the table; status 1 when a ratio is not as it is asked."""
    from pathlib import Path

    from hydra.utils import instantiate

    from rewardlab.errors import UnknownName
    from rewardlab.measure.machine import describe
    from rewardlab.measure.record import write_figure, write_table

    folder = Path(config.results_dir) / "measure"
    names = list(config.figures if config.figures is not None else config.figure)
    for name in names:
        if name not in config.figure:
            raise UnknownName("figure", name, map(str, config.figure))
    met = True
    for name in names:
        machine = describe()  # before the figure, whose own work would count as load
        ratios = instantiate(config.figure[name]).measure()
        write_figure(folder, name, machine, ratios)
        met = met and all(ratio.met for ratio in ratios)
    print(write_table(folder))
    return int(not met)


if __name__ == "__main__":
    measure()
