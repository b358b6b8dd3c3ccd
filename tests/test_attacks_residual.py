"""The microscope on known residuals: an outline planted, none, and what the weights leave."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sample_photos import Photo, portrait

from engine.attacks.residual import Outline, amplify, outline_correlation, residual
from engine.errors import ImageRangeError, ImageShapeError
from engine.faces import faces_from_boxes
from engine.keys import KdfParams
from engine.pipeline import ProtectOptions, protect

BOX = (72, 64, 184, 176)


def face() -> Photo:
    return np.ascontiguousarray(portrait()[BOX[1] : BOX[3], BOX[0] : BOX[2]])


def noise(levels: float, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, levels, (112, 112, 3)).astype(np.float32)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 255), st.integers(0, 255), st.floats(1, 50))
def test_amplify_is_mid_grey_plus_times_the_difference(one: int, other: int, times: float) -> None:
    protected_u8, mask_u8 = (np.full((2, 3, 3), level, np.uint8) for level in (one, other))
    wanted = min(255, max(0, 128 + times * (one - other)))
    found = amplify(protected_u8, mask_u8, times)
    assert found.dtype == np.uint8
    assert np.abs(found.astype(float) - wanted).max() <= 0.5 + 1e-3


def test_equal_pictures_are_mid_grey() -> None:
    assert (amplify(face(), face(), 50) == 128).all()


@pytest.mark.parametrize("times", [0.5, 51, float("nan")])
def test_times_outside_its_limits_is_refused(times: float) -> None:
    with pytest.raises(ImageRangeError, match="times must lie"):
        amplify(face(), face(), times)


def test_pictures_of_unequal_sizes_are_refused() -> None:
    with pytest.raises(ImageShapeError, match="mask_u8 must have the shape"):
        amplify(face(), portrait(), 10)
    with pytest.raises(ImageShapeError, match="residual must have the shape"):
        outline_correlation(noise(1), portrait())
    with pytest.raises(ImageShapeError, match="at least 16 pixels"):
        outline_correlation(np.zeros((8, 40, 3), np.float32), np.zeros((8, 40, 3), np.uint8))


def test_a_planted_outline_is_found_under_noise() -> None:
    planted = 0.05 * (face().astype(np.float32) - 128) + noise(0.5)
    found = outline_correlation(planted, face())
    assert found.correlation > 0.5
    assert abs(found.shuffled) < 0.05
    assert found.correlation > found.shuffled + 10 * found.spread
    assert outline_correlation(face().astype(np.float32), face()).correlation == pytest.approx(1)


@pytest.mark.parametrize("seed", range(3))
def test_noise_shows_no_outline(seed: int) -> None:
    found = outline_correlation(noise(2, seed), face())
    assert abs(found.correlation) < 0.05
    assert abs(found.correlation - found.shuffled) < 4 * found.spread


def test_an_empty_residual_shows_no_outline() -> None:
    assert outline_correlation(residual(face(), face()), face()) == Outline(0.0, 0.0, 0.0)


def test_the_same_seed_gives_the_same_baseline() -> None:
    first, second, other = (outline_correlation(noise(2), face(), seed) for seed in (1, 1, 2))
    assert first == second
    assert first.shuffled != other.shuffled


def microscope(method: str) -> Outline:
    faces = faces_from_boxes([BOX], *portrait().shape[:2])
    made = protect(portrait(), faces, "secret", ProtectOptions(method, kdf=KdfParams.cheapest()))
    x0, y0, x1, y1 = BOX
    cut = (slice(y0, y1), slice(x0, x1))
    return outline_correlation(residual(made.photo_u8[cut], made.masked_u8[cut]), face())


def test_the_released_network_leaves_an_outline_and_sealed_leaves_none() -> None:
    network, sealed = microscope("proface-s-rand"), microscope("sealed")
    assert network.correlation > network.shuffled + 0.1
    assert abs(sealed.correlation - sealed.shuffled) < 0.05
