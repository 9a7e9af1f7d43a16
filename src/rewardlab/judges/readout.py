"""From a ledger of evidence to a verdict: r = A(tau), in code (Skill-RM, arXiv 2606.03980, section 3).

A readout is a pure function that gives every candidate one score in [0, 1] from the ledger and the model's own final
answer. Rating, preference, best-of-n choice and ranking are readings of these scores. Unsupported evidence never
counts, and evidence about no particular candidate moves no comparison.

The share of met criteria is estimated by Laplace's rule of succession, (S + 1) / (S + V + 2) over the weights of
satisfied and violated entries, so that one met criterion of one ranks below nine of nine, and no evidence reads 1/2.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial

from rewardlab.errors import UnknownName
from rewardlab.task import Form, Task
from rewardlab.verdict import Decision, Evidence, Hardness, Status, Verdict

# How much the model's own impression counts beside the share of met criteria: enough to break a level, no more.
_IMPRESSION = 1e-3

Readout = Callable[[Sequence[Evidence], Sequence[str], Mapping[str, float]], dict[str, float]]


def _weight(entries: Sequence[Evidence], decision: Decision) -> float:
    return sum(entry.weight for entry in entries if entry.decision is decision)


def _share(entries: Sequence[Evidence]) -> float:
    met, broken = _weight(entries, Decision.SATISFIED), _weight(entries, Decision.VIOLATED)
    return (met + 1) / (met + broken + 2)


def _about(ledger: Sequence[Evidence], candidate: str) -> list[Evidence]:
    return [entry for entry in ledger if entry.supported and entry.candidate == candidate]


def weighted(ledger: Sequence[Evidence], candidates: Sequence[str], own: Mapping[str, float]) -> dict[str, float]:
    """Share of met criteria by weight, hard and soft alike; the model's own answer breaks levels.

    Args:
        ledger: The evidence.
        candidates: Candidate ids.
        own: The model's own final answer as a score in [0, 1] by candidate; empty when it gave none.

    Returns:
        A score in [0, 1] for every candidate.
    """
    return {
        c: (_share(_about(ledger, c)) + _IMPRESSION * own.get(c, 0.0)) / (1 + _IMPRESSION * bool(own))
        for c in candidates
    }


def lexicographic(ledger: Sequence[Evidence], candidates: Sequence[str], own: Mapping[str, float]) -> dict[str, float]:
    """Hard vetoes first, then the weighted share, then the model's own answer.

    Candidates fall into three tiers: a hard criterion violated, no hard evidence, every hard criterion met. A lower
    tier never outranks a higher one; within a tier `weighted` decides.

    Args:
        ledger: The evidence.
        candidates: Candidate ids.
        own: The model's own final answer, as in `weighted`.

    Returns:
        A score in [0, 1] for every candidate: (tier + weighted) / 3.

    >>> hard = Evidence("result", "x", "7 is not 8", Decision.VIOLATED, Hardness.HARD)
    >>> scores = lexicographic([hard], ["x", "y"], {"x": 1.0, "y": 0.0})
    >>> scores["y"] > scores["x"]
    True
    """

    def tier(candidate: str) -> int:
        hard = [entry for entry in _about(ledger, candidate) if entry.hardness is Hardness.HARD]
        if any(entry.decision is Decision.VIOLATED for entry in hard):
            return 0
        return 2 if any(entry.decision is Decision.SATISFIED for entry in hard) else 1

    inner = weighted(ledger, candidates, own)
    return {c: (tier(c) + inner[c]) / 3 for c in candidates}


def model_final(ledger: Sequence[Evidence], candidates: Sequence[str], own: Mapping[str, float]) -> dict[str, float]:
    """The model's own final answer, whatever the ledger says: what the released code of the paper does.

    Args:
        ledger: Ignored.
        candidates: Candidate ids.
        own: The model's own final answer, as in `weighted`.

    Returns:
        `own`; empty when the model gave no answer.
    """
    return {c: own[c] for c in candidates if c in own}


READOUTS: Mapping[str, Readout] = {
    "lexicographic": lexicographic,
    "weighted": weighted,
    "model_final": model_final,
}


def readout(name: str) -> Readout:
    """The readout of that name. Raises UnknownName."""
    if name not in READOUTS:
        raise UnknownName("readout", name, READOUTS)
    return READOUTS[name]


def read_out(task: Task, ledger: Sequence[Evidence], own: Mapping[str, float], name: str) -> Verdict:
    """The verdict that a readout finds in a ledger and the model's own answer, without its trace and cost.

    Args:
        task: What was judged.
        ledger: The evidence.
        own: The model's own final answer, as in `weighted`.
        name: Name of the readout.

    Returns:
        As `as_verdict`; UNPARSEABLE where the readout has nothing to go by.

    Raises:
        UnknownName: When there is no such readout.
    """
    counted = any(entry.supported and entry.candidate for entry in ledger)
    scores = readout(name)(ledger, [c.id for c in task.candidates], own) if own or counted else {}
    if not scores:
        nothing = "no final answer" + ("" if counted else " and no evidence")
        return Verdict(Status.UNPARSEABLE, ledger=tuple(ledger), readout=name, note=nothing)
    return as_verdict(task, scores, ledger, name)


def as_verdict(task: Task, scores: Mapping[str, float], ledger: Sequence[Evidence], name: str) -> Verdict:
    """The verdict that scores stand for, without its trace and cost.

    Args:
        task: What was judged.
        scores: A score in [0, 1] for every candidate.
        ledger: The evidence behind them.
        name: Name of the readout.

    Returns:
        RATE: the score on the contract's scale. PAIR and PICK: the best candidate; where the best are level, a tie if
        the contract allows one, and else no verdict.
    """
    verdict = partial(Verdict, ledger=tuple(ledger), readout=name)
    if task.form is Form.RATE:
        low, high = task.contract.scale
        return verdict(Status.OK, scores={c: low + (high - low) * score for c, score in scores.items()})
    best = [c.id for c in task.candidates if scores[c.id] == max(scores.values())]
    if len(best) == 1:
        return verdict(Status.OK, choice=best[0], scores=scores)
    if task.contract.ties_allowed:
        return verdict(Status.OK, tie=True, scores=scores)
    return verdict(Status.UNPARSEABLE, note="the best candidates are level")
