"""How methods stand, from rows that are known: what leaks, what holds, and what nobody can tell."""

from pathlib import Path
from typing import Any

import attack_examples
import dashboard_examples as examples
import pytest

import engine
from engine.errors import ResultsError
from engine.results import Results, Score, Trial, judge, pooled
from engine.results.standing import RELEASED_RESULTS, Standing, standings

Run = tuple[str, dict[str, tuple[float, float]], int]


def whole(method: str, mask: str, metric: str, value: float) -> Score:
    return Score("all", "all", method, mask, "revealed:control", metric, value)


def trained(path: Path, *runs: Run, faces: int = 400, match: float | None = 0.0) -> Path:
    """Runs of a keyless attack: variant, gain and margin by method, steps."""
    results = Results(path)
    for variant, gains, steps in runs:
        run = examples.start(
            results, "attack", ",".join(gains), attack="keyless", variant=variant, budget="some"
        )
        with results.running(run):
            for method, (gain, margin) in gains.items():
                for mask, less in (("gaussian", 0.0), ("sticker", 1.0)):
                    figures = {"gain_psnr_db": gain - less, "gain_psnr_db_margin": margin}
                    if match is not None:
                        figures |= {"gain_identity_match": match, "gain_identity_match_margin": 0.0}
                    scores = [whole(method, mask, *one) for one in figures.items()]
                    seen = [
                        Score(f"{i}.png", "lfw", method, mask, "original:control", "psnr_db", 20.0)
                        for i in range(faces)
                    ]
                    steps_taken = whole(method, mask, "steps", steps)
                    results.add_scores(run, [*scores, *seen, steps_taken])
    results.close()
    return path


def test_the_released_rows_stand_for_the_methods() -> None:
    found = standings()
    assert set(engine.usable_methods()) <= set(found)
    assert found == standings(RELEASED_RESULTS)
    assert all(isinstance(one, Standing) and one.protected_db for one in found.values())


def test_a_sure_gain_leaks_and_proves_the_one_that_gains_nothing(tmp_path: Path) -> None:
    path = trained(
        tmp_path / "a.db", ("", {"proface-s-rand": (6.0, 0.5), "sealed": (0.1, 0.1)}, 5000)
    )
    found = standings(path)
    leaks, holds = found["proface-s-rand"].attacked, found["sealed"].attacked
    assert leaks and holds
    assert (leaks.sense, leaks.gain_db, leaks.mask, leaks.steps) == ("leaks", 6.0, "gaussian", 5000)
    assert (holds.sense, holds.margin_db) == ("holds", 0.1)
    assert found["sealed"].protected_db is None


@pytest.mark.parametrize(
    "runs",
    [
        [("", {"sealed": (0.1, 0.1)}, 400)],
        [("", {"sealed": (0.25, 0.1), "proface-s-rand": (6.0, 0.5)}, 400)],
        [("", {"sealed": (0.1, 0.1)}, 400), ("", {"proface-s-rand": (6.0, 0.5)}, 5000)],
        [("same-key", {"proface-s-rand": (6.0, 0.5)}, 100), ("", {"sealed": (0.1, 0.1)}, 400)],
    ],
    ids=["nobody was broken", "not sure", "broken by a longer one only", "broken with one key"],
)
def test_what_is_not_settled_stays_open(
    tmp_path: Path, runs: list[tuple[str, dict[str, tuple[float, float]], int]]
) -> None:
    attacked = standings(trained(tmp_path / "a.db", *runs))["sealed"].attacked
    assert attacked
    assert attacked.sense == "open"


@pytest.mark.parametrize(
    "less",
    [{"faces": 29}, {"faces": 200}, {"match": 0.012}, {"match": None}],
    ids=["few", "too few for a point", "known", "not measured"],
)
def test_nothing_holds_by_few_faces_or_without_identity(
    tmp_path: Path, less: dict[str, Any]
) -> None:
    gains = {"proface-s-rand": (6.0, 0.5), "sealed": (0.1, 0.1)}
    attacked = standings(trained(tmp_path / "a.db", ("", gains, 5000), **less))["sealed"].attacked
    assert attacked
    assert attacked.sense == "open"


def test_several_means_are_one_over_all_faces() -> None:
    assert pooled([(0.02, 0.03, 100)]) == pytest.approx((0.02, 0.03))
    assert pooled([(0.02, 0.03, 100), (-0.01, 0.04, 300)]) == pytest.approx(
        (-0.0025, (0.03 * 100 + 0.04 * 300) / 400)
    )
    # Where no face differs, three in their number.
    assert pooled([(0.0, 0.0, 300)]) == pytest.approx((0.0, 0.01))


def test_the_longest_training_counts_but_a_leak_is_never_forgotten(tmp_path: Path) -> None:
    longer = trained(
        tmp_path / "a.db",
        ("", {"sealed": (0.2, 0.2)}, 400),
        ("", {"sealed": (0.0, 0.1)}, 4000),
    )
    attacked = standings(longer)["sealed"].attacked
    assert attacked
    assert (attacked.gain_db, attacked.steps) == (0.0, 4000)
    leaked = trained(
        tmp_path / "b.db",
        ("", {"sealed": (2.0, 0.2)}, 400),
        ("", {"sealed": (0.0, 0.1)}, 4000),
    )
    attacked = standings(leaked)["sealed"].attacked
    assert attacked
    assert (attacked.sense, attacked.gain_db, attacked.steps) == ("leaks", 2.0, 400)


def trial(method: str, gain: float, margin: float, **rest: Any) -> Trial:
    settings = {"run_id": 1, "mask": "gaussian", "match": (0.0, 0.005), "faces": 400, "steps": 500}
    return Trial(method=method, gain=gain, margin=margin, **(settings | rest))


BROKEN = trial("imn", 7.0, 0.1)
HELD = trial("sealed", 0.0, 0.02)


@pytest.mark.parametrize(
    "other",
    [
        trial("sealed", 0.28, 0.45, run_id=2, steps=5000),
        trial("sealed", 0.28, 0.45, run_id=2, steps=50, variant="large"),
        trial("sealed", 0.0, 0.02, run_id=2, steps=50, variant="large", match=(0.0, 0.05)),
        trial("sealed", 0.0, 0.02, run_id=2, steps=50, variant="large", match=None),
        trial("sealed", 0.0, 0.02, run_id=2, faces=29, steps=5000),
    ],
    ids=["longer", "of a larger net", "identity not sure", "identity not known", "few faces"],
)
def test_no_attack_that_left_it_open_is_forgotten_for_a_surer_one(other: Trial) -> None:
    found = judge("sealed", [BROKEN, HELD, other])
    assert found
    assert found.sense == "open"
    alone = judge("sealed", [BROKEN, HELD])
    assert alone
    assert alone.sense == "holds"


def test_an_attack_is_proven_by_its_own_variant() -> None:
    for variant, sense in (("", "open"), ("large", "holds")):
        held = trial("sealed", 0.0, 0.02, run_id=2, variant="large")
        broken = trial("imn", 7.0, 0.1, run_id=3, variant=variant, steps=400)
        found = judge("sealed", [held, broken])
        assert found
        assert (found.sense, found.proven) == (sense, sense == "holds")
    # In the same run both were attacked alike.
    together = judge("sealed", [trial("sealed", 0.0, 0.02), trial("imn", 7.0, 0.1, steps=9999)])
    assert together
    assert together.sense == "holds"


def test_a_later_run_of_as_many_steps_stands_for_an_earlier_one() -> None:
    few = trial("sealed", 0.0, 0.02, match=(0.0, 0.02), faces=100)
    more = trial("sealed", 0.0, 0.01, match=(0.0, 0.005), run_id=2)
    found = judge("sealed", [BROKEN, more, few])
    assert found
    assert (found.sense, found.match.margin, found.match.faces) == ("holds", 0.005, 400)


def test_only_finished_runs_with_a_key_for_each_face_count(tmp_path: Path) -> None:
    found = standings(attack_examples.attacked(tmp_path / "a.db"))
    attacked = found["sealed"].attacked
    assert attacked
    assert attacked.gain_db == pytest.approx(0.06)  # 9 with one key, 33 in a run that is not done
    assert attacked.steps is None


def test_an_empty_database_says_nothing_and_none_is_an_error(tmp_path: Path) -> None:
    Results(tmp_path / "a.db").close()
    assert standings(tmp_path / "a.db") == {}
    with pytest.raises(ResultsError):
        standings(tmp_path / "none.db")
