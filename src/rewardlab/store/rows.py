"""The row store of a run: one SQLite file, one committed row a judgment.

A row is committed as soon as its judgment ends, so a killed process loses at most what was in flight. A judgment that
failed for a passing reason (`Status.final` is False) is kept as an attempt and asked again on resume; a finished one is
never replaced: the database itself refuses a second final row for a key.

The right answers of the judged tasks are put beside the rows when a run ends, for pages that show single judgments; the
file stays out of git, and no judge reads it.

The journal is a write-ahead log without a disk flush a commit. A killed process loses nothing by that; a power cut may
lose the last rows, which are then judged again.
"""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import TypeAdapter

from rewardlab.store.atomic import StorageError
from rewardlab.verdict import Judgment, Usage

_JUDGMENT: TypeAdapter[Judgment] = TypeAdapter(Judgment)

_SCHEMA = """
CREATE TABLE IF NOT EXISTS rows (
    attempt INTEGER PRIMARY KEY,
    key TEXT NOT NULL,
    status TEXT NOT NULL,
    final INTEGER NOT NULL,
    session INTEGER NOT NULL,
    started REAL NOT NULL,
    ended REAL NOT NULL,
    body TEXT NOT NULL
);
CREATE UNIQUE INDEX IF NOT EXISTS one_final_row ON rows (key) WHERE final = 1;
CREATE INDEX IF NOT EXISTS by_key ON rows (key);
CREATE TABLE IF NOT EXISTS servers (session INTEGER NOT NULL, counts TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS gold (task TEXT PRIMARY KEY, candidates TEXT NOT NULL);
"""


def to_json(judgment: Judgment) -> str:
    """A judgment as one line of JSON."""
    return _JUDGMENT.dump_json(judgment).decode()


def from_json(text: str | bytes) -> Judgment:
    """The judgment of a line that `to_json` wrote. Raises pydantic's ValidationError on anything else."""
    return _JUDGMENT.validate_json(text)


class TimedJudgment(NamedTuple):
    """A judgment with its start and end, in seconds of one clock; equal where none was given."""

    judgment: Judgment
    started: float
    ended: float


class RowStore:
    """Judgments of one run.

    Args:
        path: The SQLite file; made when missing.

    Raises:
        StorageError: When the file cannot be opened or written.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            # The dispatcher writes from its own thread; one connection, one writer at a time.
            self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=30)
            self._db.execute("PRAGMA journal_mode=WAL")
            self._db.execute("PRAGMA synchronous=NORMAL")
            self._db.executescript(_SCHEMA)
            self._session = self._db.execute("SELECT COALESCE(MAX(session), 0) + 1 FROM rows").fetchone()[0]
        except (OSError, sqlite3.Error) as error:
            raise StorageError(path, error) from error

    def add(self, judgment: Judgment, started: float = 0.0, ended: float = 0.0) -> None:
        """Commit one row.

        Args:
            judgment: The row.
            started: When the judgment began, in seconds of one clock.
            ended: When it ended, of the same clock.

        Raises:
            StorageError: When it cannot be written, or the key has a final row already.
        """
        status = judgment.verdict.status
        try:
            self._db.execute(
                "INSERT INTO rows (key, status, final, session, started, ended, body) VALUES (?, ?, ?, ?, ?, ?, ?)",
                (judgment.key, status.value, int(status.final), self._session, started, ended, to_json(judgment)),
            )
        except sqlite3.Error as error:
            raise StorageError(self._path, error) from error

    def add_servers(self, counts: Mapping[str, Mapping[str, int]]) -> None:
        """Commit what happened at each server in this session. A session that is killed leaves no counts.

        Args:
            counts: Base URL to counts.

        Raises:
            StorageError: When it cannot be written.
        """
        written = json.dumps({url: dict(of_url) for url, of_url in counts.items()})
        try:
            self._db.execute("INSERT INTO servers VALUES (?, ?)", (self._session, written))
        except sqlite3.Error as error:
            raise StorageError(self._path, error) from error

    def servers(self) -> dict[str, Counter[str]]:
        """Base URL to counts, added up over the sessions of the run."""
        total: dict[str, Counter[str]] = {}
        for (counts,) in self._db.execute("SELECT counts FROM servers"):
            for url, of_url in json.loads(counts).items():
                total.setdefault(url, Counter()).update(of_url)
        return total

    def times(self) -> dict[str, tuple[float, float]]:
        """Key to start and end of the judgment in its final row."""
        rows = self._db.execute("SELECT key, started, ended FROM rows WHERE final = 1")
        return {key: (started, ended) for key, started, ended in rows}

    def finished(self) -> set[str]:
        """Keys that have a final row."""
        return {key for (key,) in self._db.execute("SELECT key FROM rows WHERE final = 1")}

    def judgments(self) -> Iterator[Judgment]:
        """One judgment a key, ordered by key: the final row where there is one, else the latest attempt."""
        query = "SELECT body, MAX(final * 1000000000 + attempt) FROM rows GROUP BY key ORDER BY key"
        for body, _ in self._db.execute(query):
            yield from_json(body)

    def timed(self) -> Iterator[TimedJudgment]:
        """`judgments`, each with when it began and ended."""
        query = """SELECT body, started, ended, MAX(final * 1000000000 + attempt) FROM rows GROUP BY key ORDER BY key"""
        for body, started, ended, _ in self._db.execute(query):
            yield TimedJudgment(from_json(body), started, ended)

    def failed_attempts(self) -> tuple[int, Usage]:
        """How many attempts were superseded by a later row of their key, and what they cost together."""
        query = """SELECT body FROM rows r WHERE attempt <>
                   (SELECT attempt FROM rows s WHERE s.key = r.key ORDER BY final DESC, attempt DESC LIMIT 1)"""
        costs = [from_json(body).verdict.usage for (body,) in self._db.execute(query)]
        return len(costs), sum(costs, Usage())

    def span(self) -> float:
        """Seconds from the first judgment's start to the last one's end, added up over the sessions of the run."""
        query = "SELECT MAX(ended) - MIN(started) FROM rows GROUP BY session"
        return float(sum(seconds for (seconds,) in self._db.execute(query)))

    def keep_gold(self, gold: Mapping[str, frozenset[str]]) -> None:
        """Put right answers beside the rows, once the run has ended.

        Args:
            gold: Task id to the ids of its right candidates.

        Raises:
            StorageError: When they cannot be written.
        """
        try:
            with self._db:
                self._db.execute("BEGIN")
                rows = [(task, json.dumps(sorted(right))) for task, right in gold.items()]
                self._db.executemany("INSERT OR REPLACE INTO gold (task, candidates) VALUES (?, ?)", rows)
        except sqlite3.Error as error:
            raise StorageError(self._path, error) from error

    def gold(self) -> dict[str, frozenset[str]]:
        """What `keep_gold` put there; empty before."""
        query = "SELECT task, candidates FROM gold"
        return {task: frozenset(json.loads(right)) for task, right in self._db.execute(query)}

    def close(self) -> None:
        """Close the file. Safe to call twice."""
        self._db.close()

    def __enter__(self) -> RowStore:
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()
