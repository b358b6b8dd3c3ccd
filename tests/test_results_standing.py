"""How methods stand, from rows that are known: what leaks, what holds, and what nobody can tell."""

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import attack_examples
import dashboard_examples as examples
import pytest

import engine
from engine.errors import ResultsError
from engine.results import Reader, Results, Score, Trial, judge, matches, matching, pooled
from engine.results.judging import counts
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
        before = judge("sealed", [held], [broken])
        assert before
        assert before.sense == sense, "weights that are superseded were broken by an attacker too"
    # In the same run both were attacked alike.
    together = judge("sealed", [trial("sealed", 0.0, 0.02), trial("imn", 7.0, 0.1, steps=9999)])
    assert together
    assert together.sense == "holds"


def test_a_mask_is_proven_by_a_leak_under_that_mask() -> None:
    held = [trial("sealed", 0.0, 0.02, mask=mask) for mask in ("gaussian", "sticker")]
    for masks, proven in (("gaussian",), False), (("gaussian", "sticker"), True):
        broken = [trial("imn", 7.0, 0.1, mask=mask) for mask in masks]
        found = judge("sealed", [*held, *broken])
        assert found
        assert (found.proven, found.sense) == (proven, "holds" if proven else "open")


def test_all_masks_together_are_judged_by_faces_where_that_is_known() -> None:
    masks = ("gaussian", "sticker")
    broken = [trial("imn", 7.0, 0.1, mask=mask) for mask in masks]
    for together, sense in ((None, "open"), ((0.0, 0.008), "holds"), ((0.02, 0.008), "leaks")):
        held = [
            trial("sealed", 0.0, 0.02, mask=mask, match=(0.0, 0.02), together=together)
            for mask in masks
        ]
        found = judge("sealed", [*broken, *held])
        assert found
        assert found.sense == sense
        assert (found.match.gain, found.match.margin) == (together or (0.0, 0.02))


@pytest.mark.parametrize(("gain", "margin", "faces", "sense"), [
    (0.05, 0.03, 400, "leaks"), (0.05, 0.045, 400, "holds"), (1.0, 0.0, 400, "leaks"),
    (0.02, 0.0, 200, "holds"),
])  # fmt: skip
def test_one_mask_alone_can_leak_who_somebody_is(
    gain: float, margin: float, faces: int, sense: str
) -> None:
    broken = [trial("imn", 7.0, 0.1, mask=mask) for mask in ("gaussian", "sticker")]
    held = trial("sealed", 0.0, 0.02, mask="gaussian", together=(0.0, 0.005))
    other = replace(held, mask="sticker", match=(gain, margin), faces=faces, together=(0.0, 0.02))
    found = judge("sealed", [*broken, held, other])
    assert found
    assert found.sense == sense


def test_masks_under_which_nobody_is_known_do_not_thin_a_leak() -> None:
    # Nobody is known under the sticker: three faces in a hundred more under the blur.
    blur = {f"{i}.png": (float(i < 103), float(i < 100)) for i in range(1000)}
    sticker = {f"{i}.png": (float(i < 19), 0.0) for i in range(1000)}
    alone = matching.together({"gaussian": blur})
    assert alone
    assert alone[0] == pytest.approx(0.003)
    assert matching.together({"gaussian": blur, "sticker": sticker}) == alone
    # One face more, and it counts.
    known = {**sticker, "19.png": (1.0, 0.0)}
    both = matching.together({"gaussian": blur, "sticker": known})
    assert both
    assert both[0] == pytest.approx((0.003 + 0.02) / 2)
    # The control's knowledge counts as well as the attacker's; where none counts, all do.
    lost = {face: (b, a) for face, (a, b) in known.items()}
    assert matching.together({"gaussian": blur, "sticker": lost}) != alone
    only = matching.together({"sticker": sticker, "box": dict.fromkeys(sticker, (0.0, 0.0))})
    assert only
    assert only[0] == pytest.approx(0.0095)
    assert matching.together({}) is matching.together({"gaussian": {"0.png": (1.0, 0.0)}}) is None
    # What is not measured of a face is no gain.
    unsure = matching.together({"gaussian": {**blur, "x.png": (math.nan, 0.0)}})
    assert unsure == alone


def test_stored_runs_are_judged_by_their_faces_and_not_by_what_they_said(tmp_path: Path) -> None:
    gains = {"proface-s-rand": (6.0, 0.5), "sealed": (-0.1, 0.1)}
    path = trained(tmp_path / "a.db", ("", gains, 5000), match=0.004)
    results = Results(path)
    rows = [
        whole("sealed", mask, name, value)
        for mask in ("gaussian", "sticker")
        for name, value in (("gain_identity_match_together", 0.004),
                            ("gain_identity_match_together_margin", 0.002))
    ]  # fmt: skip
    results.add_scores(1, rows)
    said = standings(path)["sealed"].attacked
    assert said
    assert (said.sense, said.match, said.match_margin) == ("holds", 0.004, 0.002)
    # Under the blur eight faces in 400 more are known; under the sticker nobody is.
    faces = [
        Score(f"{i}.png", "lfw", "sealed", mask, f"original:{picture}", "identity_match",
              float(mask == "gaussian" and i < many))
        for mask in ("gaussian", "sticker")
        for picture, many in (("revealed", 108), ("control", 100))
        for i in range(400)
    ]  # fmt: skip
    results.add_scores(1, faces)
    results.close()
    found = standings(path)["sealed"].attacked
    assert found
    assert found.match == pytest.approx(0.02)
    assert found.match_margin == pytest.approx(0.01377, abs=1e-5)
    assert found.sense == "open"
    with Reader(path) as reader:
        assert matches(reader, [1]) == {(1, "sealed"): (found.match, found.match_margin)}
        assert matches(reader, []) == {}


def test_of_several_runs_too_masks_that_say_nothing_do_not_count() -> None:
    masks = {"gaussian": 0.3, "sticker": 0.0}
    broken = [trial("imn", 7.0, 0.1, mask=mask) for mask in masks]
    held = [
        trial("sealed", 0.0, 0.02, mask=mask, run_id=i, known=known,
              match=(0.0, 0.012 if known else 0.0))
        for i, (mask, known) in enumerate(masks.items(), 1)
    ]  # fmt: skip
    found = judge("sealed", [*broken, *held])
    assert found
    assert (found.sense, found.match.margin) == ("open", 0.012)
    thinned = judge("sealed", [*broken, *(replace(one, known=None) for one in held)])
    assert thinned
    assert thinned.sense == "holds"


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


def test_what_a_control_cannot_be_compared_with_is_judged_apart() -> None:
    assert all(counts(variant) for variant in ("", "stacked", "large+stacked"))
    assert not any(counts(variant) for variant in ("same-key", "residual", "large+residual"))


def test_an_empty_database_says_nothing_and_none_is_an_error(tmp_path: Path) -> None:
    Results(tmp_path / "a.db").close()
    assert standings(tmp_path / "a.db") == {}
    with pytest.raises(ResultsError):
        standings(tmp_path / "none.db")
