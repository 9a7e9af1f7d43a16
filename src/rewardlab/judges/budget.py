"""What a judgment of another run cost, as the budget of a judge that is matched to it."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from rewardlab.errors import BadData
from rewardlab.store.folder import finished_manifest


class Budget(NamedTuple):
    """Mean prompt and completion tokens of a judgment (cached ones and failed calls included), and whose they are."""

    run_id: str
    tokens: float


def spent(folder: Path) -> Budget:
    """What a finished run spent on a judgment.

    Raises:
        MissingRequirement: When the folder holds no finished run.
        BadData: When its manifest does not say what was spent, or nothing was.
    """
    manifest = finished_manifest(folder, "set judge.budget_run to the folder of a finished run")
    file = str(folder / "manifest.json")
    try:
        usage = manifest["usage"]
        tokens = (usage["prompt_tokens"] + usage["completion_tokens"]) / manifest["judgments"]
        run_id = str(manifest["run_id"])
    except (KeyError, TypeError, ZeroDivisionError) as error:
        raise BadData(file, 0, "usage", f"does not say what a judgment cost: {error!r}") from error
    if tokens <= 0:
        raise BadData(file, 0, "usage", "this run asked no model, so there is no budget to match")
    return Budget(run_id, tokens)
