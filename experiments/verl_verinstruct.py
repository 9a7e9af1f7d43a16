"""Train Tulu-3-8B on VerInstruct in verl with our reward: python experiments/verl_verinstruct.py path=FILE run=true."""

from __future__ import annotations

import os
import shlex
import subprocess

from omegaconf import DictConfig

from rewardlab.entry import main


@main("verl_verinstruct")
def verl_verinstruct(config: DictConfig) -> int:
    """Write the data; show the command, or run it."""
    from rewardlab.policy.adapters.verl_run import EXTERNAL, command, write_data

    counts = write_data(config)
    print(", ".join(f"{name}: {count} prompts" for name, count in counts.items()))
    started = command(config)
    if not config.run:
        print(shlex.join([*(f"{name}={value}" for name, value in EXTERNAL.items()), *started]))
        return 0
    return subprocess.run(started, env={**os.environ, **EXTERNAL}, check=False).returncode


if __name__ == "__main__":
    verl_verinstruct()
