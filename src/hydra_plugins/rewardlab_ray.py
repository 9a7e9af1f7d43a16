"""The jobs of a sweep on Ray: hydra/launcher=ray.

Hydra looks for launchers in the namespace package `hydra_plugins`, so this one lies here. It takes the place of the
package hydra-ray-launcher, whose 1.2.2 asks for cloudpickle below 3 where joblib asks for 3 or newer, so that the two
cannot be installed together. It knows what sweeps here need: start or join a Ray cluster, one Ray task a job. Ray
itself is imported when a sweep starts.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from hydra.core.hydra_config import HydraConfig
from hydra.core.singleton import Singleton
from hydra.core.utils import JobReturn, configure_log, run_job, setup_globals
from hydra.plugins.launcher import Launcher
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig, OmegaConf, open_dict


class RayLauncher(Launcher):
    """Runs jobs as Ray tasks.

    Args:
        init: Arguments of `ray.init`; an `address` joins a cluster that is running.
        remote: Options of the task that a job is, e.g. num_cpus and num_gpus.
    """

    def __init__(self, init: Mapping[str, Any], remote: Mapping[str, Any]) -> None:
        self._init = _plain(init)
        self._remote = _plain(remote)

    def setup(self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> None:
        """Called by Hydra before `launch`."""
        self._context, self._function, self._config = hydra_context, task_function, config

    def launch(self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int) -> Sequence[JobReturn]:
        """Run one job for each list of overrides, as many at a time as Ray has room for.

        Returns:
            What came of each job, in order; a job that failed holds its error.
        """
        import ray

        setup_globals()
        configure_log(self._config.hydra.hydra_logging, self._config.hydra.verbose)
        Path(self._config.hydra.sweep.dir).mkdir(parents=True, exist_ok=True)
        if not ray.is_initialized():
            # Workers start elsewhere and import what the job needs, from where this process found it.
            environment = {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
            ray.init(**{"runtime_env": {"env_vars": environment}, **self._init})
        task = ray.remote(**self._remote)(_run) if self._remote else ray.remote(_run)
        state = Singleton.get_state()
        return list(
            ray.get(
                [
                    task.remote(self._context, self._job(overrides, number), self._function, state, str(Path.cwd()))
                    for number, overrides in enumerate(job_overrides, initial_job_idx)
                ]
            )
        )

    def _job(self, overrides: Sequence[str], number: int) -> DictConfig:
        config = self._context.config_loader.load_sweep_config(self._config, list(overrides))
        with open_dict(config):
            config.hydra.job.id = f"{config.hydra.job.name}_{number}"
            config.hydra.job.num = number
        return config


def _run(context: HydraContext, config: DictConfig, function: TaskFunction, state: Any, folder: str) -> JobReturn:
    """One job, in a process of Ray's."""
    os.chdir(folder)
    setup_globals()
    Singleton.set_state(state)
    HydraConfig.instance().set_config(config)
    return run_job(
        hydra_context=context,
        task_function=function,
        config=config,
        job_dir_key="hydra.sweep.dir",
        job_subdir_key="hydra.sweep.subdir",
    )


def _plain(options: Mapping[str, Any]) -> dict[str, Any]:
    plain = OmegaConf.to_container(OmegaConf.create(dict(options)), resolve=True)
    assert isinstance(plain, dict)
    return {str(name): value for name, value in plain.items()}
