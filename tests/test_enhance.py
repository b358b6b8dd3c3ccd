"""Poor portraits made good: the network, what it learns from, a training cut short and gone on."""

import dataclasses
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pytest
import skimage.data
import torch
from tiny_teachers import write_taught_faces
from tiny_training import assert_same_state, draw_face, maps_of, pooled_distance
from torch import Tensor

from engine import zoo
from engine.alignment import typical_landmarks
from engine.data import FaceSet
from engine.errors import (
    DataError,
    ImageShapeError,
    MaskError,
    ModelError,
    WeightsMissingError,
)
from engine.faces import crop, detect
from engine.masks import MASKS, make_mask
from engine.masks import enhance as enhancing
from engine.masks.ksame import average_for, load_averages, mirrored
from engine.masks.portrait import SIDE, to_portrait
from engine.masks.swap import SHARES
from engine.networks.enhancer import Enhancer
from engine.networks.swapper import conceal
from engine.recognition import load_torchscript
from engine.results import Reader
from engine.training.critic import FeatureMaps
from engine.training.degrade import as_average, degrade
from engine.training.enhance import learn_to_enhance
from engine.training.enhancing import EnhanceRecipe, EnhanceTrainer, grid_of, resized
from engine.training.learner import TrainOptions
from engine.training.portraits import PortraitBatches, Portraits, make_portraits
from engine.training.swapped import agents, draw_shares, laid_by_swappers, swap_batches

TINY = EnhanceRecipe(
    "tiny", widths=(8, 8), blocks=(1, 1), side=32, large=48, batch=2, twice=0.5,
    excluded=(), held_out=4,
)  # fmt: skip
FACES = 8


def tiny() -> Enhancer:
    torch.manual_seed(0)
    return Enhancer((8, 8, 8), (1, 1, 1), style=8, prior_side=4).eval()


# --- the network ----------------------------------------------------------------------------------


@pytest.mark.parametrize("scale", [1, 2])
@pytest.mark.parametrize("side", [16, 18, 56])
def test_it_gives_the_side_that_was_asked_for(side: int, scale: int) -> None:
    with torch.inference_mode():
        made = tiny()(torch.rand(2, 3, side, side), scale)
    assert made.shape == (2, 3, side * scale, side * scale)


def test_what_it_gives_depends_on_every_part_of_it() -> None:
    network, portraits = tiny(), torch.rand(1, 3, 32, 32)
    (network(portraits, 1).sum() + network(portraits, 2).sum()).backward()
    for name, parameter in network.named_parameters():
        assert parameter.grad is not None, name
        assert float(parameter.grad.abs().max()) > 0, name


@pytest.mark.parametrize(
    ("shape", "scale"), [((1, 3, 32, 32), 3), ((1, 3, 31, 32), 1), ((1, 3, 4, 4), 1)]
)
def test_other_portraits_and_scales_are_refused(shape: tuple[int, ...], scale: int) -> None:
    with pytest.raises(ImageShapeError):
        tiny()(torch.rand(shape), scale)


# --- what it learns from --------------------------------------------------------------------------


def test_poor_portraits_are_poor_and_still_those_faces() -> None:
    rng = np.random.default_rng(0)
    for seed in range(20):
        face_u8 = draw_face(seed, 112)
        poor_u8 = degrade(face_u8, 112, rng)
        assert poor_u8.shape == face_u8.shape
        assert poor_u8.dtype == np.uint8
        error = np.abs(poor_u8.astype(int) - face_u8).mean()
        assert 0 < error < 40
        means = (picture.reshape(-1, 3).mean(0) for picture in (poor_u8, face_u8))
        assert np.abs(np.subtract(*means)).max() < 12, "the colours stay in their channels"


def test_poor_portraits_can_be_smaller() -> None:
    assert degrade(draw_face(0, 48), 24, np.random.default_rng(1)).shape == (24, 24, 3)


def test_a_face_drawn_as_an_average_is_itself_but_soft() -> None:
    face_u8, points = a_woman(0.5)
    portrait = to_portrait(face_u8, points)
    averages = load_averages()
    drawn_u8 = as_average(portrait.picture_u8, portrait.landmarks, averages)
    assert np.array_equal(drawn_u8[0], portrait.picture_u8[0]), "all around stays as it is"
    inner = portrait.matte > 0.9
    own, drawn = (one[inner].mean(axis=-1) for one in (portrait.picture_u8, drawn_u8))
    assert 0.6 < np.corrcoef(own, drawn)[0, 1] < 0.999
    other = average_for(portrait.picture_u8, portrait.landmarks, 1)[inner].mean(axis=-1)
    assert np.corrcoef(own, drawn)[0, 1] > np.corrcoef(own, other)[0, 1] + 0.02
    flipped_u8, there = mirrored(portrait.picture_u8, portrait.landmarks)
    again_u8 = as_average(flipped_u8, there, averages)[:, ::-1]
    assert np.abs(again_u8.astype(int) - drawn_u8).mean() < 1, "either way it looks"
    plain_u8 = as_average(portrait.picture_u8, portrait.landmarks, averages, 0.0)
    plain = plain_u8[inner].mean(axis=-1)
    assert np.corrcoef(own, plain)[0, 1] < np.corrcoef(own, drawn)[0, 1] - 0.02


def test_what_averages_paint_is_found_again() -> None:
    network = load_averages().network
    with torch.inference_mode():
        given = network.coefficients[:4].float()
        drawn = network.mean + given * network.scales @ network.basis.float()
        pictures = torch.zeros(4, 112, 112, 3)
        pictures[:, network.kept] = drawn.view(4, -1, 3)
        found = network.nearest(pictures.permute(0, 3, 1, 2))
        assert (found - given).abs().max() < 0.02 * given.abs().max()
        assert torch.equal(network.paint(2 * given), network(torch.arange(4), 2))


def test_landmarks_follow_when_portraits_are_resized() -> None:
    face_u8, points = draw_face(1, 140), typical_landmarks(140, 140)
    large, small = (to_portrait(face_u8, points, side) for side in (144, 112))
    given = Portraits(
        torch.zeros(1, 3, 144, 144), torch.from_numpy(large.landmarks)[None], torch.tensor([0])
    )
    assert np.abs(resized(given, 112).landmarks[0].numpy() - small.landmarks).max() < 1e-3


# --- training -------------------------------------------------------------------------------------


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return write_taught_faces(tmp_path / "data", FACES)


def train(data: Path, folder: Path, **changes: object) -> EnhanceTrainer:
    options = TrainOptions(folder=folder, minutes=60, log_steps=2, max_steps=4)
    options = dataclasses.replace(options, **changes)  # type: ignore[arg-type]
    sets = [FaceSet(data / "faces_train_0.zip")]
    return learn_to_enhance(TINY, sets, data, options, pooled_distance, maps_of)


def seen(faces: Tensor) -> Tensor:
    """A recogniser of sorts, as wide as the tiny teachers."""
    return faces.mean((2, 3)).repeat(1, 2)


def test_training_learns_and_tells(data: Path, tmp_path: Path) -> None:
    trainer = train(data, tmp_path / "run", max_steps=10)
    assert trainer.progress.step == 10
    learned = dict(zoo.read_network(tmp_path / "run" / "model", "Enhancer").named_parameters())
    options = TrainOptions(tmp_path / "fresh", 0)
    fresh = EnhanceTrainer(TINY, options, pooled_distance, seen, maps_of)
    same = {n for n, one in fresh.average.named_parameters() if torch.equal(one, learned[n])}
    # the last layer of a scale that chance has not taken in ten steps
    assert same <= {f"leave.{scale}.{name}" for scale in (0, 1) for name in ("weight", "bias")}
    assert len(same) <= 2
    with Reader(tmp_path / "run" / "results.db") as reader:
        curves = reader.losses([trainer.progress.run_id])[trainer.progress.run_id]
    wanted = {
        "pixels",
        "identity",
        "realism",
        "critic",
        "poor_lpips",
        "poor_before_lpips",
        "small_lpips",
        "swap_drawing",
        "swap_agent",
        "swap_realism",
        "swap_critic",
        "swaps_frechet",
        "swaps_before_frechet",
        "swaps_original_cosine",
    }
    assert wanted <= curves.keys()


def swaps(data: Path, count: int) -> Portraits:
    sets = [FaceSet(data / "faces_train_0.zip")]
    return next(iter(swap_batches(sets, np.arange(FACES), count, 0)))


def test_swaps_are_shown_as_masks_lay_them(data: Path) -> None:
    found = swaps(data, 4)
    least, most = (
        laid_by_swappers(found, dict.fromkeys(agents(), share), "cpu") for share in (0.0, 0.6)
    )
    assert found.averages is not None
    torch.testing.assert_close(least, conceal(found.pictures, found.mattes, found.averages))
    assert torch.equal(most[outside(found)], found.pictures[outside(found)])
    change, inside = (most - least).movedim(1, -1), found.mattes[:, 0] > 0.9
    assert float(change[inside].abs().mean()) > 0.01, "what the swappers change"
    uncut = ((most > 0) & (most < 1)).all(1) & inside
    spread = change[uncut].amax(-1) - change[uncut].amin(-1)
    assert float(spread.max()) < 1e-4, "and of that the lightness alone"


def test_as_much_is_laid_as_masks_lay_or_nothing() -> None:
    drawn = [draw_shares(np.random.default_rng(seed)) for seed in range(30)]
    for model in agents():
        assert {shares[model] for shares in drawn} == {0.0, *SHARES[model]}


def outside(found: Portraits) -> Tensor:
    return found.mattes.expand_as(found.pictures) == 0


def test_each_agent_is_drawn_by_its_own_swapper(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[str, Tensor]] = []

    def noted(model: str, device: str) -> Callable[..., Tensor]:
        def draw(shown: Tensor, mattes: Tensor, points: Tensor, identities: Tensor) -> Tensor:
            asked.append((model, identities))
            return shown

        return draw

    monkeypatch.setattr("engine.training.swapped.load_model", noted)
    found = swaps(data, 6)
    first, second = agents()
    given = torch.tensor([0, 1, 2, 128, 129, 255])
    shares = dict.fromkeys(agents(), 0.5)
    laid_by_swappers(dataclasses.replace(found, given=given), shares, "cpu")
    assert [model for model, _ in asked] == [first, second]
    assert np.array_equal(asked[0][1], agents()[first][:3])
    assert np.array_equal(asked[1][1], agents()[second][[0, 1, 127]])


def test_a_step_on_swaps_moves_nothing_but_inner_faces(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = TrainOptions(tmp_path / "run", 0)
    trainer = EnhanceTrainer(TINY, options, pooled_distance, seen, maps_of)
    given: list[Tensor] = []

    def noted(*parts: Tensor) -> dict[str, float]:
        given.extend(parts)
        return {"critic": 0.0}

    monkeypatch.setattr(trainer, "learn", noted)
    monkeypatch.setattr(trainer, "_window", lambda pictures: (slice(None),) * 4)
    batch = swaps(data, 2)
    held = ("swap_drawing", "swap_light", "swap_agent", "swap_grid")
    figures = trainer.step(batch)
    loss, real, made, where = given
    assert figures.keys() == {*held, "swap_realism", "swap_critic"}
    assert all(figures[name] > 0 for name in held)
    assert torch.equal(real, batch.pictures) and torch.equal(where, batch.mattes)
    assert torch.equal(made[outside(batch)], real[outside(batch)])
    loss.backward()  # type: ignore[no-untyped-call]
    assert all(one.grad is not None for one in trainer.model.enter.parameters())
    monkeypatch.setattr(trainer, "model", lambda shown: shown)
    kept = trainer.step(batch)
    assert all(kept[name] < 1e-5 for name in held), "held to the swap, not to the person"


def test_a_grid_is_told_from_detail() -> None:
    grid, edge, tone = torch.zeros(3, 1, 3, 32, 32)
    grid[..., ::2, 1::2] = 0.1
    edge[..., 10:20, 10:20] = 0.1
    tone += 0.1
    noise = 0.1 * torch.rand(1, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    assert float(grid_of(grid)) == pytest.approx(0.1 * 3 / 8)
    assert float(grid_of(edge)) == float(grid_of(tone)) == pytest.approx(0, abs=1e-7)
    assert float(grid_of(noise)) < 0.01


def test_the_critic_sees_swaps_through_a_window(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = TrainOptions(tmp_path / "run", 0)
    trainer = EnhanceTrainer(TINY, options, pooled_distance, seen, maps_of)
    sides: set[tuple[int, ...]] = set()

    def noted(loss: Tensor, *parts: Tensor) -> dict[str, float]:
        sides.update(tuple(part.shape[2:]) for part in parts)
        return {}

    monkeypatch.setattr(trainer, "learn", noted)
    trainer.step(swaps(data, 2))
    assert sides == {(SIDE - TINY.window,) * 2}


def test_the_judge_is_in_no_loss_and_sees_faces_that_nothing_learns_from(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded: list[tuple[str, bool]] = []
    learned: list[set[int]] = []
    held: list[set[int]] = []
    load, make = load_torchscript, make_portraits

    def noted_load(file: Path, device: str, gradients: bool = False) -> Any:
        loaded.append((file.name, gradients))
        return load(file, device, gradients=gradients)

    def noted_make(
        sets: Sequence[FaceSet], indices: Sequence[int], *more: Any, **named: Any
    ) -> Any:
        held.append({*indices})
        return make(sets, indices, *more, **named)

    class Noted(PortraitBatches):
        def __init__(self, sets: Sequence[FaceSet], indices: Any, *more: Any) -> None:
            learned.append({*indices.tolist()})
            super().__init__(sets, indices, *more)

    monkeypatch.setattr("engine.training.enhance.load_torchscript", noted_load)
    monkeypatch.setattr("engine.training.enhance.make_portraits", noted_make)
    for module in ("enhance", "swapped"):
        monkeypatch.setattr(f"engine.training.{module}.PortraitBatches", Noted)
    train(data, tmp_path / "run", max_steps=1)
    assert loaded == [("recognizer_a.ts", True), ("recognizer_b.ts", False)]
    noted = json.loads((tmp_path / "run" / "teachers.json").read_text())["teachers"]
    assert list(noted) == ["recognizer_a.ts"]
    assert held == [{0, 4}] * 2 and learned == [{1, 2, 3, 5, 6, 7}] * 2


def test_one_face_is_too_few_to_judge_by(data: Path, tmp_path: Path) -> None:
    few = dataclasses.replace(TINY, held_out=FACES)
    options = TrainOptions(folder=tmp_path / "run", minutes=0)
    sets = [FaceSet(data / "faces_train_0.zip")]
    with pytest.raises(DataError, match="2 held-out faces"):
        learn_to_enhance(few, sets, data, options, pooled_distance, maps_of)


def test_the_first_weights_hang_on_the_seed_alone(tmp_path: Path) -> None:
    def first(name: str, maps: FeatureMaps) -> dict[str, Tensor]:
        options = TrainOptions(tmp_path / name, 0, seed=3)
        return EnhanceTrainer(TINY, options, pooled_distance, seen, maps).model.state_dict()

    many, none = first("many", maps_of), first("none", lambda pictures: [])
    assert all(torch.equal(many[name], none[name]) for name in many)


def test_one_teacher_is_too_few(data: Path, tmp_path: Path) -> None:
    (data / "recognizer_b.ts").unlink()
    with pytest.raises(WeightsMissingError, match="expected two"):
        train(data, tmp_path / "run")


def test_a_training_goes_on_where_it_stopped(data: Path, tmp_path: Path) -> None:
    first = train(data, tmp_path / "run", max_steps=2)
    again = EnhanceTrainer(TINY, first.options, pooled_distance, seen, maps_of)
    assert_same_state(first, again)  # type: ignore[arg-type]
    assert train(data, tmp_path / "run", max_steps=3).progress.step == 3


def test_another_size_of_network_is_no_start(data: Path, tmp_path: Path) -> None:
    train(data, tmp_path / "run", max_steps=1)
    wider = dataclasses.replace(TINY, widths=(8, 16))
    options = TrainOptions(tmp_path / "other", 1, start_from=tmp_path / "run" / "model")
    with pytest.raises(ModelError, match="same widths"):
        EnhanceTrainer(wider, options, pooled_distance, seen, maps_of)
    assert EnhanceTrainer(TINY, options, pooled_distance, seen, maps_of).model


def test_sources_that_mirror_their_border_are_not_learned(data: Path, tmp_path: Path) -> None:
    only = dataclasses.replace(TINY, excluded=("drawn",))
    options = TrainOptions(folder=tmp_path / "run", minutes=0)
    with pytest.raises(DataError, match="other sources than drawn"):
        learn_to_enhance(
            only, [FaceSet(data / "faces_train_0.zip")], data, options, pooled_distance, maps_of
        )


# --- after the swapper ----------------------------------------------------------------------------


@pytest.fixture
def doubling(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The scales that an enhancer was asked for, which turns every portrait grey."""
    asked: list[int] = []

    class Grey:
        device = "cpu"

        def __call__(self, portraits: Tensor, scale: int) -> Tensor:
            asked.append(scale)
            side = portraits.shape[-1] * scale
            return torch.full((1, 3, side, side), 0.5)

    monkeypatch.setattr(enhancing, "load_model", lambda name: Grey())
    return asked


def a_woman(share: float) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.float32]]:
    """The astronaut's face, made smaller, and its landmarks in it."""
    photo_u8 = skimage.data.astronaut()
    (face,) = detect(photo_u8)
    assert face.landmarks is not None
    points = face.landmarks - np.array(face.box[:2], np.float32)
    face_u8 = crop(photo_u8, face.box)
    small_u8 = cv2.resize(face_u8, None, fx=share, fy=share, interpolation=cv2.INTER_AREA)
    return np.asarray(small_u8, np.uint8), share * points


@pytest.mark.parametrize(("share", "scale"), [(0.5, 1), (1, 2)])
def test_a_mask_asks_for_the_pixels_that_show(
    doubling: list[int], share: float, scale: int
) -> None:
    face_u8, points = a_woman(share)
    mask_u8 = make_mask("simswap", face_u8, landmarks=points, seed=1, strength={"enhance": 1})
    assert set(doubling) == {scale}
    x, y = points[2].astype(int)
    assert np.abs(mask_u8[y, x].astype(int) - 128).max() < 3, "what was enhanced is what lies there"
    assert np.array_equal(mask_u8[0], face_u8[0])


def test_a_mask_is_enhanced_or_not(doubling: list[int]) -> None:
    face_u8, points = a_woman(1)
    for mask in ("simswap", "faceshifter", "ksame"):
        make_mask(mask, face_u8, landmarks=points, seed=1, strength={"enhance": 0})
        assert not doubling
        make_mask(mask, face_u8, landmarks=points, seed=1)
        assert doubling
        doubling.clear()
    with pytest.raises(MaskError, match=r"\[0, 1\], got 1\.5"):
        make_mask("simswap", face_u8, landmarks=points, seed=1, strength={"enhance": 1.5})


@pytest.mark.parametrize(("share", "scale"), [(0.5, 1), (1, 2)])
def test_a_share_of_the_enhancers_picture_is_mixed_in(
    doubling: list[int], share: float, scale: int
) -> None:
    face_u8, points = a_woman(share)
    portrait = to_portrait(face_u8, points)
    other_u8 = np.full_like(portrait.picture_u8, 48)
    made_u8 = enhancing.lay_clear(face_u8, points, portrait, other_u8, clear=0.25)
    assert doubling == [scale]
    x, y = points[2].astype(int)
    assert np.abs(made_u8[y, x].astype(int) - 68).max() < 2, "a quarter of 128, the rest of 48"
    assert np.array_equal(made_u8[0], face_u8[0])


def test_a_clear_face_holds_no_more_of_the_one_that_was(monkeypatch: pytest.MonkeyPatch) -> None:
    def same(portrait_u8: npt.NDArray[np.uint8], scale: int) -> npt.NDArray[np.uint8]:
        assert scale == 1
        return portrait_u8

    monkeypatch.setattr(enhancing, "enhance", same)
    face_u8, points = a_woman(0.5)
    portrait = to_portrait(face_u8, points)
    other_u8 = np.zeros_like(portrait.picture_u8)
    plain, clear = (
        enhancing.lay_clear(face_u8, points, portrait, other_u8, clear) for clear in (0, 1)
    )
    # But for the outermost seam, where the other face is a tenth of it.
    assert np.abs(plain.astype(int) - clear)[plain < 0.6 * face_u8].max() <= 2
    assert np.abs(plain.astype(int) - clear).mean() < 1


def test_every_mask_can_be_made_as_training_draws_it() -> None:
    face_u8, points = a_woman(0.5)
    for name, entry in MASKS.items():
        if not entry.takes_model:
            strength = entry.sample(np.random.default_rng(0))
            mask_u8 = make_mask(name, face_u8, landmarks=points, seed=1, strength=strength)
            assert not np.array_equal(mask_u8, face_u8), name
