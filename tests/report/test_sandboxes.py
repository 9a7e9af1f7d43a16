from __future__ import annotations

import math

from rewardlab.report.sandboxes import table
from rewardlab.sandbox.selfcheck import CheckResult, Examined


def test_every_attack_has_a_row_and_a_missing_sandbox_its_reason() -> None:
    results = (
        CheckResult("spin", True, "stopped: at /tmp/x", 1.01),
        CheckResult("host file", False, "the secret came out", 0.2),
    )
    missing = Examined("bubblewrap", "not installed; install it with: apt-get install bubblewrap", (), math.nan)
    text = table([Examined("monty", "", results, 0.0004), missing])
    assert "| spin      | stopped                     |    1.01 |" in text, text
    assert "BREACH: the secret came out" in text
    said = " ".join(text.split())
    assert "monty contains 1 of 2 attacks; a harmless call takes 0.40 ms in the median." in said
    assert "bubblewrap was not examined: not installed; install it with: apt-get install bubblewrap." in said
