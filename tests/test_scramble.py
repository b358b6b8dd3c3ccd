import hashlib

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage.data import astronaut

from engine.errors import ImageShapeError
from engine.images import from_u8
from engine.keys import Key
from engine.scramble import (
    Shuffle,
    bands,
    inverse_pyramid,
    keyed_shuffle,
    pyramid,
    random_shuffles,
    scramble,
    unscramble,
)

KEY = Key(bytes(range(32)))
sides = st.integers(1, 40)


def face() -> torch.Tensor:
    return from_u8(np.ascontiguousarray(astronaut()[40:168, 160:288]))


def psnr(first: torch.Tensor, second: torch.Tensor) -> float:
    return float(-10 * torch.log10((first - second).square().mean()))


@given(sides, sides, st.integers(0, 2**31))
@settings(max_examples=30, deadline=None)
def test_a_pyramid_of_any_size_is_undone(height: int, width: int, seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    image = torch.rand(2, 3, height, width, generator=generator, dtype=torch.float64)
    kept = image.clone()
    assert (inverse_pyramid(pyramid(image)) - image).abs().max() < 1e-12
    assert torch.equal(image, kept)


@given(sides, sides)
@settings(max_examples=30, deadline=None)
def test_the_bands_of_a_pyramid_cover_it_once(height: int, width: int) -> None:
    covered = torch.zeros(height, width)
    for band in bands(height, width):
        covered[band] += 1
    assert torch.equal(covered, torch.ones(height, width))
    assert len(bands(height, width)) == 10


@given(sides, sides, st.integers(0, 2**31))
@settings(max_examples=20, deadline=None)
def test_scrambling_is_undone_by_its_own_shuffle(height: int, width: int, seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    image = torch.rand(2, 3, height, width, generator=generator)
    shuffle = random_shuffles(2, height, width, generator)
    assert (unscramble(scramble(image, shuffle), shuffle) - image).abs().max() < 1e-4


def test_a_keyed_shuffle_moves_each_coefficient_once_and_within_its_band() -> None:
    shuffle = keyed_shuffle(KEY, b"a face", 22, 36)
    source = shuffle.source.view(3, 22, 36)
    places = torch.arange(3 * 22 * 36).view(3, 22, 36)
    for channel in range(3):
        for band in bands(22, 36):
            found = source[channel][band].flatten().sort().values
            assert torch.equal(found, places[channel][band].flatten())
    assert set(shuffle.signs.unique().tolist()) == {-1.0, 1.0}


def test_the_known_shuffle_of_a_known_key() -> None:
    shuffle = keyed_shuffle(Key(bytes(32)), b"a face", 16, 24)
    digest = hashlib.sha256(
        shuffle.source.numpy().astype("<i8").tobytes()
        + shuffle.signs.numpy().astype("i1").tobytes()
    )
    assert digest.hexdigest() == "af8e96b4cf9f96d58e0bb46c52aaefc09e67bfb200968122ccbbea88d620cece"


def test_another_key_or_context_is_another_shuffle() -> None:
    own = keyed_shuffle(KEY, b"a face", 64, 64)
    for other in (
        keyed_shuffle(Key(bytes(32)), b"a face", 64, 64),
        keyed_shuffle(KEY, b"b", 64, 64),
    ):
        assert (own.source == other.source).float().mean() < 0.05
        assert abs(float((own.signs == other.signs).float().mean()) - 0.5) < 0.03


def test_scrambled_and_wrongly_unscrambled_pictures_show_nothing() -> None:
    original = face()
    shuffle = keyed_shuffle(KEY, b"a face", 128, 128)
    scrambled = scramble(original, shuffle)
    wrong = unscramble(scrambled, keyed_shuffle(Key(bytes(32)), b"a face", 128, 128))
    for shown in (scrambled, wrong):
        assert psnr(original, shown) < 11
        pair = torch.stack([original.flatten(), shown.flatten()])
        assert abs(float(torch.corrcoef(pair)[0, 1])) < 0.1


def test_noise_on_the_scrambled_picture_costs_ten_decibels_less() -> None:
    original = face()
    shuffle = keyed_shuffle(KEY, b"a face", 128, 128)
    noise = 0.01 * torch.randn(original.shape, generator=torch.Generator().manual_seed(0))
    recovered = unscramble(scramble(original, shuffle) + noise, shuffle)
    assert 50 < psnr(original, recovered) < 52  # 40 without the gains


def test_a_shuffle_of_another_size_is_refused() -> None:
    shuffle = keyed_shuffle(KEY, b"a face", 16, 16)
    with pytest.raises(ImageShapeError, match="expected a shuffle"):
        scramble(torch.rand(1, 3, 16, 18), shuffle)
    with pytest.raises(ImageShapeError):
        unscramble(torch.rand(2, 3, 16, 16), Shuffle(shuffle.source, shuffle.signs))
