"""Verdicts of another run, read out again: its ledgers and final answers, another readout, no model call.

What a skill judge found and what its model answered are in the rows of its run, also in the rows that are committed. A
readout is a pure function of the two, so another readout over the same rows is the run that a live judge with that
readout would have been, and the difference to it is the readout's alone. Usage is taken over from the rows: the
verdict rests on those calls, and its budget is theirs.

A judgment without a verdict for another reason than the readout (a server's error, a refusal) keeps its status. One
difference to a live run remains: where a final answer was cut at the token limit and evidence decided in its place,
the status of a readout that does not look at evidence is UNPARSEABLE here and TRUNCATED there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from rewardlab.errors import UserError
from rewardlab.judges.readout import read_out
from rewardlab.judges.readout import readout as known_readout
from rewardlab.store.folder import finished_manifest, read_rows
from rewardlab.task import Form, Setting, Task
from rewardlab.verdict import Status, Verdict

READ = frozenset({Status.OK, Status.UNPARSEABLE, Status.TRUNCATED})
"""Statuses that the readout has a say in."""


class Reread:
    """Reads a run's ledgers out again.

    Args:
        source_run: Folder of a finished run of a skill judge, whole or as committed.
        readout: Name of the readout.
        name: Name in tables.

    Raises:
        MissingRequirement: When `source_run` holds no finished run.
        UserError: When its rows hold no ledgers to read out, or several judgments of one presentation.
        UnknownName: When there is no such readout.
    """

    forms = frozenset({Form.RATE, Form.PAIR, Form.PICK})

    def __init__(self, source_run: str, readout: str, name: str = "reread") -> None:
        known_readout(readout)
        folder = Path(source_run)
        manifest = finished_manifest(folder, "set judge.source_run to the folder of a finished run")
        self.name = name
        self.setting = Setting(manifest["setting"])
        self._run_id = str(manifest["run_id"])
        self._readout = readout
        rows = list(read_rows(folder / "rows.jsonl.zst"))
        self._rows = {(row.task_id, row.order): row.verdict for row in rows}
        if len(self._rows) < len(rows):
            raise UserError(f"judge {name}: run {self._run_id} judged each presentation several times; use repeats=1")
        if not any(verdict.own for verdict in self._rows.values()):
            raise UserError(
                f"judge {name}: run {self._run_id} ({manifest['judge']}) has no final answers beside ledgers to read "
                "out; set judge.source_run to a run of a skill judge"
            )

    def identity(self) -> Mapping[str, str]:
        """The run whose rows these are."""
        return {"source_run": self._run_id}

    async def judge(self, task: Task) -> Verdict:
        """Read one judgment out again.

        Raises:
            UserError: When the run has no judgment of this task in this order.
        """
        source = self._rows.get((task.id, tuple(c.id for c in task.candidates)))
        if source is None:
            raise UserError(
                f"judge {self.name}: run {self._run_id} has no judgment of task {task.id} in this order; use the "
                "benchmark, seed, limit and protocol of that run"
            )
        if source.status not in READ:
            return source
        verdict = read_out(task, source.ledger, source.own, self._readout)
        if verdict.status is not Status.OK and source.status is Status.TRUNCATED:
            verdict = replace(verdict, status=source.status)
        return replace(verdict, own=source.own, source=source.source, usage=source.usage, tools=source.tools)
