"""The main job: a photograph protected, written, read back, and brought back or refused."""

import dataclasses
import io
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
from PIL import Image
from sample_photos import Photo, group, portrait, psnr_db
from tiny_zoo import forget, point_zoo_at, random_embedder, write_model, write_models

from engine import carrier, errors, header, pipeline, zoo
from engine.faces import Face, detect, faces_from_boxes, merge_overlapping, whole_face
from engine.images import ProtectedFile, list_chunks, open_photo, open_protected, write_png
from engine.keys import SALT_BYTES, KdfParams
from engine.methods import METHODS, WrongMode
from engine.pipeline import Protected, ProtectOptions, protect, recover, recover_wrongly

SECRET = "correct horse battery staple"
CHEAP = KdfParams.cheapest()
NETWORK = "proface-s-rand"
BOX = (40, 30, 104, 94)


def options(method: str = "sealed", mask: str = "gaussian", **more: object) -> ProtectOptions:
    return dataclasses.replace(ProtectOptions(method, mask, kdf=CHEAP), **more)


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_models(tmp_path_factory.mktemp("models"))


@pytest.fixture(autouse=True)
def tiny_models(models: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    point_zoo_at(monkeypatch, models)
    yield
    forget()


@pytest.fixture(scope="module")
def group_faces() -> list[Face]:
    return detect(group())


def one_face(photo_u8: Photo) -> list[Face]:
    return faces_from_boxes([BOX], *photo_u8.shape[:2])


def protect_one(method: str = "sealed", secret: str = SECRET, **more: object) -> Protected:
    return protect(portrait(), one_face(portrait()), secret, options(method, **more))


def on_disk(folder: Path, png: bytes) -> ProtectedFile:
    (folder / "protected.png").write_bytes(png)
    return open_protected(folder / "protected.png")


def resaved(photo_u8: Photo, kind: str = "PNG", **how: int) -> ProtectedFile:
    """As another program writes it: without our chunk."""
    buffer = io.BytesIO()
    Image.fromarray(photo_u8).save(buffer, kind, **how)
    return open_protected(buffer.getvalue())


def with_header(photo_u8: Photo, protected: Protected) -> ProtectedFile:
    """Other pixels under the header of a protected picture."""
    return open_protected(write_png(None, photo_u8, header.encode(protected.header)))


def inside(photo_u8: Photo, box: tuple[int, int, int, int] = BOX) -> Photo:
    x0, y0, x1, y1 = box
    return photo_u8[y0:y1, x0:x1]


def outside(photo_u8: Photo, boxes: list[tuple[int, int, int, int]]) -> Photo:
    left = np.ones(photo_u8.shape[:2], bool)
    for x0, y0, x1, y1 in boxes:
        left[y0:y1, x0:x1] = False
    return photo_u8[left]


# --- there and back -------------------------------------------------------------------------------


def test_sealed_brings_every_face_back_bit_by_bit(tmp_path: Path, group_faces: list[Face]) -> None:
    photo_u8 = group()
    before = photo_u8.copy()
    protected = protect(photo_u8, group_faces, SECRET, options(mask="sticker"))
    np.testing.assert_array_equal(photo_u8, before)
    assert protected.exact == (True,) * 6
    file = on_disk(tmp_path, protected.png)
    np.testing.assert_array_equal(file.photo_u8, protected.photo_u8)
    recovered = recover(file, [SECRET])
    assert (recovered.opened, recovered.closed) == ((1, 2, 3, 4, 5, 6), ())
    for face in protected.header.faces:
        np.testing.assert_array_equal(
            inside(recovered.photo_u8, face.box), inside(photo_u8, face.box)
        )
        assert psnr_db(inside(file.photo_u8, face.box), inside(photo_u8, face.box)) < 30


def test_sealed_moves_samples_by_one_where_both_ways_are_open(group_faces: list[Face]) -> None:
    protected = protect(group(), group_faces, SECRET, options())
    change = np.abs(protected.photo_u8.astype(int) - protected.masked_u8)
    can_move = (protected.masked_u8 > 0) & (protected.masked_u8 < 255)
    assert change[can_move].max() == 1
    assert change.max() <= 2
    assert psnr_db(protected.photo_u8, protected.masked_u8) > 55


def test_the_file_holds_the_picture_its_header_and_nothing_else() -> None:
    kinds = [kind for kind, _ in list_chunks(protect_one().png)]
    assert kinds == ["IHDR", "sRGB", *["IDAT"] * (len(kinds) - 4), "fvHD", "IEND"]


@pytest.mark.parametrize("method", [NETWORK, "proface-s-obfs"])
def test_networks_leave_everything_outside_the_boxes_alone(
    method: str, tmp_path: Path, group_faces: list[Face]
) -> None:
    photo_u8 = group()
    protected = protect(photo_u8, group_faces, SECRET, options(method))
    assert protected.exact == (False,) * 6
    file = on_disk(tmp_path, protected.png)
    recovered_u8 = recover(file, [SECRET]).photo_u8
    boxes = [face.box for face in protected.header.faces]
    for shown_u8 in (file.photo_u8, recovered_u8, recover_wrongly(file, "another")):
        np.testing.assert_array_equal(outside(shown_u8, boxes), outside(photo_u8, boxes))
    for box in boxes:
        assert psnr_db(inside(recovered_u8, box), inside(file.photo_u8, box)) < 60


@pytest.mark.parametrize("method", sorted(METHODS))
@pytest.mark.parametrize(("height", "width"), [(97, 113), (112, 112), (64, 81)])
def test_a_whole_picture_of_any_size_is_its_own_carrier(
    method: str, height: int, width: int, tmp_path: Path
) -> None:
    photo_u8 = np.ascontiguousarray(portrait()[60 : 60 + height, 60 : 60 + width])
    protected = protect(photo_u8, [whole_face(photo_u8)], SECRET, options(method))
    assert protected.photo_u8.shape == photo_u8.shape
    recovered = recover(on_disk(tmp_path, protected.png), [SECRET])
    assert recovered.photo_u8.shape == photo_u8.shape
    if method == "sealed":
        assert psnr_db(protected.masked_u8, protected.photo_u8) > 45
        assert psnr_db(photo_u8, recovered.photo_u8) > 34


def test_a_picture_too_small_for_its_own_face_is_refused() -> None:
    photo_u8 = np.random.default_rng(0).integers(0, 256, (24, 24, 3), np.uint8)
    with pytest.raises(errors.CapacityError) as caught:
        protect(photo_u8, [whole_face(photo_u8)], SECRET, options())
    assert caught.value.hint


def test_every_protection_has_its_own_salt() -> None:
    first, second = protect_one(), protect_one()
    assert first.header.salt != second.header.salt
    assert first.png != second.png


def test_overlapping_faces_become_one_region() -> None:
    photo_u8 = portrait()
    faces = faces_from_boxes([(20, 20, 60, 60), (50, 50, 90, 90)], 256, 256)
    protected = protect(photo_u8, faces, SECRET, options())
    assert [face.box for face in protected.header.faces] == [(20, 20, 90, 90)]
    recovered = recover(open_protected(protected.png), [SECRET])
    box = (20, 20, 90, 90)
    np.testing.assert_array_equal(inside(recovered.photo_u8, box), inside(photo_u8, box))


def test_progress_goes_up_to_one() -> None:
    shares: list[float] = []
    protected = protect(
        portrait(),
        one_face(portrait()),
        SECRET,
        options(),
        lambda stage, share: shares.append(share),
    )
    assert shares == sorted(shares)
    assert shares[-1] == 1
    shares.clear()
    recover(open_protected(protected.png), [SECRET], report=lambda _, share: shares.append(share))
    assert shares == sorted(shares)
    assert shares[-1] == 1


# --- keys -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["sealed", NETWORK])
@pytest.mark.parametrize(
    "guess", ["correct horse battery stapl", f"{SECRET} ", SECRET.title(), SECRET[::-1], "x"]
)
def test_another_passphrase_is_wrong_however_near(method: str, guess: str) -> None:
    file = open_protected(protect_one(method).png)
    with pytest.raises(errors.WrongKeyError) as caught:
        recover(file, [guess])
    assert caught.value.hint
    assert guess not in str(caught.value) + caught.value.hint or guess == "x"


def test_one_passphrase_typed_on_another_keyboard_is_the_same() -> None:
    file = open_protected(protect_one(secret="Zoë").png)
    assert recover(file, ["Zoë"]).opened == (1,)


@pytest.mark.parametrize(("method", "wrong"), [("sealed", ""), ("sealed", "obfs"), (NETWORK, "")])
def test_what_a_wrong_key_shows(method: str, wrong: WrongMode) -> None:
    photo_u8 = portrait()
    protected = protect_one(method, wrong=wrong)
    file = open_protected(protected.png)
    shown_u8 = recover_wrongly(file, "wrong")
    np.testing.assert_array_equal(shown_u8, recover_wrongly(file, "wrong"))
    assert psnr_db(inside(shown_u8), inside(photo_u8)) < 30
    np.testing.assert_array_equal(outside(shown_u8, [BOX]), outside(file.photo_u8, [BOX]))
    if wrong == "obfs":
        np.testing.assert_array_equal(shown_u8, file.photo_u8)
    else:
        assert psnr_db(inside(shown_u8), inside(file.photo_u8)) < 30
        assert not np.array_equal(shown_u8, recover_wrongly(file, "wrong as well"))


def test_without_a_tag_only_sealed_still_knows_its_key() -> None:
    sealed, network = protect_one(check_value=False), protect_one(NETWORK, check_value=False)
    assert sealed.header.faces[0].tag is None
    assert network.header.faces[0].tag is None
    assert recover(open_protected(sealed.png), [SECRET]).opened == (1,)
    with pytest.raises(errors.WrongKeyError):
        recover(open_protected(sealed.png), ["wrong"])
    file = open_protected(network.png)
    right, wrong = recover(file, [SECRET]), recover(file, ["wrong"])
    assert right.opened == wrong.opened == (1,)
    assert not np.array_equal(right.photo_u8, wrong.photo_u8)
    np.testing.assert_array_equal(wrong.photo_u8, recover_wrongly(file, "wrong"))


@pytest.mark.parametrize("method", ["sealed", NETWORK])
def test_each_face_has_its_own_passphrase(method: str, group_faces: list[Face]) -> None:
    photo_u8, faces = group(), group_faces[:3]
    protected = protect(photo_u8, faces, {1: "one", 2: "two", 3: "one"}, options(method))
    assert [face.key_slot for face in protected.header.faces] == [0, 1, 0]
    file = open_protected(protected.png)
    first, second, both = (recover(file, given) for given in (["one"], ["two"], ["two", "one"]))
    assert (first.opened, first.closed) == ((1, 3), (2,))
    assert (second.opened, second.closed) == ((2,), (1, 3))
    assert (both.opened, both.closed) == ((1, 2, 3), ())
    box = protected.header.faces[1].box
    np.testing.assert_array_equal(inside(first.photo_u8, box), inside(file.photo_u8, box))
    if method == "sealed":
        np.testing.assert_array_equal(inside(both.photo_u8, box), inside(photo_u8, box))
    with pytest.raises(errors.WrongKeyError):
        recover(file, ["three"])


@pytest.mark.parametrize("given", [{}, {1: "one"}, {1: "one", 3: "three"}, {2: "two", 3: "three"}])
def test_a_face_without_a_passphrase_is_refused(given: dict[int, str]) -> None:
    faces = faces_from_boxes([(0, 0, 40, 40), (50, 50, 90, 90)], 256, 256)
    with pytest.raises(errors.PassphraseError, match="passphrase for each of 2 faces") as caught:
        protect(portrait(), faces, given, options())
    assert "--key" in caught.value.hint


def test_overlapping_faces_cannot_have_two_passphrases() -> None:
    faces = faces_from_boxes([(0, 0, 60, 60), (50, 50, 90, 90)], 256, 256)
    with pytest.raises(errors.BoxError, match="overlap"):
        protect(portrait(), faces, {1: "one", 2: "two"}, options())


# --- refusals when protecting ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"method": "seald"}, errors.MethodError),
        ({"mask": "gausian"}, errors.MaskError),
        ({"strength": {"nose": 1}}, errors.MaskError),
        ({"method": NETWORK, "wrong": "obfs"}, errors.MethodError),
        ({"kdf": KdfParams(memory_kib=1024, iterations=1, lanes=1)}, errors.SecretError),
        ({"mask": "sticker", "mask_seed": "key", "check_value": False}, errors.MethodError),
        ({"mask_seed": -1, "mask": "sticker"}, errors.MaskError),
        ({"mask_seed": 7, "mask": "noise"}, errors.MaskError),
    ],
)
def test_what_cannot_be_had_is_refused(changes: dict[str, object], error: type[Exception]) -> None:
    wanted = dataclasses.replace(options(), **changes)
    with pytest.raises(error) as caught:
        protect(portrait(), one_face(portrait()), SECRET, wanted)
    assert getattr(caught.value, "hint", "")


def test_nothing_clear_goes_out_where_no_face_was_found() -> None:
    with pytest.raises(errors.NoFaceError) as caught:
        protect(portrait(), [], SECRET, options())
    assert "--whole" in caught.value.hint


def test_a_crowd_is_refused_before_anything_is_done() -> None:
    boxes = [(x, y, x + 16, y + 16) for y in range(0, 240, 24) for x in range(0, 240, 24)]
    with pytest.raises(errors.BoxError, match="at most 64 hidden faces, got 65") as caught:
        protect(portrait(), faces_from_boxes(boxes[:65], 256, 256), SECRET, options())
    assert "--box" in caught.value.hint


@pytest.mark.parametrize("size", [(4001, 4001), (3999, 4001), (5000, 4000)])
def test_a_face_too_large_for_its_key_map_is_refused_at_once(size: tuple[int, int]) -> None:
    photo_u8 = np.broadcast_to(np.uint8(90), (*size, 3))
    whole = Face((0, 0, size[1], size[0]), (0, 0, size[1], size[0]), None, 1.0)
    told: list[str] = []
    with pytest.raises(errors.BoxError, match=f"16,000,000 pixels, got {size[1]} x") as caught:
        protect(photo_u8, [whole], SECRET, options(), lambda stage, _: told.append(stage))
    assert "smaller boxes" in caught.value.hint
    assert told == []


# --- refusals when recovering ---------------------------------------------------------------------


@pytest.mark.parametrize("method", ["sealed", NETWORK])
@pytest.mark.parametrize("place", [(0, 0, 0), (60, 70, 1), (255, 255, 2), (200, 3, 0)])
def test_a_changed_pixel_is_told(method: str, place: tuple[int, int, int]) -> None:
    protected = protect_one(method)
    photo_u8 = protected.photo_u8.copy()
    photo_u8[place] ^= 0x80
    with pytest.raises(errors.TamperedError, match="rows") as caught:
        recover(with_header(photo_u8, protected), [SECRET])
    assert caught.value.hint


@pytest.mark.parametrize("method", ["sealed", NETWORK])
def test_a_changed_size_or_encoding_is_told(method: str) -> None:
    protected = protect_one(method)
    photo_u8 = protected.photo_u8
    small_u8 = np.asarray(Image.fromarray(photo_u8).resize((128, 128)))
    jpeg_u8 = resaved(photo_u8, "JPEG", quality=90).photo_u8
    for changed_u8 in (small_u8, np.ascontiguousarray(photo_u8[:, 8:]), jpeg_u8):
        for given in (None, protected.header):
            file = with_header(changed_u8, protected) if given is None else resaved(changed_u8)
            with pytest.raises(errors.ReencodedError) as caught:
                recover(file, [SECRET], header=given)
            assert caught.value.hint


@pytest.mark.parametrize("method", ["sealed", NETWORK])
@pytest.mark.parametrize(("kind", "how"), [("JPEG", {"quality": 95}), ("WEBP", {"quality": 90})])
def test_a_lossy_copy_is_told(method: str, kind: str, how: dict[str, int]) -> None:
    with pytest.raises(errors.ReencodedError, match=kind):
        recover(resaved(protect_one(method).photo_u8, kind, **how), [SECRET])


def test_sealed_survives_the_loss_of_all_metadata(tmp_path: Path) -> None:
    protected = protect_one()
    for file in (
        resaved(protected.photo_u8),
        resaved(protected.photo_u8, "WEBP", lossless=True, exact=True),
    ):
        assert file.header is None
        recovered = recover(file, [SECRET])
        assert recovered.header == protected.header
        np.testing.assert_array_equal(inside(recovered.photo_u8), inside(portrait()))


def test_networks_need_their_header_back() -> None:
    protected = protect_one(NETWORK)
    stripped = resaved(protected.photo_u8)
    with pytest.raises(errors.NotProtectedError) as caught:
        recover(stripped, [SECRET])
    assert "--sidecar" in caught.value.hint
    sidecar = header.from_json(header.to_json(protected.header))
    expected = recover(open_protected(protected.png), [SECRET])
    recovered = recover(stripped, [SECRET], header=sidecar)
    np.testing.assert_array_equal(recovered.photo_u8, expected.photo_u8)


def test_any_other_picture_is_not_ours() -> None:
    with pytest.raises(errors.NotProtectedError):
        recover(resaved(portrait()), [SECRET])


def test_the_header_of_another_picture_does_not_fit() -> None:
    first, second = protect_one(), protect_one()
    with pytest.raises(errors.ReencodedError):
        recover(with_header(first.photo_u8, second), [SECRET])


@pytest.mark.parametrize("method", ["sealed", NETWORK])
def test_an_unknown_model_is_told(method: str) -> None:
    protected = protect_one(method)
    strange = dataclasses.replace(protected.header, model_hash=bytes(range(32)))
    file = open_protected(write_png(None, protected.photo_u8, header.encode(strange)))
    with pytest.raises(errors.UnknownModelError, match="0001020304") as caught:
        recover(file, [SECRET])
    assert caught.value.hint


def test_a_method_of_the_future_is_told() -> None:
    protected = protect_one()
    strange = dataclasses.replace(protected.header, method="holographic")
    file = open_protected(write_png(None, protected.photo_u8, header.encode(strange)))
    with pytest.raises(
        errors.HeaderVersionError, match="method holographic, which only a newer"
    ) as caught:
        recover(file, [SECRET])
    assert "update" in caught.value.hint


def test_a_picture_of_an_older_tag_opens_with_its_own_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = list(zoo.RELEASED)
    write_model(tmp_path / names[0], random_embedder(5), names[0])
    point_zoo_at(monkeypatch, tmp_path)
    monkeypatch.setattr(METHODS[NETWORK], "model", names[0])
    forget()
    protected = protect_one(NETWORK)
    file = open_protected(protected.png)
    expected_u8 = recover(file, [SECRET]).photo_u8

    write_model(tmp_path / "proface-s-rand.v9", random_embedder(6), "proface-s-rand.v9")
    newer = {"proface-s-rand.v9": zoo.hash_model(tmp_path / "proface-s-rand.v9")}
    monkeypatch.setattr(zoo, "RELEASED", zoo.RELEASED | newer)
    monkeypatch.setattr(METHODS[NETWORK], "model", "proface-s-rand.v9")
    forget()
    assert protect_one(NETWORK).header.model_hash != protected.header.model_hash
    np.testing.assert_array_equal(recover(file, [SECRET]).photo_u8, expected_u8)
    np.testing.assert_array_equal(recover_wrongly(file, SECRET), expected_u8)
    (tmp_path / names[0] / "card.json").unlink()
    forget()
    with pytest.raises(errors.WeightsMissingError, match=names[0]):
        recover(file, [SECRET])


def test_a_network_without_a_model_is_damaged() -> None:
    protected = protect_one(NETWORK)
    bare = dataclasses.replace(protected.header, model_hash=b"")
    file = open_protected(write_png(None, protected.photo_u8, header.encode(bare)))
    with pytest.raises(errors.HeaderDamagedError, match="got no model"):
        recover(file, [SECRET])


def test_sealed_with_a_model_is_damaged() -> None:
    protected = protect_one()
    laden = dataclasses.replace(protected.header, model_hash=METHODS[NETWORK].model_hash())
    file = open_protected(write_png(None, protected.photo_u8, header.encode(laden)))
    with pytest.raises(errors.HeaderDamagedError, match="sealed needs no model"):
        recover(file, [SECRET])


def test_a_damaged_chunk_stands_in_nobodys_way() -> None:
    for method in ("sealed", NETWORK):
        protected = protect_one(method)
        expected_u8 = recover(open_protected(protected.png), [SECRET]).photo_u8
        raw = header.encode(protected.header)
        torn = write_png(None, protected.photo_u8, raw[:-9])  # its own checksum fits
        for png in (protected.png.replace(raw, raw[:-1] + b"?"), torn):
            file = open_protected(png)
            if method == "sealed":
                np.testing.assert_array_equal(recover(file, [SECRET]).photo_u8, expected_u8)
            else:
                with pytest.raises(errors.HeaderDamagedError) as caught:
                    recover(file, [SECRET])
                assert caught.value.hint
            found = recover(file, [SECRET], header=protected.header)
            np.testing.assert_array_equal(found.photo_u8, expected_u8)


@pytest.mark.parametrize("method", ["sealed", NETWORK])
def test_a_sidecar_that_disagrees_with_the_chunk_is_refused(method: str) -> None:
    protected = protect_one(method)
    other = dataclasses.replace(protected.header, mask="box")
    for given in (other, protect_one(method).header):
        with pytest.raises(errors.TamperedError, match="sidecar") as caught:
            recover(open_protected(protected.png), [SECRET], header=given)
        assert caught.value.hint
    found = recover(open_protected(protected.png), [SECRET], header=protected.header)
    assert found.opened == (1,)


def test_a_model_of_another_method_is_told() -> None:
    protected = protect_one(NETWORK)
    other = METHODS["proface-s-obfs"].model_hash()
    mixed = dataclasses.replace(protected.header, model_hash=other)
    file = open_protected(write_png(None, protected.photo_u8, header.encode(mixed)))
    with pytest.raises(errors.HeaderDamagedError, match="a model of proface-s-rand, got"):
        recover(file, [SECRET])


@pytest.mark.parametrize(
    "change",
    [{"mask": "box"}, {"salt": bytes(16)}, {"kdf": KdfParams(16, 1, 2)}, {"wrong": "obfs"}],
)
def test_a_header_changed_on_purpose_opens_nothing(change: dict[str, object]) -> None:
    protected = protect_one()
    forged = dataclasses.replace(protected.header, **change)
    signed_u8 = carrier.clear_header_samples(protected.photo_u8, len(header.encode(forged)))
    forged = dataclasses.replace(forged, stripes=header.stripe_digests(signed_u8))
    raw = header.encode(forged)
    file = open_protected(write_png(None, protected.photo_u8, raw))
    with pytest.raises(errors.TamperedError, match="header in the pixels"):
        recover(file, [SECRET])
    file = open_protected(write_png(None, carrier.write_header_copy(signed_u8, raw), raw))
    with pytest.raises(errors.WrongKeyError):
        recover(file, [SECRET])


# --- secrets --------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["sealed", NETWORK])
def test_no_passphrase_is_in_anything_that_leaves(method: str) -> None:
    secret = secrets.token_hex(12)
    protected = protect_one(method, secret=secret)
    file = open_protected(protected.png)
    texts = [repr(protected), repr(protected.header), header.to_json(protected.header)]
    texts.append(repr(recover(file, [secret])))
    with pytest.raises(errors.WrongKeyError) as caught:
        recover(open_protected(protect_one(method, secret="other").png), [secret])
    texts += [str(caught.value), caught.value.hint, repr(caught.value.__dict__)]
    with pytest.raises(errors.PassphraseError) as refused:
        recover(file, [secret * 100])
    texts += [str(refused.value), repr(refused.value.__cause__), repr(refused.value.__context__)]
    assert all(secret not in text for text in texts)
    assert secret.encode() not in protected.png
    assert secret.encode() not in protected.photo_u8.tobytes()


def test_what_is_written_opens_as_an_ordinary_photograph(tmp_path: Path) -> None:
    protected = protect_one()
    on_disk(tmp_path, protected.png)
    np.testing.assert_array_equal(open_photo(tmp_path / "protected.png"), protected.photo_u8)


def test_the_preview_is_the_mask_of_the_protected_picture() -> None:
    photo_u8 = portrait()
    regions = merge_overlapping(one_face(photo_u8), 256, 256)
    preview_u8 = pipeline.mask_faces(photo_u8, regions, "gaussian")
    np.testing.assert_array_equal(preview_u8, protect_one().masked_u8)


@pytest.mark.parametrize(
    ("preset", "labels"),
    [
        ("scaled", ["box:follow=1,fraction=0.8", "pixelate:block=9 at 112 px"]),
        ("paper", ["box:follow=0,fraction=0.6", "pixelate:block=9"]),
    ],
)
def test_the_header_names_the_mask_that_was_laid(
    preset: pipeline.Preset, labels: list[str]
) -> None:
    found = [protect_one(mask=m, preset=preset).header.mask for m in ("box", "pixelate")]
    assert found == labels


def test_the_seed_or_the_key_may_choose_the_mask(monkeypatch: pytest.MonkeyPatch) -> None:
    def sticker(seed: int | Literal["key"] | None, secret: str = SECRET) -> bytes:
        wanted = dataclasses.replace(options(), mask="sticker", mask_seed=seed)
        made = protect(portrait(), one_face(portrait()), secret, wanted)
        return made.masked_u8.tobytes()

    assert sticker(3) == sticker(3)
    assert len({sticker(seed) for seed in range(4)}) > 1
    monkeypatch.setattr(pipeline, "new_salt", lambda: bytes(SALT_BYTES))
    assert sticker("key") == sticker("key")
    assert len({sticker("key", f"another {word}") for word in range(6)}) > 1


@pytest.mark.parametrize("point", [(60.0, 60.0), (-500.0, 10.0)])
def test_landmarks_that_cannot_be_used_leave_no_face_clear(
    point: tuple[float, float], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pipeline, "randbits", lambda bits: 7)
    photo_u8 = portrait()
    (drawn,) = one_face(photo_u8)
    strange = dataclasses.replace(drawn, landmarks=np.full((5, 2), point, np.float32))
    protected = protect(photo_u8, [strange], SECRET, options(mask="sticker"))
    unknown = dataclasses.replace(drawn, landmarks=None)
    regions = merge_overlapping([unknown], 256, 256)
    expected_u8 = pipeline.mask_faces(photo_u8, regions, "sticker", seed=7)
    np.testing.assert_array_equal(protected.masked_u8, expected_u8)


def test_the_mask_s_seed_cannot_be_computed_from_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    photo_u8 = portrait()
    drawn: list[int] = []

    def draw(bits: int) -> int:
        drawn.append(bits)
        return len(drawn)

    monkeypatch.setattr(pipeline, "randbits", draw)
    first = protect(photo_u8, one_face(photo_u8), SECRET, options(mask="noise"))
    second = protect(photo_u8, one_face(photo_u8), SECRET, options(mask="noise"))
    assert drawn == [128, 128]
    assert not np.array_equal(first.masked_u8, second.masked_u8)
