"""The ways to protect: one signature, true names, and keys that must fit to the last bit."""

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import laws
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sample_photos import Photo, portrait, psnr_db
from tiny_zoo import (
    forget,
    grey_embedder,
    point_zoo_at,
    random_embedder,
    write_model,
    write_models,
)

from engine import payload, zoo
from engine.boxes import Box
from engine.codes import CODES
from engine.errors import (
    CapacityError,
    HeaderDamagedError,
    MethodError,
    WrongKeyError,
)
from engine.images import from_u8
from engine.keys import Key, key_map_tensor
from engine.masks import make_mask
from engine.methods import METHODS, BoundKey, Crop, Method, Place, embedding, find_method
from engine.methods.embedding import padded, protect_crop, recover_crop
from engine.methods.proface_k import ProfaceK
from engine.methods.proface_s import ProfaceS
from engine.methods.sealed import AEAD_TAG_BYTES, Note, Sealed
from engine.networks.embedder import Embedder
from engine.payload import CODECS
from engine.scramble import keyed_shuffle, random_shuffles, scramble, unscramble

MODEL_K = METHODS["proface-k"].model

ROOT_KEY = bytes(range(32))
CONTEXT = b"one face of one picture"
BOXES: tuple[Box, ...] = ((30, 30, 94, 94), (120, 100, 190, 171))


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_models(tmp_path_factory.mktemp("models"))


@pytest.fixture
def tiny_models(models: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    point_zoo_at(monkeypatch, models)
    yield
    forget()


def bound(root: bytes = ROOT_KEY, context: bytes = CONTEXT) -> BoundKey:
    return BoundKey(Key(root), context)


def flipped(bit: int) -> bytes:
    """The key with one bit changed."""
    changed = bytearray(ROOT_KEY)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


def hide(
    method: Method, photo_u8: Photo, key: BoundKey, boxes: tuple[Box, ...] = BOXES
) -> tuple[Photo, Photo, list[Place]]:
    """Mask and hide boxes: the masked photograph, the one to share, and where to look."""
    masked_u8 = photo_u8.copy()
    crops = []
    for x0, y0, x1, y1 in boxes:
        original_u8 = photo_u8[y0:y1, x0:x1].copy()
        crops.append(Crop((x0, y0, x1, y1), original_u8))
        masked_u8[y0:y1, x0:x1] = make_mask("gaussian", original_u8)
    plans = method.plan(masked_u8, crops, 300)
    shared_u8 = method.protect(masked_u8, crops, plans, [key] * len(boxes))
    wrong = method.wrong_modes[0]
    return (
        masked_u8,
        shared_u8,
        [Place(box, plan.note, wrong) for box, plan in zip(boxes, plans, strict=True)],
    )


def has_weights(name: str) -> bool:
    """Whether the method is a network that is released."""
    return getattr(METHODS[name], "model", "") in zoo.RELEASED


def cut(photo_u8: Photo, place: Place) -> Photo:
    x0, y0, x1, y1 = place.box
    return photo_u8[y0:y1, x0:x1]


# --- all of them ----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(METHODS))
def test_a_method_says_what_it_is(name: str) -> None:
    method = find_method(name)
    assert method.name == name
    assert method.promise
    assert method.promise[0].islower()
    assert not {"attacker", "trained", "leaks"} & {*method.promise.split()}  # for rows to say
    assert method.wrong_modes
    if method.keyless:
        assert method.wrong_modes == ("",)
        assert "anyone" in method.promise
        assert not method.authenticates
    else:
        assert "decoy" in method.wrong_modes[1:]
        assert set(method.wrong_modes) <= {"rand", "obfs", "decoy"}
    assert 0 <= method.note_bytes <= 64


@pytest.mark.parametrize(
    ("name", "hint"),
    [("seald", "did you mean 'sealed'?"), ("Sealed", "did you mean 'sealed'?"), ("x", "known: ")],
)
def test_an_unknown_method_is_told_with_the_nearest_one(name: str, hint: str) -> None:
    with pytest.raises(MethodError) as caught:
        find_method(name)
    assert caught.value.hint.startswith(hint)


@pytest.mark.usefixtures("tiny_models")
@pytest.mark.parametrize("name", sorted(METHODS))
def test_a_method_keeps_what_it_is_given_and_its_promises_about_pixels(name: str) -> None:
    method, photo_u8, key = find_method(name), portrait(), bound()
    before = photo_u8.copy()
    masked_u8, shared_u8, places = hide(method, photo_u8, key)
    kept = masked_u8.copy()
    again_u8 = hide(method, photo_u8, key)[1]
    np.testing.assert_array_equal(photo_u8, before)
    np.testing.assert_array_equal(masked_u8, kept)
    np.testing.assert_array_equal(again_u8, shared_u8)
    assert all(len(place.note) == method.note_bytes for place in places)
    shared_before = shared_u8.copy()
    for place in places:
        for found_u8 in (
            method.recover(shared_u8, place, key),
            method.recover_wrongly(shared_u8, place, bound(flipped(0))),
        ):
            assert found_u8.shape == cut(photo_u8, place).shape
            assert found_u8.dtype == np.uint8
            found_u8[:] = 0
    np.testing.assert_array_equal(shared_u8, shared_before)
    if method.keeps_outside:
        for place in places:
            cut(shared_u8, place)[:] = cut(masked_u8, place)
        np.testing.assert_array_equal(shared_u8, masked_u8)


# --- sealed ---------------------------------------------------------------------------------------


def test_sealed_gives_each_crop_back() -> None:
    method, photo_u8 = Sealed(), portrait()
    _, shared_u8, places = hide(method, photo_u8, bound())
    for place in places:
        assert method.is_exact(place.note)
        found_u8 = method.recover(shared_u8, place, bound())
        np.testing.assert_array_equal(found_u8, cut(photo_u8, place))


@pytest.mark.parametrize("bit", [0, 7, 100, 255])
def test_sealed_refuses_a_key_that_is_one_bit_off(bit: int) -> None:
    method = Sealed()
    _, shared_u8, places = hide(method, portrait(), bound())
    with pytest.raises(WrongKeyError) as caught:
        method.recover(shared_u8, places[0], bound(flipped(bit)))
    assert caught.value.hint


def test_sealed_belongs_to_one_face_of_one_picture() -> None:
    method = Sealed()
    _, shared_u8, places = hide(method, portrait(), bound())
    with pytest.raises(WrongKeyError):
        method.recover(shared_u8, places[0], bound(context=CONTEXT + b"!"))
    elsewhere = dataclasses.replace(Note.unpack(places[0].note), start=3000)
    moved = dataclasses.replace(places[0], note=elsewhere.pack())
    with pytest.raises(WrongKeyError):
        method.recover(shared_u8, moved, bound())


@settings(max_examples=10, deadline=None)
@given(step=st.sampled_from([-1, 1]), share=st.floats(0, 1, exclude_max=True))
def test_sealed_notices_one_changed_sample_of_its_payload(step: int, share: float) -> None:
    method, photo_u8 = Sealed(), portrait()
    masked_u8, shared_u8, places = hide(method, photo_u8, bound(), BOXES[:1])
    carriers = np.flatnonzero(shared_u8 != masked_u8)
    at = carriers[int(share * len(carriers))]
    value = int(shared_u8.flat[at]) + step
    shared_u8.flat[at] = value if 0 <= value <= 255 else int(shared_u8.flat[at]) - step
    with pytest.raises(WrongKeyError):
        method.recover(shared_u8, places[0], bound())


def test_sealed_shows_noise_around_mid_grey_under_a_wrong_key() -> None:
    method = Sealed()
    _, shared_u8, places = hide(method, portrait(), bound())
    first, second = (
        method.recover_wrongly(shared_u8, places[0], bound(flipped(bit))) for bit in (0, 1)
    )
    assert abs(first.mean() - 127.5) < 3
    assert abs(first.std() - 73.9) < 2
    assert psnr_db(first, second) < 9
    assert np.mean((first == 0) | (first == 255)) < 0.02


def test_sealed_shows_the_right_keys_bytes_as_noise_too() -> None:
    """Nothing in the unchecked picture says which key was right."""
    method = Sealed()
    _, shared_u8, places = hide(method, portrait(), bound())
    shown_u8 = method.recover_wrongly(shared_u8, places[0], bound())
    assert abs(shown_u8.mean() - 127.5) < 3
    assert psnr_db(shown_u8, cut(portrait(), places[0])) < 12


def test_sealed_re_encodes_what_does_not_fit_losslessly() -> None:
    method, box = Sealed(), (0, 0, 112, 112)
    photo_u8 = np.ascontiguousarray(portrait()[60:172, 80:192])
    masked_u8, shared_u8, places = hide(method, photo_u8, bound(), (box,))
    assert not method.is_exact(places[0].note)
    assert psnr_db(masked_u8, shared_u8) > 49
    assert psnr_db(method.recover(shared_u8, places[0], bound()), photo_u8) > 38


def test_sealed_encodes_each_crop_losslessly_once(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: list[tuple[int, ...]] = []
    real = payload.encode_lossless

    def encode_lossless(crop_u8: Photo) -> payload.Payload:
        sizes.append(crop_u8.shape)
        return real(crop_u8)

    monkeypatch.setattr(payload, "encode_lossless", encode_lossless)
    photo_u8 = np.ascontiguousarray(portrait()[60:172, 80:192])
    boxes = ((0, 0, 112, 100), (0, 100, 112, 112))
    _, _, places = hide(Sealed(), photo_u8, bound(), boxes)
    assert not all(Sealed().is_exact(place.note) for place in places)
    assert sizes == [(100, 112, 3), (12, 112, 3)]


@pytest.mark.parametrize("side", [1, 8, 24])
def test_sealed_says_that_a_picture_is_too_small(side: int) -> None:
    photo_u8 = np.random.default_rng(1).integers(0, 256, (side, side, 3), np.uint8)
    with pytest.raises(CapacityError) as caught:
        Sealed().plan(photo_u8, [Crop((0, 0, side, side), photo_u8)], 300)
    assert caught.value.hint


notes = st.builds(
    Note,
    codec=st.integers(0, len(CODECS) - 1),
    code=st.sampled_from(CODES),
    start=st.integers(0, 2**32 - 1),
    length=st.just(2**24),
    size=st.integers(AEAD_TAG_BYTES + 1, 2**10),
)


@settings(max_examples=30)
@given(notes)
def test_a_note_survives_its_bytes(note: Note) -> None:
    assert len(note.pack()) == Sealed.note_bytes
    assert Note.unpack(note.pack()) == note


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({0: len(CODECS)}, "codec"),
        ({1: 5}, "code"),
        ({2: 0}, "code"),
        ({2: 9}, "code"),
        ({11: 255}, "do not fit"),
        ({13: 0, 14: AEAD_TAG_BYTES}, "16 bytes"),
    ],
)
def test_a_note_out_of_limits_is_damaged(change: dict[int, int], message: str) -> None:
    raw = bytearray(Note(0, CODES[0], 0, 2**20, 1000).pack())
    for at, value in change.items():
        raw[at] = value
    with pytest.raises(HeaderDamagedError, match=message) as caught:
        Note.unpack(bytes(raw))
    assert caught.value.hint


@pytest.mark.parametrize("length", [0, Sealed.note_bytes - 1, Sealed.note_bytes + 1])
def test_a_note_of_another_length_is_damaged(length: int) -> None:
    with pytest.raises(HeaderDamagedError, match="bytes"):
        Note.unpack(bytes(length))


def test_an_area_beyond_the_picture_is_damaged() -> None:
    note = Note(0, CODES[-1], 256 * 256 * 3 - 100, 101, 20)
    with pytest.raises(HeaderDamagedError, match="leaves the picture"):
        Sealed().check([note.pack()], 256 * 256 * 3, 300)


# --- networks -------------------------------------------------------------------------------------


@pytest.mark.parametrize(("height", "width"), [(2, 2), (1, 5), (33, 40), (48, 31), (64, 64)])
def test_a_crop_goes_through_the_network_as_it_is(height: int, width: int) -> None:
    network, key = random_embedder(3), bound()
    rng = np.random.default_rng(height)
    original_u8, mask_u8 = rng.integers(0, 256, (2, height, width, 3), np.uint8)
    protected_u8 = protect_crop(network, original_u8, mask_u8, key)
    recovered_u8 = recover_crop(network, protected_u8, key)
    assert protected_u8.shape == recovered_u8.shape == (height, width, 3)
    if height % 2 == width % 2 == 0:
        key_map = key_map_tensor(key.key.map(CONTEXT, height, width))
        with torch.inference_mode():
            protected = network.protect(from_u8(original_u8), from_u8(mask_u8), key_map)
            recovered = network.recover(from_u8(protected_u8), key_map)
        for found_u8, expected in ((protected_u8, protected), (recovered_u8, recovered)):
            rounded = (expected.clamp(0, 1) * 255).round()[0].permute(1, 2, 0).numpy()
            np.testing.assert_array_equal(found_u8, rounded)


@pytest.mark.parametrize("emphasis", [0.0, 0.6])
def test_tiles_give_what_one_run_gives(monkeypatch: pytest.MonkeyPatch, emphasis: float) -> None:
    network = random_embedder(3)
    network.register_to_config(emphasis=emphasis)
    rng = np.random.default_rng(5)
    original_u8, mask_u8 = rng.integers(100, 150, (2, 60, 44, 3), np.uint8)
    found = []
    for side in (768, 16):
        monkeypatch.setattr(embedding, "TILE", side)
        protected_u8 = protect_crop(network, original_u8, mask_u8, bound())
        found.append((protected_u8, recover_crop(network, protected_u8, bound())))
    for whole_u8, tiled_u8 in zip(*found, strict=True):
        # Other shapes of a convolution may round the last bit of a sum elsewhere.
        assert np.abs(whole_u8.astype(int) - tiled_u8).max() <= 1


@pytest.mark.parametrize("bit", [0, 255])
def test_a_key_one_bit_off_gives_another_picture(bit: int) -> None:
    network = random_embedder(3)
    protected_u8 = np.ascontiguousarray(portrait()[60:124, 80:144])
    right, wrong = (recover_crop(network, protected_u8, bound(r)) for r in (ROOT_KEY, flipped(bit)))
    assert psnr_db(right, wrong) < 20


def test_a_model_that_is_no_embedder_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Other(Embedder):
        """Anything of another class."""

    name = next(iter(zoo.RELEASED))
    write_model(tmp_path / name, random_embedder(1), name)
    point_zoo_at(monkeypatch, tmp_path)
    monkeypatch.setattr("engine.methods.embedding.Embedder", Other)
    method = ProfaceS("proface-s-rand", name, ("rand",), "none")
    with pytest.raises(MethodError, match="Embedder") as caught:
        method.recover(portrait(), Place(BOXES[0], b"", "rand"), bound())
    assert caught.value.hint
    forget()


# --- proface-k ------------------------------------------------------------------------------------


@pytest.fixture
def keyed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ProfaceK]:
    """Proface-k with a network set by hand, which hides in plain grey alone."""
    write_model(tmp_path / MODEL_K, grey_embedder(), MODEL_K)
    point_zoo_at(monkeypatch, tmp_path)
    yield ProfaceK("proface-k", MODEL_K, ("rand", "obfs", "decoy"), "none")
    forget()


def hide_in_grey(method: ProfaceK, box: Box, key: BoundKey) -> tuple[Photo, Photo, Place]:
    """The grey photograph, the one to share, and where to look."""
    x0, y0, x1, y1 = box
    grey_u8 = np.full_like(portrait(), 128)
    crops = [Crop(box, portrait()[y0:y1, x0:x1].copy())]
    shared_u8 = method.protect(grey_u8, crops, method.plan(grey_u8, crops, 300), [key])
    return grey_u8, shared_u8, Place(box, b"", "rand")


@pytest.mark.parametrize("size", [(112, 112), (97, 112), (64, 81), (51, 33)])
def test_only_the_right_key_unscrambles(keyed: ProfaceK, size: tuple[int, int]) -> None:
    box = (80, 50, 80 + size[1], 50 + size[0])
    grey_u8, shared_u8, place = hide_in_grey(keyed, box, bound())
    original_u8 = cut(portrait(), place)
    assert psnr_db(cut(grey_u8, place), cut(shared_u8, place)) > 24
    right = keyed.recover(shared_u8, place, bound())
    assert psnr_db(original_u8, right) > 38
    wrong_keys = [bound(flipped(bit)) for bit in (0, 100, 255)]
    for key in (*wrong_keys, bound(bytes(32)), bound(context=CONTEXT + b"!")):
        wrong = keyed.recover_wrongly(shared_u8, place, key)
        assert psnr_db(original_u8, wrong) < 15
        assert psnr_db(right, wrong) < 15


def test_the_network_alone_gives_no_outline(keyed: ProfaceK) -> None:
    """Who runs it without a key gets the scrambled picture: no trace of where anything was."""
    _, shared_u8, place = hide_in_grey(keyed, (72, 64, 184, 176), bound())
    network = grey_embedder()
    with torch.inference_mode():
        found = network.recover(from_u8(cut(shared_u8, place).copy()), torch.zeros(1, 1, 112, 112))
    pair = np.stack([found.flatten().numpy(), cut(portrait(), place).transpose(2, 0, 1).ravel()])
    assert abs(np.corrcoef(pair)[0, 1]) < 0.1


@pytest.mark.parametrize(("height", "width"), [(64, 64), (33, 40)])
def test_a_scrambled_crop_goes_through_the_network_without_a_key(height: int, width: int) -> None:
    network, key = random_embedder(3), bound()
    original_u8 = np.ascontiguousarray(portrait()[60 : 60 + height, 80 : 80 + width])
    mask_u8 = np.random.default_rng(height).integers(0, 256, original_u8.shape, np.uint8)
    protected_u8 = protect_crop(network, original_u8, mask_u8, key, scrambled=True)
    recovered_u8 = recover_crop(network, protected_u8, key, scrambled=True)
    assert recovered_u8.shape == (height, width, 3)
    shuffle = keyed_shuffle(key.key, CONTEXT, height, width)
    hidden, shared = scramble(from_u8(original_u8), shuffle), from_u8(protected_u8)
    hidden, mask, shared = (padded(image) for image in (hidden, from_u8(mask_u8), shared))
    blank = torch.zeros_like(mask[:, :1])
    with torch.inference_mode():
        protected = network.protect(hidden, mask, blank)[..., :height, :width]
        found = network.recover(shared, blank)[..., :height, :width]
        recovered = unscramble(found, shuffle)
    for found_u8, expected in ((protected_u8, protected), (recovered_u8, recovered)):
        rounded = (expected.clamp(0, 1) * 255).round()[0].permute(1, 2, 0).numpy()
        np.testing.assert_array_equal(found_u8, rounded)


def test_a_crop_too_large_to_scramble_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.methods.embedding.MAX_SCRAMBLED", 99)
    face_u8 = np.ascontiguousarray(portrait()[:10, :10])
    with pytest.raises(MethodError, match="may have 99 pixels, got 10 x 10") as caught:
        protect_crop(random_embedder(1), face_u8, face_u8, bound(), scrambled=True)
    assert "sealed" in caught.value.hint


def test_scrambling_and_network_are_undone_together() -> None:
    network = random_embedder(5).double()
    generator = torch.Generator().manual_seed(0)
    original, mask = torch.rand(2, 2, 3, 22, 36, generator=generator, dtype=torch.float64)
    shuffle = random_shuffles(2, 22, 36, generator)
    blank = torch.zeros_like(original[:, :1])

    def forward(original: torch.Tensor, mask: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return network(scramble(original, shuffle), mask, blank)

    def inverse(
        protected: torch.Tensor, byproduct: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        hidden, mask = network.inverse(protected, byproduct, blank)
        return unscramble(hidden, shuffle), mask

    with torch.inference_mode():
        laws.assert_inverts(forward, inverse, original, mask, tolerance=1e-5)
        laws.assert_keeps_inputs(forward, original, mask)


# --- released -------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [name for name in METHODS if has_weights(name)])
def test_a_released_network_hides_and_recovers_a_face_it_never_saw(name: str) -> None:
    method, photo_u8, boxes = METHODS[name], portrait(), ((43, 31, 215, 203),)
    masked_u8, shared_u8, (place,) = hide(method, photo_u8, bound(), boxes)
    right, wrong = (method.recover(shared_u8, place, bound(r)) for r in (ROOT_KEY, flipped(9)))
    assert psnr_db(cut(masked_u8, place), cut(shared_u8, place)) > 34
    assert psnr_db(cut(photo_u8, place), right) > 34
    own = method.wrong_modes[0]
    if method.keyless:
        np.testing.assert_array_equal(wrong, right)
        return
    assert psnr_db(cut(photo_u8, place), wrong) < (15 if own == "rand" else 30)
    if own == "obfs":
        assert psnr_db(cut(masked_u8, place), wrong) > 24
