"""The mask and an enhancer: what it draws lies where the face was, measured beside the mask."""

from pathlib import Path

import numpy as np
import pytest
from attack_scenes import by_pair, faces_folder, quick
from sample_photos import portrait

from engine.attacks import deblur, find_attack
from engine.attacks.attack import Scene
from engine.attacks.restore import STRENGTHS, restored
from engine.data import FaceSet
from engine.errors import LandmarksError
from engine.faces import crop, detect
from engine.masks import make_mask
from engine.masks.portrait import lay_back, to_portrait


def test_only_the_inner_face_is_drawn_anew() -> None:
    (face,) = detect(portrait())
    assert face.landmarks is not None
    face_u8 = crop(portrait(), face.box)
    points = face.landmarks - np.array(face.box[:2], np.float32)
    mask_u8 = make_mask("gaussian", face_u8, landmarks=points)
    found_u8 = restored(mask_u8, points)
    place = to_portrait(mask_u8, points)
    inner = lay_back(np.zeros_like(mask_u8), np.full_like(place.picture_u8, 255), place) > 0
    assert np.array_equal(found_u8[~inner], mask_u8[~inner])
    x, y = points[2].astype(int)
    around = np.s_[y - 15 : y + 15, x - 15 : x + 15]
    changed = np.abs(found_u8[around].astype(int) - mask_u8[around])
    assert changed.max() > 8, "eyes, nose and mouth are sharper than a blur"
    with pytest.raises(LandmarksError, match="needs the landmarks"):
        restored(mask_u8, None)


def test_every_strength_is_measured_beside_its_mask(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deblur, "metrics", lambda: ["psnr_db"])
    config = quick("sealed", "gaussian")
    outcomes = list(find_attack("restore").run(Scene(FaceSet(faces_folder(tmp_path)), config)))
    scores = [score for outcome in outcomes for score in outcome.scores]
    assert {score.method for score in scores} == {"mask"}
    figures = by_pair(scores, "psnr_db")
    assert {name: len(values) for name, values in figures.items()} == {
        "original:restored": 2 * len(STRENGTHS), "original:mask": 2 * len(STRENGTHS),
    }  # fmt: skip
    gains = by_pair(scores, "gain_psnr_db")["restored:mask"]
    assert len(gains) == len(STRENGTHS)
    both = zip(figures["original:restored"], figures["original:mask"], strict=True)
    differences = [more - less for more, less in both]
    assert gains[0] == pytest.approx(sum(differences[:2]) / 2)
