"""Rounding to 8 bits by how recovery feels it, and the measuring of that."""

import pytest
import torch
from torch import Tensor

from engine import rounding, zoo
from engine.methods import METHODS
from engine.rounding import COLOURS, from_cells, lattice_of, round_by, to_cells, within
from engine.training.sensitivity import sensitivity_of

CELLS = (2, 4, 8)


def uneven(cell: int = 4, seed: int = 0) -> Tensor:
    """A mixing of a cell whose strongest direction comes back thirty times as strong."""
    samples = COLOURS * cell**2
    generator = torch.Generator().manual_seed(seed)
    random = torch.randn(samples, samples, generator=generator, dtype=torch.float64)
    turned = torch.linalg.qr(random)[0]
    return torch.diag(torch.logspace(-0.5, 1.0, samples, dtype=torch.float64)) @ turned


def sensitivity(mixing: Tensor) -> Tensor:
    return (mixing.T @ mixing).float()


def pictures(*shape: int, seed: int = 1) -> Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed))


def felt(error: Tensor, mixing: Tensor, cell: int) -> float:
    return float((to_cells(255 * error, cell).double() @ mixing.T).square().mean())


@pytest.mark.parametrize("cell", CELLS)
def test_cells_are_squares_and_go_back(cell: int) -> None:
    image = pictures(2, 3, 2 * cell, 3 * cell)
    cells = to_cells(image, cell)
    assert cells.shape == (12, COLOURS * cell**2)
    assert torch.equal(cells[1], image[0, :, :cell, cell : 2 * cell].flatten())
    assert torch.equal(from_cells(cells, image.shape, cell), image)


@pytest.mark.parametrize("cell", CELLS)
def test_without_a_sensitivity_each_sample_goes_to_its_nearest_level(cell: int) -> None:
    image = pictures(1, 3, 18, 22) * 1.4 - 0.2
    plain = torch.round(255 * image.clamp(0, 1)) / 255
    assert torch.equal(round_by(image), plain)
    samples = COLOURS * cell**2
    assert torch.equal(round_by(image, torch.zeros(samples, samples)), plain), "not yet measured"
    assert torch.equal(round_by(image, torch.eye(samples)), plain), "all are felt alike"


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("seed", [0, 1])
def test_what_is_felt_of_rounding_is_a_fraction(cell: int, seed: int) -> None:
    image, mixing = pictures(1, 3, 64, 64, seed=seed), uneven(cell, seed)
    shaped, plain = round_by(image, sensitivity(mixing)), round_by(image)
    levels = 255 * shaped
    assert torch.allclose(levels, levels.round(), atol=1e-4)
    assert float(levels.min()) >= 0 and float(levels.max()) <= 255
    assert felt(shaped - image, mixing, cell) < 0.5 * felt(plain - image, mixing, cell)
    assert float((255 * (shaped - image)).square().mean()) < 1, "and the mask is left alone"


def test_the_nearest_plane_is_found_as_it_is_defined() -> None:
    lattice = lattice_of(sensitivity(uneven(cell=4)))
    cells = 9 * pictures(5, 48).double()
    found = rounding._nearest(cells, lattice)
    near = cells.round()
    wanted = (cells - near) @ torch.linalg.inv(lattice.basis).T
    taken = torch.zeros_like(wanted)
    for i in reversed(range(48)):
        owed = (wanted - taken)[:, i + 1 :] @ (lattice.triangle[i] / lattice.triangle[i, i])[
            i + 1 :
        ]
        taken[:, i] = (wanted[:, i] + owed).round()
    assert torch.equal(found, near + taken @ lattice.basis.T)


@pytest.mark.parametrize("cell", CELLS)
def test_the_basis_is_of_the_same_lattice(cell: int) -> None:
    basis, triangle = lattice_of(sensitivity(uneven(cell)))
    assert torch.equal(basis, basis.round())
    assert abs(float(torch.linalg.det(basis))) == pytest.approx(1)
    diagonal = torch.diagonal(triangle).abs()
    assert float(diagonal.max() / diagonal.min()) < 8, "reduced: no direction is left far behind"


def test_a_large_picture_is_rounded_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    image, known = pictures(1, 3, 26, 24), sensitivity(uneven(4))
    whole = round_by(image, known)
    monkeypatch.setattr(rounding, "_AT_ONCE", 7 * 12 * 24)  # of one row of cells, not of two
    assert torch.equal(round_by(image, known), whole)


def test_edges_too_narrow_for_a_cell_are_rounded_by_small_ones() -> None:
    image, mixing = pictures(1, 3, 22, 28), uneven(8)
    known = sensitivity(mixing)
    small = within(known, 2)
    shaped = round_by(image, known)
    assert torch.equal(shaped[..., :16, :24], round_by(image[..., :16, :24], known))
    assert torch.equal(shaped[..., :16, 24:], round_by(image[..., :16, 24:], small))
    assert torch.equal(shaped[..., 16:, :], round_by(image[..., 16:, :], small))
    assert not torch.equal(shaped[..., 16:, :], round_by(image[..., 16:, :]))


def test_what_smaller_cells_feel_is_the_mean_of_those_within() -> None:
    alike = sensitivity(uneven(2))
    whole = torch.zeros(48, 48)
    for places in to_cells(torch.arange(48).view(1, 3, 4, 4), 2):
        whole[places[:, None], places] = alike
    assert torch.allclose(within(whole, 2), alike)


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        (torch.zeros(12), r"12, 48, 108 \.\.\. samples, got \(12,\)"),
        (torch.eye(27), r"got \(27, 27\)"),
        (torch.ones(12, 12).triu(), "symmetric"),
        (torch.full((12, 12), torch.nan), "symmetric"),
        (-2 * torch.eye(12), "no negative"),
    ],
)
def test_what_is_no_sensitivity_is_refused(wrong: Tensor, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        round_by(pictures(1, 3, 2, 2), wrong)


def test_odd_sides_are_refused() -> None:
    with pytest.raises(ValueError, match="even, got 4 x 3"):
        round_by(pictures(1, 3, 3, 4), torch.eye(12))


@pytest.mark.parametrize("cell", [2, 4])
def test_a_known_recovery_is_measured_as_it_is(cell: int) -> None:
    mixing = uneven(cell).float()

    def recover(shared: Tensor) -> Tensor:
        return from_cells(to_cells(shared, cell) @ mixing.T, shared.shape, cell)

    found = sensitivity_of(recover, pictures(2, 3, 8 * cell, 8 * cell), cell)
    assert torch.equal(found, found.T)
    true = mixing.T @ mixing
    assert float((found - true).abs().max()) < 0.01 * float(true.abs().max())


def test_pictures_too_small_to_measure_are_refused() -> None:
    with pytest.raises(ValueError, match="16 px or more each way, got 24 x 14"):
        sensitivity_of(lambda shared: shared, pictures(1, 3, 14, 24), 8)


@pytest.mark.parametrize("method", ["proface-s-rand", "proface-k"])
def test_a_released_network_feels_fine_colour_thirty_times_as_much_as_light(method: str) -> None:
    known = zoo.load_model(METHODS[method].model, "cpu").sensitivity
    assert known is not None
    felt_of = within(known, 2).double()
    light = torch.ones(12, dtype=torch.float64)
    checks = torch.tensor([1.0, -1, -1, 1], dtype=torch.float64)
    colour = torch.cat([checks, -2 * checks, checks])
    fine, coarse = (
        float((way @ felt_of @ way / way.square().sum()).sqrt()) for way in (colour, light)
    )
    assert 29 < fine / coarse < 100
