"""The script that writes the README's tables: what a row of the attacks says of its networks."""

from pathlib import Path
from types import ModuleType

import attack_examples
import dashboard_examples as examples
import pytest
from load_script import load_script

from engine.results import Reader, Results

REST = "on 8 squares of 112 px a step"


@pytest.fixture(scope="module")
def figures() -> ModuleType:
    return load_script("figures")


def test_each_row_of_the_attacks_names_the_networks_and_their_steps(
    figures: ModuleType, tmp_path: Path
) -> None:
    path = tmp_path / "a.db"
    results = Results(path)
    for variant, width, steps, methods in (
        ("large", 96, 1500, ("sealed",)),
        ("stacked", 48, 500, ("sealed", "proface-s-rand")),
        ("", 24, None, ("imn",)),
        ("large", 96, 1500, ("sealed",)),
    ):
        head = f"{steps} steps for each network" if steps else "5 minutes of training"
        budget = f"{head}: a U-Net of width {width} for each method and one for the control, {REST}"
        run = examples.start(results, "attack", ",".join(methods), attack="keyless",
                             variant=variant, budget=budget)  # fmt: skip
        with results.running(run):
            for method in methods:
                results.add_scores(run, list(attack_examples._keyless({method: 1.0})))
                if steps:
                    for mask in attack_examples.MASKS:
                        row = (method, mask, "revealed:control", "steps", steps)
                        results.add_scores(run, [attack_examples.whole(*row)])
    results.close()
    with Reader(path) as reader:
        lines = figures.attacked(reader).splitlines()
    column = [cell.strip() for cell in lines[0].split("|")].index("its networks")
    told = {row[1].strip(" `"): row[column].strip() for row in (s.split("|") for s in lines[2:5])}
    assert told == {
        "sealed": "width 96, 1,500 steps; width 48, 500 steps",
        "proface-s-rand": "width 48, 500 steps",
        "imn": "width 24, 5 minutes of training",
    }
    assert f"learned, {REST}. A method holds if" in lines[-1]
