"""Every judge, with a scripted model behind it that uses everything it is offered."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Literal

from rewardlab.evaluation.audit.walker import SNIPPETS, walk
from rewardlab.judges.content_blind import RULES, ContentBlind
from rewardlab.judges.direct import Direct
from rewardlab.judges.ensemble import Panel, SelfConsistency
from rewardlab.judges.flat import Flat
from rewardlab.judges.protocol import Judge
from rewardlab.judges.rubric import Rubric
from rewardlab.judges.skill import Skill
from rewardlab.judges.tools import Limits
from rewardlab.judges.verifier_only import NEEDS, VerifierOnly
from rewardlab.judges.verify import Verifiers
from rewardlab.judges.wrong_reference import WrongReference
from rewardlab.models.protocol import Sampling
from rewardlab.models.scripted import ScriptedGenerator
from rewardlab.sandbox.bubblewrap import Bubblewrap
from rewardlab.sandbox.monty import Monty
from rewardlab.skills.package import load_package
from rewardlab.task import Setting

JudgeMaker = Callable[[ScriptedGenerator, Path], Judge]

WIDE = Limits(turns=80, lists=1, views=50, runs=50, sandbox_calls=len(SNIPPETS), records=1, text_chars=10**6)


def scripted() -> ScriptedGenerator:
    return ScriptedGenerator(walk)


SANDBOX = Monty()  # shared: its worker processes take longer to start than a judgment takes
VERIFIERS = Verifiers(Bubblewrap())


def _skill(setting: Setting, trigger: Literal["model", "always"] = "model", package: bool = True) -> JudgeMaker:
    def make(generator: ScriptedGenerator, root: Path) -> Judge:
        skill = load_package(root / "skills" / "reward-evaluation") if package else None
        return Skill(generator, skill, setting, SANDBOX, VERIFIERS, trigger=trigger, limits=WIDE)

    return make


def _by_labels(generator: ScriptedGenerator, root: Path) -> Judge:
    scoring = ScriptedGenerator(walk, scores=lambda messages, labels: [-float(i) for i in range(len(labels))])
    scoring.requests = generator.requests  # where a test looks for them
    return Direct(scoring, read="labels")


def _panel(generator: ScriptedGenerator, root: Path) -> Judge:
    return Panel([Direct(generator, read="text"), _skill(Setting.RESOURCE)(generator, root)])


def _misled(generator: ScriptedGenerator, root: Path) -> Judge:
    return WrongReference(generator, lambda generator: _skill(Setting.RESOURCE, "always")(generator, root))


def _blind(rule: str) -> JudgeMaker:
    return lambda generator, root: ContentBlind(rule, seed=0)


def _flat(setting: Setting) -> JudgeMaker:
    return lambda generator, root: Flat(generator, load_package(root / "skills" / "reward-evaluation"), setting)


def _rubric(together: bool) -> JudgeMaker:
    return lambda generator, root: Rubric(generator, {"It is right": 2, "It is whole": 1}, together=together)


JUDGES: dict[str, JudgeMaker] = {
    "direct by text": lambda generator, root: Direct(generator, read="text"),
    "direct by labels": _by_labels,
    "direct reasoned": lambda generator, root: Direct(generator, reasoning=True, read="text"),
    "self_consistency": lambda generator, root: SelfConsistency(generator, 2, Sampling(temperature=0.7)),
    "skill standard": _skill(Setting.STANDARD),
    "skill resource": _skill(Setting.RESOURCE),
    "skill standard, loaded": _skill(Setting.STANDARD, "always"),
    "skill resource, loaded": _skill(Setting.RESOURCE, "always"),
    "skill resource, misled": _misled,
    "flat standard": _flat(Setting.STANDARD),
    "flat resource": _flat(Setting.RESOURCE),
    "rubric": _rubric(together=False),
    "rubric, together": _rubric(together=True),
    "tool_only": _skill(Setting.STANDARD, package=False),
    "verifier_only": lambda generator, root: VerifierOnly(VERIFIERS, tuple(NEEDS)),
    "panel": _panel,
    **{f"blind {rule}": _blind(rule) for rule in RULES},
}
