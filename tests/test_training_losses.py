import dataclasses
import itertools
import math
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny_training import (
    TINY,
    make_batch,
    options,
    pooled_distance,
)
from torch import Tensor

from engine.emphasis import deemphasize
from engine.errors import MetricError
from engine.training import losses
from engine.training.batches import random_key_map, wrong_key_map
from engine.training.loop import Trainer
from engine.training.objective import compute_losses
from engine.training.recipes import LossWeights, find_recipe

FEW = settings(max_examples=20, deadline=None, database=None)


def test_round_to_8_bits_forward() -> None:
    values = torch.tensor([-0.5, 0.0, 0.4 / 255, 0.6 / 255, 100.3 / 255, 1.0, 1.7])
    found = losses.round_to_8_bits(values) * 255
    assert torch.allclose(found, torch.tensor([0.0, 0, 0, 1, 100, 255, 255]), atol=1e-4)


def test_round_to_8_bits_gradient_is_the_clamps() -> None:
    values = torch.tensor([-0.5, 0.2, 0.5017, 0.9, 1.7], requires_grad=True)
    (losses.round_to_8_bits(values) * torch.tensor([1.0, 2, 3, 4, 5])).sum().backward()
    assert values.grad is not None
    assert values.grad.tolist() == [0, 2, 3, 4, 0]


def test_l1_and_charbonnier_by_hand() -> None:
    first, second = torch.zeros(2, 3, 2, 2), torch.zeros(2, 3, 2, 2)
    second[1] = 0.3
    second[1, 0] = -0.6
    assert losses.l1(first, second).tolist() == pytest.approx([0, 0.4])
    assert losses.charbonnier(first, second).tolist() == pytest.approx([1e-3, 0.4], abs=1e-5)
    assert losses.charbonnier(first, second, 0.8).tolist() == pytest.approx(
        [0.8, (1.0 + 2 * math.hypot(0.3, 0.8)) / 3]
    )


def test_charbonnier_has_a_gradient_at_zero() -> None:
    image = torch.zeros(1, 3, 2, 2, requires_grad=True)
    losses.charbonnier(image, torch.zeros(1, 3, 2, 2)).sum().backward()
    assert image.grad is not None
    assert bool(image.grad.isfinite().all())


def test_psnr_of_the_log_is_the_mean_of_the_items() -> None:
    second = torch.zeros(2, 3, 2, 2)
    second[0], second[1] = 0.1, 0.01
    assert losses.psnr_db(torch.zeros(2, 3, 2, 2), second) == pytest.approx(30.0, abs=1e-3)


def test_triplet_by_hand() -> None:
    def flat(*values: float) -> Tensor:
        return torch.tensor(values).view(-1, 1, 1, 1).expand(-1, 3, 2, 2)

    anchor, positive, negative = flat(0.5, 0.5, 0.5), flat(0.6, 0.5, 0.9), flat(0.8, 2.0, 0.5)
    found = losses.triplet(anchor, positive, negative, losses.l1)
    assert found.tolist() == pytest.approx([0.1 - 0.3 + 1, 0, 0.4 - 0 + 1])
    narrow = losses.triplet(anchor, positive, negative, losses.l1, margin=0.1)
    assert narrow.tolist() == pytest.approx([0, 0, 0.5])


@FEW
@given(seed=st.integers(0, 2**31), half_height=st.integers(1, 9), half_width=st.integers(1, 9))
def test_key_noise_never_clips(seed: int, half_height: int, half_width: int) -> None:
    rng = np.random.default_rng(seed)
    found = losses.key_noise(random_key_map(2, 2 * half_height, 2 * half_width, rng))
    assert found.shape == (2, 3, 2 * half_height, 2 * half_width)
    assert found.min() > 0
    assert found.max() < 1
    assert torch.allclose((found - 0.5).abs(), torch.tensor(0.28))


def test_key_noise_follows_each_bit_of_the_key_and_nothing_else() -> None:
    key_map = random_key_map(1, 6, 8, np.random.default_rng(0))
    before = losses.key_noise(key_map)
    assert torch.equal(losses.key_noise(key_map.clone()), before)
    for y, x in itertools.product(range(6), range(8)):
        flipped = key_map.clone()
        flipped[0, 0, y, x] *= -1
        changed = (losses.key_noise(flipped) - before).abs() > 0.5
        assert changed.sum(dim=(0, 2, 3)).tolist() == [1, 1, 1]
        assert bool(changed[0, 0, y, x ^ 1] & changed[0, 1, y, x] & changed[0, 2, y ^ 1, x])


def test_cloudy_noise_is_made_of_the_key_alone_and_stays_cloudy_without_emphasis() -> None:
    key_map = random_key_map(4, 64, 64, np.random.default_rng(0))
    found = losses.cloudy_noise(key_map)
    assert torch.equal(losses.cloudy_noise(key_map.clone()), found)
    assert not torch.equal(losses.cloudy_noise(-key_map), found)
    shown = deemphasize(found, 0.6)
    assert 0.1 < float(shown.std()) < 0.25
    assert float(((shown < 0) | (shown > 1)).float().mean()) < 0.05
    assert float(deemphasize(losses.key_noise(key_map), 0.6).std()) < 0.1


def test_key_noise_has_three_unlike_colours_around_mid_grey() -> None:
    noise = losses.key_noise(random_key_map(4, 128, 128, np.random.default_rng(0)))
    channels = noise.transpose(0, 1).flatten(1)
    correlations = torch.corrcoef(channels) - torch.eye(3)
    assert correlations.abs().max() < 0.02
    assert channels.mean(1).sub(0.5).abs().max() < 0.01
    assert channels.std(1).sub(0.28).abs().max() < 0.01


# --- terms ----------------------------------------------------------------------------------------


def test_losses_of_the_paper(tmp_path: Path) -> None:
    weights = LossWeights(
        protect=0,
        recover=0,
        wrong=0,
        protect_l1=2.0,
        recover_l1=3.0,
        protect_lpips=5.0,
        triplet_l1=0.5,
        triplet_lpips=0.25,
    )
    model, batch = Trainer(TINY, options(tmp_path)).model, make_batch(size=4)
    recipe = dataclasses.replace(TINY, weights=weights)
    total, logged = compute_losses(model, batch, recipe, np.random.default_rng(3), pooled_distance)

    protected = model.protect(batch.original, batch.mask, batch.key_map)
    shared = losses.round_to_8_bits(protected)
    recovered = model.recover(shared, batch.key_map)
    wrong = model.recover(shared[:2], wrong_key_map(batch.key_map[:2], np.random.default_rng(3)))
    original, mask = batch.original, batch.mask
    expected = {
        "protect_l1": 2.0 * (mask - protected).abs().mean(),
        "recover_l1": 3.0 * (original - recovered).abs().mean(),
        "protect_lpips": 5.0 * pooled_distance(mask, protected).mean(),
    }
    for name, weight, distance in (
        ("triplet_l1", 0.5, losses.l1),
        ("triplet_lpips", 0.25, pooled_distance),
    ):
        near, far = distance(original[:2], recovered[:2]), distance(original[:2], wrong)
        expected[name] = weight * (near - far + 1.0).clamp_min(0).mean()
    for name, value in expected.items():
        assert logged[name] == pytest.approx(value.item(), rel=1e-5), name
    assert total.item() == pytest.approx(sum(v.item() for v in expected.values()), rel=1e-5)
    assert min(v.item() for v in expected.values()) >= 0
    total.backward()
    assert all(p.grad is not None for p in model.parameters())


def test_the_papers_losses_of_an_obfuscated_wrong_recovery(tmp_path: Path) -> None:
    """Eq. (22): L1(wrong, y) + TriLPIPS(wrong, y, x) + TriLPIPS(rec, x, y)."""
    weights = LossWeights(protect=0, recover=0, wrong=0, wrong_l1=2.0, triplet_lpips=0.25)
    recipe = dataclasses.replace(TINY, wrong="obfs", weights=weights)
    model, batch = Trainer(TINY, options(tmp_path)).model, make_batch(size=4)
    total, logged = compute_losses(model, batch, recipe, np.random.default_rng(3), pooled_distance)
    assert {name for name in logged if not name.endswith("_db")} == {"wrong_l1", "triplet_lpips"}

    x, y = batch.original[:2], batch.mask[:2]
    shared = losses.round_to_8_bits(model.protect(batch.original, batch.mask, batch.key_map))[:2]
    rec = model.recover(shared, batch.key_map[:2])
    wrong = model.recover(shared, wrong_key_map(batch.key_map[:2], np.random.default_rng(3)))
    to = pooled_distance
    first = (to(wrong, y) - to(wrong, x) + 1).clamp_min(0).mean()
    second = (to(rec, x) - to(rec, y) + 1).clamp_min(0).mean()
    assert logged["wrong_l1"] == pytest.approx(2 * (wrong - y).abs().mean().item(), rel=1e-5)
    assert logged["triplet_lpips"] == pytest.approx(0.25 * (first + second).item(), rel=1e-5)
    assert total.item() == pytest.approx(logged["wrong_l1"] + logged["triplet_lpips"], rel=1e-5)


@pytest.mark.parametrize("name", ["proface-s-rand-paper", "proface-s-obfs-paper"])
def test_the_papers_own_training_runs(tmp_path: Path, name: str) -> None:
    recipe = dataclasses.replace(find_recipe(name), warm_up_steps=1, learning_rate=1e-3)
    trainer, batch = Trainer(recipe, options(tmp_path), pooled_distance), make_batch(size=4)
    before = trainer.step(batch)["total"]
    for _ in range(5):
        after = trainer.step(batch)["total"]
    assert after < before


@pytest.mark.parametrize("weight", ["protect_lpips", "triplet_lpips"])
def test_lpips_is_not_left_out_in_silence(tmp_path: Path, weight: str) -> None:
    recipe = dataclasses.replace(TINY, weights=LossWeights(**{weight: 1.0}))
    with pytest.raises(MetricError, match="asks for LPIPS"):
        Trainer(recipe, options(tmp_path)).step(make_batch())


def test_wrong_share_and_aim(tmp_path: Path) -> None:
    model, batch = Trainer(TINY, options(tmp_path)).model, make_batch(size=4)
    wrong_map = wrong_key_map(batch.key_map[:2], np.random.default_rng(3))
    aims = {"rand": losses.key_noise(wrong_map), "obfs": batch.mask[:2]}
    for wrong, aim in aims.items():
        recipe = dataclasses.replace(TINY, wrong=wrong)
        logged = compute_losses(model, batch, recipe, np.random.default_rng(3), None)[1]
        with torch.no_grad():
            shared = losses.round_to_8_bits(
                model.protect(batch.original, batch.mask, batch.key_map)
            )
            found = losses.psnr_db(aim, model.recover(shared[:2], wrong_map))
        assert logged["aim:wrong_db"] == pytest.approx(found, abs=1e-3)


def test_recovery_is_trained_on_8_bits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = Trainer(TINY, options(tmp_path)).model
    shared: list[Tensor] = []
    real = model.extract

    def extract(protected: Tensor, key_map: Tensor) -> Tensor:
        shared.append(protected.detach())
        return real(protected, key_map)

    monkeypatch.setattr(model, "extract", extract)
    batch = make_batch()
    batch.mask[0, 0, 0] = 0.5004  # a fresh network shows the mask, and this is between two levels
    compute_losses(model, batch, TINY, np.random.default_rng(0), None)
    assert len(shared) == 2
    for image in shared:
        levels = image * 255
        assert torch.allclose(levels, levels.round(), rtol=0, atol=1e-4)


def test_a_scrambled_recipe_hides_noise_gives_no_key_and_needs_no_wrong_pass(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, batch = Trainer(TINY, options(tmp_path)).model, make_batch()
    seen: list[tuple[Tensor, Tensor]] = []
    real = model.protect

    def protect(original: Tensor, mask: Tensor, key_map: Tensor) -> Tensor:
        seen.append((original, key_map))
        return real(original, mask, key_map)

    monkeypatch.setattr(model, "protect", protect)
    recipe = dataclasses.replace(TINY, scrambled=True)
    total, logged = compute_losses(model, batch, recipe, np.random.default_rng(0), None)
    ((hidden, key_map),) = seen
    assert not key_map.any()
    assert losses.psnr_db(hidden, batch.original) < 20
    assert "aim:wrong_db" not in logged
    assert total.item() == pytest.approx(logged["protect"] + logged["recover"])
