from __future__ import annotations

import asyncio

import pytest

from rewardlab.sandbox.bubblewrap import Bubblewrap
from rewardlab.verdict import Decision
from rewardlab.verifiers.functions import check_function

BUBBLEWRAP = Bubblewrap()
pytestmark = pytest.mark.skipif(bool(BUBBLEWRAP.available()), reason="bubblewrap is not installed")

S, V, U = Decision.SATISFIED, Decision.VIOLATED, Decision.UNSURE


@pytest.mark.parametrize(
    ("source", "decision"),
    [
        pytest.param("def check_following(instruction, response):\n    return 'yes' in response", S, id="accepts"),
        pytest.param("def check_following(instruction, response):\n    return 'no' in response", V, id="rejects"),
        pytest.param("def check_following(response):\n    return response == 'yes, sir'", S, id="response only"),
        pytest.param(
            "def check_following(instruction, response='x'):\n    return response == 'yes, sir'", S, id="default"
        ),
        pytest.param(
            "def count(text):\n    return 0\n\ndef check_following(instruction, response):\n    return True",
            S,
            id="a helper above it",
        ),
        pytest.param("def check(instruction, response):\n    return False", U, id="another name"),
        pytest.param("def check_following(instruction, response):\n    return response + 1", U, id="type error inside"),
        pytest.param("def check_following(instruction, response):\n    return None", U, id="no truth value"),
        pytest.param("def check_following(instruction, response):\n    while True: pass", U, id="does not finish"),
        pytest.param("def check_following(:", U, id="no python"),
        pytest.param(
            "def check_following(instruction, response):\n    return open('/etc/passwd').read() != ''",
            U,
            id="host file",
        ),
    ],
)
def test_a_function_decides_or_settles_nothing(source: str, decision: Decision) -> None:
    found = asyncio.run(check_function(source, "Say yes.", "yes, sir", BUBBLEWRAP, seconds=1.0))
    assert found.decision is decision, found.observation
