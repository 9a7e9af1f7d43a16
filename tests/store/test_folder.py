from __future__ import annotations

import json
from pathlib import Path

import pytest

from rewardlab.errors import BadData, IdentityMismatch, MissingRequirement
from rewardlab.store.atomic import StorageError, write_json, write_text
from rewardlab.store.folder import RunFolder, export_rows, read_items, read_rows
from rewardlab.store.identity import make_identity, run_id
from rewardlab.verdict import Decision, Event, Evidence, Hardness, Judgment, Status, Verdict


def judgment(task: str) -> Judgment:
    evidence = Evidence("c", "a", "SECRET observation", Decision.SATISFIED, Hardness.HARD, source="call 1")
    verdict = Verdict(
        Status.OK, choice="a", ledger=(evidence,), trace=(Event("model", {"text": "SECRET"}),), note="SECRET"
    )
    return Judgment(task, ("a", "b"), 0, verdict)


def test_another_identity_is_refused_with_every_field_and_nothing_changes(tmp_path: Path) -> None:
    RunFolder(tmp_path / "run", make_identity({"seed": 0, "model": {"name": "m1", "dtype": "fp32"}}))
    before = (tmp_path / "run/identity.json").read_text()
    with pytest.raises(IdentityMismatch) as refusal:
        RunFolder(tmp_path / "run", make_identity({"seed": 1, "model": {"name": "m2", "dtype": "fp32"}}))
    assert "seed: stored '0', wanted '1'" in str(refusal.value)
    assert "model.name: stored 'm1', wanted 'm2'" in str(refusal.value)
    assert "dtype" not in str(refusal.value)
    assert (tmp_path / "run/identity.json").read_text() == before


def test_identity_tells_types_of_values_apart_and_ignores_order() -> None:
    assert run_id(make_identity({"a": 1, "b": 2})) == run_id(make_identity({"b": 2, "a": 1}))
    assert run_id(make_identity({"a": None})) != run_id(make_identity({"a": ""}))
    assert run_id(make_identity({"a": {}})) != run_id(make_identity({}))


def test_exported_rows_are_equal_for_equal_rows_and_hold_no_text(tmp_path: Path) -> None:
    one, two = judgment("t1"), judgment("t2")
    data = export_rows([two, one])
    assert data == export_rows([one, two])
    (tmp_path / "rows.jsonl.zst").write_bytes(data)
    rows = list(read_rows(tmp_path / "rows.jsonl.zst"))
    assert [r.task_id for r in rows] == ["t1", "t2"]
    assert "SECRET" not in repr(rows)
    assert rows[0].verdict.ledger[0].decision is Decision.SATISFIED


def test_a_broken_row_names_file_and_row(tmp_path: Path) -> None:
    import zstandard

    path = tmp_path / "rows.jsonl.zst"
    good = zstandard.ZstdDecompressor().decompressobj().decompress(export_rows([judgment("t1")])).decode()
    path.write_bytes(zstandard.ZstdCompressor().compress((good + '{"task_id": 1}\n').encode()))
    with pytest.raises(BadData, match="row 2"):
        list(read_rows(path))
    with pytest.raises(MissingRequirement):
        list(read_rows(tmp_path / "absent.zst"))


def test_a_file_that_is_cut_off_or_damaged_is_not_read_as_a_shorter_one(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl.zst"
    whole = export_rows([judgment(f"t{i}") for i in range(200)])
    for damaged in (whole[:-20], whole[: len(whole) // 2], b"", b"x" + whole):
        path.write_bytes(damaged)
        with pytest.raises(BadData, match=r"rows\.jsonl\.zst, row \d+"):
            list(read_rows(path))
    path.write_bytes(whole)
    assert len(list(read_rows(path))) == 200


def test_the_manifest_is_written_last(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = RunFolder(tmp_path / "run", make_identity({"seed": 0}))
    with pytest.raises(ValueError, match="not JSON compliant"):
        folder.finish([judgment("t")], [], {"accuracy": float("nan")}, {})
    assert not folder.finished
    folder.finish([judgment("t")], [{"item": "t", "strict": None}], {"accuracy": None}, {"run_id": "x"})
    assert folder.finished
    assert json.loads((folder.path / "metrics.json").read_text()) == {"accuracy": None}
    assert list(read_items(folder.path / "items.jsonl.zst")) == [{"item": "t", "strict": None}]


def test_a_failed_write_leaves_the_old_file_and_no_litter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "metrics.json"
    write_json(path, {"a": 1})

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(StorageError, match=r"metrics\.json.*No space left"):
        write_text(path, "half")
    assert json.loads(path.read_text()) == {"a": 1}
    assert [p.name for p in tmp_path.iterdir()] == ["metrics.json"]
