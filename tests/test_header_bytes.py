import hashlib
import json
from dataclasses import replace
from typing import Any

import pytest
from header_examples import SIMPLE, headers
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import errors, header
from engine.header import FaceRecord, Header


@settings(max_examples=60, deadline=None)
@given(headers())
def test_header_comes_back_from_bytes_and_sidecar(made: Header) -> None:
    raw = header.encode(made)
    assert len(raw) <= header.MAX_HEADER_BYTES
    assert header.decode(raw) == made
    assert header.encode(header.decode(raw)) == raw
    assert header.from_json(header.to_json(made)) == made


@settings(max_examples=60, deadline=None)
@given(headers(), st.data())
def test_any_flipped_bit_is_a_named_error(made: Header, data: st.DataObject) -> None:
    raw = bytearray(header.encode(made))
    bit = data.draw(st.integers(0, 8 * len(raw) - 1))
    raw[bit // 8] ^= 1 << bit % 8
    with pytest.raises(errors.HeaderError):
        header.decode(bytes(raw))


@settings(max_examples=60, deadline=None)
@given(headers(), st.data())
def test_flipped_bit_under_a_fitting_checksum_never_passes_unseen(
    made: Header, data: st.DataObject
) -> None:
    body = bytearray(header.encode(made)[:-4])
    bit = data.draw(st.integers(0, 8 * len(body) - 1))
    body[bit // 8] ^= 1 << bit % 8
    raw = bytes(body) + hashlib.sha256(body).digest()[:4]
    try:
        other = header.decode(raw)
    except errors.HeaderError:
        return
    assert header.encode(other) == raw
    assert seen(other) != seen(made)


def seen(made: Header) -> list[Any]:
    contexts = [header.context(made, i) for i in range(len(made.faces))]
    return [made.stripes, contexts, [face.tag for face in made.faces]]


def test_every_single_bit_of_a_header_counts() -> None:
    raw = header.encode(SIMPLE)
    for bit in range(8 * len(raw)):
        flipped = bytearray(raw)
        flipped[bit // 8] ^= 1 << bit % 8
        with pytest.raises(errors.HeaderError):
            header.decode(bytes(flipped))


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=300), st.booleans())
def test_any_bytes_are_a_named_error(raw: bytes, ours: bool) -> None:
    with pytest.raises(errors.HeaderError):
        header.decode((b"FVHD\x01" if ours else b"") + raw)


@settings(max_examples=60, deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
        lambda inner: (
            st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
        ),
        max_leaves=8,
    ),
    st.data(),
)
def test_any_value_in_a_sidecar_is_a_named_error_or_the_same(
    value: Any, data: st.DataObject
) -> None:
    fields = json.loads(header.to_json(SIMPLE))
    name = data.draw(st.sampled_from(sorted(fields)))
    same = type(value) is type(fields[name]) and value == fields[name]
    text = json.dumps(fields | {name: value})
    if same:
        assert header.from_json(text) == SIMPLE
    else:
        with pytest.raises(errors.HeaderError):
            header.from_json(text)


def test_sidecar_may_be_reformatted() -> None:
    fields = json.loads(header.to_json(SIMPLE))
    turned = dict(reversed(fields.items()))
    assert header.from_json(json.dumps(turned, separators=(",", ":"))) == SIMPLE
    assert header.from_json("\n" + json.dumps(turned, indent=8) + "\r\n") == SIMPLE


def many_faces(count: int, data: bytes) -> Header:
    faces = tuple(FaceRecord((x, 0, x + 1, 1), x % 64, data, bytes(16)) for x in range(count))
    return replace(SIMPLE, faces=faces, method="m" * 64, mask="x" * 64, model_hash=bytes(32))


def test_largest_headers_fit_their_limits() -> None:
    most = many_faces(64, bytes(32))
    assert header.decode(header.encode(most)) == most
    assert header.from_json(header.to_json(most)) == most
    with pytest.raises(errors.HeaderDamagedError, match="length"):
        header.encode(many_faces(64, bytes(64)))
    with pytest.raises(errors.HeaderDamagedError, match="faces"):
        header.encode(many_faces(65, b""))
