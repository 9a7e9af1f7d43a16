"""A run folder: who the run is, its rows, and what came of it.

    identity.json     written first; a folder of another identity is refused with the fields that differ
    rows.sqlite       rows with traces, committed one by one; stays out of git (rows.rank1.sqlite and so on where
                      several processes share a run)
    rows.jsonl.zst    the same rows without third-party text, written when the run ends
    items.jsonl.zst   the grade of every item, the unit that statistics resample
    metrics.json      what the benchmark and the statistics say; equal for equal rows
    manifest.json     written last: a folder that has one is a finished run

The exported rows keep ids, verdicts, statuses, scores, evidence decisions and usage. Traces, observations and notes
are left out, because they quote questions and candidates.
"""

from __future__ import annotations

import heapq
import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import zstandard

from rewardlab.errors import BadData, MissingRequirement
from rewardlab.store import identity as identities
from rewardlab.store.atomic import canonical_json, write_bytes, write_json
from rewardlab.store.identity import Identity
from rewardlab.store.rows import RowStore, from_json, to_json
from rewardlab.verdict import Judgment, Usage

T = TypeVar("T")


def finished_manifest(folder: Path, remedy: str) -> dict[str, Any]:
    """The manifest of a finished run that something else builds on.

    Args:
        folder: The run's folder.
        remedy: What to set where there is no such run.

    Raises:
        MissingRequirement: When the folder holds no finished run.
        BadData: When its manifest is no JSON object.
    """
    file = folder / "manifest.json"
    if not file.is_file():
        raise MissingRequirement(f"no finished run at {folder} (it has no manifest.json)", remedy)
    try:
        manifest = json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise BadData(str(file), 0, "JSON", str(error)) from error
    if not isinstance(manifest, dict):
        raise BadData(str(file), 0, "JSON", "not an object")
    return manifest


class StoredRows:
    """The rows of a run, one judgment a key, ordered by key. Each pass reads them from the disk, one at a time.

    Args:
        paths: The row stores. Of several rows of a key, the first final one counts, else the first.
        wanted: Which rows to give; None for all.
    """

    def __init__(self, paths: Sequence[Path], wanted: Callable[[Judgment], bool] | None = None) -> None:
        self._paths = paths
        self._wanted = wanted

    def __iter__(self) -> Iterator[Judgment]:
        for rows in self._by_key():
            chosen = _counting(rows)
            if self._wanted is None or self._wanted(chosen):
                yield chosen

    def superseded(self) -> Usage:
        """What the attempts cost that a later row of their key, or one of another store, replaced."""
        total = Usage()
        for path in self._paths:
            with RowStore(path) as store:
                total += store.failed_attempts()[1]
        for rows in self._by_key() if len(self._paths) > 1 else ():
            chosen = _counting(rows)
            total = sum((row.verdict.usage for row in rows if row is not chosen), total)
        return total

    def _by_key(self) -> Iterator[list[Judgment]]:
        def key(judgment: Judgment) -> str:
            return judgment.key

        with ExitStack() as stack:
            stores = [stack.enter_context(RowStore(path)) for path in self._paths]
            for _, rows in groupby(heapq.merge(*(store.judgments() for store in stores), key=key), key):
                yield list(rows)


def _counting(rows: Sequence[Judgment]) -> Judgment:
    """Of several rows of one key, the one that counts."""
    return next((row for row in rows if row.verdict.status.final), rows[0])


class Collected(NamedTuple):
    """All rows of a run.

    Attributes:
        judgments: The rows.
        superseded: What attempts cost that a later row of their key replaced.
        span: Seconds from the first judgment's start to the last one's end, added up over the sessions of the run.
        servers: Base URL to counts of what happened there, added up over the sessions that ended in order.
    """

    judgments: StoredRows
    superseded: Usage
    span: float
    servers: dict[str, dict[str, int]]


class RunFolder:
    """One run on the disk.

    Args:
        path: The folder; made when missing.
        identity: Who the run is.

    Raises:
        IdentityMismatch: When the folder holds another run.
        StorageError: When the folder cannot be written.
    """

    def __init__(self, path: Path, identity: Identity) -> None:
        self.path = path
        self.identity = identity
        stored = path / "identity.json"
        if stored.exists():
            identities.check(str(path), json.loads(stored.read_text(encoding="utf-8")), identity)
        else:
            write_json(stored, dict(identity))

    def rows(self, rank: int = 0) -> RowStore:
        """The row store; each process of a distributed run writes its own."""
        return RowStore(self.path / ("rows.sqlite" if rank == 0 else f"rows.rank{rank}.sqlite"))

    def finished_keys(self) -> set[str]:
        """Keys that have a final row in any store."""
        with ExitStack() as stack:
            return set().union(*(stack.enter_context(store).finished() for store in self._stores()))

    def collect(self, wanted: Callable[[Judgment], bool] | None = None) -> Collected:
        """The rows of all stores as those of one run.

        Args:
            wanted: Which rows to give; None for all.
        """
        span = 0.0
        servers: dict[str, Counter[str]] = {}
        for store in self._stores():
            with store:
                span = max(span, store.span())
                for url, counts in store.servers().items():
                    servers.setdefault(url, Counter()).update(counts)
        rows = StoredRows(self._paths(), wanted)
        counted = {url: dict(counts) for url, counts in sorted(servers.items())}
        return Collected(rows, rows.superseded(), span, counted)

    def times(self) -> dict[str, tuple[float, float]]:
        """Key to start and end of every judgment that has a final row."""
        times: dict[str, tuple[float, float]] = {}
        for store in self._stores():
            with store:
                times |= store.times()
        return times

    def _stores(self) -> list[RowStore]:
        return [RowStore(path) for path in self._paths()]

    def _paths(self) -> list[Path]:
        return sorted(self.path.glob("rows*.sqlite"))

    @property
    def finished(self) -> bool:
        """Whether the run ended and wrote its manifest."""
        return (self.path / "manifest.json").exists()

    def manifest(self) -> dict[str, Any]:
        """The manifest of a finished run."""
        content: dict[str, Any] = json.loads((self.path / "manifest.json").read_text(encoding="utf-8"))
        return content

    def says(self, metrics: Mapping[str, Any]) -> bool:
        """Whether the run is finished with just these metrics, so that there is nothing to write."""
        if not self.finished:
            return False
        stored = json.loads((self.path / "metrics.json").read_text(encoding="utf-8"))
        return canonical_json(stored) == canonical_json(dict(metrics))

    def finish(
        self,
        judgments: Iterable[Judgment],
        items: Iterable[Mapping[str, Any]],
        metrics: Mapping[str, Any],
        manifest: Mapping[str, Any],
    ) -> None:
        """Write rows, item grades, metrics and, last, the manifest."""
        write_bytes(self.path / "rows.jsonl.zst", export_rows(judgments))
        write_bytes(self.path / "items.jsonl.zst", compressed(canonical_json(dict(item)) for item in items))
        write_json(self.path / "metrics.json", dict(metrics))
        write_json(self.path / "manifest.json", dict(manifest))


def without_texts(judgment: Judgment) -> Judgment:
    """The judgment as it may be committed: no trace, no observation, no note."""
    verdict = judgment.verdict
    ledger = tuple(replace(entry, observation="", source=entry.source[:80]) for entry in verdict.ledger)
    return replace(judgment, verdict=replace(verdict, ledger=ledger, trace=(), note=""))


def export_rows(judgments: Iterable[Judgment]) -> bytes:
    """Rows without texts as compressed JSON lines, ordered by key, equal for equal rows."""
    ordered = judgments if isinstance(judgments, StoredRows) else sorted(judgments, key=lambda j: j.key)
    return compressed(to_json(without_texts(j)) for j in ordered)


def read_rows(path: Path) -> Iterator[Judgment]:
    """The judgments of an exported file.

    Raises:
        MissingRequirement: When there is no such file.
        BadData: When a row is not a judgment.
    """
    return _read(path, from_json)


def read_items(path: Path) -> Iterator[dict[str, Any]]:
    """The item grades of an exported file. Raises as `read_rows` does."""
    return _read(path, json.loads)


def compressed(lines: Iterable[str]) -> bytes:
    """Lines as one compressed file, equal for equal lines."""
    deflate = zstandard.ZstdCompressor(level=10).compressobj()
    return b"".join([*(deflate.compress(f"{line}\n".encode()) for line in lines), deflate.flush()])


def _read(path: Path, parse: Callable[[bytes], T]) -> Iterator[T]:
    if not path.exists():
        raise MissingRequirement(f"there is no {path}", "run the experiment, or give the folder of a finished run")
    for number, line in enumerate(_lines(path), 1):
        try:
            yield parse(line)
        except ValueError as error:
            raise BadData(str(path), number, "row", str(error).splitlines()[0]) from error


def _lines(path: Path) -> Iterator[bytes]:
    """The lines of a compressed file, which is never whole in memory. Raises BadData when it is cut off or damaged."""
    inflate = zstandard.ZstdDecompressor().decompressobj()
    number, begun = 0, b""
    with path.open("rb") as file:
        while chunk := file.read(2**16):
            try:
                # Not splitlines: JSON text may hold other line separators.
                *lines, begun = (begun + inflate.decompress(chunk)).split(b"\n")
            except zstandard.ZstdError as error:
                raise BadData(str(path), number + 1, "row", str(error)) from error
            number += len(lines)
            yield from lines
    if begun or not inflate.eof:
        raise BadData(str(path), number + 1, "row", "the file is cut off")
