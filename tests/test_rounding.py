"""Rounding to 8 bits by how recovery feels it, and the measuring of that."""

import numpy as np
import pytest
import torch
from torch import Tensor

from engine import rounding, zoo
from engine.methods import METHODS
from engine.rounding import SAMPLES, from_cells, lattice_of, round_by, to_cells
from engine.training.sensitivity import sensitivity_of


def uneven(seed: int = 0) -> Tensor:
    """A mixing of a cell whose strongest direction comes back a thousand times as strong."""
    generator = torch.Generator().manual_seed(seed)
    random = torch.randn(SAMPLES, SAMPLES, generator=generator, dtype=torch.float64)
    turned = torch.linalg.qr(random)[0]
    return torch.diag(torch.logspace(-0.5, 1.0, SAMPLES, dtype=torch.float64)) @ turned


def numbers(mixing: Tensor) -> tuple[float, ...]:
    return tuple((mixing.T @ mixing).flatten().tolist())


def pictures(*shape: int, seed: int = 1) -> Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed))


def felt(error: Tensor, mixing: Tensor) -> float:
    return float((to_cells(255 * error).double() @ mixing.T).square().mean())


def test_cells_are_squares_of_four_pixels_and_go_back() -> None:
    image = pictures(2, 3, 4, 6)
    cells = to_cells(image)
    assert cells.shape == (12, SAMPLES)
    assert torch.equal(cells[1], image[0, :, :2, 2:4].flatten())
    assert torch.equal(from_cells(cells, image.shape), image)


def test_without_a_sensitivity_each_sample_goes_to_its_nearest_level() -> None:
    image = pictures(1, 3, 6, 6) * 1.4 - 0.2
    plain = torch.round(255 * image.clamp(0, 1)) / 255
    assert torch.equal(round_by(image), plain)
    same = tuple(np.eye(SAMPLES).flatten())  # where all samples are felt alike it is the same
    assert torch.equal(round_by(image, same), plain)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_what_is_felt_of_rounding_is_a_fraction(seed: int) -> None:
    image, mixing = pictures(1, 3, 64, 64, seed=seed), uneven(seed)
    shaped, plain = round_by(image, numbers(mixing)), round_by(image)
    levels = 255 * shaped
    assert torch.allclose(levels, levels.round(), atol=1e-4)
    assert float(levels.min()) >= 0 and float(levels.max()) <= 255
    assert felt(shaped - image, mixing) < 0.4 * felt(plain - image, mixing)
    assert float((255 * (shaped - image)).square().mean()) < 1, "and the mask is left alone"


def test_the_basis_is_of_the_same_lattice() -> None:
    basis, triangle = lattice_of(numbers(uneven()))
    assert torch.equal(basis, basis.round())
    assert abs(float(torch.linalg.det(basis))) == pytest.approx(1)
    diagonal = torch.diagonal(triangle).abs()
    assert float(diagonal.max() / diagonal.min()) < 8, "reduced: no direction is left far behind"


def test_a_large_picture_is_rounded_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    image, known = pictures(1, 3, 20, 20), numbers(uneven())
    whole = round_by(image, known)
    monkeypatch.setattr(rounding, "_AT_ONCE", 7)
    assert torch.equal(round_by(image, known), whole)


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ((1.0, 2.0), "144 numbers, got 2"),
        (tuple(np.triu(np.ones((12, 12))).flatten()), "symmetric"),
        (tuple(-np.eye(12).flatten()), "no negative"),
    ],
)
def test_what_is_no_sensitivity_is_refused(wrong: tuple[float, ...], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        round_by(pictures(1, 3, 2, 2), wrong)


def test_a_known_recovery_is_measured_as_it_is() -> None:
    mixing = uneven().float()

    def recover(shared: Tensor) -> Tensor:
        return from_cells(to_cells(shared) @ mixing.T, shared.shape)

    found = torch.tensor(sensitivity_of(recover, pictures(2, 3, 128, 128), draws=8)).view(12, 12)
    assert torch.allclose(found, found.T)
    true = mixing.T @ mixing
    assert float((found - true).abs().max()) < 0.05 * float(true.abs().max())


@pytest.mark.parametrize("method", ["proface-s-rand", "proface-k"])
def test_a_released_network_feels_fine_colour_thirty_times_as_much_as_light(method: str) -> None:
    config = zoo.load_model(METHODS[method].model, "cpu").config
    felt_of = torch.tensor(config.sensitivity, dtype=torch.float64).view(SAMPLES, SAMPLES)
    light = torch.ones(SAMPLES, dtype=torch.float64)
    checks = torch.tensor([1.0, -1, -1, 1], dtype=torch.float64)
    colour = torch.cat([checks, -2 * checks, checks])
    fine, coarse = (
        float((way @ felt_of @ way / way.square().sum()).sqrt()) for way in (colour, light)
    )
    assert 29 < fine / coarse < 50
