"""The mask alone: a weak one gives the face back, one that covers it does not."""

import shutil
from functools import partial
from pathlib import Path

import dashboard_examples as examples
import numpy as np
import pytest
from weak_targets import U8, means, write_faces

from engine import zoo
from engine.attacks import deblur, find_attack
from engine.attacks.attack import AttackConfig, Scene
from engine.attacks.deblur import STRENGTHS
from engine.attacks.pairs import PairConfig
from engine.data import FaceSet
from engine.masks import MASKS, MaskEntry
from engine.results import Results, Score, advice
from engine.training import reveal


def dim(face_u8: U8, **_: object) -> U8:
    """A mask that hides nothing: half the contrast."""
    return np.asarray(face_u8 // 2 + 64, dtype=np.uint8)


DIM = MaskEntry("dim", dim, "Dims", False, {}, lambda rng: {}, {})


def test_a_mask_that_hides_nothing_is_undone_and_one_that_covers_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(MASKS, "dim", DIM)
    monkeypatch.setitem(reveal.WIDTHS, "small", 8)
    monkeypatch.setattr(deblur, "PairConfig", partial(PairConfig, batch=4, crop=32))
    config = AttackConfig(
        ("sealed",), ("dim", "gaussian", "box"), limit=2, tries=120,
        training=write_faces(tmp_path, 16, 1),
    )  # fmt: skip
    attack = find_attack("deblur")
    outcomes = list(attack.run(Scene(FaceSet(write_faces(tmp_path, 2, 2)), config)))
    assert {s.method for o in outcomes for s in o.scores} == {"mask"}
    found = {
        label: means([o for o in outcomes if o.scores[0].mask == label])
        for label in dict.fromkeys(o.scores[0].mask for o in outcomes)
    }
    assert list(found)[:2] == ["dim", "gaussian:kernel=11,sigma=4"]
    assert len(found) == len(STRENGTHS) + 2
    weak, *others, covered = found.values()
    assert weak["original:control"] > weak["original:mask"] + 1
    assert weak["original:control"] > covered["original:control"] + 2
    assert others[0]["original:control"] > others[-1]["original:control"] + 1
    strengths = [s.value for o in outcomes for s in o.scores if s.metric == "strength"]
    assert strengths == [1.0, *STRENGTHS, 1.0]
    assert "120 steps" in attack.budget(config)

    # Its rows are what advice is made of.
    monkeypatch.setattr(advice, "LEAST_FACES", 2)
    results = Results(tmp_path / "a.db")
    run = examples.start(results, "attack", "sealed", attack="deblur")
    with results.running(run):
        results.add_scores(run, [score for outcome in outcomes for score in outcome.scores])
        learned = {"gain_identity_match": 0.5, "gain_identity_match_margin": 0.1}
        results.add_scores(run, [
            Score("all", "all", "mask", "dim", "control:mask", name, value)
            for name, value in learned.items()
        ])  # fmt: skip
    results.close()
    measured = advice.restorations(tmp_path / "a.db")
    assert [one.strength for one in measured["gaussian"]] == list(STRENGTHS)
    assert {one.steps for ones in measured.values() for one in ones} == {120}
    assert {(one.faces, one.masked is None) for one in measured["dim"]} == {(2, False)}


def test_stacked_shows_the_network_fine_detail_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(reveal.WIDTHS, "small", 8)
    monkeypatch.setattr(deblur, "PairConfig", partial(PairConfig, batch=2, crop=32))
    faces, training = write_faces(tmp_path, 1, 2), write_faces(tmp_path, 4, 1)
    for variant, pictures in (("", 1), ("stacked", 2)):
        config = AttackConfig(
            ("sealed",), ("pixelate",), limit=1, tries=1, training=training, variant=variant,
            keep=tmp_path / "kept",
        )  # fmt: skip
        outcomes = list(find_attack("deblur").run(Scene(FaceSet(faces), config)))
        assert len({o.scores[0].mask for o in outcomes}) == len(STRENGTHS)
        [folder] = (tmp_path / "kept").glob("deblur*")
        assert zoo.read_network(folder / "model", "Reveal").config.pictures == pictures
        shutil.rmtree(folder)
