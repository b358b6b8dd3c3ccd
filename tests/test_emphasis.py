import itertools
import math

import numpy as np
import pytest
import skimage.data
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from laws import assert_batch_equals_items, assert_close, assert_inverts, assert_keeps_inputs
from torch import Tensor

from engine import emphasis
from engine.emphasis import deemphasize, emphasize, from_opponent, to_opponent

EXPONENT = 0.6
FEW = settings(max_examples=20, deadline=None, database=None)
sides = st.integers(1, 40)


def pictures(batch: int, height: int, width: int, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(batch, 3, height, width, generator=generator, dtype=torch.float64)


@FEW
@given(height=sides, width=sides, exponent=st.floats(0.1, 1))
def test_it_is_undone(height: int, width: int, exponent: float) -> None:
    image = pictures(2, height, width)
    assert_inverts(
        lambda x: emphasize(x, exponent), lambda y: (deemphasize(y, exponent),), image,
        tolerance=1e-9,
    )  # fmt: skip


def test_laws() -> None:
    image = pictures(3, 10, 14)
    for change in (emphasize, deemphasize):
        assert_keeps_inputs(lambda x, change=change: change(x, EXPONENT), image.clone())
        assert_batch_equals_items(
            lambda x, change=change: change(x, EXPONENT), image, tolerance=1e-9
        )


@pytest.mark.parametrize("exponent", [0.5, 0.6])
def test_a_wave_of_twice_the_frequency_gains_by_the_power_law(exponent: float) -> None:
    places = torch.arange(64, dtype=torch.float64) + 0.5
    found = []
    for waves in (4, 8, 16):
        wave = torch.cos(math.pi / 64 * waves * places).expand(1, 3, 64, 64)
        found.append((emphasize(0.5 + wave, exponent) - 0.5) / wave)
    # Grey waves: every value of one is multiplied by the same gain.
    for one in found:
        torch.testing.assert_close(one, one.mean().expand_as(one))
    ratios = [float(b.mean() / a.mean()) for a, b in itertools.pairwise(found)]
    assert ratios == pytest.approx([2**exponent] * 2)


def test_a_face_keeps_its_contrast_and_loses_its_coarse_structure() -> None:
    face_u8 = skimage.data.astronaut()[50:162, 170:282]
    face = torch.from_numpy(face_u8.astype(np.float64) / 255).permute(2, 0, 1)[None]
    found = emphasize(face, EXPONENT)
    assert 0.5 < float(found.std() / face.std()) < 2

    def coarse(image: Tensor) -> float:
        return float(torch.nn.functional.avg_pool2d(image, 16).std() / image.std())

    assert coarse(found) < 0.6 * coarse(face)


@pytest.mark.parametrize("size", [(3, 700), (600, 520)])
def test_a_large_picture_takes_another_way_to_the_same(
    monkeypatch: pytest.MonkeyPatch, size: tuple[int, int]
) -> None:
    image = pictures(1, *size)
    by_fft = emphasize(image, EXPONENT)
    monkeypatch.setattr(emphasis, "_BY_MATRICES", 1000)
    assert_close(by_fft, emphasize(image, EXPONENT), 1e-9)


def test_autocast_does_not_round_it() -> None:
    image = pictures(1, 32, 32).float()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = deemphasize(emphasize(image, EXPONENT), EXPONENT)
    assert_close(found, image, 1e-5)


def test_it_can_be_learned_through_after_inference() -> None:
    with torch.inference_mode():
        emphasize(pictures(1, 18, 22), EXPONENT)
    image = pictures(1, 18, 22).requires_grad_()
    deemphasize(emphasize(image, EXPONENT), EXPONENT).sum().backward()
    assert image.grad is not None
    assert_close(image.grad, torch.ones_like(image), 1e-9)


def test_opponent_colours_are_orthonormal() -> None:
    image = pictures(2, 3, 5)
    assert_inverts(to_opponent, lambda y: (from_opponent(y),), image, tolerance=1e-6)
    grey = torch.full((1, 3, 2, 2), 0.4)
    light, *others = to_opponent(grey)[0].flatten(1)
    assert light.tolist() == pytest.approx([0.4 * math.sqrt(3)] * 4)
    assert max(float(other.abs().max()) for other in others) < 1e-6
