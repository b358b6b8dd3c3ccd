"""What a wrong key shows: the method's own picture, the mask, or a face that is nobody's."""

import dataclasses
import hashlib
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from sample_photos import Photo, portrait, psnr_db
from tiny_zoo import forget, point_zoo_at, write_models

from engine import detectors
from engine.attacks.keys import Trial, random_key
from engine.errors import MethodError, WeightsMissingError
from engine.faces import faces_from_boxes
from engine.images import from_u8, open_protected
from engine.keys import KdfParams, Key
from engine.masks import make_mask
from engine.methods import METHODS, BoundKey, Place, WrongMode
from engine.methods.decoy import lay_decoy
from engine.methods.wrongly import show_wrongly
from engine.pipeline import Protected, ProtectOptions, protect, recover, recover_wrongly
from engine.recognition import embed, find_recognizer

BOX = (72, 64, 184, 176)
"""The astronaut's face, 112 pixels."""

OTHERS = [(name, wrong) for name, method in METHODS.items() for wrong in method.wrong_modes[1:]]


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_models(tmp_path_factory.mktemp("models"))


@pytest.fixture(autouse=True)
def tiny_models(models: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    point_zoo_at(monkeypatch, models)
    yield
    forget()


def protect_one(method: str, wrong: WrongMode, *, tagged: bool = True) -> Protected:
    faces = faces_from_boxes([BOX], *portrait().shape[:2])
    options = ProtectOptions(method, wrong=wrong, kdf=KdfParams.cheapest(), check_value=tagged)
    return protect(portrait(), faces, "right", options)


def cut(photo_u8: Photo) -> Photo:
    x0, y0, x1, y1 = BOX
    return photo_u8[y0:y1, x0:x1]


def bound(byte: int, context: bytes = b"a face") -> BoundKey:
    return BoundKey(Key(bytes([byte] * 32)), context)


@pytest.mark.parametrize(("method", "wrong"), OTHERS)
def test_every_method_shows_what_was_chosen(method: str, wrong: WrongMode) -> None:
    made = protect_one(method, wrong)
    assert made.header.wrong == wrong
    file = open_protected(made.png)
    shown_u8 = recover_wrongly(file, "wrong")
    np.testing.assert_array_equal(shown_u8, recover_wrongly(file, "wrong"))
    outside = np.ones(shown_u8.shape[:2], bool)
    cut(outside)[:] = False
    np.testing.assert_array_equal(shown_u8[outside], file.photo_u8[outside])
    if wrong == "obfs":
        np.testing.assert_array_equal(shown_u8, file.photo_u8)
    else:
        # One pair of keys in forty draws the same decoy: of four keys two at least differ.
        others_u8 = [recover_wrongly(file, word) for word in ("another", "a third", "a fourth")]
        assert not all(np.array_equal(cut(shown_u8), cut(other_u8)) for other_u8 in others_u8)
        for face_u8 in (shown_u8, *others_u8):
            assert psnr_db(cut(face_u8), cut(file.photo_u8)) < 28
            assert psnr_db(cut(face_u8), cut(portrait())) < 25
    shown = Trial(file).show(random_key())
    assert shown.shape == cut(portrait()).shape


@pytest.mark.parametrize("method", sorted({name for name, _ in OTHERS}))
def test_a_decoy_takes_nothing_from_the_right_key(method: str) -> None:
    file = open_protected(protect_one(method, "decoy").png)
    right_u8 = cut(recover(file, ["right"]).photo_u8)
    assert not np.array_equal(right_u8, cut(recover_wrongly(file, "right")))
    if method == "sealed":
        np.testing.assert_array_equal(right_u8, cut(portrait()))


@pytest.mark.parametrize(("method", "wrong"), OTHERS)
def test_what_needs_a_verdict_is_not_promised_without_one(method: str, wrong: WrongMode) -> None:
    if METHODS[method].authenticates:
        file = open_protected(protect_one(method, wrong, tagged=False).png)
        assert recover(file, ["right"]).verified
        return
    with pytest.raises(MethodError, match="without a tag") as caught:
        protect_one(method, wrong, tagged=False)
    assert caught.value.hint


def test_one_key_lays_one_face_and_each_picture_has_its_own() -> None:
    shared_u8 = make_mask("gaussian", cut(portrait()))
    kept_u8 = shared_u8.copy()
    keys = (bound(1), bound(2), bound(1, b"another"))
    faces = [lay_decoy(shared_u8, key, "gaussian") for key in keys]
    np.testing.assert_array_equal(faces[0], lay_decoy(shared_u8, bound(1), "gaussian"))
    assert len({hashlib.sha256(face_u8.tobytes()).digest() for face_u8 in faces}) == 3
    np.testing.assert_array_equal(shared_u8, kept_u8)


def test_the_known_seed_of_a_known_key() -> None:
    stream = Key(bytes(32)).stream(b"a face", "decoy", 8)
    assert stream.hex() == "9702bdbdf83c68f8"


def test_a_decoy_takes_the_colours_of_what_was_shared_where_it_has_any() -> None:
    middles = {}
    for mask in ("gaussian", "box:fraction=0.8,follow=1"):
        for colour in ((180, 90, 80), (70, 90, 180)):
            decoy_u8 = lay_decoy(np.full((112, 112, 3), colour, np.uint8), bound(3), mask)
            middles[mask[:3], colour] = decoy_u8[48:80, 36:76].reshape(-1, 3).mean(0)
    (red, blue), (skin, same) = (
        [middle for (kind, _), middle in middles.items() if kind == name] for name in ("gau", "box")
    )
    assert red[0] - red[2] > 30 > blue[0] - blue[2]
    assert skin[0] - skin[2] > 30 and np.abs(skin - same).max() < 30


def test_what_a_mask_leaves_around_the_face_stays_at_the_rim() -> None:
    shared_u8 = cut(portrait())
    rim = np.ones(shared_u8.shape[:2], bool)
    rim[1:-1, 1:-1] = False
    for mask in ("simswap", "sticker", "box"):
        decoy_u8 = lay_decoy(shared_u8, bound(5), mask)
        np.testing.assert_array_equal(decoy_u8[rim], shared_u8[rim])
        assert psnr_db(decoy_u8, shared_u8) < 30
    assert not np.array_equal(lay_decoy(shared_u8, bound(5), "gaussian")[rim], shared_u8[rim])


def test_a_mask_of_another_program_is_painted_over() -> None:
    shared_u8 = np.full((64, 64, 3), (40, 200, 40), np.uint8)
    painted_u8 = lay_decoy(shared_u8, bound(0), "mist:depth=3")
    np.testing.assert_array_equal(painted_u8, lay_decoy(shared_u8, bound(0)))
    middle = painted_u8[28:44, 22:42].reshape(-1, 3).mean(0)
    assert middle[0] > middle[1] > middle[2]


@pytest.mark.parametrize("size", [(1, 9), (2, 2), (3, 50), (50, 3), (111, 97)])
@pytest.mark.parametrize("mask", ["gaussian", "sticker"])
def test_a_decoy_of_any_size(size: tuple[int, int], mask: str) -> None:
    shared_u8 = np.full((*size, 3), 120, np.uint8)
    assert lay_decoy(shared_u8, bound(0), mask).shape == shared_u8.shape


def test_a_large_decoy_is_a_small_one_enlarged() -> None:
    shared_u8 = np.full((700, 900, 3), 120, np.uint8)
    decoy_u8 = lay_decoy(shared_u8, bound(0), "gaussian")
    small_u8 = lay_decoy(np.full((249, 320, 3), 120, np.uint8), bound(0), "gaussian")
    assert decoy_u8.shape == shared_u8.shape
    shrunk_u8 = cv2.resize(decoy_u8, (320, 249), interpolation=cv2.INTER_AREA)
    assert psnr_db(np.asarray(shrunk_u8, np.uint8), small_u8) > 30


def test_each_face_in_a_box_gets_another() -> None:
    two_u8 = np.hstack([cut(portrait()), cut(portrait())[:, ::-1]])
    decoy_u8 = lay_decoy(two_u8, bound(0), "simswap")
    for half in (slice(0, 112), slice(112, 224)):
        face = decoy_u8[40:90, half][:, 36:76].astype(float)
        assert np.abs(face - two_u8[40:90, half][:, 36:76]).mean() > 5


def test_a_decoy_without_its_networks_is_an_error_by_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    point_zoo_at(monkeypatch, tmp_path)
    with pytest.raises(WeightsMissingError):
        lay_decoy(np.full((64, 64, 3), 120, np.uint8), bound(0), "gaussian")


def test_a_decoy_is_not_taken_for_the_original_and_keys_show_several_people(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """With the released recogniser, which tells people apart."""
    monkeypatch.undo()
    forget()
    original_u8, landmarks = cut(portrait()), detectors.find(cut(portrait()), "centerface", 0.4)
    points = landmarks[0].landmarks
    assert points is not None

    def embedded(face_u8: Photo) -> npt.NDArray[np.float32]:
        return embed(from_u8(np.ascontiguousarray(face_u8)), [points])[0].numpy()

    own, threshold = embedded(original_u8), find_recognizer().threshold
    assert threshold is not None
    for mask in ("gaussian", "pixelate", "sticker", "box", "simswap"):
        shared_u8 = make_mask(mask, original_u8, landmarks=points, seed=1)
        faces = [embedded(lay_decoy(shared_u8, bound(byte), mask)) for byte in range(3)]
        decoys = np.stack(faces)
        assert (decoys @ own).max() < threshold
        assert np.triu(decoys @ decoys.T, 1).sum() / 3 < 0.6


def test_the_obfuscating_network_shows_its_own_mask() -> None:
    """Its mask comes out of the network: where it is the method's own, nothing replaces it."""
    method, photo_u8 = METHODS["proface-s-obfs"], portrait()
    place = Place(BOX, b"", "obfs")
    np.testing.assert_array_equal(
        show_wrongly(method, photo_u8, place, bound(1)),
        method.recover_wrongly(photo_u8, place, bound(1)),
    )
    sealed = dataclasses.replace(place, wrong="obfs")
    shown_u8 = show_wrongly(METHODS["sealed"], photo_u8, sealed, bound(1))
    np.testing.assert_array_equal(shown_u8, cut(photo_u8))
    shown_u8[:] = 0
    np.testing.assert_array_equal(photo_u8, portrait())
