"""The keyless network: it finds a ghost that no key guards, and finds nothing where nothing is."""

import dataclasses
import math
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy.special import stdtrit
from weak_targets import U8, Whisper, means, write_faces

from engine.attacks import find_attack, keyless, pairs, revealing, target
from engine.attacks.attack import AttackConfig, Outcome, Scene
from engine.attacks.pairs import PairConfig
from engine.attacks.revealing import gains
from engine.data import FaceFile, FaceSet
from engine.errors import DataError, MethodError
from engine.methods import METHODS, BoundKey, Crop, Plan
from engine.results import Trial, matching
from engine.training import reveal

ATTACK = find_attack("keyless")
STEPS = 50


class Silence(Whisper):
    """Hides nothing at all: what is shared is the mask."""

    name = "silence"

    def protect(
        self,
        photo_u8: U8,
        crops: Sequence[Crop],
        plans: Sequence[Plan],
        keys: Sequence[BoundKey],
    ) -> U8:
        return photo_u8.copy()


class Tinted(Whisper):
    """Adds a ghost of a third of what the mask took away, under a tint that the key draws."""

    name = "tinted"

    def protect(
        self,
        photo_u8: U8,
        crops: Sequence[Crop],
        plans: Sequence[Plan],
        keys: Sequence[BoundKey],
    ) -> U8:
        protected_u8 = photo_u8.copy()
        for crop, key in zip(crops, keys, strict=True):
            x0, y0, x1, y1 = crop.box
            mask = photo_u8[y0:y1, x0:x1].astype(float)
            drawn = np.frombuffer(key.key.stream(key.context, "tint", 3), np.uint8)
            ghost = np.clip((crop.original_u8 - mask) / 3, -20, 20)
            protected_u8[y0:y1, x0:x1] = np.clip(mask + ghost + 70 * (drawn / 127.5 - 1), 0, 255)
        return protected_u8


@pytest.fixture
def scene(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Scene:
    """Two faces under attack by a tiny network that learns from others."""
    monkeypatch.setitem(METHODS, "whisper", Whisper())
    monkeypatch.setitem(METHODS, "silence", Silence())
    monkeypatch.setitem(reveal.WIDTHS, "small", 8)
    monkeypatch.setattr(keyless, "PairConfig", partial(PairConfig, batch=4, crop=32))
    config = AttackConfig(
        ("whisper", "silence"), ("gaussian",), limit=2, tries=STEPS,
        training=write_faces(tmp_path, 16, 1), keep=tmp_path / "kept",
    )  # fmt: skip
    return Scene(FaceSet(write_faces(tmp_path, 2, 2)), config)


def whole_run(outcomes: Sequence[Outcome], method: str) -> dict[str, float]:
    scores = (score for outcome in outcomes for score in outcome.scores)
    return {s.metric: s.value for s in scores if s.image == "all" and s.method == method}


def of_method(outcomes: Sequence[Outcome], method: str) -> list[Outcome]:
    return [o for o in outcomes if all(score.method == method for score in o.scores)]


def test_a_ghost_without_a_key_is_seen_and_silence_is_not(scene: Scene) -> None:
    outcomes = list(ATTACK.run(scene))
    weak, silent = (whole_run(outcomes, method) for method in ("whisper", "silence"))
    assert weak["gain_psnr_db"] > 0.5
    assert weak["gain_ssim"] > 0
    assert weak["steps"] == silent["steps"] == STEPS
    # Not nearly nothing: the same net on the same pictures, or the two did not get the same.
    assert silent["gain_psnr_db"] == silent["gain_ssim"] == 0
    found = means(of_method(outcomes, "whisper"))
    assert found["original:revealed"] > found["original:control"] > found["original:mask"]
    kept = scene.config.keep
    assert kept is not None
    names = {folder.name for folder in kept.iterdir()}
    assert names == {f"{name}-w8-{STEPS}-0" for name in ("whisper", "silence", "control")}
    scene.config = dataclasses.replace(scene.config, methods=("whisper",))
    assert means(list(ATTACK.run(scene))) == found, "what was kept attacks as it did"


def test_a_ghost_is_seen_in_the_residual_alone(scene: Scene) -> None:
    scene.config = dataclasses.replace(scene.config, methods=("whisper",), variant="residual")
    outcomes = list(ATTACK.run(scene))
    assert whole_run(outcomes, "whisper")["gain_psnr_db"] > 0.15
    scene.config = dataclasses.replace(scene.config, variant="residual+stacked")
    with pytest.raises(MethodError, match="beside the picture or alone"):
        list(ATTACK.run(scene))


def test_every_variant_runs(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(reveal.WIDTHS, "large", 8)
    scene.config = dataclasses.replace(
        scene.config, methods=("whisper",), variant="large+same-key+stacked", tries=1
    )
    found = means(list(ATTACK.run(scene)))
    assert set(found) == {"original:revealed", "original:control", "original:mask"}
    assert all(np.isfinite(value) for value in found.values())


def test_one_key_for_every_face_is_seen_through_where_a_key_each_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(METHODS, "tinted", Tinted())
    monkeypatch.setitem(reveal.WIDTHS, "small", 8)
    for module in (keyless, pairs, target):
        monkeypatch.setattr(module, "PAPER_SIDE", 32)
    monkeypatch.setattr(keyless, "PairConfig", partial(PairConfig, batch=4, crop=32))
    training = write_faces(tmp_path, 16, 1, side=32)
    faces = FaceSet(write_faces(tmp_path, 4, 2, side=32))
    gained = {}
    for variant in ("", "same-key"):
        config = AttackConfig(
            ("tinted",), ("gaussian",), tries=40, training=training, variant=variant
        )
        outcomes = list(ATTACK.run(Scene(faces, config)))
        gained[variant] = whole_run(outcomes, "tinted")["gain_psnr_db"]
    assert gained["same-key"] > 1
    assert gained[""] < gained["same-key"] / 2


def test_a_face_counts_once_over_all_masks(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(matching, "LEAST_KNOWN", 0.0)  # so that both masks count
    both = dataclasses.replace(scene.config, methods=("whisper",), masks=("gaussian", "box"))
    scene.config = dataclasses.replace(both, tries=1)
    outcomes = list(ATTACK.run(scene))
    scores = [score for outcome in outcomes for score in outcome.scores]
    together = {
        (s.mask, s.metric): s.value for s in scores if "identity_match_together" in s.metric
    }
    assert {mask for mask, _ in together} == {"gaussian", "box"}
    faces = {s.image for s in scores} - {"all"}
    assert len(faces) == 2
    gained = []
    for face in faces:
        own = [s for s in scores if s.image == face and s.metric == "identity_match"]
        sums = {pair: 0.0 for pair in ("original:revealed", "original:control")}
        for score in own:
            if score.pair in sums:
                sums[score.pair] += score.value / 2
        gained.append(sums["original:revealed"] - sums["original:control"])
    assert together["box", "gain_identity_match_together"] == pytest.approx(np.mean(gained))
    margin = stdtrit(1, 0.975) * np.std(gained, ddof=1) / math.sqrt(2)
    assert together["box", "gain_identity_match_together_margin"] == pytest.approx(margin)


def test_identity_is_measured_where_the_face_is(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    placed: list[object] = []
    measure = revealing.measure

    def note(names: object, first: object, second: object, landmarks: object) -> object:
        placed.append(landmarks)
        return measure(names, first, second, landmarks)  # type: ignore[arg-type]

    monkeypatch.setattr(revealing, "measure", note)
    scene.config = dataclasses.replace(scene.config, methods=("whisper",), tries=1)
    list(ATTACK.run(scene))
    known = [record.landmarks for record in scene.faces.records]
    assert len(placed) == 2 * 3
    assert all(any(np.array_equal(one[0], own) for own in known) for one in placed)  # type: ignore[index]


def test_faces_of_another_size_are_attacked_at_the_size_that_was_learned(
    scene: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sides: list[tuple[int, ...]] = []
    compare = keyless.compare

    def note(record: FaceFile, original_u8: U8, *rest: object) -> dict[tuple[str, str], float]:
        sides.append(original_u8.shape)
        return compare(record, original_u8, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(keyless, "compare", note)
    config = dataclasses.replace(scene.config, methods=("whisper",), tries=1)
    for variant in ("", "same-key"):
        config = dataclasses.replace(config, variant=variant)
        large = Scene(FaceSet(write_faces(tmp_path, 1, 3, side=150)), config)
        assert means(list(ATTACK.run(large)))
    assert sides == [(112, 112, 3)] * 2


def test_a_network_of_another_model_or_other_faces_is_not_taken(
    scene: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene.config = dataclasses.replace(scene.config, methods=("whisper",), tries=1)
    list(ATTACK.run(scene))
    other = write_faces(tmp_path, 12, 4)
    config = dataclasses.replace(scene.config, training=other)
    with pytest.raises(DataError, match=r"other settings: lessons\.training") as caught:
        list(ATTACK.run(Scene(scene.faces, config)))
    assert "another folder" in caught.value.hint
    monkeypatch.setattr(METHODS["whisper"], "model_hash", lambda: b"retrained")
    with pytest.raises(DataError, match=r"as whisper with other settings: lessons\.weights"):
        list(ATTACK.run(scene))


@pytest.mark.parametrize("ending", [".png", ".jpg"])
def test_faces_under_attack_are_not_learned_from(scene: Scene, tmp_path: Path, ending: str) -> None:
    learned = tmp_path / "learned"
    learned.mkdir()
    own_u8 = scene.faces.load(scene.chosen[1])
    enlarged = Image.fromarray(own_u8).resize((120, 120))
    Image.fromarray(255 - own_u8).save(learned / "a.png")
    enlarged.save(learned / f"b{ending}")
    scene.config = dataclasses.replace(scene.config, training=learned)
    with pytest.raises(DataError, match=rf"got b\{ending} of learned, which is 001\.png") as caught:
        list(ATTACK.run(scene))
    assert "--training" in caught.value.hint


def test_minutes_become_steps_once(scene: Scene) -> None:
    scene.config = dataclasses.replace(scene.config, methods=("whisper",), tries=None, minutes=1e-6)
    for _ in range(2):
        assert whole_run(list(ATTACK.run(scene)), "whisper")["steps"] == 1
    assert "minutes" in ATTACK.budget(scene.config)


def test_what_takes_another_time_is_timed_anew(
    scene: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken = iter([0.5, 2.0, 4.0, 8.0, 16.0])
    monkeypatch.setattr(revealing, "_seconds", lambda *_: next(taken))
    monkeypatch.setattr(revealing, "RevealTrainer", lambda *_: None)
    quick = dataclasses.replace(scene.config, methods=("whisper",), masks=("box",), tries=None)
    recipe = reveal.RevealRecipe("trial", 1)

    def steps(config: AttackConfig) -> int:
        return revealing.decide_steps(config, recipe, [lambda _: None], tmp_path, 2)  # type: ignore[arg-type, return-value]

    quick = dataclasses.replace(quick, minutes=2.0)
    slow = dataclasses.replace(quick, methods=("silence",))
    assert [steps(quick), steps(slow)] == [120, 30]
    assert steps(dataclasses.replace(quick, device="cuda")) == 15
    assert steps(dataclasses.replace(quick, masks=("simswap",))) == 7
    monkeypatch.setattr(revealing.torch, "get_num_threads", lambda: 99)
    assert steps(quick) == 3
    monkeypatch.undo()
    # What was decided stands, in whatever order methods are named.
    assert [steps(quick), steps(slow)] == [120, 30]


def test_what_cannot_be_learned_is_told(scene: Scene) -> None:
    scene.config = dataclasses.replace(scene.config, training=None)
    with pytest.raises(DataError, match="faces to learn from"):
        list(ATTACK.run(scene))
    scene.config = dataclasses.replace(scene.config, variant="huge")
    with pytest.raises(MethodError, match="huge"):
        ATTACK.budget(scene.config)


def test_gains_are_paired_means_with_their_margin() -> None:
    pair, other = ("original:a", "psnr_db"), ("original:b", "psnr_db")
    faces = [{pair: 20.0, other: 19.0}, {pair: 30.0, other: 27.0}]
    found = gains(faces, "a", "b")
    assert found["gain_psnr_db"] == 2
    # Student's t of one degree of freedom, by the table: 12.706 standard errors.
    assert found["gain_psnr_db_margin"] == pytest.approx(12.706, abs=1e-3)
    many = [{pair: 20 + i % 2, other: 19.5} for i in range(30)]
    assert gains(many, "a", "b")["gain_psnr_db_margin"] == pytest.approx(
        2.0452 * 0.5 / 29**0.5, rel=1e-4
    )
    assert gains([], "a", "b") == {}
    assert set(gains(faces[:1], "a", "b")) == {"gain_psnr_db"}


def test_a_face_that_is_given_back_exactly_is_a_leak_and_not_left_out() -> None:
    pair, other = ("original:a", "psnr_db"), ("original:b", "psnr_db")
    exact = [{pair: math.inf, other: 20.0 + i % 3} for i in range(15)]
    close = [{pair: 20.1, other: 20.0}] * 15
    found = gains([*exact, *close], "a", "b")
    assert found["gain_psnr_db"] == pytest.approx((15 * (100 - 21) + 15 * 0.1) / 30)
    gain, margin = found["gain_psnr_db"], found["gain_psnr_db_margin"]
    assert Trial(1, "whisper", "box", gain, margin, None, 30).leaks
    # Where the control gives it back too, nothing was gained.
    both = gains([{pair: math.inf, other: math.inf}] * 30, "a", "b")
    assert (both["gain_psnr_db"], both["gain_psnr_db_margin"]) == (0, 0)
    # What could not be measured is no gain of any size.
    assert gains([{pair: math.nan, other: 1.0}], "a", "b") == {}
