"""What a trained attacker learns from: the same faces for every rival, truly protected."""

import numpy as np
import pytest
import torch
from weak_targets import Whisper, write_faces

from engine.attacks.pairs import (
    HEADER_BYTES,
    ByMethod,
    ByNetwork,
    PairConfig,
    PairMaker,
    make_protector,
    scaled_strength,
)
from engine.attacks.target import paper_sized
from engine.data import FaceFile, FaceSet
from engine.errors import MethodError
from engine.images import from_u8, to_u8
from engine.keys import KdfParams
from engine.masks import MASKS, make_mask
from engine.methods import METHODS
from engine.methods.embedding import load
from engine.pipeline import ProtectOptions, protect


@pytest.fixture(scope="module")
def faces(tmp_path_factory: pytest.TempPathFactory) -> FaceSet:
    return FaceSet(write_faces(tmp_path_factory.mktemp("faces"), 4))


CONFIG = PairConfig(("gaussian", "pixelate"), batch=3, crop=32)


def test_rivals_get_the_same_faces_masks_and_crops(faces: FaceSet) -> None:
    alone = PairMaker([faces], CONFIG, 5).make(7)
    beside = PairMaker([faces], CONFIG, 5, ByMethod(Whisper())).make(7)
    assert alone.protected is None and beside.protected is not None
    assert alone.original.shape == (3, 3, 32, 32)
    assert PairConfig(("gaussian",)).crop == 112, "no part of a sealed face tells of its place"
    assert torch.equal(alone.original, beside.original)
    assert torch.equal(alone.mask, beside.mask)
    assert 0 < (255 * (beside.protected - beside.mask)).abs().max() <= 4.01


def test_what_one_maker_drew_another_has_too(faces: FaceSet) -> None:
    first, apart = PairMaker([faces], CONFIG, 5), PairMaker([faces], CONFIG, 5)
    second = first.behind(ByMethod(Whisper()))
    shown, hidden, fresh = second.make(7), first.make(7), apart.make(7)
    for one in (shown, hidden):
        assert torch.equal(one.original, fresh.original)
        assert torch.equal(one.mask, fresh.mask)
    assert shown.protected is not None and hidden.protected is None


def test_a_step_is_the_same_each_time_and_no_other(faces: FaceSet) -> None:
    maker = PairMaker([faces], CONFIG, 5, make_protector("proface-s-rand"))
    first, again, next_one = maker.make(3), maker.make(3), maker.make(4)
    assert first.protected is not None and again.protected is not None
    assert torch.equal(first.protected, again.protected)
    assert not torch.equal(first.original, next_one.original)
    levels = 255 * first.protected
    assert torch.allclose(levels, levels.round(), atol=1e-4), "not 8 bits"


def test_a_network_protects_under_fresh_maps_or_one(faces: FaceSet) -> None:
    original = from_u8(faces.load(0)).repeat(2, 1, 1, 1)
    mask = torch.nn.functional.avg_pool2d(original, 9, 1, 4)
    network = load("proface-s-rand.v1")
    draw = np.random.default_rng
    fresh = ByNetwork(network).protect(original, mask, draw(0))
    assert not torch.equal(fresh[0], fresh[1])
    one = ByNetwork(network, one_key=1)
    same = one.protect(original, mask, draw(0))
    assert torch.equal(same[0], same[1])
    assert torch.equal(same, one.protect(original, mask, draw(9)))
    scrambled = ByNetwork(network, scrambled=True).protect(original, mask, draw(0))
    assert not torch.equal(scrambled[0], scrambled[1])
    keyed = ByNetwork(network, scrambled=True, one_key=1).protect(original, mask, draw(0))
    assert torch.equal(keyed[0], keyed[1])


def test_sealed_pairs_are_what_the_pipeline_makes(faces: FaceSet) -> None:
    original_u8 = faces.load(0)
    mask_u8 = make_mask("gaussian", original_u8, preset="paper")
    sealed = ByMethod(METHODS["sealed"])
    pair = from_u8(original_u8), from_u8(mask_u8)
    first, other = (to_u8(sealed.protect(*pair, np.random.default_rng(i))) for i in (0, 1))
    assert not np.array_equal(first, other)
    options = ProtectOptions("sealed", "gaussian", "paper", kdf=KdfParams.cheapest())
    face = [_whole(original_u8)]
    real_u8 = protect(original_u8, face, "a passphrase", options).photo_u8
    changed = [np.abs(made.astype(int) - mask_u8) for made in (first, other, real_u8)]
    assert max(change.max() for change in changed) <= 2
    means = [change.mean() for change in changed]
    assert means[0] == pytest.approx(means[2], rel=0.03)


def _whole(face_u8: np.ndarray) -> object:  # type: ignore[type-arg]
    from engine.faces import Face

    height, width = face_u8.shape[:2]
    return Face((0, 0, width, height), (0, 0, width, height), None, 1.0)


def test_the_header_is_as_long_as_a_real_one(faces: FaceSet) -> None:
    from engine.header import encode

    options = ProtectOptions("sealed", "gaussian", "paper", kdf=KdfParams.cheapest())
    original_u8 = faces.load(0)
    header = protect(original_u8, [_whole(original_u8)], "a passphrase", options).header  # type: ignore[list-item]
    assert len(encode(header)) == HEADER_BYTES


def test_an_unknown_method_is_refused() -> None:
    with pytest.raises(MethodError):
        make_protector("none")


def test_strengths_grow_with_their_lengths_alone() -> None:
    assert scaled_strength("gaussian", 1) == MASKS["gaussian"].paper
    assert scaled_strength("gaussian", 0.5) == {"kernel": 11, "sigma": 4}
    assert scaled_strength("pixelate", 2) == {"block": 18}
    assert scaled_strength("median", 0.01) == {"kernel": 3}
    assert scaled_strength("superpixel", 2) == MASKS["superpixel"].paper


def test_a_face_is_brought_to_the_papers_size_with_its_landmarks() -> None:
    face_u8 = np.zeros((100, 160, 3), np.uint8)
    points = np.array([[30, 0], [130, 0], [80, 50], [30, 100], [130, 100]], np.float32)
    made_u8, moved = paper_sized(face_u8, FaceFile("a", "", "", points))
    assert made_u8.shape == (112, 112, 3) and moved is not None
    assert moved.tolist()[:3] == [[0, 0], [112, 0], [56, 56]]


@pytest.mark.parametrize("strength", ["test", "mixed", "wide"])
def test_masks_are_of_the_strength_asked_for(faces: FaceSet, strength: str) -> None:
    config = PairConfig(("pixelate",), batch=4, crop=112, strength=strength)
    masks = torch.cat([PairMaker([faces], config, 0).make(step).mask for step in range(3)])
    edges = (masks[..., :, 1:] - masks[..., :, :-1]).abs().sum((0, 1, 2)) > 0
    nines = torch.arange(1, 112) % 9 == 0
    assert bool((edges & ~nines).any()) == (strength != "test")
