import itertools
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from header_examples import KEY, PHOTO_U8, SIMPLE

from engine import errors, header, keys
from engine.header import FaceRecord


def test_context_is_that_of_one_face_and_knows_no_pixels() -> None:
    ctx = header.context(SIMPLE, 0)
    first, second = SIMPLE.faces
    same = [
        replace(SIMPLE, stripes=b""),
        replace(SIMPLE, stripes=bytes(64)),
        replace(SIMPLE, faces=(replace(first, tag=bytes(16)), second)),
        replace(SIMPLE, faces=(first, replace(second, box=(50, 50, 60, 60), data=b"other"))),
        replace(SIMPLE, faces=(first,)),
    ]
    assert {header.context(made, 0) for made in same} == {ctx}
    assert header.context(replace(SIMPLE, faces=(second, first)), 1) == ctx


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
        {"wrong": ""},
        {"height": 65},
        {"width": 81},
        {"height": 80, "width": 64},
        *({"faces": (replace(first, data=data),)} for data in (b"", b"\x01\x01", b"\x01\x00")),
        {"faces": (replace(first, key_slot=1),)},
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
    made = header.tag(KEY, SIMPLE, 0, PHOTO_U8)
    tagged = replace(SIMPLE, faces=(replace(SIMPLE.faces[0], tag=made), SIMPLE.faces[1]))
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
    header.check_tag(KEY, SIMPLE, 0, PHOTO_U8)
    header.check_tag(keys.Key(bytes(32)), SIMPLE, 0, PHOTO_U8)


def test_tag_needs_digests_and_a_picture() -> None:
    with pytest.raises(errors.HeaderDamagedError, match="stripes"):
        header.tag(KEY, replace(SIMPLE, stripes=b""), 0, PHOTO_U8)
    with pytest.raises(errors.ImageShapeError):
        header.tag(KEY, SIMPLE, 0, PHOTO_U8[..., 0])


def test_tag_of_a_picture_that_does_not_lie_in_one_piece() -> None:
    strided = np.asfortranarray(PHOTO_U8)
    assert header.tag(KEY, SIMPLE, 0, strided) == header.tag(KEY, SIMPLE, 0, PHOTO_U8)
    assert header.stripe_digests(strided) == SIMPLE.stripes
