"""Searching for the secret itself: a map that shows in the noise, a shuffle that is used twice."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from sample_photos import portrait
from tiny_zoo import forget, point_zoo_at, write_model
from typer.testing import CliRunner
from weak_targets import U8, MapAsNoise, Whisper, faintly_keyed, means, write_faces

from engine.attacks import find_attack, known_plaintext, map_search, run_attack, target
from engine.attacks.attack import AttackConfig, Scene
from engine.attacks.known_plaintext import KEYS
from engine.attacks.map_search import climb, mask_again, prior
from engine.attacks.pairs import ByNetwork, make_protector
from engine.attacks.relaxed_map import descend, fit, recovered_by, signs
from engine.attacks.shuffle_match import match_shuffle
from engine.cli import app
from engine.data import FaceSet
from engine.errors import CapacityError, DataError, MethodError
from engine.images import from_u8
from engine.masks import MASKS, make_mask
from engine.methods import METHODS, BoundKey, Crop, Plan
from engine.metrics import psnr_db
from engine.results import Reader, Results
from engine.scramble import Shuffle, random_shuffles, scramble, unscramble
from engine.training.batches import random_key_map

FACE_U8 = cv2.resize(portrait(), (64, 64), interpolation=cv2.INTER_AREA)
WEAK = MapAsNoise()


def noisy(seed: int = 9) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """A face, a map, and the face protected by adding that map."""
    face, key_map = from_u8(FACE_U8), random_key_map(1, 64, 64, np.random.default_rng(seed))
    return face, key_map, WEAK.protect(face, face, key_map).clamp(0, 1)


def right_bits(found: torch.Tensor, key_map: torch.Tensor) -> float:
    return float((signs(found) == key_map).float().mean())


def test_a_map_that_is_mere_noise_is_found_along_the_gradient() -> None:
    face, key_map, protected = noisy()
    judge = prior(protected, None)
    found = descend(WEAK, protected, lambda r: judge(r).sum(), 40, 0)  # type: ignore[arg-type]
    assert right_bits(found, key_map) > 0.9
    shown = recovered_by(WEAK, protected, found)  # type: ignore[arg-type]
    assert psnr_db(face, shown) > psnr_db(face, protected) + 4


def test_a_map_that_is_mere_noise_is_climbed_towards_tile_by_tile(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(map_search, "_TILE", 2)
    _, key_map, protected = noisy()
    found = climb(WEAK, protected, prior(protected, None), 1000, 0)  # type: ignore[arg-type]
    assert right_bits(found, key_map) > 0.57


def test_no_map_is_found_that_the_picture_does_not_depend_on() -> None:
    face, key_map, _ = noisy()
    judge = prior(face, None)
    silent = MapAsNoise(0.0)
    found = descend(silent, face, lambda r: judge(r).sum(), 20, 0)  # type: ignore[arg-type]
    assert 0.45 < right_bits(found, key_map) < 0.55


@pytest.mark.parametrize("mask", ["gaussian", "pixelate"])
@pytest.mark.parametrize(("preset", "side"), [("paper", 112), ("scaled", 130)])
def test_a_mask_is_made_again_to_a_level(mask: str, preset: str, side: int) -> None:
    face_u8 = np.ascontiguousarray(portrait()[:side, :side])
    again = mask_again(mask, preset, side, side)  # type: ignore[arg-type]
    assert again is not None
    wanted = from_u8(make_mask(mask, face_u8, preset=preset))  # type: ignore[arg-type]
    assert (255 * (again(from_u8(face_u8)) - wanted)).abs().max() <= 1
    assert mask_again("sticker", "paper", side, side) is None


def test_a_shuffle_used_twice_is_read_off_and_a_fresh_one_is_not() -> None:
    views = [portrait()[5 * i : 5 * i + 150, 3 * i : 3 * i + 150] for i in range(9)]
    small = [cv2.resize(view, (32, 32), interpolation=cv2.INTER_AREA) for view in views]
    faces = torch.cat([from_u8(face_u8) for face_u8 in small])
    one = random_shuffles(1, 32, 32, torch.Generator().manual_seed(1))
    same = Shuffle(one.source.expand(9, -1), one.signs.expand(9, -1))
    salted = random_shuffles(9, 32, 32, torch.Generator().manual_seed(2))
    shown = {}
    for name, shuffle in (("same", same), ("salted", salted)):
        hidden = scramble(faces, shuffle)
        found = match_shuffle(faces[:8], hidden[:8])
        shown[name] = psnr_db(faces[8:], unscramble(hidden[8:], found).clamp(0, 1)).item()
    assert shown["same"] > 40
    assert shown["salted"] < 15


def scene(tmp_path: Path, faces: int, *methods: str) -> Scene:
    config = AttackConfig(methods, ("gaussian",), limit=1, tries=2)
    return Scene(FaceSet(write_faces(tmp_path, faces, 2)), config)


def test_the_search_runs_on_a_real_file_and_only_where_there_is_a_map(tmp_path: Path) -> None:
    attack = find_attack("map-search")
    outcomes = list(attack.run(scene(tmp_path, 1, "proface-s-rand")))
    gained = {s.pair: s.value for o in outcomes for s in o.scores if s.metric == "gain_psnr_db"}
    found = means(outcomes)
    for name in ("searched", "searched_signs", "climbed"):
        more = found[f"original:{name}"] - found["original:prior"]
        assert gained[f"{name}:prior"] == pytest.approx(more)
    names = ("searched", "searched_signs", "climbed", "prior")
    names += ("wrong_key", "right_key", "protected")
    assert set(found) == {f"original:{name}" for name in names}
    assert found["original:right_key"] > 30 > found["original:searched"]
    with pytest.raises(MethodError, match="key map"):
        attack.check(scene(tmp_path, 1, "sealed").config)
    assert "2 steps" in attack.budget(scene(tmp_path, 1, "sealed").config)


def test_the_command_sees_through_a_network_that_hardly_uses_its_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = METHODS["proface-s-rand"].model  # type: ignore[attr-defined]
    write_model(tmp_path / model, faintly_keyed(), model)
    point_zoo_at(monkeypatch, tmp_path)
    whole = dataclasses.replace(MASKS["box"], paper={"fraction": 1.0, "follow": 0})
    monkeypatch.setitem(MASKS, "box", whole)
    faces, db = write_faces(tmp_path, 2, 2, side=64), tmp_path / "results.db"
    run = CliRunner().invoke(
        app,
        ["attack", "map-search", "--data", str(faces), "--methods", "proface-s-rand", "--masks",
         "box", "--tries", "60", "--db", str(db)],
    )  # fmt: skip
    forget()
    assert run.exit_code == 0, run.output
    with Reader(db) as reader:
        (attack,) = reader.runs("attack")
        found = {m.pair: m.mean for m in reader.means([attack.id]) if m.metric == "psnr_db"}
        gained = {m.pair: m.mean for m in reader.means([attack.id]) if m.metric == "gain_psnr_db"}
    assert attack.state == "finished"
    # A wrong key shows less than anyone sees, as under a network that holds; the searched map does.
    assert found["original:wrong_key"] < found["original:protected"] + 1
    for name in ("searched", "searched_signs"):
        assert found[f"original:{name}"] > found["original:wrong_key"] + 8
        assert gained[f"{name}:prior"] > 8


class Bare(Whisper):
    """Shares the mask and nothing else."""

    name = "bare"

    def protect(
        self, photo_u8: U8, crops: Sequence[Crop], plans: Sequence[Plan], keys: Sequence[BoundKey]
    ) -> U8:
        return photo_u8.copy()


@pytest.mark.parametrize("mask", ["gaussian", "pixelate"])
def test_what_the_prior_finds_in_a_bare_mask_is_no_gain_of_the_map(
    mask: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(METHODS, "bare", Bare())
    monkeypatch.setattr(map_search, "_network", lambda name, device: MapAsNoise())
    config = AttackConfig(("bare",), (mask,), limit=1, tries=60)
    outcomes = list(
        find_attack("map-search").run(Scene(FaceSet(write_faces(tmp_path, 1, 2)), config))
    )
    gained = {s.pair: s.value for o in outcomes for s in o.scores if s.metric == "gain_psnr_db"}
    found = means(outcomes)
    if mask == "gaussian":  # beside the mask it would pass for one
        assert found["original:searched"] > found["original:protected"] + 1
    assert max(gained[f"{name}:prior"] for name in ("searched", "searched_signs", "climbed")) < 0.3


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Known plaintext on faces of 32 px, by a tiny network."""
    for module in (known_plaintext, target):
        monkeypatch.setattr(module, "PAPER_SIDE", 32)
    monkeypatch.setattr(known_plaintext, "COUNTS", (4,))
    monkeypatch.setattr(known_plaintext, "_WIDTH", 8)


def test_known_pairs_give_a_ghost_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, small: None
) -> None:
    monkeypatch.setitem(METHODS, "whisper", Whisper())
    config = AttackConfig(("whisper",), ("gaussian",), limit=1, tries=40)
    faces = FaceSet(write_faces(tmp_path, 6, 2, side=32))
    outcomes = list(find_attack("known-plaintext").run(Scene(faces, config)))
    found = means(outcomes)
    for keys in KEYS:
        assert found[f"original:revealed_4_{keys}"] > found[f"original:control_4_{keys}"] + 0.2
        pair = f"revealed_4_{keys}:control_4_{keys}"  # as the dashboard looks it up
        (summary,) = (o for o in outcomes if o.scores[0].pair == pair)
        assert summary.scores[0].metric == "gain_psnr_db" and summary.scores[0].value > 0.2


class Picky(Whisper):
    """Refuses one face in three."""

    def __init__(self) -> None:
        self.asked = 0

    def plan(self, photo_u8: U8, crops: Sequence[Crop], header_bytes: int) -> list[Plan]:
        self.asked += 1
        if self.asked % 3 == 0:
            raise CapacityError("expected another face", hint="take another")
        return super().plan(photo_u8, crops, header_bytes)


def test_known_plaintext_goes_on_without_a_face_that_is_refused_or_large(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, small: None
) -> None:
    monkeypatch.setitem(METHODS, "picky", Picky())
    monkeypatch.setattr(known_plaintext, "COUNTS", (1, 4, 6))
    config = AttackConfig(("picky",), ("gaussian",), limit=2, tries=1)
    attacked = Scene(FaceSet(write_faces(tmp_path, 9, 2, side=40)), config)
    found = means(list(find_attack("known-plaintext").run(attacked)))
    # Of seven others two or three are refused when salted, so that six are not known.
    assert "original:revealed_4_salted" in found and "original:revealed_6_salted" not in found
    assert {s.metric for s in attacked.refused} == {"refused"}


@pytest.mark.parametrize("method", ["proface-s-rand", "proface-s-obfs", "proface-k", "sealed"])
def test_known_plaintext_fits_what_a_method_has(
    method: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, small: None
) -> None:
    side = 64 if method == "sealed" else 32  # less does not hold what is sealed
    for module in (known_plaintext, target):
        monkeypatch.setattr(module, "PAPER_SIDE", side)
    config = AttackConfig((method,), ("gaussian",), limit=1, tries=1)
    faces, db = FaceSet(write_faces(tmp_path, 6, 2, side=side)), tmp_path / "results.db"
    results = Results(db)
    run_id = run_attack("known-plaintext", faces, config, results)
    results.close()
    with Reader(db) as reader:
        rows = reader.means([run_id])
    ways = ("revealed", "control", *(["fitted"] if method != "sealed" else []))
    found = {m.pair for m in rows if m.metric == "psnr_db"}
    assert found == {f"original:{way}_4_{keys}" for way in ways for keys in KEYS}
    gained = {m.pair for m in rows if m.metric == "gain_psnr_db"}
    assert gained == {
        f"{way}_4_{keys}:control_4_{keys}" for way in ways if way != "control" for keys in KEYS
    }


@pytest.mark.slow
def test_a_fit_by_default_knows_more_than_the_mask_shows(tmp_path: Path) -> None:
    faces = FaceSet(write_faces(tmp_path, 4, 2, side=24))
    pictures = [faces.load(i) for i in range(4)]
    masks = torch.cat([from_u8(make_mask("gaussian", one, preset="paper")) for one in pictures])
    originals = torch.cat([from_u8(one) for one in pictures])
    protector = make_protector("proface-s-rand", one_key=3)
    assert isinstance(protector, ByNetwork)
    shared = protector.protect(originals, masks, np.random.default_rng(0))
    steps = known_plaintext._FIT_STEPS
    fitted = fit(protector.network, shared[1:], originals[1:], steps, 0, batch=3)
    shown = recovered_by(protector.network, shared[:1], fitted)
    assert psnr_db(originals[:1], shown) > psnr_db(originals[:1], masks[:1]) + 4
    told = find_attack("known-plaintext").budget(AttackConfig((), ()))
    assert f"{steps} steps of Adam at a rate of 0.05" in told


def test_more_known_pairs_than_a_step_takes_are_used_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, small: None
) -> None:
    monkeypatch.setattr(known_plaintext, "COUNTS", (2, 4))
    monkeypatch.setattr(known_plaintext, "_FITTED", 2)
    config = AttackConfig(("proface-s-rand",), ("gaussian",), limit=1, tries=4)
    faces = FaceSet(write_faces(tmp_path, 6, 2, side=32))
    found = means(list(find_attack("known-plaintext").run(Scene(faces, config))))
    for keys in KEYS:
        assert found[f"original:fitted_2_{keys}"] != found[f"original:fitted_4_{keys}"]


class Counting(MapAsNoise):
    """Notes which pictures it was given: each is all of one number."""

    def __init__(self) -> None:
        super().__init__()
        self.given: list[list[int]] = []

    def recover(self, protected: torch.Tensor, key_map: torch.Tensor) -> torch.Tensor:
        self.given.append(sorted(round(float(one.mean())) for one in protected))
        return super().recover(protected, key_map)


def test_each_step_of_a_fit_draws_other_pairs_and_the_same_ones_again() -> None:
    numbered = torch.arange(20.0).view(-1, 1, 1, 1).expand(-1, 3, 4, 4)
    drawn = []
    for _ in range(2):
        network = Counting()
        fit(network, numbered, numbered, 12, 0, batch=8)  # type: ignore[arg-type]
        drawn.append(network.given)
    assert drawn[0] == drawn[1]
    assert [len(set(one)) for one in drawn[0]] == [8] * 12
    assert set().union(*drawn[0]) == set(range(20))
    network = Counting()
    fit(network, numbered[:3], numbered[:3], 2, 0, batch=8)  # type: ignore[arg-type]
    assert network.given == [[0, 1, 2]] * 2


def test_a_map_used_twice_is_fitted_to_known_pairs_and_a_salted_one_is_not() -> None:
    views = [portrait()[8 * i : 8 * i + 150, 5 * i : 5 * i + 150] for i in range(3)]
    faces = torch.cat(
        [from_u8(cv2.resize(view, (32, 32), interpolation=cv2.INTER_AREA)) for view in views]
    )
    one = random_key_map(1, 32, 32, np.random.default_rng(3))
    salted = random_key_map(3, 32, 32, np.random.default_rng(4))
    shown = {}
    for name, maps in (("same", one.expand(3, -1, -1, -1)), ("salted", salted)):
        protected = WEAK.protect(faces, faces, maps)
        fitted = fit(WEAK, protected[:2], faces[:2], 30, 0, batch=2)  # type: ignore[arg-type]
        recovered = recovered_by(WEAK, protected[2:], fitted)  # type: ignore[arg-type]
        shown[name] = psnr_db(faces[2:], recovered).item()
    assert shown["same"] > 30
    assert shown["salted"] < 21


def test_the_attacker_must_know_enough_faces(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="100 other faces"):
        list(find_attack("known-plaintext").run(scene(tmp_path, 3, "proface-s-rand")))
