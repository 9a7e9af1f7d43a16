from __future__ import annotations

import xml.etree.ElementTree as ET
from pathlib import Path

from rewardlab.report.curves import learning_curves
from rewardlab.report.learned import read_learned
from rewardlab.report.tables.policy import arms
from tests.report.learned import policy

SVG = "{http://www.w3.org/2000/svg}"


def test_arms_are_told_apart_by_line_style_and_have_a_band(tmp_path: Path) -> None:
    runs = [policy(tmp_path, method, seed, 0.3 + 0.1 * seed) for method in ("rules", "skill") for seed in (0, 1, 2)]
    drawing = learning_curves("policy tiny", arms(read_learned(runs)), ("validation/dev/accuracy", "train/length"))
    assert drawing is not None
    texts = ["".join(node.itertext()) for node in ET.fromstring(drawing.svg).iter(f"{SVG}text")]
    assert {"rules", "skill", "validation, dev, accuracy"} <= set(texts)
    assert "train, length" not in texts  # no run logged it
    assert "stroke-dasharray" in drawing.svg and "FillBetweenPolyCollection" in drawing.svg
    assert drawing.pdf().startswith(b"%PDF")


def test_nothing_is_drawn_of_what_was_not_logged(tmp_path: Path) -> None:
    runs = read_learned([policy(tmp_path, "rules", 0, 0.3)])
    assert learning_curves("t", arms(runs), ("train/speed",)) is None
