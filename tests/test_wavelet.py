import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from laws import assert_batch_equals_items, assert_inverts, assert_keeps_inputs, assert_same_on
from torch import Tensor, nn

from engine.errors import ImageShapeError
from engine.wavelet import haar, inverse_haar

FEW = settings(max_examples=25, deadline=None, database=None)
half_sides = st.integers(1, 17)
shapes = st.tuples(st.integers(1, 3), st.integers(1, 4), half_sides, half_sides)
seeds = st.integers(0, 2**31)


def pictures(shape: tuple[int, int, int, int], seed: int, dtype: torch.dtype) -> Tensor:
    batch, channels, height, width = shape
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(batch, channels, 2 * height, 2 * width, generator=generator, dtype=dtype)


def bands(shape: tuple[int, int, int, int], seed: int, dtype: torch.dtype) -> Tensor:
    batch, channels, height, width = shape
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(batch, 4 * channels, height, width, generator=generator, dtype=dtype)


def test_convention_of_one_cell() -> None:
    a, b, c, d = 1.0, 2.0, 4.0, 8.0
    cell = torch.tensor([[[[a, b], [c, d]]]])
    assert haar(cell).flatten().tolist() == [
        (a + b + c + d) / 2,
        (b + d - a - c) / 2,
        (c + d - a - b) / 2,
        (a + d - b - c) / 2,
    ]


@pytest.mark.parametrize(
    ("cell", "band"),
    [
        ([[1, 1], [1, 1]], 0),
        ([[-1, 1], [-1, 1]], 1),  # a vertical edge, seen along a row
        ([[-1, -1], [1, 1]], 2),  # a horizontal edge, seen along a column
        ([[1, -1], [-1, 1]], 3),
    ],
    ids=["LL", "HL", "LH", "HH"],
)
def test_convention_band_order(cell: list[list[float]], band: int) -> None:
    found = haar(torch.tensor([[cell]], dtype=torch.float64)).flatten()
    expected = torch.zeros(4, dtype=torch.float64)
    expected[band] = 2
    assert torch.equal(found, expected)
    assert inverse_haar(expected.view(1, 4, 1, 1)).flatten().tolist() == [
        v for r in cell for v in r
    ]


def test_convention_channels_go_together_inside_a_band() -> None:
    colours = torch.tensor([0.1, 0.2, 0.3]).view(1, 3, 1, 1).expand(1, 3, 2, 2)
    found = haar(colours).flatten()
    assert torch.allclose(found[:3], torch.tensor([0.2, 0.4, 0.6]))
    assert torch.equal(found[3:], torch.zeros(9))


def test_convention_height_stays_height() -> None:
    assert haar(torch.zeros(2, 3, 6, 10)).shape == (2, 12, 3, 5)
    assert inverse_haar(torch.zeros(2, 12, 3, 5)).shape == (2, 3, 6, 10)


@FEW
@given(shape=shapes, seed=seeds)
def test_orthonormal(shape: tuple[int, int, int, int], seed: int) -> None:
    x = pictures(shape, seed, torch.float64)
    y = pictures(shape, seed + 1, torch.float64)
    inner = (x * y).sum()
    assert torch.isclose((haar(x) * haar(y)).sum(), inner, rtol=0, atol=1e-9)
    assert torch.isclose(haar(x).square().sum(), x.square().sum(), rtol=1e-12)


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-9), (torch.float32, 1e-4)])
@FEW
@given(shape=shapes, seed=seeds)
def test_each_is_the_inverse_of_the_other(
    dtype: torch.dtype, tolerance: float, shape: tuple[int, int, int, int], seed: int
) -> None:
    assert_inverts(haar, inverse_haar, pictures(shape, seed, dtype), tolerance=tolerance)
    assert_inverts(inverse_haar, haar, bands(shape, seed, dtype), tolerance=tolerance)


@FEW
@given(shape=shapes, seed=seeds)
def test_inputs_unchanged(shape: tuple[int, int, int, int], seed: int) -> None:
    assert_keeps_inputs(haar, pictures(shape, seed, torch.float32))
    assert_keeps_inputs(inverse_haar, bands(shape, seed, torch.float32))


def test_batch_equals_items() -> None:
    assert_batch_equals_items(haar, pictures((4, 3, 5, 3), 0, torch.float32), tolerance=0)
    assert_batch_equals_items(inverse_haar, bands((4, 3, 5, 3), 0, torch.float32), tolerance=0)


def test_gradient_is_the_inverse() -> None:
    x = pictures((1, 1, 2, 3), 0, torch.float64).requires_grad_()
    weights = bands((1, 1, 2, 3), 1, torch.float64)
    (haar(x) * weights).sum().backward()
    assert x.grad is not None
    assert torch.allclose(x.grad, inverse_haar(weights), atol=1e-12)


@pytest.mark.parametrize("shape", [(1, 3, 3, 4), (1, 3, 4, 5), (3, 4, 4), (1, 1, 3, 4, 4)])
def test_haar_refuses(shape: tuple[int, ...]) -> None:
    with pytest.raises(ImageShapeError, match=r"even H and W, got \(") as caught:
        haar(torch.zeros(shape))
    assert "pad_to_even" in caught.value.hint


@pytest.mark.parametrize("shape", [(1, 3, 4, 4), (1, 6, 4, 4), (4, 4, 4), (1, 4, 4, 4, 4)])
def test_inverse_refuses(shape: tuple[int, ...]) -> None:
    with pytest.raises(ImageShapeError, match=r"must be \(B, 4C, H, W\)"):
        inverse_haar(torch.zeros(shape))


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_same_on_the_gpu() -> None:
    x = pictures((2, 3, 9, 5), 0, torch.float32)
    assert_same_on("cuda", nn.Identity(), lambda _, image: haar(image), x, tolerance=1e-6)
    y = bands((2, 3, 9, 5), 0, torch.float32)
    assert_same_on("cuda", nn.Identity(), lambda _, image: inverse_haar(image), y, tolerance=1e-6)
