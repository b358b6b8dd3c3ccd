"""Muon: steps as long as they should be, both kinds of parameter learn, state is carried on."""

import copy

import torch
from torch import nn

from engine.training.muon import Muon, orthogonalize


def network() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(3, 8, 3),
        nn.PReLU(8),
        nn.Conv2d(8, 8, 3, groups=8),
        nn.Flatten(),
        nn.Linear(32, 4),
    )


def train(model: nn.Module, optimizer: Muon, steps: int) -> list[float]:
    generator = torch.Generator().manual_seed(1)
    pictures = torch.rand(16, 3, 6, 6, generator=generator)
    wanted = torch.rand(16, 4, generator=generator)
    found = []
    for _ in range(steps):
        loss = (model(pictures) - wanted).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        found.append(float(loss.detach()))
    return found


def test_all_singular_values_come_near_to_one() -> None:
    torch.manual_seed(0)
    for shape in ((20, 50), (50, 20)):
        matrix = torch.randn(shape)
        found = orthogonalize(matrix)
        assert found.shape == shape
        values = torch.linalg.svdvals(found)
        assert values.min() > 0.6 and values.max() < 1.3
        left, _, right = torch.linalg.svd(matrix, full_matrices=False)
        assert torch.allclose(found, left @ right, atol=0.1)


def test_it_learns_and_moves_every_parameter() -> None:
    model = network()
    before = copy.deepcopy(model.state_dict())
    losses = train(model, Muon(model.parameters(), lr=0.01), 60)
    assert losses[-1] < 0.2 * losses[0]
    assert all(not torch.equal(before[name], now) for name, now in model.state_dict().items())


def test_a_step_is_as_long_as_its_rate_says() -> None:
    model = network()
    before = copy.deepcopy(model.state_dict())
    train(model, Muon(model.parameters(), lr=0.01), 1)
    for name, now in model.state_dict().items():
        step = (now - before[name]).square().mean().sqrt()
        if now.ndim >= 2 and now.shape[1] > 1:
            assert 0.7 * 0.002 < step < 1.3 * 0.002, name
        else:  # AdamW's first step is its rate in every entry
            assert torch.isclose(step, torch.tensor(0.01), rtol=0.05), name


def test_decay_is_of_matrices_alone() -> None:
    plain, decayed = network(), network()
    train(plain, Muon(plain.parameters(), lr=0.01), 1)
    train(decayed, Muon(decayed.parameters(), lr=0.01, weight_decay=10.0), 1)
    smaller = {
        name: bool(now.norm() < plain.state_dict()[name].norm())
        for name, now in decayed.state_dict().items()
    }
    assert [name for name, is_smaller in smaller.items() if is_smaller] == ["0.weight", "4.weight"]


def test_its_state_can_be_kept_and_put_back() -> None:
    model = network()
    optimizer = Muon(model.parameters(), lr=0.01)
    train(model, optimizer, 3)
    other = copy.deepcopy(model)
    resumed = Muon(other.parameters(), lr=0.01)
    resumed.load_state_dict(copy.deepcopy(optimizer.state_dict()))
    assert train(model, optimizer, 3) == train(other, resumed, 3)
