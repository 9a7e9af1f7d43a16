"""Finished runs in MLflow: one run for an experiment, and one below it for each arm.

MLflow gets copies to look at and compare; the run folders stay the record. So logging comes after a run has finished,
and what goes wrong with it costs one warning and nothing else: a server that is down, a full disk, an odd URI. Requests
time out after seconds and are repeated once, unless MLflow's own environment variables say otherwise.

A run is found again by its run id, so logging it twice makes no second copy. With a SQLite store, artifacts go into the
folder mlflow-artifacts beside it. MLflow's usage telemetry is off unless the environment turns it on.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rewardlab.evaluation.finished import FinishedRun, read_runs
from rewardlab.judgment_traces import log_judgments

if TYPE_CHECKING:
    from mlflow import MlflowClient

log = logging.getLogger(__name__)

QUIET = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_LOGGING_LEVEL": "WARNING",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "10",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
    "MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR": "1",
}

REPORT_FILES = ("table.md", "table.tex", "report.html", "figures")
ARM_FILES = ("manifest.json", "metrics.json", *REPORT_FILES)

# Limits of one batch of MLflow's REST interface.
_PARAMS, _METRICS, _VALUE = 100, 1000, 500

_MAKE_STORE = "import sys, mlflow; mlflow.MlflowClient(sys.argv[1]).search_experiments()"


@contextmanager
def store_in_the_making(config: Mapping[str, Any]) -> Iterator[None]:
    """Make a SQLite store that is not there yet in a process of its own, beside the work within this context.

    MLflow takes a new store through every migration since its first version, most of a quarter of a minute that waits
    for the disk. The store takes its name when it is whole. Should it not come about, logging makes it.

    Args:
        config: As for `log_run`.
    """
    uri = str(config.get("uri", ""))
    if not config["enabled"] or not uri.startswith("sqlite:///") or _sqlite_file(uri).exists():
        yield
        return
    store = _sqlite_file(uri)
    unfinished = store.with_name(f".{store.name}.{os.getpid()}")
    with suppress(OSError):
        store.parent.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-c", _MAKE_STORE, f"sqlite:///{unfinished}"]
    quiet = {"env": {**QUIET, **os.environ}, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(command, **quiet) as making:  # type: ignore[call-overload]
        try:
            yield
            making.wait()
        finally:
            making.kill()
            with suppress(OSError):
                if making.wait() == 0:
                    store.hardlink_to(unfinished)
            unfinished.unlink(missing_ok=True)


def log_run(config: Mapping[str, Any], folder: Path) -> None:
    """Log one finished run under the MLflow experiment named after its parent folder.

    Args:
        config: A config of configs/tracking: `enabled`, and where it is `uri`, `traces` and `baseline`.
        folder: The run folder.

    Raises:
        UserError: When the folder holds no finished run. What goes wrong with MLflow is a warning.
    """
    if config["enabled"]:
        runs = read_runs([folder])
        _guarded(
            config["uri"],
            lambda client: _log_arms(client, _experiment(client, config, folder.parent.name), runs, config),
        )


def log_experiment(config: Mapping[str, Any], name: str, folders: Sequence[Path], report: Path) -> None:
    """Log the arms of an experiment below one run that holds its tables, figures and page.

    Args:
        config: As for `log_run`.
        name: Name of the MLflow experiment and of the run that stands for it.
        folders: Run folders of the arms.
        report: Folder that `write_report` wrote to.

    Raises:
        UserError: As `log_run`.
    """
    if config["enabled"]:
        runs = read_runs(folders)
        _guarded(
            config["uri"],
            lambda client: _log_parent(client, _experiment(client, config, name), name, runs, report, config),
        )


def log_training(config: Mapping[str, Any], folder: Path, name: str = "") -> None:
    """Log a finished training run with its learning curves, step by step.

    Args:
        config: As for `log_run`.
        folder: A run folder of `rewardlab.training.run`.
        name: Of the MLflow experiment; that of the parent folder when empty.
    """
    if config["enabled"]:
        name = name or folder.parent.name
        _guarded(config["uri"], lambda client: _log_curves(client, _experiment(client, config, name), folder))


def params(run: FinishedRun) -> dict[str, str]:
    """What decided a run, flat, to read and filter by; hashes and class paths are left to the manifest beside it."""
    named = {"benchmark": run.benchmark, "judge": run.judge, "setting": run.setting, "model": run.model or "none"}
    parts = _readable(run.identity)
    return {_key(name): value for name, value in {**parts, **named, "run_id": run.run_id, "commit": run.commit}.items()}


def metrics(run: FinishedRun) -> dict[str, float]:
    """Numbers of a run: headlines, ends of the interval, statuses, position and cost. What is undefined is left out."""
    content, usage, n = run.metrics, run.usage, max(1, run.judgments)
    headline, interval, summary = content["headline"], content.get("interval", {}), content["summary"]
    found: dict[str, Any] = {
        "strict": content["strict"][headline],
        "strict_low": interval.get("low"),
        "strict_high": interval.get("high"),
        "official": content["official"][headline],
        "items": len(run.items),
        "items_without_verdict": content["no_verdict_items"],
        **{f"status/{name}": rate for name, rate in summary["status_rate"].items()},
        **{name: value for name, value in summary.items() if name != "status_rate" and "_per_judgment" not in name},
        "first_chosen": run.first_chosen,
        "calls_per_judgment": usage.calls / n,
        "prompt_tokens_per_judgment": usage.prompt_tokens / n,
        "cached_tokens_per_judgment": usage.cached_tokens / n,
        "completion_tokens_per_judgment": usage.completion_tokens / n,
        "call_seconds_per_judgment": usage.seconds / n,
        "cost_per_judgment": None if usage.cost is None else usage.cost / n,
        "seconds_first_to_last_call": run.manifest["seconds_first_to_last_call"],
        **{f"official/{name}": value for name, value in content["official"].items()},
        **{f"strict/{name}": value for name, value in content["strict"].items()},
    }
    return {_key(name): float(value) for name, value in found.items() if value is not None}


def _guarded(uri: str, work: Callable[[MlflowClient], object]) -> None:
    """Do something with MLflow; a failure of MLflow's is one warning."""
    for name, value in QUIET.items():
        os.environ.setdefault(name, value)
    logging.getLogger("alembic").setLevel(logging.WARNING)
    import mlflow
    from mlflow.exceptions import MlflowException
    from sqlalchemy.exc import SQLAlchemyError

    try:
        if uri.startswith("sqlite:///"):
            _sqlite_file(uri).parent.mkdir(parents=True, exist_ok=True)
        work(mlflow.MlflowClient(uri))
    # A server that is too old for traces raises NotImplementedError.
    except (MlflowException, SQLAlchemyError, OSError, ImportError, NotImplementedError) as error:
        reason = " ".join(str(error).split())[:200]
        log.warning("MLflow at %s got no copy of this run, which is finished all the same: %s", uri, reason)


def _sqlite_file(uri: str) -> Path:
    return Path(uri.removeprefix("sqlite:///"))


def _experiment(client: MlflowClient, config: Mapping[str, Any], name: str) -> str:
    """The id of an MLflow experiment, made when missing."""
    found = client.get_experiment_by_name(name)
    if found is not None:
        return str(found.experiment_id)
    place = None
    if config["uri"].startswith("sqlite:///"):
        place = (_sqlite_file(config["uri"]).absolute().parent / "mlflow-artifacts" / name).as_uri()
    return str(client.create_experiment(name, artifact_location=place))


def _log_parent(
    client: MlflowClient,
    experiment: str,
    name: str,
    runs: Sequence[FinishedRun],
    report: Path,
    config: Mapping[str, Any],
) -> None:
    ids = " ".join(sorted(run.run_id for run in runs))
    identity = hashlib.sha256(ids.encode()).hexdigest()[:12]
    parent = _finished(client, experiment, identity)
    if parent is None:
        parent = client.create_run(experiment, run_name=name, tags={"rewardlab.id": identity}).info.run_id
        client.log_param(parent, "arms", ", ".join(sorted({run.judge for run in runs}))[:_VALUE])
        client.log_param(parent, "benchmarks", ", ".join(sorted({run.dataset for run in runs}))[:_VALUE])
        client.log_param(parent, "models", ", ".join(sorted({run.model for run in runs} - {""}))[:_VALUE] or "none")
    _log_arms(client, experiment, runs, config, parent)
    # The tables of the same runs may have been written anew.
    _log_files(client, parent, report, REPORT_FILES)
    client.set_terminated(parent)


def _log_arms(
    client: MlflowClient, experiment: str, runs: Sequence[FinishedRun], config: Mapping[str, Any], parent: str = ""
) -> None:
    for run in runs:
        identity = f"{parent}/{run.run_id}" if parent else run.run_id
        if _finished(client, experiment, identity) is None:
            tags = {"rewardlab.id": identity} | ({"mlflow.parentRunId": parent} if parent else {})
            mlflow_run = client.create_run(experiment, run_name=run.folder.name, tags=tags).info.run_id
            if not run.asks_no_model:
                base = next((r for r in runs if r.judge == config["baseline"] and r.dataset == run.dataset), None)
                log_judgments(config["uri"], experiment, mlflow_run, run, base, config["traces"])
            _log_arm(client, mlflow_run, run)


def _finished(client: MlflowClient, experiment: str, identity: str) -> str | None:
    """The MLflow run that holds a whole copy already; one that was cut off while logging does not count."""
    wanted = f"tags.`rewardlab.id` = '{identity}' and attributes.status = 'FINISHED'"
    return next((str(run.info.run_id) for run in client.search_runs([experiment], wanted, max_results=1)), None)


def _log_arm(client: MlflowClient, mlflow_run: str, run: FinishedRun) -> None:
    from mlflow.entities import Metric, Param

    now = int(time.time() * 1000)
    chosen = [Param(name, value) for name, value in params(run).items()]
    measured = [Metric(name, value, now, 0) for name, value in metrics(run).items()]
    for start in range(0, len(chosen), _PARAMS):
        client.log_batch(mlflow_run, params=chosen[start : start + _PARAMS])
    for start in range(0, len(measured), _METRICS):
        client.log_batch(mlflow_run, metrics=measured[start : start + _METRICS])
    _log_files(client, mlflow_run, run.folder, ARM_FILES)
    client.set_terminated(mlflow_run)


def _log_curves(client: MlflowClient, experiment: str, folder: Path) -> None:
    from mlflow.entities import Metric, Param

    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    points = [json.loads(line) for line in (folder / "curve.jsonl").read_text(encoding="utf-8").splitlines()]
    final = json.loads((folder / "metrics.json").read_text(encoding="utf-8"))["final"]
    identity = manifest["run_id"]
    if _finished(client, experiment, identity) is not None:
        return
    run = client.create_run(experiment, run_name=folder.name, tags={"rewardlab.id": identity}).info.run_id
    now = int(time.time() * 1000)
    chosen = [Param(_key(name), value) for name, value in _readable(manifest["identity"]).items()]
    measured = [Metric(_key(p["name"]), p["value"], now, p["step"]) for p in points]
    measured += [Metric(_key(f"final/{name}"), value, now, 0) for name, value in final.items()]
    for start in range(0, len(chosen), _PARAMS):
        client.log_batch(run, params=chosen[start : start + _PARAMS])
    for start in range(0, len(measured), _METRICS):
        client.log_batch(run, metrics=measured[start : start + _METRICS])
    _log_files(client, run, folder, ("manifest.json", "metrics.json", "curve.jsonl"))
    client.set_terminated(run)


def _readable(identity: Mapping[str, str]) -> dict[str, str]:
    """The parts of an identity that a reader filters by; hashes and class paths are left to the manifest."""
    return {
        name: value[:_VALUE]
        for name, value in identity.items()
        if value not in ("", "{}", "null") and not name.endswith(("sha256", "_target_", "_args_"))
    }


def _log_files(client: MlflowClient, mlflow_run: str, folder: Path, names: Sequence[str]) -> None:
    for path in (folder / name for name in names):
        if path.is_dir():
            client.log_artifacts(mlflow_run, str(path), path.name)
        elif path.exists():
            client.log_artifact(mlflow_run, str(path))


def _key(name: str) -> str:
    """A name as MLflow allows it: letters, digits, and _ - . / : and space.

    >>> _key("config.judge[0]+x")
    'config.judge_0__x'
    """
    return re.sub(r"[^\w\-./: ]", "_", name)
