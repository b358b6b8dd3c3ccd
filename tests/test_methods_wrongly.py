"""What a wrong key shows: the method's own picture, the mask, or a face that is nobody's."""

import dataclasses
import hashlib
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from sample_photos import Photo, portrait, psnr_db
from tiny_zoo import forget, point_zoo_at, write_models

from engine.attacks.keys import Trial, random_key
from engine.errors import MaskError, MethodError
from engine.faces import faces_from_boxes
from engine.images import open_protected
from engine.keys import KdfParams, Key
from engine.masks import make_mask
from engine.methods import METHODS, BoundKey, Place, WrongMode
from engine.methods.wrongly import draw_decoy, show_wrongly
from engine.pipeline import Protected, ProtectOptions, protect, recover, recover_wrongly

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
        other_u8 = recover_wrongly(file, "another")
        assert not np.array_equal(cut(shown_u8), cut(other_u8))
        for face_u8 in (shown_u8, other_u8):
            assert psnr_db(cut(face_u8), cut(file.photo_u8)) < 25
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


def test_one_key_draws_one_face_and_each_picture_has_its_own() -> None:
    shared_u8 = make_mask("gaussian", cut(portrait()))
    faces = [draw_decoy(shared_u8, key) for key in (bound(1), bound(2), bound(1, b"another"))]
    np.testing.assert_array_equal(faces[0], draw_decoy(shared_u8, bound(1)))
    digests = {hashlib.sha256(face_u8.tobytes()).digest() for face_u8 in faces}
    assert len(digests) == 3


def test_the_known_seed_of_a_known_key() -> None:
    stream = Key(bytes(32)).stream(b"a face", "decoy", 8)
    assert stream.hex() == "9702bdbdf83c68f8"


def test_a_decoy_takes_the_colours_of_what_was_shared() -> None:
    reds, blues = (
        np.full((112, 112, 3), colour, np.uint8) for colour in ((180, 90, 80), (70, 90, 180))
    )
    red, blue = (
        draw_decoy(ground_u8, bound(3)).reshape(-1, 3).mean(0) for ground_u8 in (reds, blues)
    )
    assert red[0] - red[2] > 30 > blue[0] - blue[2]


@pytest.mark.parametrize("size", [(2, 2), (3, 50), (50, 3), (111, 97)])
def test_a_decoy_of_any_size(size: tuple[int, int]) -> None:
    shared_u8 = np.full((*size, 3), 120, np.uint8)
    kept = shared_u8.copy()
    assert draw_decoy(shared_u8, bound(0)).shape == shared_u8.shape
    np.testing.assert_array_equal(shared_u8, kept)


def test_a_large_decoy_is_a_small_one_enlarged() -> None:
    shared_u8 = np.full((700, 900, 3), 120, np.uint8)
    decoy_u8 = draw_decoy(shared_u8, bound(0))
    small_u8 = draw_decoy(np.full((398, 512, 3), 120, np.uint8), bound(0))
    assert decoy_u8.shape == shared_u8.shape
    shrunk_u8 = cv2.resize(decoy_u8, (512, 398), interpolation=cv2.INTER_AREA)
    assert psnr_db(np.asarray(shrunk_u8, np.uint8), small_u8) > 30


def test_a_decoy_for_a_single_row_is_refused() -> None:
    with pytest.raises(MaskError):
        draw_decoy(np.zeros((1, 9, 3), np.uint8), bound(0))


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
