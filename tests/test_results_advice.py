"""How much of a mask a network undoes, from rows that are known, and what is advised."""

import html
from pathlib import Path

import attack_examples
import dashboard_examples as examples
import pytest

import engine
from demo import advice
from engine.attacks import deblur
from engine.attacks.pairs import scaled_strength
from engine.errors import ResultsError
from engine.masks import mask_label
from engine.results import Reader, Results, Score, too_weak
from engine.results.advice import _METHOD, GATE_KNOWN, Restored, advise, restorations
from engine.results.judging import LEAST_FACES

Shares = dict[tuple[str, float], float]
BLUR: Shares = {("gaussian", 0.5): 0.95, ("gaussian", 1.0): 0.55, ("gaussian", 2.0): 0.05}


def deblurred(
    path: Path, shares: Shares, *, faces: int = 40, gain: float = 0.5, masked: float = 0.0,
    tries: int | None = None, steps: int | None = 500, finished: bool = True,
) -> Path:  # fmt: skip
    """A run of the de-blurrer: the share of faces that are known again, by mask and strength."""
    results = Results(path)
    run = examples.start(results, "attack", "sealed", attack="deblur", tries=tries)
    for (mask, times), share in shares.items():
        label = mask_label(mask, scaled_strength(mask, times), preset="paper")
        rows = [
            Score(f"{i}.png", ("lfw", "ffhq")[i % 2], "mask", label, pair, "identity_match",
                  float(i < value * faces))
            for pair, value in (("original:control", share), ("original:mask", masked))
            for i in range(faces)
        ]  # fmt: skip
        whole = {
            "gain_identity_match": gain, "gain_identity_match_margin": 0.1, "strength": times
        } | ({} if steps is None else {"steps": steps})  # fmt: skip
        rows += [
            Score("all", "all", "mask", label, "control:mask", name, value)
            for name, value in whole.items()
        ]
        results.add_scores(run, rows)
    if finished:
        with results.running(run):
            pass
    results.close()
    return path


def test_shares_are_given_by_mask_and_strength_over_all_sets(tmp_path: Path) -> None:
    found = restorations(deblurred(tmp_path / "a.db", BLUR | {("sticker", 1.0): 0.0}, masked=0.1))
    assert list(found) == ["gaussian", "sticker"]
    assert [(one.strength, one.restored) for one in found["gaussian"]] == [
        (0.5, 0.95), (1.0, 0.55), (2.0, 0.05),
    ]  # fmt: skip
    assert found["sticker"] == (Restored("sticker", 1.0, 0.0, 0.1, 40, 500),)
    assert found["sticker"][0].known == 0.1
    assert _METHOD == deblur.METHOD


def test_what_shows_nothing_does_not_count(tmp_path: Path) -> None:
    few = deblurred(tmp_path / "few.db", BLUR, faces=LEAST_FACES - 1)
    untaught = deblurred(tmp_path / "untaught.db", BLUR, gain=0.1)
    running = deblurred(tmp_path / "running.db", BLUR, finished=False)
    others = attack_examples.attacked(tmp_path / "others.db")  # no identity was measured
    for path in (few, untaught, running, others):
        assert restorations(path) == {}
    Results(tmp_path / "empty.db").close()
    assert restorations(tmp_path / "empty.db") == {}
    with pytest.raises(ResultsError):
        restorations(tmp_path / "none.db")


def test_of_several_runs_the_one_that_knows_most_counts(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    deblurred(path, {("gaussian", 1.0): 0.5, ("gaussian", 2.0): 0.3}, steps=None, tries=900)
    deblurred(path, {("gaussian", 1.0): 0.25, ("gaussian", 2.0): 0.4}, steps=None)
    ones = restorations(path)["gaussian"]
    assert [(one.restored, one.steps) for one in ones] == [(0.5, 900), (0.4, None)]


def control(
    path: Path, restored: float, masked: float, faces: int = 40,
    masks: dict[str, float] | None = None, **config: str,
) -> Path:  # fmt: skip
    """A keyless attack, whose control saw masks alone; shows as much as told of several masks."""
    results = Results(path)
    run = examples.start(results, "attack", "sealed", attack="keyless", **config)
    with results.running(run):
        rows = [
            Score(f"{i}.png", "lfw", "sealed", mask, pair, "identity_match",
                  float(i < share * faces))
            for mask, known in (masks or {"gaussian": restored}).items()
            for pair, share in (("original:control", known), ("original:mask", min(known, masked)))
            for i in range(faces)
        ]  # fmt: skip
        spent = Score("all", "all", "sealed", "gaussian", "revealed:control", "steps", 700.0)
        results.add_scores(run, [*rows, spent])
    results.close()
    return path


def test_the_control_of_a_keyless_attack_counts_too(tmp_path: Path) -> None:
    path = deblurred(tmp_path / "a.db", BLUR | {("gaussian", 0.75): 0.2})
    control(path, 0.675, 0.05)
    control(path, 1.0, 0.05, preset="scaled")
    found = [(one.strength, one.restored, one.steps) for one in restorations(path)["gaussian"]]
    # What was found behind the papers' blur is there behind a weaker one.
    assert found == [(0.5, 0.95, 500), (0.75, 0.675, 700), (1.0, 0.675, 700), (2.0, 0.05, 500)]
    assert not any(one.least for one in restorations(path)["gaussian"])
    # A de-blurrer that does much worse there has learned too little to say what others cannot.
    control(path, 0.75, 0.05)
    found = [(one.strength, one.restored, one.least) for one in restorations(path)["gaussian"]]
    assert found == [(0.5, 0.95, True), (0.75, 0.75, True), (1.0, 0.75, False), (2.0, 0.05, True)]
    # The same network on more faces: not the luckiest look, the widest.
    control(path, 0.5, 0.05, faces=80)
    found = [(one.strength, one.restored, one.steps) for one in restorations(path)["gaussian"]]
    assert found == [(0.5, 0.95, 500), (0.75, 0.55, 500), (1.0, 0.55, 500), (2.0, 0.05, 500)]
    learned_nothing = control(tmp_path / "b.db", 0.0, 0.0)
    assert restorations(learned_nothing) == {}


def test_who_is_too_weak_behind_one_mask_is_so_behind_those_without_a_control(
    tmp_path: Path,
) -> None:
    shares = BLUR | {("median", 1.0): 0.1, ("median", 2.0): 0.0, ("sticker", 1.0): 0.0}
    path = control(deblurred(tmp_path / "a.db", shares), 0.75, 0.05)
    with Reader(path) as reader:
        runs = reader.runs("attack")
        means = reader.means([run.id for run in runs])
    weak = too_weak(runs, means)
    assert {place: one and one.run_id for place, one in weak.items()} == {
        (1, "gaussian"): 2, (1, "median"): None, (1, "sticker"): None,
    }  # fmt: skip
    found = restorations(path)
    assert all(one.least for one in (*found["median"], *found["sticker"]))
    # The same control knows nobody under the sticker either: nothing is left to know there.
    control(path, 0.75, 0.05, masks={"sticker": 0.0, "gaussian": 0.75})
    found = restorations(path)
    assert not found["sticker"][0].least
    # Within the gate nobody asks who does better.
    near = control(deblurred(tmp_path / "b.db", {("gaussian", 1.0): 0.0}, faces=60), 0.05, 0.0)
    assert not restorations(near)["gaussian"][0].least


def test_a_lower_bound_is_told_as_one_and_never_advised(tmp_path: Path) -> None:
    shares = BLUR | {("gaussian", 1.5): 0.075, ("gaussian", 2.0): 0.0, ("median", 1.0): 0.05}
    path = control(deblurred(tmp_path / "a.db", shares), 0.75, 0.05)
    measured = restorations(path)
    assert advise(measured["gaussian"], 1.0).enough is None
    said = advice.about(measured, "gaussian", 1.5)
    assert said.startswith(
        "At this strength a network trained for 500 steps that has no key already makes known "
        "again 8 % of 40 faces. That is the least: a stronger network makes known 75 % at × 1. By"
    )
    assert advice.about(measured, "gaussian", 2).startswith(
        "At this strength a network trained for 500 steps that has no key makes known again none"
    )
    usual = advice.about(measured, "gaussian", 1)
    assert "makes known again 75 % of 40 faces (× 1.5: at least 8 %). By our" in usual
    assert "Hides more" not in usual  # neither stronger nor median is known to
    assert "That is the least: behind other masks, stronger networks" in advice.about(
        measured, "median", 1
    )
    # What the control found at the papers' strength is there behind a weaker mask.
    few = control(deblurred(tmp_path / "b.db", BLUR | {("gaussian", 0.75): 0.2}), 0.75, 0.05)
    assert "700 steps that has no key already makes known again 75 % of 40 faces (× 1: 75 %, × 2: "\
        "at least 5 %). That is the least: as many are known at × 1." in advice.about(
            restorations(few), "gaussian", 0.75
        )  # fmt: skip


def test_nothing_is_guessed_between_or_beyond_what_was_measured(tmp_path: Path) -> None:
    ones = restorations(deblurred(tmp_path / "a.db", BLUR))["gaussian"]
    weak, usual, strong = ones
    at = advise(ones, 1.0)
    assert (at.exact, at.weaker, at.stronger) == (usual, usual, usual)
    between = advise(ones, 1.2)
    assert (between.exact, between.weaker, between.stronger) == (None, usual, strong)
    assert (advise(ones, 0.4).weaker, advise(ones, 0.4).stronger) == (None, weak)
    assert (advise(ones, 2.5).weaker, advise(ones, 2.5).stronger) == (strong, None)
    nothing = advise([], 1.0)
    assert (nothing.exact, nothing.weaker, nothing.stronger, nothing.enough) == (None,) * 4


def test_enough_is_the_weakest_from_which_on_all_are_within_the_gate() -> None:
    def ladder(*shares: float) -> list[Restored]:
        return [Restored("gaussian", n + 1, s, None, 40, 500) for n, s in enumerate(shares)]

    found = advise(ladder(0.5, GATE_KNOWN, 0.0), 1.0).enough
    assert found is not None
    assert found.strength == 2
    assert advise(ladder(0.0, 0.0, 0.2), 1.0).enough is None
    assert advise(ladder(0.5, 0.02, 0.2, 0.0), 1.0).enough == ladder(1, 1, 1, 0.0)[-1]
    assert advise(ladder(0.5, 0.2), 1.0, gate=0.2).enough == ladder(1, 0.2)[-1]


def test_the_demo_puts_it_in_plain_words(tmp_path: Path) -> None:
    shares = BLUR | {("sticker", 1.0): 0.0, ("simswap", 1.0): 0.5, ("box", 1.0): 0.0}
    measured = restorations(deblurred(tmp_path / "a.db", shares))
    said = advice.about(measured, "gaussian", 1)
    assert said.startswith(
        "At this strength a trained network that has no key makes known again 55 % of 40 faces "
        "(× 2: 5 %). Hides more: × 2 (5 %) or Cartoon (none). By our small recogniser"
    )
    assert "Nobody's face" not in said  # it is known nearly as often
    assert "Grey box" not in said  # the papers' is another one than this page lays
    between = advice.about(measured, "gaussian", 1.5)
    assert between.startswith("Not measured at × 1.5. At × 1 a trained network")
    assert "Hides more: × 2 (5 %)" in between  # the worse side counts
    assert "Hides more" not in advice.about(measured, "gaussian", 2)
    assert "makes known again none of 40 faces. By our small" in advice.about(
        measured, "sticker", 1
    )
    assert "the mask as it is leaves known 95 % of 40 faces. By our" in advice.about(
        {"edge": [Restored("edge", 1.0, 0.2, 0.95, 40, 500)]}, "edge", 1
    )
    for mask in ("median", "box"):
        assert advice.about(measured, mask, 1) == advice.UNKNOWN
    assert advice.about({}, "gaussian", 1) == ""


def test_the_demo_says_of_the_released_rows_what_they_say(monkeypatch: pytest.MonkeyPatch) -> None:
    measured = engine.restorations()
    for mask in ("gaussian", "sticker", "noise"):
        said = advice.about(measured, mask, 1)
        found = advice.shown(mask, 1)
        assert html.escape(said) in found if measured else found == ""

    def nothing() -> dict[str, tuple[Restored, ...]]:
        raise ResultsError("no results database", hint="make one")

    advice._measured.cache_clear()
    monkeypatch.setattr(engine, "restorations", nothing, raising=False)
    assert advice.shown("gaussian", 1) == ""
    advice._measured.cache_clear()
