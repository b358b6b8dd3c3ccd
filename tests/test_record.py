from dataclasses import replace
from typing import Any

import pytest
from header_examples import SIMPLE
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import errors, header
from engine.header import FaceRecord


@pytest.mark.parametrize(
    ("change", "error", "names"),
    [
        ({"version": 2}, errors.HeaderVersionError, "version"),
        ({"version": True}, errors.HeaderVersionError, "version"),
        ({"kdf": (65_536, 3, 4)}, errors.HeaderDamagedError, "kdf"),
        ({"salt": bytes(15)}, errors.HeaderDamagedError, "salt"),
        ({"salt": bytearray(16)}, errors.HeaderDamagedError, "salt"),
        ({"method": ""}, errors.HeaderDamagedError, "method"),
        ({"method": "sealed\n"}, errors.HeaderDamagedError, "method"),
        ({"method": None}, errors.HeaderDamagedError, "method"),
        ({"method": "m" * 10_000}, errors.HeaderDamagedError, "method"),
        ({"model_hash": bytes(31)}, errors.HeaderDamagedError, "model_hash"),
        ({"mask": "é"}, errors.HeaderDamagedError, "mask"),
        ({"mask": "m" * 65}, errors.HeaderDamagedError, "mask"),
        ({"wrong": "swap"}, errors.HeaderDamagedError, "wrong"),
        ({"wrong": None}, errors.HeaderDamagedError, "wrong"),
        ({"height": 0}, errors.HeaderDamagedError, "height"),
        ({"height": 65_536}, errors.HeaderDamagedError, "height"),
        ({"width": 80.0}, errors.HeaderDamagedError, "width"),
        ({"height": 5001, "width": 5000}, errors.HeaderDamagedError, "width"),
        ({"stripes": b""}, errors.HeaderDamagedError, "stripes"),
        ({"stripes": bytes(68)}, errors.HeaderDamagedError, "stripes"),
        ({"faces": ()}, errors.HeaderDamagedError, "faces"),
        ({"faces": list(SIMPLE.faces)}, errors.HeaderDamagedError, "faces"),
        ({"faces": (None,)}, errors.HeaderDamagedError, "faces"),
    ],
)
def test_faulty_field_is_not_written(change: Any, error: type[Exception], names: str) -> None:
    for write in (header.encode, header.to_json):
        with pytest.raises(error, match=names) as caught:
            write(replace(SIMPLE, **change))
        assert type(caught.value) is error and len(str(caught.value)) < 250


@pytest.mark.parametrize(
    ("change", "error", "names"),
    [
        ({"box": (0, 0, 0, 20)}, errors.BoxError, "box"),
        ({"box": (0, 0, 20, 65)}, errors.BoxError, "box"),
        ({"box": (-1, 0, 20, 20)}, errors.BoxError, "box"),
        ({"box": (0, 0, 21, 20)}, errors.BoxError, "overlap"),
        ({"box": (20, 0, 40, 20)}, errors.BoxError, "overlap"),
        ({"box": (0.0, 0, 20, 20)}, errors.HeaderDamagedError, "box"),
        ({"box": (0, 0, 20)}, errors.HeaderDamagedError, "box"),
        ({"box": [0, 0, 20, 20]}, errors.HeaderDamagedError, "box"),
        ({"key_slot": 64}, errors.HeaderDamagedError, "key_slot"),
        ({"key_slot": -1}, errors.HeaderDamagedError, "key_slot"),
        ({"data": bytes(65)}, errors.HeaderDamagedError, "data"),
        ({"data": "text"}, errors.HeaderDamagedError, "data"),
        ({"tag": b""}, errors.HeaderDamagedError, "tag"),
        ({"tag": bytes(15)}, errors.HeaderDamagedError, "tag"),
    ],
)
def test_faulty_face_is_not_written(change: Any, error: type[Exception], names: str) -> None:
    faces = (replace(SIMPLE.faces[0], **change), SIMPLE.faces[1])
    with pytest.raises(error, match=names) as caught:
        header.encode(replace(SIMPLE, faces=faces))
    assert type(caught.value) is error


def test_box_limit_is_that_of_the_key_map() -> None:
    whole = replace(SIMPLE, height=5000, width=5000, stripes=bytes(64))
    fits, over = FaceRecord((0, 0, 4000, 4000), 0), FaceRecord((0, 0, 4001, 4000), 0)
    assert header.encode(replace(whole, faces=(fits,)))
    with pytest.raises(errors.BoxError, match="16000000"):
        header.encode(replace(whole, faces=(over,)))


def boxes() -> st.SearchStrategy[tuple[int, int, int, int]]:
    sides = st.tuples(*[st.integers(0, 6)] * 2, *[st.integers(1, 4)] * 2)
    return sides.map(lambda n: (n[0], n[1], n[0] + n[2], n[1] + n[3]))


@settings(max_examples=200, deadline=None)
@given(boxes(), boxes())
def test_boxes_may_touch_and_share_no_pixel(
    one: tuple[int, int, int, int], two: tuple[int, int, int, int]
) -> None:
    def pixels(box: tuple[int, int, int, int]) -> set[tuple[int, int]]:
        return {(x, y) for x in range(box[0], box[2]) for y in range(box[1], box[3])}

    made = replace(SIMPLE, faces=(FaceRecord(one, 0), FaceRecord(two, 1)))
    if pixels(one) & pixels(two):
        with pytest.raises(errors.BoxError, match="overlap"):
            header.encode(made)
    else:
        assert header.decode(header.encode(made)) == made
