"""Headers for the tests: a simple one, and any that may be written."""

import numpy as np
from hypothesis import strategies as st

from engine import header, keys
from engine.header import FaceRecord, Header

PHOTO_U8 = np.random.default_rng(7).integers(0, 256, (64, 80, 3), dtype=np.uint8)
KEY = keys.Key(bytes(range(32)))
SIMPLE = Header(
    version=1,
    kdf=keys.KdfParams(),
    salt=bytes(16),
    method="sealed",
    model_hash=b"",
    mask="gaussian:kernel=21,sigma=8",
    wrong="rand",
    height=64,
    width=80,
    stripes=header.stripe_digests(PHOTO_U8),
    faces=(FaceRecord((0, 0, 20, 20), 0, b"\x01"), FaceRecord((20, 0, 40, 20), 1)),
)


@st.composite
def kdfs(draw: st.DrawFn) -> keys.KdfParams:
    lanes = draw(st.integers(1, 8))
    memory = draw(st.integers(8 * lanes, 262_144))
    return keys.KdfParams(memory, draw(st.integers(1, 10)), lanes)


@st.composite
def headers(draw: st.DrawFn) -> Header:
    """Any header that may be written: boxes in cells of a grid, so that they are apart."""
    count = draw(st.integers(1, 6))
    height, width = draw(st.integers(2, 300)), draw(st.integers(2 * count, 300))
    faces = []
    for i in range(count):
        left, right = i * width // count, (i + 1) * width // count
        x0 = draw(st.integers(left, right - 1))
        y0 = draw(st.integers(0, height - 1))
        box = (x0, y0, draw(st.integers(x0 + 1, right)), draw(st.integers(y0 + 1, height)))
        tag = draw(st.none() | st.binary(min_size=16, max_size=16))
        data = draw(st.binary(max_size=64))
        faces.append(FaceRecord(box, draw(st.integers(0, 63)), data, tag))
    stripes = 4 * min(16, height)
    return Header(
        version=1,
        kdf=draw(kdfs()),
        salt=draw(st.binary(min_size=16, max_size=16)),
        method=draw(st.from_regex(r"\A[a-z0-9][a-z0-9._-]{0,63}\Z")),
        model_hash=draw(st.just(b"") | st.binary(min_size=32, max_size=32)),
        mask=draw(st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=64)),
        wrong=draw(st.sampled_from(["", "rand", "obfs", "decoy"])),
        height=height,
        width=width,
        stripes=draw(st.binary(min_size=stripes, max_size=stripes)),
        faces=tuple(faces),
    )
