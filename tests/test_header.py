import itertools
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from header_examples import KEY, PHOTO_U8, SIMPLE

from engine import errors, header, keys
from engine.header import FaceRecord, Header


def test_context_is_that_of_one_face_and_knows_no_pixels() -> None:
    ctx = header.context(SIMPLE, 0)
    first, second = SIMPLE.faces
    same = [
        replace(SIMPLE, stripes=b""),
        replace(SIMPLE, stripes=bytes(64)),
        replace(SIMPLE, faces=(first, replace(second, tag=bytes(16)))),
        replace(SIMPLE, faces=(first, replace(second, box=(50, 50, 60, 60), data=b"other"))),
        replace(SIMPLE, faces=(first,)),
    ]
    assert {header.context(made, 0) for made in same} == {ctx}
    assert header.context(replace(SIMPLE, faces=(second, first)), 1) == ctx
    with_tags = [replace(first, tag=bytes([n]) * 16) for n in (0, 255)]
    assert len({header.context(replace(SIMPLE, faces=(one,)), 0) for one in with_tags}) == 1


def test_every_other_field_changes_the_context_and_none_begins_another() -> None:
    first = SIMPLE.faces[0]
    changes: list[dict[str, Any]] = [
        {},
        {"kdf": keys.KdfParams(65_536, 3, 3)},
        {"kdf": keys.KdfParams(65_536, 4, 4)},
        {"kdf": keys.KdfParams(65_537, 3, 4)},
        {"salt": bytes(15) + b"\x01"},
        {"method": "sealed0"},
        {"method": "seale", "mask": "dgaussian:kernel=21,sigma=8"},
        {"model_hash": bytes(32)},
        {"mask": ""},
        {"mask": SIMPLE.mask + " "},
        {"wrong": "obfs"},
        {"wrong": "decoy"},
        {"wrong": ""},
        {"height": 65},
        {"width": 81},
        {"height": 80, "width": 64},
        *({"faces": (replace(first, data=data),)} for data in (b"", b"\x01\x01", b"\x01\x00")),
        {"faces": (replace(first, key_slot=1),)},
        {"faces": (replace(first, tag=bytes(16)),)},
        {"faces": (replace(first, data=b"\x01\x01", tag=bytes(16)),)},
        *(
            {"faces": (replace(first, box=box),)}
            for box in [(1, 0, 20, 20), (0, 1, 20, 20), (0, 0, 21, 20), (0, 0, 20, 21)]
        ),
    ]
    contexts = [header.context(replace(SIMPLE, **change), 0) for change in changes]
    contexts.append(header.context(SIMPLE, 1))
    for one, two in itertools.permutations(contexts, 2):
        assert not two.startswith(one)


@pytest.mark.parametrize("index", [-1, 2, 100, True, None])
def test_context_of_no_face_is_refused(index: Any) -> None:
    with pytest.raises(errors.HeaderError, match="face_index"):
        header.context(SIMPLE, index)


def test_context_of_a_faulty_header_is_refused() -> None:
    with pytest.raises(errors.HeaderDamagedError, match="method"):
        header.context(replace(SIMPLE, method="m" * 256), 0)
    with pytest.raises(errors.BoxError):
        header.context(replace(SIMPLE, faces=(FaceRecord((0, 0, 81, 1), 0),)), 0)


def test_tag_knows_key_header_and_pixels() -> None:
    faces = tuple(replace(face, tag=bytes(16)) for face in SIMPLE.faces)
    made = header.tag(KEY, replace(SIMPLE, faces=faces), 0, PHOTO_U8)
    tagged = replace(SIMPLE, faces=(replace(faces[0], tag=made), faces[1]))
    assert len(made) == 16
    header.check_tag(KEY, tagged, 0, PHOTO_U8)
    assert header.tag(KEY, tagged, 0, PHOTO_U8) == made
    assert header.tag(KEY, tagged, 1, PHOTO_U8) != made
    pixel = PHOTO_U8.copy()
    pixel[63, 79, 2] ^= 1
    for key, head, photo_u8 in [
        (keys.Key(bytes(32)), tagged, PHOTO_U8),
        (KEY, replace(tagged, salt=bytes(15) + b"\x01"), PHOTO_U8),
        (KEY, replace(tagged, stripes=bytes(64)), PHOTO_U8),
        (KEY, tagged, pixel),
        (KEY, tagged, PHOTO_U8.reshape(80, 64, 3)),
    ]:
        with pytest.raises(errors.WrongKeyError) as caught:
            header.check_tag(key, head, 0, photo_u8)
        assert made.hex() not in str(caught.value)


def test_face_without_a_tag_passes_under_any_key() -> None:
    for key in (KEY, keys.Key(bytes(32))):
        assert header.check_tag(key, SIMPLE, 0, PHOTO_U8) is None  # type: ignore[func-returns-value]


def test_tag_needs_digests_and_a_picture() -> None:
    with pytest.raises(errors.HeaderDamagedError, match="stripes"):
        header.tag(KEY, replace(SIMPLE, stripes=b""), 0, PHOTO_U8)
    with pytest.raises(errors.ImageShapeError):
        header.tag(KEY, SIMPLE, 0, PHOTO_U8[..., 0])


def test_digest_stands_for_the_picture() -> None:
    digest = header.pixel_digest(PHOTO_U8)
    made = header.tag(KEY, SIMPLE, 0, digest=digest)
    assert made == header.tag(KEY, SIMPLE, 0, PHOTO_U8)
    tagged = tagged_by([KEY, KEY])
    header.check_tag(KEY, tagged, 1, digest=digest)
    with pytest.raises(errors.WrongKeyError):
        header.check_tag(KEY, tagged, 1, digest=header.pixel_digest(PHOTO_U8 ^ np.uint8(1)))
    for photo_u8, given in [(None, None), (PHOTO_U8, digest), (None, b""), (None, digest[:31])]:
        with pytest.raises(errors.HeaderError, match="32 bytes"):
            header.tag(KEY, SIMPLE, 0, photo_u8, digest=given)
    with pytest.raises(errors.ImageShapeError):
        header.pixel_digest(PHOTO_U8[..., 0])


def tagged_by(owners: list[keys.Key]) -> Header:
    """A header of one small face for each key, all with their tags."""
    faces = [
        FaceRecord((20 * i, 0, 20 * i + 20, 20), i, b"", bytes(16)) for i in range(len(owners))
    ]
    blank = replace(SIMPLE, faces=tuple(faces))
    made = [header.tag(key, blank, i, PHOTO_U8) for i, key in enumerate(owners)]
    return replace(SIMPLE, faces=tuple(replace(f, tag=t) for f, t in zip(faces, made, strict=True)))


OWNERS = [keys.Key(bytes([n]) * 32) for n in range(3)]


@pytest.mark.parametrize(
    "order", [[0], [1], [2], [0, 1], [1, 2], [0, 2], [1, 0, 2], [0, 2, 1], [2, 1, 0], [1, 2, 0]]
)
def test_deleted_or_moved_record_spoils_every_other_tag(order: list[int]) -> None:
    whole = tagged_by(OWNERS)
    changed = replace(whole, faces=tuple(whole.faces[i] for i in order))
    assert header.decode(header.encode(changed)) == changed
    header.check_pixels(changed, PHOTO_U8)
    for place, i in enumerate(order):
        header.check_tag(OWNERS[i], whole, i, PHOTO_U8)
        with pytest.raises(errors.WrongKeyError):
            header.check_tag(OWNERS[i], changed, place, PHOTO_U8)


def test_stripped_tag_changes_every_key_of_the_face_and_spoils_the_others() -> None:
    whole = tagged_by(OWNERS)
    first, *rest = whole.faces
    one = replace(whole, faces=(replace(first, tag=None), *rest))
    for i in (1, 2):
        with pytest.raises(errors.WrongKeyError):
            header.check_tag(OWNERS[i], one, i, PHOTO_U8)
    none = replace(whole, faces=tuple(replace(face, tag=None) for face in whole.faces))
    assert header.decode(header.encode(none)) == none
    for i, key in enumerate(OWNERS):
        before, after = header.context(whole, i), header.context(none, i)
        assert key.seal_key(before) != key.seal_key(after)
        assert key.tag_key(before) != key.tag_key(after)
        assert key.stream(before, "order", 32) != key.stream(after, "order", 32)
        assert not np.array_equal(key.map(before, 20, 20), key.map(after, 20, 20))


def test_sealed_face_does_not_come_back_without_its_tag() -> None:
    whole = tagged_by(OWNERS)
    first, *rest = whole.faces
    stripped = replace(whole, faces=(replace(first, tag=None), *rest))
    key, method, nonce = OWNERS[0], ChaCha20Poly1305, bytes(12)
    sealed = method(key.seal_key(header.context(whole, 0))).encrypt(nonce, b"face", None)
    opened = method(key.seal_key(header.context(whole, 0))).decrypt(nonce, sealed, None)
    assert opened == b"face"
    header.check_tag(key, stripped, 0, PHOTO_U8)
    with pytest.raises(InvalidTag):
        method(key.seal_key(header.context(stripped, 0))).decrypt(nonce, sealed, None)


def test_tag_added_to_a_face_without_one_spoils_the_others() -> None:
    whole = tagged_by(OWNERS)
    bare = replace(whole, faces=(*whole.faces[:2], replace(whole.faces[2], tag=None)))
    made = header.tag(OWNERS[0], bare, 0, PHOTO_U8)
    bare = replace(bare, faces=(replace(bare.faces[0], tag=made), *bare.faces[1:]))
    header.check_tag(OWNERS[0], bare, 0, PHOTO_U8)
    added = replace(bare, faces=(*bare.faces[:2], whole.faces[2]))
    with pytest.raises(errors.WrongKeyError):
        header.check_tag(OWNERS[0], added, 0, PHOTO_U8)


def test_tag_of_too_many_faces_is_refused() -> None:
    with pytest.raises(errors.HeaderDamagedError, match="faces"):
        header.tag(KEY, replace(SIMPLE, faces=SIMPLE.faces * 33), 0, PHOTO_U8)


def test_tag_of_a_picture_that_does_not_lie_in_one_piece() -> None:
    strided = np.asfortranarray(PHOTO_U8)
    assert header.tag(KEY, SIMPLE, 0, strided) == header.tag(KEY, SIMPLE, 0, PHOTO_U8)
    assert header.stripe_digests(strided) == SIMPLE.stripes
