"""Faces for faces: portraits there and back, a swapper that sees no face, agents of nobody."""

import contextlib
import dataclasses
import itertools
from pathlib import Path
from typing import Any, BinaryIO

import cv2
import numpy as np
import numpy.typing as npt
import pytest
import skimage.data
import torch
from insightface.data import get_image
from sample_photos import portrait as photograph
from tiny_teachers import write_taught_faces
from tiny_training import draw_face, maps_of
from torch import Tensor, nn
from torch.nn import functional

from engine import agents, pipeline, zoo
from engine.agents import IdentityLaw, choose_agents, draw_gallery
from engine.alignment import align, typical_landmarks
from engine.data import FaceSet
from engine.errors import (
    DataError,
    LandmarksError,
    MaskError,
    ModelError,
    StillKnownError,
    WeightsMissingError,
)
from engine.faces import crop, detect, merge_overlapping
from engine.images import from_u8, to_u8
from engine.keys import SALT_BYTES, KdfParams
from engine.masking import lay_masks
from engine.masks import MASKS, make_mask, swap
from engine.masks.inner_face import LANDMARKS
from engine.masks.ksame import seed_of_turn
from engine.masks.portrait import canonical_to_portrait, inner_matte, lay_back, to_portrait
from engine.masks.swap import average_like
from engine.networks.gallery import AgentGallery
from engine.networks.swapper import (
    AAD,
    AdaIN,
    Injection,
    Swapper,
    conceal,
    heat_maps,
    hidden_by,
)
from engine.options import ProtectOptions
from engine.recognition import cosines, embed
from engine.results import Reader
from engine.training.critic import Critic, realism, unmasking, weak_matching
from engine.training.gallery import GalleryRecipe, fit_gallery, most_unlike
from engine.training.identities import own_identities
from engine.training.learner import TrainOptions
from engine.training.pairs import alike_of_pairs, pairs_of
from engine.training.portraits import Casting, PortraitBatches, make_portraits
from engine.training.shown import aligned, lightened, shaken
from engine.training.swap import learn_to_swap
from engine.training.swapping import (
    SWAPPERS,
    Sitters,
    SwapRecipe,
    SwapTrainer,
    cast_of,
)
from engine.zoo import IDENTITIES

TINY = SwapRecipe(
    "tiny-swap",
    "adain",
    widths=(8, 8, 8),
    blocks=(1, 1, 1),
    side=32,
    batch=4,
    own=2,
    each=2,
    held_out=4,
)
FACES = 12


def unit(*shape: int, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return functional.normalize(torch.randn(*shape, generator=generator), dim=-1)


def given(side: int = 32, seed: int = 0) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Two portraits, the matte, landmarks and identities."""
    generator = torch.Generator().manual_seed(seed)
    portraits = torch.rand(2, 3, side, side, generator=generator)
    points = torch.tensor([[10.0, 12], [22, 12], [16, 18], [11, 24], [21, 24]]).expand(2, -1, -1)
    return portraits, torch.from_numpy(inner_matte(side))[None, None], points, unit(2, 256)


def tiny(injection: Injection = "adain") -> Swapper:
    torch.manual_seed(0)
    network = Swapper((8, 8, 8), (1, 1, 1), injection=injection).eval()
    with torch.no_grad():  # as if it had learned: fresh ones hardly change anything
        network.leave.weight.mul_(30)
    return network


# --- portraits ------------------------------------------------------------------------------------


def test_a_portrait_has_the_landmarks_where_the_frame_has_them() -> None:
    face_u8, points = draw_face(1, 140), typical_landmarks(140, 140)
    portrait = to_portrait(face_u8, points, 112)
    assert portrait.picture_u8.shape == (112, 112, 3)
    back = portrait.landmarks @ portrait.matrix[:, :2].T + portrait.matrix[:, 2]
    assert np.abs(back - points).max() < 1e-3
    left, right = portrait.landmarks[:2]
    assert abs(left[1] - right[1]) < 0.5, "the eyes lie level"


@pytest.mark.parametrize("side", [64, 112, 128])
def test_the_matte_covers_the_landmarks_at_every_side(side: int) -> None:
    face_u8, points = draw_face(1, 140), typical_landmarks(140, 140)
    portrait, matte = to_portrait(face_u8, points, side), inner_matte(side)
    at = portrait.landmarks.round().astype(int)
    assert (matte[at[:, 1], at[:, 0]] > 0.9).all()
    assert matte[[0, -1]].max() == 0
    assert matte[:, [0, -1]].max() == 0


@pytest.mark.parametrize("degrees", [0, 25])
def test_outside_the_inner_face_no_pixel_is_touched(degrees: int) -> None:
    face_u8 = np.random.default_rng(0).integers(0, 256, (150, 130, 3), np.uint8)
    angle = np.deg2rad(degrees)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    middle = np.array([65, 75])
    points = (typical_landmarks(150, 130) - middle) @ turn.T + middle
    portrait = to_portrait(face_u8, points, 112)
    laid_u8 = lay_back(face_u8, np.zeros_like(portrait.picture_u8), portrait)
    changed = (laid_u8 != face_u8).any(axis=2)
    assert 0.2 < changed.mean() < 0.7
    assert not changed[0].any()
    at = points.round().astype(int)
    assert (laid_u8[at[:, 1], at[:, 0]] < 30).all(), "the face itself is covered"


def test_a_portrait_laid_back_unchanged_gives_the_face() -> None:
    face_u8, points = draw_face(3, 112), typical_landmarks(112, 112)
    portrait = to_portrait(face_u8, points, 112)
    laid_u8 = lay_back(face_u8, portrait.picture_u8, portrait)
    assert np.abs(laid_u8.astype(int) - face_u8).mean() < 1.5


def test_without_landmarks_there_is_no_portrait() -> None:
    with pytest.raises(MaskError, match="needs the landmarks") as caught:
        to_portrait(draw_face(0, 64), None)
    assert "gaussian" in caught.value.hint


def test_a_recogniser_sees_a_portrait_as_it_sees_the_face() -> None:
    face_u8, points = draw_face(2, 140), typical_landmarks(140, 140)
    portrait = to_portrait(face_u8, points, 112)
    there = aligned(from_u8(portrait.picture_u8))
    direct = from_u8(align(face_u8, points))
    # the frame shows a little less at the top, where nothing is that tells faces apart
    assert (there - direct)[..., 16:, :].abs().mean() < 0.03
    matrix = canonical_to_portrait(112)
    assert (matrix[0, 1], matrix[1, 0]) == (0, 0)


# --- the network ----------------------------------------------------------------------------------


@pytest.mark.parametrize("injection", ["adain", "aad"])
def test_a_swapper_changes_the_inner_face_alone(injection: Injection) -> None:
    portraits, matte, points, identities = given()
    with torch.inference_mode():
        made = tiny(injection)(portraits, matte, points, identities)
    changed = (made - portraits).abs()
    assert made.shape == portraits.shape
    assert float((changed * (matte == 0)).max()) == 0
    assert float((changed * (matte == 1)).mean()) > 0.02


@pytest.mark.parametrize("injection", ["adain", "aad"])
def test_a_swapper_gives_other_identities_other_faces(injection: Injection) -> None:
    portraits, matte, points, identities = given()
    with torch.inference_mode():
        network = tiny(injection)
        one = network(portraits, matte, points, identities)
        other = network(portraits, matte, points, identities.flip(0))
    assert float((one - other).abs().max()) > 1e-3


def test_a_swapper_is_not_shown_the_face_that_it_replaces() -> None:
    portraits, matte, _, _ = given()
    others = given(seed=1)[0]
    shown = conceal(portraits, matte, others)
    hidden = (hidden_by(matte) == 1).expand_as(shown)
    assert hidden.float().mean() > 0.2
    assert bool((matte[:, :, :, :] > 0.5).logical_and(hidden_by(matte) < 1).sum() == 0)
    assert torch.equal(shown[hidden], others[hidden])
    outside = (matte == 0).expand_as(shown)
    assert torch.equal(shown[outside], portraits[outside])
    changed = torch.where(hidden, torch.rand_like(portraits), portraits)
    assert torch.equal(conceal(changed, matte, others), shown), "whatever the face was"


def test_heat_maps_are_hot_at_their_landmarks() -> None:
    heat = heat_maps(torch.tensor([[[4.0, 9.0], [1, 1], [2, 2], [3, 3], [30, 5]]]), 32)
    assert heat.shape == (1, 5, 32, 32)
    assert float(heat[0, 0, 9, 4]) == 1
    assert float(heat[0, 4, 5, 30]) == 1
    assert float(heat[0, 0, 30, 30]) < 1e-6


@pytest.mark.parametrize("kind", [AdaIN, AAD])
def test_injection_takes_the_statistics_of_what_came_before(kind: type[AdaIN | AAD]) -> None:
    torch.manual_seed(0)
    layer, style = kind(4, 6), torch.randn(2, 6)
    x, attributes = torch.randn(2, 4, 8, 8), torch.randn(2, 4, 8, 8)
    assert torch.allclose(
        layer(x, attributes, style), layer(3 * x + 1, attributes, style), atol=1e-4
    )


def test_a_turned_face_ends_sooner_where_it_is_turned_away() -> None:
    to_frame = canonical_to_portrait()
    straight = LANDMARKS @ to_frame[:, :2].T + to_frame[:, 2]
    whole = inner_matte()
    assert np.array_equal(inner_matte(landmarks=straight), whole), "frontal: as without landmarks"
    for shift in (-12.0, 12.0):
        turned = straight + np.array([[0, 0], [0, 0], [shift, 0], [0, 0], [0, 0]])
        matte = inner_matte(landmarks=turned)
        assert (matte <= whole).all(), "never more than a frontal face's"
        lost = (whole > 0) & (matte == 0)
        columns = np.flatnonzero(lost.any(axis=0))
        assert (columns > 56).all() if shift > 0 else (columns < 56).all()
        assert lost.sum() > 0.05 * (whole > 0).sum()
        across, down = turned.round().astype(int).T
        assert (matte[down, across] > 0.9).all(), "what is told by is covered, however it turns"
        double = inner_matte(224, 2 * (turned + 0.5) - 0.5)
        assert abs(double.mean() - matte.mean()) < 0.01, "the same at twice the side"


# --- agents ---------------------------------------------------------------------------------------


def crowd(count: int = 400, dimensions: int = 24) -> npt.NDArray[np.float32]:
    return unit(count, dimensions).numpy()


def test_agents_are_near_to_nobody_and_to_none_of_each_other() -> None:
    embeddings = crowd()
    drawn = draw_gallery(embeddings, 20, 0.55, np.random.default_rng(0))
    assert np.allclose(np.linalg.norm(drawn, axis=1), 1, atol=1e-5)
    assert (drawn @ embeddings.T).max() <= 0.55
    assert (drawn @ drawn.T - np.eye(20)).max() <= 0.55 + 1e-5
    again = draw_gallery(embeddings, 20, 0.55, np.random.default_rng(0))
    assert np.array_equal(drawn, again)


def test_a_gallery_that_cannot_be_is_refused() -> None:
    with pytest.raises(ModelError, match="expected 20 identities"):
        draw_gallery(crowd(dimensions=4), 20, 0.1, np.random.default_rng(0))


def test_identities_are_drawn_as_embeddings_are_spread() -> None:
    embeddings = crowd(2000) * np.linspace(0.2, 2, 24, dtype=np.float32) + 0.05
    embeddings /= np.linalg.norm(embeddings, axis=1, keepdims=True)
    drawn = IdentityLaw.of(embeddings).draw(2000, np.random.default_rng(0))
    first, second = (np.sort(np.var(vectors, axis=0)) for vectors in (embeddings, drawn))
    assert np.abs(first - second).max() < 0.25 * first.max()


# --- training -------------------------------------------------------------------------------------


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return write_taught_faces(tmp_path / "data", FACES)


def train(data: Path, folder: Path, recipe: SwapRecipe = TINY, **changes: object) -> SwapTrainer:
    plain = TrainOptions(folder=folder, minutes=60, log_steps=2, max_steps=2)
    options = dataclasses.replace(plain, **changes)  # type: ignore[arg-type]
    sets = [FaceSet(data / "faces_train_0.zip")]
    return learn_to_swap(
        recipe, sets, data, options, lambda a, b: (a - b).abs().flatten(1).mean(1), maps_of
    )


def test_a_swapper_learns_logs_and_goes_on(data: Path, tmp_path: Path) -> None:
    first = train(data, tmp_path / "run")
    assert (first.progress.step, first.progress.faces_seen) == (2, 8)
    assert {
        "pixels",
        "identity",
        "apart",
        "various",
        "judge_source_cosine",
        "judge_twins_cosine",
    } <= set(first.figures)
    assert all(np.isfinite(value) for value in first.figures.values())
    second = train(data, tmp_path / "run", max_steps=4)
    assert second.progress.step == 4
    with Reader(tmp_path / "run" / "results.db") as reader:
        assert len(reader.runs()) == 1
    network = zoo.read_network(tmp_path / "run" / "model", "Swapper")
    learned = dict(second.average.named_parameters())
    assert all(torch.equal(learned[name], found) for name, found in network.named_parameters())


def test_the_identity_loss_reaches_the_swapper(data: Path, tmp_path: Path) -> None:
    trainer = train(data, tmp_path / "run")
    portraits, matte, points, identities = given()
    made = trainer.model(portraits, matte, points, identities)
    trainer.model.zero_grad(set_to_none=True)
    trainer.recogniser(aligned(made)).sum().backward()
    gradients = [p.grad for p in trainer.model.mapping.parameters()]
    assert any(g is not None and float(g.abs().sum()) > 0 for g in gradients)


def casting(**changes: float) -> Casting:
    everybody, people = unit(FACES + 5, 256).numpy(), np.arange(FACES)
    plain = Casting(everybody, people, FACES, own=2, each=3, agents=0.5, like=0.5)
    return dataclasses.replace(plain, **changes)  # type: ignore[arg-type]


def test_a_face_gets_its_own_identity_or_several_of_others() -> None:
    rng = np.random.default_rng(0)
    assert casting().give(7, 0, rng) == casting().give(7, 1, rng) == [7]
    some = dataclasses.replace(casting(agents=0), faces=np.array([1, 2, 3, 7]))
    assert {tuple(sorted(some.give(7, place, rng))) for place in (2, 5)} == {(1, 2, 3)}
    agents = [casting(agents=1).give(7, 2, rng) for _ in range(50)]
    assert all(len({*given}) == 3 for given in agents)
    assert {one for given in agents for one in given} == {*range(FACES, FACES + 5)}


def test_a_portrait_is_in_a_batch_once_for_each_identity(data: Path) -> None:
    sets = [FaceSet(data / "faces_train_0.zip")]
    batches = iter(PortraitBatches(sets, np.arange(FACES), 5, 32, 3, casting()))
    for batch in (next(batches), next(batches)):
        averages, given = cast_of(batch)
        first, second, *others = batch.indices.tolist()
        assert given[:2].tolist() == [first, second]
        assert len(others) == 3 and len({*others}) == 1 and others[0] not in (first, second)
        assert len({*given[2:].tolist()}) == 3 and others[0] not in given[2:].tolist()
        assert torch.equal(batch.pictures[2], batch.pictures[4])
        assert len({float(one.sum()) for one in averages[2:]}) > 1
    plain = next(iter(PortraitBatches(sets, np.arange(FACES), 5, 32, 3)))
    assert len({*plain.indices.tolist()}) == 5
    with_averages = make_portraits(sets, [0, 1], 32, like=unit(2, 256).numpy())
    for uncast in (plain, with_averages):
        with pytest.raises(ValueError, match="and a casting"):
            cast_of(uncast)


def test_faces_that_cannot_be_placed_end_the_batches(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise LandmarksError("turned away", hint="another one")

    monkeypatch.setattr("engine.training.portraits.to_portrait", refuse)
    sets = [FaceSet(data / "faces_train_0.zip")]
    with pytest.raises(DataError, match="laid in a portrait, got none"):
        next(iter(PortraitBatches(sets, np.arange(FACES), 5, 32, 3)))


def test_a_recipe_whose_batch_no_groups_fill_is_refused() -> None:
    for changes in ({"each": 1}, {"own": 4}, {"own": 1}):
        with pytest.raises(ModelError, match="groups of 2 or more"):
            dataclasses.replace(TINY, **changes)  # type: ignore[arg-type]


def test_a_swapper_learns_the_agents_of_its_own_gallery(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def chosen(seed: int, gallery: str) -> npt.NDArray[np.float32]:
        asked.append(gallery)
        return choose_agents(seed, gallery=gallery)

    monkeypatch.setattr("engine.training.swap.choose_agents", chosen)
    own = [SWAPPERS[name].gallery for name in ("simswap", "faceshifter")]
    assert own == [agents.GALLERY, swap.GALLERIES[swap.FACESHIFTER]]
    train(data, tmp_path / "run", recipe=dataclasses.replace(TINY, gallery=own[1]), max_steps=0)
    assert asked == own[1:]


def test_the_losses_ask_for_whom_each_portrait_is_given(data: Path, tmp_path: Path) -> None:
    """A recogniser that sees in each of three swaps another person; who these are is told apart."""
    trainer = train(data, tmp_path / "run", max_steps=0)
    people = torch.eye(6)
    trainer.sitters = Sitters(people[:4], people[:4], people[:4], people[4:], people[4:])
    trainer.recipe = dataclasses.replace(TINY, batch=5, each=3)
    pictures, indices = torch.rand(5, 3, 32, 32), torch.tensor([0, 1, 2, 2, 2])

    def figures(seen: list[int], given: list[int]) -> dict[str, float]:
        trainer.recogniser = lambda faces: people[seen]
        parts = (*4 * [pictures], indices, torch.tensor(given))
        return {name: float(loss) for name, loss in trainer._losses(*parts).items()}

    right = figures([1, 4, 5], [0, 1, 1, 4, 5])
    assert (right["identity"], right["apart"], right["push_away"]) == (0, 0, 0)
    wrong = figures([3, 3, 5], [0, 1, 1, 4, 5])
    assert wrong["identity"] == pytest.approx(2 / 3)
    assert wrong["apart"] == pytest.approx((1 - trainer.recipe.weights.far) ** 2 / 3)
    kept = figures([2, 4, 5], [0, 1, 2, 4, 5])
    assert (kept["identity"], kept["push_away"]) == (0, pytest.approx(1 / 3))


def test_onlookers_are_shown_as_much_of_a_swap_as_masks_lay(data: Path, tmp_path: Path) -> None:
    trainer = train(data, tmp_path / "run", max_steps=0)
    seen: list[Tensor] = []

    def recogniser(faces: Tensor) -> Tensor:
        seen.append(faces.detach())
        return torch.ones(len(faces), trainer.sitters.seen.shape[1])

    trainer.recogniser = recogniser
    black = torch.zeros(4, 3, 32, 32)
    green = black + torch.tensor([0.0, 1, 0]).view(3, 1, 1)
    for share in (0.25, 1.0):
        trainer.recipe, grey = dataclasses.replace(TINY, shares=(share,)), 0.587 * share
        laid = trainer._laid(black, green)
        assert torch.equal(laid[:2], green[:2])  # of those who got their own identity
        assert torch.allclose(laid[2:], torch.tensor(grey))
        trainer._losses(black, green, laid, black, torch.arange(4), torch.arange(4))
        assert torch.allclose(seen.pop(), torch.tensor(grey), atol=1e-5)


def test_verdicts_count_where_they_are_wanted() -> None:
    verdicts = torch.zeros(2, 1, 8, 8)
    verdicts[0, ..., :4], verdicts[1, ..., 4:] = 3, 3
    where = torch.zeros(2, 1, 32, 32)
    where[0, ..., :16], where[1, ..., 16:] = 0.5, 0.5
    real, made = (float(functional.softplus(torch.tensor(x))) for x in (-3.0, 3.0))
    even = float(functional.softplus(torch.tensor(0.0)))
    found = [[verdicts]]
    assert float(realism(found, where)) == pytest.approx(real)
    assert float(realism(found)) == pytest.approx((real + even) / 2)
    assert float(unmasking(found, found, where)) == pytest.approx(real + made)
    assert float(realism(found, where[:1])) == pytest.approx((real + even) / 2)


def test_a_critic_judges_by_frozen_maps_too(data: Path, tmp_path: Path) -> None:
    plain, critic = Critic(width=8), Critic(width=8, features=maps_of).eval()
    pictures = torch.rand(2, 3, 32, 32)
    assert [maps[-1].shape[1] for maps in critic(pictures)] == [1] * 5
    torch.testing.assert_close(
        weak_matching(critic.patches(pictures), critic(pictures)), torch.tensor(0.0)
    )
    with_module = Critic(width=8, features=FrozenMaps())
    added = {*with_module.state_dict()} - {*plain.state_dict()}
    assert added and all(name.startswith("heads.") for name in added)
    assert len(train(data, tmp_path / "run").critic.heads) == 3


class FrozenMaps(nn.Module):
    """A frozen network that is a module, with weights that a critic must not take for its own."""

    def __init__(self) -> None:
        super().__init__()
        self.sees = nn.Conv2d(3, 4, 3)

    def forward(self, pictures: Tensor) -> list[Tensor]:
        return [self.sees(pictures)]


def test_the_critic_sees_inner_faces_as_laid_through_a_window(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trainer = train(data, tmp_path / "run", max_steps=0)
    batch = next(
        iter(
            PortraitBatches(
                [FaceSet(data / "faces_train_0.zip")], np.arange(FACES), 4, 32, 0, casting(each=2)
            )
        )
    )
    laid: list[Tensor] = []
    learned: list[tuple[Tensor, ...]] = []
    places: list[tuple[slice, slice, slice, slice]] = []

    def noted_laid(self: SwapTrainer, natural: Tensor, made: Tensor) -> Tensor:
        laid.append(plain_laid(self, natural, made))
        return laid[-1]

    def noted_window(self: SwapTrainer, pictures: Tensor) -> tuple[slice, slice, slice, slice]:
        places.append(plain_window(self, pictures))
        return places[-1]

    def noted_learn(self: SwapTrainer, *parts: Tensor) -> dict[str, float]:
        learned.append(parts)
        return {}

    plain_laid, plain_window = SwapTrainer._laid, SwapTrainer._window
    monkeypatch.setattr(SwapTrainer, "_laid", noted_laid)
    monkeypatch.setattr(SwapTrainer, "_window", noted_window)
    monkeypatch.setattr(SwapTrainer, "learn", noted_learn)
    for _ in range(8):
        trainer.step(batch)
    for made, place, (loss, real, judged, where) in zip(laid, places, learned, strict=True):
        assert loss.requires_grad and judged.shape == (4, 3, 16, 16)
        assert torch.equal(judged, made[place])
        assert torch.equal(where, batch.mattes[place])
        assert torch.equal(real[:2], batch.pictures[place][:2])
        # The others have the colours that are laid, wherever neither is cut off at black or white.
        whole = [((part > 0) & (part < 1)).all(1)[2:] for part in (real, judged)]
        red_less_blue = [
            (part[2:, 0] - part[2:, 2])[whole[0] & whole[1]] for part in (real, judged)
        ]
        assert len(red_less_blue[0]) and red_less_blue[0].std() > 0.01
        torch.testing.assert_close(*red_less_blue)
    assert len({str(place) for place in places}) > 4


def test_what_the_training_lays_is_what_masks_lay() -> None:
    rng = np.random.default_rng(0)
    other_u8, swapped_u8 = rng.integers(0, 256, (2, 8, 8, 3)).astype(np.uint8)
    laid = lightened(from_u8(other_u8), from_u8(swapped_u8), 0.55)
    assert np.abs(to_u8(laid).astype(int) - swap._lightened(other_u8, swapped_u8, 0.55)).max() <= 1


def test_those_who_are_cast_are_shown_averages_like_them(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    always = casting(like=1)

    def drawn(picture_u8: npt.NDArray[np.uint8], points: object, seed: int, like: object) -> object:
        known = [
            number for number, one in enumerate(always.identities) if np.array_equal(one, like)
        ]
        return np.full_like(picture_u8, 1 + known[0] if known else 0)

    monkeypatch.setattr("engine.training.portraits.average_like", drawn)
    sets = [FaceSet(data / "faces_train_0.zip")]
    averages, given = cast_of(next(iter(PortraitBatches(sets, np.arange(FACES), 5, 32, 3, always))))
    shown = (255 * averages[:, 0, 0, 0]).round().int()
    assert torch.equal(shown, 1 + given.int())
    never = casting(like=0)
    averages, _ = cast_of(next(iter(PortraitBatches(sets, np.arange(FACES), 5, 32, 3, never))))
    assert not averages.any()


def test_pairs_are_counted_within_each_group() -> None:
    one, other = unit(1, 8), unit(1, 8, seed=1)
    cosine = float((one * other).sum())
    pairs = alike_of_pairs(torch.cat([one, one, other, other]), 2)
    assert pairs.tolist() == pytest.approx([1, 1])
    three = alike_of_pairs(torch.cat([one, one, other]), 3)
    assert three.tolist() == pytest.approx([1, cosine, cosine])
    first, second = pairs_of(torch.arange(6), 3)
    assert (first.tolist(), second.tolist()) == ([0, 0, 1, 3, 3, 4], [1, 2, 2, 4, 5, 5])
    for count, each in ((3, 2), (2, 1)):
        with pytest.raises(ValueError, match="in groups of"):
            alike_of_pairs(one.expand(count, -1), each)


def test_another_injection_may_begin_from_what_one_has_learned(data: Path, tmp_path: Path) -> None:
    first = train(data, tmp_path / "run")
    recipe = dataclasses.replace(TINY, name="other", injection="aad")
    options = TrainOptions(
        tmp_path / "other", minutes=0, start_from=tmp_path / "run" / "model", max_steps=0
    )
    other = SwapTrainer(recipe, options, first.sitters, first.perceptual, first.recogniser, maps_of)
    taken = dict(other.model.named_parameters())
    assert torch.equal(taken["leave.weight"], first.average.leave.weight)
    assert "deep.0.injections.0.attention.weight" in taken
    wider = dataclasses.replace(recipe, widths=(16, 8, 8))
    with pytest.raises(ModelError, match="same widths"):
        SwapTrainer(wider, options, first.sitters, first.perceptual, first.recogniser, maps_of)


def test_one_teacher_is_too_few(data: Path, tmp_path: Path) -> None:
    (data / "recognizer_b.ts").unlink()
    with pytest.raises(WeightsMissingError, match="expected two"):
        train(data, tmp_path / "run")


def test_a_gallery_is_fitted_into_a_folder(data: Path, tmp_path: Path) -> None:
    sets = [FaceSet(data / "faces_train_0.zip")]
    options = TrainOptions(folder=tmp_path / "agents", minutes=0)
    recipe = GalleryRecipe("tiny", swap.FACESHIFTER, count=1, drawn=3, most=0.99, faces=2)
    fitted = fit_gallery(recipe, sets, options)
    assert fitted.figures["nearest_face_cosine"] <= 0.99
    assert 0 <= fitted.figures["drawn_match"] <= 1
    network = zoo.read_network(tmp_path / "agents" / "model", "AgentGallery")
    assert tuple(network.identities.shape) == (1, 256)
    np.save(next((tmp_path / "agents").glob("*.npy")), np.zeros((2, 256), np.float32))
    with pytest.raises(DataError, match="holds 2 faces"):
        fit_gallery(dataclasses.replace(recipe, count=3), sets, options)


def test_of_identities_that_look_alike_one_is_kept() -> None:
    people = np.eye(8, dtype=np.float32)[:4]
    # Each twice, a little apart, and seen on three faces, which change all of them alike.
    made = np.concatenate([people, people + 0.1 * np.eye(8, dtype=np.float32)[4]])
    made = np.stack([made + 0.1 * np.eye(8, dtype=np.float32)[5 + n] for n in range(3)], axis=1)
    made /= np.linalg.norm(made, axis=-1, keepdims=True)
    kept = most_unlike(made, 4, threshold=0.4)
    assert sorted(kept % 4) == [0, 1, 2, 3]
    assert most_unlike(made, 8, threshold=0.4).tolist() == list(range(8))


def test_what_the_losses_see_is_shaken_a_little() -> None:
    line = torch.linspace(0, 1, 64)
    faces = (line + line[:, None]).div(2).expand(8, 3, -1, -1)
    found = shaken(faces, np.random.default_rng(0))
    assert found.shape == faces.shape
    assert not torch.equal(found[0], found[1]), "each one in its own way"
    nearest = torch.minimum((found - faces).abs(), (found - faces.flip(-1)).abs()).mean((1, 2, 3))
    assert nearest.max() < 0.1, "mirrored or not, the face stays in its place"
    again = shaken(faces, np.random.default_rng(0))
    assert torch.equal(found, again)


def test_embeddings_are_kept_whole_or_not_at_all(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sets, options = [FaceSet(data / "faces_train_0.zip")], TrainOptions(tmp_path, minutes=0)

    def stopped(file: BinaryIO, array: npt.NDArray[np.float32]) -> None:
        file.write(array.tobytes()[:100])
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(np, "save", stopped)
        with pytest.raises(KeyboardInterrupt):
            own_identities(sets, options)
    assert list(tmp_path.glob("*.npy")) == []
    found = own_identities(sets, options)
    (file,) = tmp_path.glob("*.npy")
    assert np.array_equal(own_identities(sets, options), found)
    for left in (file.read_bytes()[:200], b""):
        file.write_bytes(left)
        with pytest.raises(DataError, match="is damaged") as caught:
            own_identities(sets, options)
        assert "remove it" in caught.value.hint


def test_a_laid_back_swap_is_8_bits(data: Path) -> None:
    del data
    portraits, matte, points, identities = given()
    with torch.inference_mode():
        made = tiny()(portraits[:1], matte, points[:1], identities[:1])
    assert to_u8(made.clamp(0, 1)).dtype == np.uint8


# --- the mask -------------------------------------------------------------------------------------


@pytest.fixture
def gallery(monkeypatch: pytest.MonkeyPatch) -> npt.NDArray[np.float32]:
    """Three agents: the first axes of their space."""
    network = AgentGallery(3, 256)
    with torch.no_grad():
        network.identities.copy_(torch.eye(3, 256))
    monkeypatch.setattr(agents, "load_model", lambda name, device: network)
    return network.identities.numpy()


def test_the_seed_orders_the_agents(gallery: npt.NDArray[np.float32]) -> None:
    for seed in (0, 1, 5, 2**127):
        found = choose_agents(seed)
        assert np.array_equal(found, choose_agents(seed))
        assert sorted(found.argmax(1)) == [0, 1, 2]
    firsts = [choose_agents(seed)[0].argmax() for seed in range(12)]
    assert set(firsts) == {0, 1, 2}
    assert all(one != after for one, after in itertools.pairwise(firsts))


def test_an_agent_that_resembles_the_face_is_left_out(gallery: npt.NDArray[np.float32]) -> None:
    found = choose_agents(1, gallery[1])
    assert len(found) == 2
    assert not (found == gallery[1]).all(axis=1).any()
    everyone = gallery.sum(axis=0) / np.sqrt(3)
    assert len(choose_agents(0, everyone)) == 1, "the furthest one stays"


def portrait_of_a_woman() -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.float32]]:
    """The astronaut's face and its landmarks in it."""
    photo_u8 = skimage.data.astronaut()
    (face,) = detect(photo_u8)
    assert face.landmarks is not None
    return crop(photo_u8, face.box), face.landmarks - np.array(face.box[:2], np.float32)


def test_a_swapped_face_is_somebody_else_in_the_same_place() -> None:
    face_u8, points = portrait_of_a_woman()
    mask_u8 = make_mask("simswap", face_u8, landmarks=points, seed=3)
    assert np.array_equal(mask_u8, make_mask("simswap", face_u8, landmarks=points, seed=3))
    assert not np.array_equal(mask_u8, make_mask("simswap", face_u8, landmarks=points, seed=4))
    same = cosines(from_u8(face_u8), from_u8(mask_u8), [points])
    assert float(same) < 0.3
    (found,) = detect(mask_u8)
    assert found.landmarks is not None
    eyes = np.linalg.norm(points[1] - points[0])
    assert np.linalg.norm(found.landmarks - points, axis=1).mean() < 0.15 * eyes


@pytest.mark.parametrize("side", [112, 128, 400])
@pytest.mark.parametrize("number", [None, 0, 3], ids=["astronaut", "first of t1", "fourth of t1"])
def test_a_face_of_any_size_is_swapped_within_its_inner_face(number: int | None, side: int) -> None:
    photo_u8 = skimage.data.astronaut() if number is None else get_image("t1")[:, :, ::-1]
    face = detect(np.ascontiguousarray(photo_u8))[number or 0]
    assert face.landmarks is not None
    cut_u8 = crop(np.ascontiguousarray(photo_u8), face.box)
    scale = side / cut_u8.shape[0]
    way = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    face_u8 = np.asarray(cv2.resize(cut_u8, (side, side), interpolation=way), np.uint8)
    points = ((face.landmarks - np.array(face.box[:2]) + 0.5) * scale - 0.5).astype(np.float32)
    before_u8 = face_u8.copy()
    made_u8 = make_mask("simswap", face_u8, landmarks=points, seed=3)
    assert np.array_equal(face_u8, before_u8)
    assert np.array_equal(made_u8, make_mask("simswap", face_u8, landmarks=points, seed=3))
    white_u8 = np.full((112, 112, 3), 255, np.uint8)
    blank_u8 = lay_back(np.zeros_like(face_u8), white_u8, to_portrait(face_u8, points))
    inner = blank_u8[..., 0] > 0
    assert np.array_equal(made_u8[~inner], face_u8[~inner])
    assert (made_u8[inner] != face_u8[inner]).any(axis=-1).mean() > 0.8
    (found,) = detect(made_u8)
    assert found.landmarks is not None
    eyes = np.linalg.norm(points[1] - points[0])
    assert np.linalg.norm(found.landmarks - points, axis=1).mean() < 0.25 * eyes


def test_the_key_chooses_the_agent(monkeypatch: pytest.MonkeyPatch) -> None:
    chosen: list[int] = []

    def choose(*asked: Any) -> npt.NDArray[np.float32]:
        found = choose_agents(*asked)
        everyone = zoo.load_model(asked[2], "cpu").identities.numpy()
        chosen.append(int((everyone @ found[0]).argmax()))
        return found

    monkeypatch.setattr(swap, "choose_agents", choose)
    monkeypatch.setattr(pipeline, "new_salt", lambda: salt)
    photo_u8 = skimage.data.astronaut()
    faces = detect(photo_u8)
    options = ProtectOptions(mask="simswap", mask_seed="key", kdf=KdfParams.cheapest())

    def masked(passphrase: str) -> tuple[int, bytes]:
        made = pipeline.protect(photo_u8, faces, passphrase, options)
        assert (made.notes, made.laid) == ((), 1), "laid, and not blurred instead"
        return chosen[-1], made.masked_u8.tobytes()

    salt = bytes(SALT_BYTES)
    first = masked("a passphrase")
    assert masked("a passphrase") == first
    other, another_u8 = masked("another passphrase")
    assert other != first[0] and another_u8 != first[1]
    salt = bytes(SALT_BYTES - 1) + b"1"
    assert masked("a passphrase")[1] != first[1], "the picture's own"


def test_a_swapper_is_shown_an_average_and_never_the_face(monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[Tensor] = []

    class Stub:
        device = "cpu"

        def __call__(self, concealed: Tensor, *rest: Tensor) -> Tensor:
            del rest
            shown.append(concealed)
            return concealed

    monkeypatch.setattr(swap, "load_model", lambda name: Stub())
    face_u8, points = portrait_of_a_woman()
    portrait = to_portrait(face_u8, points)
    own = embed(from_u8(face_u8), [points], IDENTITIES)[0].numpy()
    with contextlib.suppress(StillKnownError):  # who changes nothing may be left with a double
        swap.swap_face(swap.SIMSWAP, face_u8, points, 3)
    averages_u8 = [
        average_like(portrait.picture_u8, portrait.landmarks, seed_of_turn(3, turn), agent)
        for turn, agent in enumerate(choose_agents(3, own)[: len(shown) + 1])
    ]
    assert len(shown) > 1, "the first average resembles her"
    assert not np.array_equal(averages_u8[0], averages_u8[1])
    hidden = hidden_by(torch.from_numpy(portrait.matte)) == 1
    assert hidden.float().mean() > 0.3
    for concealed, average_u8 in zip(shown, averages_u8, strict=False):
        given = from_u8(average_u8)[0, :, hidden]
        assert torch.allclose(concealed[0, :, hidden], given, atol=1e-6)


@pytest.mark.parametrize("mask", swap.SWAPPERS)
def test_a_swapper_names_the_gallery_that_it_draws_from(
    mask: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def chosen(seed: int, face: npt.NDArray[np.float32], gallery: str) -> npt.NDArray[np.float32]:
        asked.append(gallery)
        return choose_agents(seed, face, gallery)

    monkeypatch.setattr(swap, "choose_agents", chosen)
    face_u8, points = portrait_of_a_woman()
    make_mask(mask, face_u8, landmarks=points, seed=0)
    assert set(asked) == {name for name in MASKS[mask].models if name.startswith("agents")}


@pytest.mark.parametrize("mask", ["ksame", *swap.SWAPPERS])
def test_a_mask_names_every_network_that_it_asks(
    mask: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: set[str] = set()
    read = zoo.find_card

    def noted(name: str) -> zoo.ModelCard:
        asked.add(name)
        return read(name)

    monkeypatch.setattr(zoo, "find_card", noted)
    zoo.load_model.cache_clear()
    photo_u8 = photograph()
    made = lay_masks(photo_u8, merge_overlapping(detect(photo_u8), *photo_u8.shape[:2]), mask)
    assert made.laid == 1
    assert asked <= set(MASKS[mask].models) and zoo.LANDMARKS in asked


def test_brows_and_half_of_the_forehead_are_laid_anew() -> None:
    portrait = to_portrait(np.zeros((112, 112, 3), np.uint8), LANDMARKS)
    x, y = portrait.landmarks[:2].mean(axis=0).round().astype(int)
    matte = portrait.matte
    assert matte[y - 12, x - 16 : x + 17].min() > 0.5, "the brows"
    assert matte[y - 20, x] > 0.5 > matte[y - 32, x]


def test_the_first_that_is_far_and_nearer_to_its_own_is_taken() -> None:
    def tried(*pairs: tuple[float, float]) -> list[swap.Swapped]:
        return [swap.Swapped(np.zeros((1, 1, 3), np.uint8), *pair) for pair in pairs]

    near, well, better = tried((0.10, 0.05), (0.12, 0.60), (0.01, 0.70))
    assert swap._furthest([near, well, better]) is well
    assert swap._furthest(tried((0.10, 0.05), (0.2, 0.1))).original_cosine == 0.10
    with pytest.raises(StillKnownError):
        swap._furthest(tried((0.4, 0.1), (0.35, 0.3)))


def test_a_face_that_stays_known_is_hidden_otherwise_and_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(
        swap, "swap_portrait", lambda model, portrait, agent, other: portrait.picture_u8
    )
    monkeypatch.setattr(swap, "average_like", lambda picture_u8, *rest: picture_u8)
    face_u8, points = portrait_of_a_woman()
    with pytest.raises(StillKnownError, match="too near to who it was"):
        make_mask("simswap", face_u8, landmarks=points, seed=0)
    photo_u8 = skimage.data.astronaut()
    faces = detect(photo_u8)
    made = lay_masks(photo_u8, merge_overlapping(faces, *photo_u8.shape[:2]), "simswap")
    (note,) = made.notes
    assert "too near" in note.reason
    assert "blurred" in note.instead
    x0, y0, x1, y1 = faces[0].box
    assert np.abs(made.photo_u8[y0:y1, x0:x1].astype(int) - photo_u8[y0:y1, x0:x1]).mean() > 5
