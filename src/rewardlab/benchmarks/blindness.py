"""How well a benchmark can be answered without reading it for content.

Every rule here sees the candidates' texts and nothing else: length, place in the canonical order, likeness to the other
candidates, and a bag-of-words classifier. On a balanced benchmark all of them sit near chance. Public benchmarks mostly
are not balanced, and the same report says by how much; a judge's accuracy means little below it.

The classifier is a conditional logistic regression on unigrams and bigrams: a text's score is linear in which of them
occur, and a choice is the softmax over the scores of its candidates. It trains on another benchmark object (a train
split) or, where there is none, on the other folds of the same one; examples are never split between folds.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from scipy import sparse
from scipy.optimize import minimize

from rewardlab.benchmarks.protocol import Benchmark
from rewardlab.stats.estimates import FloatArray, Interval
from rewardlab.stats.intervals import share_interval
from rewardlab.task import Form, Setting

_FOLDS = 5
_PENALTY = 1.0  # of the squared weights, against the summed log-likelihood
_TOKEN = re.compile(r"\w+|[^\w\s]")


class Choice(NamedTuple):
    """Candidates of which some are right. For tasks that show one candidate, those of one example make a choice.

    Attributes:
        cluster: The example.
        group: For the table.
        texts: The candidates in canonical order.
        right: Which of them are right.
    """

    cluster: str
    group: str
    texts: tuple[str, ...]
    right: tuple[bool, ...]


class Blind(NamedTuple):
    """The accuracy of one rule.

    Attributes:
        rule: Its name.
        group: The group, "all" for everything.
        chance: Accuracy of a random choice.
        accuracy: Mean credit with its 95 % interval, by clusters; candidates that tie share the credit.
    """

    rule: str
    group: str
    chance: float
    accuracy: Interval


def content_blind(
    benchmark: Benchmark,
    rng: np.random.Generator,
    train: Benchmark | None = None,
    groups: Mapping[str, str] | None = None,
) -> list[Blind]:
    """Accuracy of every content-blind rule, over all tasks and by group.

    Args:
        benchmark: The benchmark to report on.
        rng: For folds and bootstrap draws.
        train: Where the bag-of-words classifier learns; None for cross-validation within `benchmark`.
        groups: Task id to group; the stratum of its place where None.

    Returns:
        One row for each rule and group, "all" first.
    """
    asked = choices(benchmark, groups)
    rules = _RULES | (_LIKENESS if any(len(choice.texts) > 2 for choice in asked) else {})
    scored = {name: [rule(choice) for choice in asked] for name, rule in rules.items()}
    scored["bag_of_words"] = _crossed(asked, rng) if train is None else _learnt(choices(train), asked)
    names = ["all", *sorted({choice.group for choice in asked})]
    return [_row(rule, name, asked, scores, rng) for rule, scores in scored.items() for name in names]


def choices(benchmark: Benchmark, groups: Mapping[str, str] | None = None) -> list[Choice]:
    """The benchmark's choices; those in which every candidate or none is right are left out."""
    gold, places = benchmark.gold(), benchmark.places()
    shown: dict[str, tuple[str, str, list[str], list[bool]]] = {}
    for task in benchmark.tasks(Setting.STANDARD):
        place = places[task.id]
        key = place.example if task.form is Form.RATE else task.id
        _, _, texts, right = shown.setdefault(
            key, (place.example, groups[task.id] if groups else place.stratum, [], [])
        )
        texts += [candidate.text for candidate in task.candidates]
        right += [candidate.id in gold[task.id] for candidate in task.candidates]
    found = [Choice(cluster, group, tuple(texts), tuple(right)) for cluster, group, texts, right in shown.values()]
    return [choice for choice in found if 0 < sum(choice.right) < len(choice.right)]


def _longest(choice: Choice) -> FloatArray:
    return np.array([len(text) for text in choice.texts], dtype=float)


def _first(choice: Choice) -> FloatArray:
    return -np.arange(len(choice.texts), dtype=float)


def _central(choice: Choice) -> FloatArray:
    """Mean Jaccard likeness of a candidate's tokens to those of the others."""
    bags = [set(_TOKEN.findall(text.lower())) for text in choice.texts]
    return np.array([sum(len(a & b) / max(len(a | b), 1) for b in bags) for a in bags])


_Rule = Callable[[Choice], FloatArray]

_RULES: dict[str, _Rule] = {
    "longest": _longest,
    "shortest": lambda choice: -_longest(choice),
    "first": _first,
}
_LIKENESS: dict[str, _Rule] = {  # of two candidates, each is as like the other
    "most_like_the_others": _central,
    "least_like_the_others": lambda choice: -_central(choice),
}


def _credit(choice: Choice, scores: FloatArray) -> float:
    best = np.isclose(scores, scores.max(), rtol=0, atol=1e-12)
    return float(np.mean(np.array(choice.right)[best]))


def _row(
    rule: str, group: str, asked: Sequence[Choice], scores: Sequence[FloatArray], rng: np.random.Generator
) -> Blind:
    kept = [(choice, s) for choice, s in zip(asked, scores, strict=True) if group in ("all", choice.group)]
    credit = [_credit(choice, s) for choice, s in kept]
    chance = float(np.mean([np.mean(choice.right) for choice, _ in kept]))
    return Blind(rule, group, chance, share_interval(credit, rng, clusters=[choice.cluster for choice, _ in kept]))


def _words(text: str) -> set[str]:
    tokens = _TOKEN.findall(text.lower())
    return {*tokens, *(f"{a} {b}" for a, b in pairwise(tokens))}


class _BagOfWords:
    """The classifier; words of fewer than three training texts are left out."""

    def __init__(self, train: Sequence[Choice]) -> None:
        counts = Counter(word for choice in train for text in choice.texts for word in _words(text))
        self._column = {word: i for i, word in enumerate(sorted(w for w, n in counts.items() if n > 2))}
        features = self._features(text for choice in train for text in choice.texts)
        sizes = np.array([len(choice.texts) for choice in train])
        starts = np.concatenate([[0], np.cumsum(sizes)[:-1]])
        of_choice = np.repeat(np.arange(len(train)), sizes)
        right = np.concatenate([np.array(choice.right, dtype=float) / sum(choice.right) for choice in train])

        def loss(weights: FloatArray) -> tuple[float, FloatArray]:
            scores = features @ weights
            scores = scores - np.maximum.reduceat(scores, starts)[of_choice]
            mass = np.exp(scores)
            total = np.add.reduceat(mass, starts)
            value = float(np.log(total).sum() - right @ scores + _PENALTY / 2 * weights @ weights)
            return value, features.T @ (mass / total[of_choice] - right) + _PENALTY * weights

        self._weights: FloatArray = minimize(loss, np.zeros(len(self._column)), jac=True, method="L-BFGS-B").x

    def __call__(self, choice: Choice) -> FloatArray:
        scores: FloatArray = self._features(choice.texts) @ self._weights
        return scores

    def _features(self, texts: Iterable[str]) -> sparse.csr_matrix:
        rows = [[self._column[word] for word in _words(text) if word in self._column] for text in texts]
        ends = np.cumsum([0, *(len(row) for row in rows)])
        columns = np.array([column for row in rows for column in row], dtype=np.intp)
        return sparse.csr_matrix((np.ones(len(columns)), columns, ends), shape=(len(rows), len(self._column)))


def _learnt(train: Sequence[Choice], asked: Sequence[Choice]) -> list[FloatArray]:
    classifier = _BagOfWords(train)
    return [classifier(choice) for choice in asked]


def _crossed(asked: Sequence[Choice], rng: np.random.Generator) -> list[FloatArray]:
    clusters = sorted({choice.cluster for choice in asked})
    fold = dict(zip(clusters, rng.permutation(len(clusters)) % _FOLDS, strict=True))
    scores: dict[int, FloatArray] = {}
    for left_out in range(_FOLDS):
        rest = [choice for choice in asked if fold[choice.cluster] != left_out]
        here = [i for i, choice in enumerate(asked) if fold[choice.cluster] == left_out]
        scores |= dict(zip(here, _learnt(rest, [asked[i] for i in here]), strict=True))
    return [scores[i] for i in range(len(asked))]
