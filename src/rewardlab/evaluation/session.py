"""From composed configs to runs. What several runs share is built once: the event loop, benchmarks and models.

`_target_` names the class of everything; there is no second registry. A judge whose constructor takes a `generator`
gets the model that the config describes; for other judges no model is loaded at all.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from hydra.utils import get_class, instantiate
from omegaconf import DictConfig, OmegaConf

from rewardlab.benchmarks.protocol import Benchmark
from rewardlab.entry import in_sweep
from rewardlab.errors import UserError
from rewardlab.evaluation.forecast import Forecast, forecast
from rewardlab.evaluation.loop import LoopThread
from rewardlab.evaluation.plan import Protocol
from rewardlab.evaluation.run import OpenRun, Run, Settings, complete, open_run
from rewardlab.judges.protocol import Judge
from rewardlab.models.deferred import Deferred
from rewardlab.models.protocol import Generator

T = TypeVar("T")

# Settings that say where and how fast, not what: changing one does not make another run. Where data come from is
# covered by the hash of the rows, where a model is served by what the server reports, where a reward model or adapter
# lies by the hash of its weights, and where a budget or rows come from by the id of their run.
OPERATIONAL = frozenset(
    {
        "path",
        "reward_model",
        "adapter",
        "budget_run",
        "source_run",
        "hub",
        "pinned",
        "base_urls",
        "api_key_env",
        "concurrency",
        "batch_size",
        "timeout",
        "connect_timeout",
        "retries",
        "backoff_seconds",
        "outage_seconds",
        "probe_seconds",
        "trust_env",
        "replay",
        "replay_path",
        "device",
        "prefix_cache_bytes",
        "prices",
        "rng",
    }
)

# Models that run in this process, and are loaded only when they are asked.
IN_PROCESS = frozenset({"rewardlab.models.embedded.embedded_generator", "rewardlab.models.local.LocalGenerator"})

# Under protocol=released, which class follows the release's settings in place of a judge of ours.
RELEASED = {
    "rewardlab.judges.direct.Direct": "rewardlab.judges.released.baseline.Baseline",
    "rewardlab.judges.skill.Skill": "rewardlab.judges.released.agent.Agent",
}


class Session:
    """Runs composed configs of experiments/evaluate.py, one after another. Use it as a context manager."""

    def __init__(self) -> None:
        self._loop = LoopThread()
        self._benchmarks: dict[str, Benchmark] = {}
        self._generators: dict[str, Generator] = {}

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *_: object) -> None:
        for generator in self._generators.values():
            self._loop.run(generator.aclose())
        self._loop.close()

    def run(self, config: DictConfig) -> Run:
        """Build everything that a config names, and run it.

        Raises:
            UserError: When something is missing or wrong; nothing of an earlier run is changed.
        """
        return complete(self._open(config))

    def forecast(self, config: DictConfig) -> Forecast:
        """Judge a sample of what `run` would judge, and say what the rest would need. Raises as `run`."""
        return forecast(self._open(config), config.dry_run_sample)

    def _open(self, config: DictConfig) -> OpenRun:
        if config.devices > 1 and in_sweep():
            raise UserError("devices over 1 do not go with a sweep: each of its jobs is one process")
        if Protocol(config.protocol) is Protocol.RELEASED and asks_model(config.judge):
            config = as_released(config, self.benchmark(config).name)
        judge, generator = self.judge(config)
        settings = Settings(
            seed=config.seed,
            protocol=Protocol(config.protocol),
            limit=config.limit,
            repeats=config.repeats,
            concurrency=config.model.concurrency,
            timeout=config.timeout,
            devices=config.devices,
        )
        parent = Path(config.results_dir) / config.experiment_name
        folder = Path(config.run_folder) if config.run_folder else None
        deciding = deciding_config(config, with_model=generator is not None)
        return open_run(self._loop, self.benchmark(config), judge, generator, settings, deciding, parent, folder)

    def benchmark(self, config: DictConfig) -> Benchmark:
        """The benchmark of a config."""
        return _once(self._benchmarks, config.benchmark, lambda: instantiate(config.benchmark))

    def judge(self, config: DictConfig) -> tuple[Judge, Generator | None]:
        """The judge of a config, and the model behind it where it has one.

        Raises:
            UserError: When the judge asks a model and the config names none.
        """
        generator = None
        if asks_model(config.judge):
            generator = _once(self._generators, config.model, lambda: build_generator(config.model))
        judge: Judge = instantiate(config.judge, **({"generator": generator} if generator else {}))
        return judge, generator


def _once(built: dict[str, T], config: DictConfig, build: Callable[[], T]) -> T:
    key = OmegaConf.to_yaml(config, resolve=True)
    if key not in built:
        built[key] = build()
    return built[key]


def asks_model(judge: DictConfig) -> bool:
    """Whether a judge is built with the model that the config describes."""
    return "generator" in inspect.signature(get_class(judge._target_)).parameters


def as_released(config: DictConfig, benchmark: str) -> DictConfig:
    """The config with the judge that follows the release in place of ours; what the release sets is not taken over.

    Raises:
        UserError: When the release has no such arm.
    """
    target = RELEASED.get(config.judge._target_)
    if target is None:
        raise UserError(
            f"protocol=released has no settings for judge {config.judge.get('name', config.judge._target_)}: the "
            "release has a baseline (judge=direct), skill_standard, skill_resource and tool_only. Use protocol=audited"
        )
    ours: Any = OmegaConf.to_container(config.judge, resolve=True)
    kept = {name: ours[name] for name in inspect.signature(get_class(target)).parameters if name in ours}
    released = config.copy()
    released.judge = {**kept, "_target_": target, "benchmark": benchmark}
    return released


def build_generator(model: DictConfig) -> Generator:
    """The model of a config, recorded or played back as `model.replay` says.

    Raises:
        UserError: When the config names no model.
    """
    if "_target_" not in model:
        raise UserError("this judge asks a language model; set model=embedded, model=endpoint or model=local")
    # Resolved while it is part of the whole config, which settings such as the seed point into.
    resolved: Any = OmegaConf.to_container(model, resolve=True)
    options = {key: value for key, value in resolved.items() if key not in ("replay", "replay_path")}
    generator: Generator
    if model._target_ in IN_PROCESS:
        generator = Deferred(lambda: instantiate(options), model_files(model))
    else:
        generator = instantiate(options)
    if model.replay == "off":
        return generator
    from rewardlab.models.replay import Replay

    # Every setting of the model that decides answers is in the name, so that two of them never share recordings.
    name = OmegaConf.to_yaml(OmegaConf.create(deciding_part(model)))
    return Replay(generator, model.replay_path, model.replay, name)


def model_files(model: DictConfig) -> list[Path]:
    """Where the weights lie that a config of a model in this process names; a name on the hub lies in its cache."""
    places = [Path(model[key]) for key in ("model", "adapter") if model.get(key)]
    return [place if place.exists() else _in_hub_cache(str(place)) for place in places]


def _in_hub_cache(name: str) -> Path:
    from huggingface_hub.constants import HF_HUB_CACHE

    return Path(HF_HUB_CACHE) / f"models--{name.replace('/', '--')}"


def deciding_config(config: DictConfig, with_model: bool) -> dict[str, Any]:
    """What of the config decides verdicts: benchmark, judge and model without their operational settings."""
    names = ["benchmark", "judge", *(["model"] if with_model else [])]
    return {name: deciding_part(config[name]) for name in names}


def deciding_part(config: DictConfig) -> Any:
    """A config as plain data, without its operational settings."""
    return _without_operational(OmegaConf.to_container(config, resolve=True))


def _without_operational(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {k: _without_operational(v) for k, v in value.items() if k not in OPERATIONAL}
    if isinstance(value, list):
        return [_without_operational(v) for v in value]
    return value
