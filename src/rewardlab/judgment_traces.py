"""Judgments as MLflow traces: what a judge was asked, did and answered, to be read in `mlflow ui`.

They are made from rows.sqlite after a run has finished, so that judging never waits for MLflow. A judgment is a span
with a child for every step: model calls (a prompt and the reply to it), tool calls, votes, the readout. Only whole
judgments are timed; their steps stand in order, a microsecond apart. Flips come first: judgments on items where the arm
earned another credit than the baseline.

Traces quote questions and candidates. They go only where `traces` of configs/tracking asks for them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from rewardlab.evaluation.finished import FinishedRun
from rewardlab.store.rows import RowStore, TimedJudgment
from rewardlab.verdict import Event, Status

if TYPE_CHECKING:
    from mlflow.entities import Span
    from opentelemetry.sdk.trace.id_generator import IdGenerator

_SECOND, _MICROSECOND = 1_000_000_000, 1_000  # in nanoseconds
_TYPES = {"reply": "LLM", "labels": "LLM", "tool": "TOOL", "readout": "PARSER", "vote": "AGENT"}


class Step(NamedTuple):
    """One span below a judgment.

    Attributes:
        name: The tool's name, or the kind of step.
        kind: MLflow's span type.
        inputs: What went in; None where nothing is recorded.
        outputs: What came out.
    """

    name: str
    kind: str
    inputs: Any
    outputs: Any


def log_judgments(
    uri: str, experiment: str, mlflow_run: str, run: FinishedRun, base: FinishedRun | None, limit: int
) -> int:
    """Log at most `limit` judgments of a run as traces of an MLflow run, flips first.

    Args:
        uri: Of the tracking store or server.
        experiment: Id of the MLflow experiment.
        mlflow_run: Id of the MLflow run that they belong to.
        run: The arm; without rows.sqlite there is nothing to log.
        base: The arm whose credit decides what a flip is; None for no flips.
        limit: How many.

    Returns:
        How many were logged.
    """
    from mlflow.entities import TraceInfo, TraceLocation, TraceState
    from mlflow.tracing.client import TracingClient

    client = TracingClient(uri)
    chosen = sampled(run, base, limit)
    for judged, flipped in chosen:
        verdict = judged.judgment.verdict
        trace_id, spans = spans_of(judged, run.judge, mlflow_run)
        tags = {"judge": run.judge, "status": verdict.status.value, "flip": str(flipped).lower()}
        client.start_trace(
            TraceInfo(
                trace_id=trace_id,
                trace_location=TraceLocation.from_experiment_id(experiment),
                request_time=int(judged.started * 1000),
                execution_duration=int((judged.ended - judged.started) * 1000),
                state=TraceState.OK if verdict.status is Status.OK else TraceState.ERROR,
                request_preview=judged.judgment.key,
                response_preview=verdict.choice or ("tie" if verdict.tie else verdict.note),
                trace_metadata={"mlflow.sourceRun": mlflow_run},
                tags={"mlflow.traceName": judged.judgment.task_id, **tags},
            )
        )
        client.log_spans(experiment, spans)
    return len(chosen)


def sampled(run: FinishedRun, base: FinishedRun | None, limit: int) -> list[tuple[TimedJudgment, bool]]:
    """At most `limit` judgments with whether each is on a flipped item, flips first, otherwise by key."""
    ours = {item.item: item.strict for item in run.items}
    theirs = {item.item: item.strict for item in base.items} if base else {}
    judged: dict[str, TimedJudgment] = {}
    for path in sorted(run.folder.glob("rows*.sqlite")) if limit > 0 else ():
        with RowStore(path) as rows:
            judged |= {timed.judgment.key: timed for timed in rows.timed() if timed.judgment.task_id in run.choices}

    def flipped(timed: TimedJudgment) -> bool:
        task = timed.judgment.task_id
        return task in theirs and ours.get(task) != theirs[task]

    ordered = sorted(judged.values(), key=lambda timed: (not flipped(timed), timed.judgment.key))
    return [(timed, flipped(timed)) for timed in ordered[:limit]]


def spans_of(judged: TimedJudgment, judge: str, run_id: str) -> tuple[str, list[Span]]:
    """The id of a judgment's trace, and its spans: the judgment, then its steps in order.

    Args:
        judged: The judgment.
        judge: Name of the judge.
        run_id: Of its run; the same judgment of the same run gets the same ids.
    """
    from mlflow.entities.span import LiveSpan
    from mlflow.tracing.utils import generate_mlflow_trace_id_from_otel_trace_id
    from opentelemetry import trace as otel
    from opentelemetry.sdk.trace import TracerProvider

    tracer = TracerProvider(id_generator=_ids(f"{run_id}/{judged.judgment.key}")).get_tracer("rewardlab")
    verdict, start = judged.judgment.verdict, int(judged.started * _SECOND)
    root = tracer.start_span(
        judged.judgment.task_id, context=otel.set_span_in_context(otel.INVALID_SPAN), start_time=start
    )
    trace_id = generate_mlflow_trace_id_from_otel_trace_id(root.get_span_context().trace_id)
    whole = LiveSpan(root, trace_id, "CHAIN")
    whole.set_inputs({"judge": judge, "order": judged.judgment.order, "repeat": judged.judgment.repeat})
    whole.set_outputs(_answer(judged))
    whole.set_attributes({"source": verdict.source.value, "readout": verdict.readout, "tools": dict(verdict.tools)})
    children = []
    for number, step in enumerate(steps(verdict.trace), 1):
        at = start + number * _MICROSECOND
        child = tracer.start_span(step.name, context=otel.set_span_in_context(root), start_time=at)
        span = LiveSpan(child, trace_id, step.kind)
        if step.inputs is not None:
            span.set_inputs(step.inputs)
        span.set_outputs(step.outputs)
        span.set_status("OK")
        child.end(at + _MICROSECOND)
        children.append(span)
    whole.set_status("OK" if verdict.status is Status.OK else "ERROR")
    root.end(max(int(judged.ended * _SECOND), start + (len(children) + 2) * _MICROSECOND))
    return trace_id, [span.to_immutable_span() for span in (whole, *children)]


def _ids(seed: str) -> IdGenerator:
    """Ids for the spans of one trace, from a name instead of from global randomness."""
    from opentelemetry.sdk.trace.id_generator import IdGenerator

    class Ids(IdGenerator):
        def __init__(self) -> None:
            self._count = 0

        def generate_trace_id(self) -> int:
            return int(hashlib.sha256(seed.encode()).hexdigest()[:32], 16)

        def generate_span_id(self) -> int:
            self._count += 1
            return int(hashlib.sha256(f"{seed} {self._count}".encode()).hexdigest()[:16], 16)

    return Ids()


def steps(trace: Sequence[Event]) -> Iterator[Step]:
    """The steps of a trace; prompts go into the model call that answers them."""
    asked: list[Any] = []
    for event in trace:
        detail = dict(event.detail)
        if event.kind == "prompt":
            asked += detail.get("messages", [])
        elif event.kind in ("reply", "labels"):
            yield Step("model call", _TYPES[event.kind], {"messages": asked} if asked else None, detail)
            asked = []
        elif event.kind == "tool":
            name, arguments = detail.pop("name", "tool"), detail.pop("arguments", None)
            yield Step(str(name), _TYPES["tool"], arguments, detail)
        else:
            yield Step(event.kind, _TYPES.get(event.kind, "UNKNOWN"), None, detail)
    if asked:
        yield Step("model call", "LLM", {"messages": asked}, None)


def _answer(judged: TimedJudgment) -> dict[str, Any]:
    verdict = judged.judgment.verdict
    ledger = [f"{e.criterion}, {e.candidate or 'all'}: {e.decision.value}, {e.hardness.value}" for e in verdict.ledger]
    found = {
        "status": verdict.status.value,
        "choice": verdict.choice,
        "tie": verdict.tie,
        "scores": dict(verdict.scores),
        "first_error": verdict.first_error,
        "note": verdict.note,
        "ledger": ledger,
    }
    return {name: value for name, value in found.items() if value not in (None, False, "", {}, [])}
