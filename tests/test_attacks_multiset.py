"""What scrambling leaves: the very photograph is found by it, noise is not."""

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from attack_scenes import faces_folder, quick
from sample_photos import group, portrait
from tiny_zoo import forget, grey_embedder, point_zoo_at, write_model
from torch import Tensor
from weak_methods import Glass

from engine.attacks import ATTACKS
from engine.attacks.attack import AttackConfig, Scene
from engine.attacks.multiset import descriptor, look_up
from engine.data import FaceSet
from engine.errors import ImageShapeError, MethodError
from engine.images import from_u8
from engine.keys import Key
from engine.methods import METHODS
from engine.scramble import keyed_shuffle, random_shuffles, scramble

MODEL_K = METHODS["proface-k"].model

NAMES = [*"abcdef", "a"]


def gallery_faces() -> list[Tensor]:
    """Six crops of a group, and the first of them again, a little aside and darker."""
    lefts = [60 + 80 * i for i in range(6)]
    crops = [group()[90:186, x : x + 96] for x in lefts] + [group()[93:189, 64:160] // 8 * 7]
    return [from_u8(np.ascontiguousarray(crop_u8)) for crop_u8 in crops]


def scrambled(face: Tensor, byte: int) -> Tensor:
    return scramble(face, keyed_shuffle(Key(bytes([byte] * 32)), b"a face", *face.shape[-2:]))


def test_no_scrambling_changes_a_descriptor() -> None:
    face = gallery_faces()[0]
    one, two = descriptor(scrambled(face, 1)), descriptor(scrambled(face, 2))
    assert one.shape == (1, 990)
    assert (one - two).abs().max() < 1e-4
    assert (one - descriptor(scrambled(gallery_faces()[1], 1))).abs().max() > 0.1


def test_the_very_photograph_is_found_through_the_noise_of_a_network() -> None:
    faces = gallery_faces()
    gallery = torch.cat([descriptor(scrambled(face, 9)) for face in faces])
    for own, face in enumerate(faces):
        noise = 0.02 * torch.randn(face.shape, generator=torch.Generator().manual_seed(own))
        found = look_up(descriptor(scrambled(face, own) + noise)[0], gallery, NAMES, own)
        assert found.same_photo


def test_another_photograph_counts_where_there_is_one() -> None:
    gallery = torch.eye(7) + 0.5 * torch.eye(7)[[0, 1, 2, 3, 4, 5, 0]]
    gallery[6, 0] = 1.0
    found = look_up(gallery[0], gallery, NAMES, 0)
    assert (found.same_photo, found.same_person, found.chance) == (True, True, 1 / 6)
    alone = look_up(gallery[2], gallery, NAMES, 2)
    assert (alone.same_photo, alone.same_person, alone.chance) == (True, None, 0.0)
    nameless = look_up(gallery[0], gallery, ["", *NAMES[1:-1], ""], 0)
    assert nameless.same_person is None


def test_noise_finds_nobody_for_certain() -> None:
    """What tells nothing of a face hits as often as chance does."""
    generator = torch.Generator().manual_seed(0)
    gallery = torch.randn(40, 30, generator=generator)
    probes = torch.randn(200, 30, generator=generator)
    hits = [look_up(p, gallery, [""] * 40, i % 40).same_photo for i, p in enumerate(probes)]
    assert np.mean(hits) < 0.1


@pytest.mark.parametrize("size", [(1, 1), (5, 3), (64, 48)])
def test_pictures_of_any_size_are_described(size: tuple[int, int]) -> None:
    generator = torch.Generator().manual_seed(1)
    image = torch.rand(2, 3, *size, generator=generator)
    both = descriptor(scramble(image, random_shuffles(2, *size, generator)))
    assert both.shape == (2, 990)
    assert bool(both.isfinite().all())


def test_what_does_not_fit_is_refused() -> None:
    for probe, gallery, names in (
        (torch.zeros(3), torch.zeros(2, 4), ["", ""]),
        (torch.zeros(4), torch.zeros(2, 4), [""]),
    ):
        with pytest.raises(ImageShapeError, match="expected"):
            look_up(probe, gallery, names, 0)


@pytest.fixture
def keyed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    write_model(tmp_path / MODEL_K, grey_embedder(), MODEL_K)
    point_zoo_at(monkeypatch, tmp_path)
    yield
    forget()


@pytest.mark.usefixtures("keyed")
@pytest.mark.parametrize("mask", ["pixelate", "box"])
def test_the_attack_searches_the_whole_set(mask: str, tmp_path: Path) -> None:
    folder = tmp_path / "faces"
    folder.mkdir()
    faces_folder(folder)
    cv2.imwrite(str(folder / "c.png"), portrait()[:64, :64, ::-1])
    scene = Scene(FaceSet(folder), quick("proface-k", mask))
    scores = [score for outcome in ATTACKS["multiset"].run(scene) for score in outcome.scores]
    assert scene.refused == []
    found = {(s.image, s.pair, s.metric): s.value for s in scores}
    for image in ("a.png", "b.png", "c.png"):
        assert found[image, "original:original_multiset", "same_photo"] == 1
        assert found[image, "original:multiset", "same_photo_chance"] == pytest.approx(1 / 3)
        if mask == "pixelate":
            assert found[image, "original:mask_multiset", "same_photo"] == 1
    assert not [s for s in scores if s.metric.startswith("same_person")]  # nobody has a name


@pytest.mark.usefixtures("keyed")
@pytest.mark.parametrize("mask", ["sticker", "noise"])
def test_a_face_is_protected_alike_whatever_else_is_attacked(
    mask: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(METHODS, "glass", Glass())
    faces = FaceSet(faces_folder(tmp_path))

    def shared(seed: int, *methods: str) -> dict[tuple[str, str], bytes]:
        scene = Scene(faces, AttackConfig(methods, (mask,), seed=seed))
        return {
            (method, target.record.file): target.png
            for method in methods
            for target in scene.targets(method, mask)
        }

    alone, among = shared(0, "proface-k"), shared(0, "glass", "proface-k")
    assert len(set(alone.values())) == len(faces)
    assert {cell: among[cell] for cell in alone} == alone
    assert not set(shared(1, "proface-k").values()) & set(alone.values())


@pytest.mark.parametrize("method", ["sealed", "proface-s-rand", "glass"])
def test_what_is_not_scrambled_is_not_searched(
    method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(METHODS, "glass", Glass())
    with pytest.raises(MethodError, match="scrambled picture") as caught:
        ATTACKS["multiset"].check(quick(method))
    assert "proface-k" in caught.value.hint
