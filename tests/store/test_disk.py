"""Full disks, read-only folders and missing permissions, as the kernel makes them: bubblewrap mounts, file size limits.

Root ignores permissions, so the user of the last one is made in a namespace of its own.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

# A main as in experiments/, that only writes: a metrics file, rows, and another metrics file in place of the first.
WRITER = """
import json
import resource
import sys
from pathlib import Path

from rewardlab.entry import main
from rewardlab.store.atomic import write_json
from rewardlab.store.rows import RowStore
from rewardlab.verdict import Event, Judgment, Status, Verdict

sys.argv, (what, limit) = sys.argv[:-2], sys.argv[-2:]

@main("evaluate")
def write(config):
    folder = Path(config.results_dir)
    if not (folder / "metrics.json").exists():
        write_json(folder / "metrics.json", {"run": 1})
    if limit == "limited":
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
    try:
        if what == "file":
            write_json(folder / "metrics.json", {"run": 2, "long": "x" * 300_000})
        with RowStore(folder / "rows.sqlite") as rows:
            for i in range(1000):
                trace = (Event("model", {"text": "x" * 2000}),)
                rows.add(Judgment(f"t{i}", ("a", "b"), 0, Verdict(Status.OK, choice="a", trace=trace)))
    finally:
        names = sorted(path.name for path in folder.iterdir())
        print(json.dumps([json.loads((folder / "metrics.json").read_text()), names]))
    return 0

write()
"""

COUNT = """
import sqlite3
import sys

print(sqlite3.connect(sys.argv[1]).execute("select count(*) from rows where final = 1").fetchone()[0])
"""


def around(kind: str, folder: Path) -> list[str]:
    """The beginning of a command line that runs under the fault."""
    if kind == "limited":
        return []
    if shutil.which("bwrap") is None:
        pytest.skip("needs bubblewrap")
    everything = ["bwrap", "--dev-bind", "/", "/"]
    options = {
        "full_disk": ["--size", "200000", "--tmpfs", str(folder)],
        "read_only": ["--ro-bind", str(folder), str(folder)],
        "no_permission": ["--unshare-user", "--uid", "1000", "--gid", "1000", "--cap-drop", "ALL"],
    }
    if subprocess.run([*everything, "true"], capture_output=True).returncode:
        pytest.skip("bubblewrap cannot make a namespace here")
    return [*everything, *options[kind]]


@pytest.mark.parametrize("what", ["file", "rows"])
@pytest.mark.parametrize("kind", ["limited", "full_disk", "read_only", "no_permission"])
def test_what_was_there_stays_and_the_message_names_the_path(root: Path, tmp_path: Path, kind: str, what: str) -> None:
    folder = tmp_path / "results"
    folder.mkdir()
    if kind in ("read_only", "no_permission"):
        (folder / "metrics.json").write_text('{"run": 1}')
    if kind == "no_permission":
        folder.chmod(0o555)
    (tmp_path / "script.py").write_text(WRITER)
    line = [*around(kind, folder), sys.executable, str(tmp_path / "script.py"), f"results_dir={folder}", what, kind]
    environment = {**os.environ, "PYTHONPATH": str(root / "src")}
    done = subprocess.run(line, cwd=tmp_path, capture_output=True, text=True, timeout=200, env=environment)
    folder.chmod(0o755)
    assert done.returncode == 2
    assert f"cannot write {folder / ('metrics.json' if what == 'file' else 'rows.sqlite')}" in done.stderr
    assert "Traceback" not in done.stderr
    metrics, names = json.loads(done.stdout)
    assert metrics == {"run": 1}
    assert not any(name.startswith(".") for name in names)


@pytest.mark.slow
def test_a_run_on_a_full_disk_stops_with_a_sentence_and_keeps_what_is_committed(root: Path, tmp_path: Path) -> None:
    folder = tmp_path / "results"
    folder.mkdir()
    command = f"{sys.executable} {root}/experiments/evaluate.py judge=longest model=none tracking=none "
    command += f"results_dir={folder} run_folder={folder}/run; status=$?; "
    command += f"{sys.executable} {tmp_path}/count.py {folder}/run/rows.sqlite; exit $status"
    (tmp_path / "count.py").write_text(COUNT)
    done = subprocess.run(
        [*around("full_disk", folder), "sh", "-c", command], cwd=root, capture_output=True, text=True, timeout=280
    )
    assert done.returncode == 2, done.stderr
    assert f"cannot write {folder}/run/rows.sqlite: database or disk is full" in done.stderr
    assert "Traceback" not in done.stderr
    assert int(done.stdout) > 0
