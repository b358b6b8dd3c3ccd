import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import TypeVar

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from laws import (
    assert_batch_equals_items,
    assert_close,
    assert_inverts,
    assert_keeps_inputs,
    assert_same_on,
)
from torch import Tensor, nn
from torch.nn import functional

from engine.emphasis import deemphasize, emphasize
from engine.errors import ImageShapeError
from engine.networks.coupling import SLOPE, AffineCoupling, DenseBlock, SecureAffineCoupling
from engine.networks.embedder import Embedder
from engine.networks.imn import Imn
from engine.zoo import read_network

Module = TypeVar("Module", bound=nn.Module)

FEW = settings(max_examples=12, deadline=None, database=None)
batches = st.integers(1, 3)
half_sides = st.integers(1, 17)
seeds = st.integers(0, 2**31)
TOLERANCES = [(torch.float64, 1e-9), (torch.float32, 1e-4)]


@pytest.fixture(autouse=True)
def one_thread_without_gradients() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    with torch.no_grad():
        yield
    torch.set_num_threads(threads)


def randomized(module: Module, seed: int = 0, gain: float = 0.35) -> Module:
    """Give every weight a random value, the zeros of a fresh network's last layers included."""
    generator = torch.Generator().manual_seed(seed)
    for parameter in module.parameters():
        fan_in = max(1, parameter[0].numel())
        spread = gain / math.sqrt(fan_in) if parameter.ndim > 1 else 0.1
        parameter.data.copy_(spread * torch.randn(parameter.shape, generator=generator))
    return module


def small_embedder(seed: int = 0) -> Embedder:
    return randomized(Embedder(blocks=3, growth=4), seed)


def noise(*shape: int, seed: int = 0, dtype: torch.dtype = torch.float32) -> Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def key_maps(batch: int, height: int, width: int, seed: int) -> Tensor:
    bits = torch.randint(
        0, 2, (batch, 1, height, width), generator=torch.Generator().manual_seed(seed)
    )
    return (2 * bits - 1).float()


def scene(
    batch: int, height: int, width: int, seed: int = 0, dtype: torch.dtype = torch.float32
) -> tuple[Tensor, Tensor, Tensor]:
    original = noise(batch, 3, height, width, seed=seed, dtype=dtype)
    mask = noise(batch, 3, height, width, seed=seed + 1, dtype=dtype)
    return original, mask, key_maps(batch, height, width, seed + 2).to(dtype)


def plain_dense_block(regrouped: DenseBlock, channels_out: int, features: Tensor) -> Tensor:
    """The published form, with concatenation, on weights cut out of the regrouped form."""
    growth = regrouped.growth
    first = regrouped.convolutions[0]
    known = [features]
    for layer in range(5):
        width = growth if layer < 4 else channels_out
        parts = [
            convolution.weight[growth * (layer - source) :][:width]
            for source, convolution in enumerate(list(regrouped.convolutions)[: layer + 1])
        ]
        weight = torch.cat(parts, dim=1)
        bias = first.bias[growth * layer :][:width]
        found = functional.conv2d(torch.cat(known, dim=1), weight, bias, padding=1)
        known.append(functional.leaky_relu(found, SLOPE))
    return found


# --- dense block ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("channels_in", "channels_out", "growth"), [(16, 12, 32), (5, 7, 3), (1, 1, 1)]
)
def test_regrouped_equals_plain(channels_in: int, channels_out: int, growth: int) -> None:
    block = randomized(DenseBlock(channels_in, channels_out, growth), gain=1.0).double()
    features = noise(2, channels_in, 6, 9, dtype=torch.float64)
    plain = plain_dense_block(block, channels_out, features)
    assert plain.shape == (2, channels_out, 6, 9)
    assert plain.std() > 0.01
    assert_close(block(features), plain, 1e-12)


def test_regrouped_has_as_many_parameters_as_plain() -> None:
    plain = sum((16 + 32 * i) * 32 * 9 + 32 for i in range(4)) + (16 + 128) * 12 * 9 + 12
    assert sum(p.numel() for p in DenseBlock(16, 12, 32).parameters()) == plain


def test_fresh_dense_block_is_zero_but_can_learn() -> None:
    block = DenseBlock(16, 12)
    with torch.enable_grad():
        out = block(noise(1, 16, 4, 4))
        assert torch.equal(out, torch.zeros(1, 12, 4, 4))
        out.sum().backward()
    assert all(bool(c.weight.grad[-12:].abs().sum() > 0) for c in block.convolutions)


# --- coupling -------------------------------------------------------------------------------------


@pytest.mark.parametrize(("dtype", "tolerance"), TOLERANCES)
@FEW
@given(batch=batches, height=half_sides, width=half_sides, seed=seeds)
def test_block_inverts(
    dtype: torch.dtype, tolerance: float, batch: int, height: int, width: int, seed: int
) -> None:
    block = randomized(SecureAffineCoupling(growth=4), seed).to(dtype)
    x, y = (noise(batch, 12, height, width, seed=seed + i, dtype=dtype) for i in (1, 2))
    key = noise(batch, 4, height, width, seed=seed + 3, dtype=dtype) * 4 - 2
    assert_inverts(
        lambda x, y: block(x, y, key),
        lambda x, y: block.inverse(x, y, key),
        x,
        y,
        tolerance=tolerance,
    )


def test_block_changes_both_and_follows_the_papers_formula() -> None:
    block = randomized(SecureAffineCoupling(growth=4)).double()
    x, y = (noise(1, 12, 3, 5, seed=i, dtype=torch.float64) for i in (1, 2))
    key = noise(1, 4, 3, 5, seed=3, dtype=torch.float64)

    def scale(raw: Tensor) -> Tensor:
        return torch.exp(2.0 * (2 * torch.sigmoid(raw) - 1))

    y_new = y * scale(block.omega(torch.cat([x, key], 1))) + block.phi(torch.cat([x, key], 1))
    x_new = x * scale(block.rho(torch.cat([y_new, key], 1))) + block.eta(torch.cat([y_new, key], 1))
    assert_close(block(x, y, key), (x_new, y_new), 1e-12)
    assert (x_new - x).abs().mean() > 0.01
    assert (y_new - y).abs().mean() > 0.01


def test_log_scale_is_bounded() -> None:
    block = SecureAffineCoupling(growth=1, clamp=1.5)
    found = block.log_scale(torch.tensor([-1e6, 0.0, 1e6]))
    assert found.tolist() == [-1.5, 0.0, 1.5]


def test_block_laws() -> None:
    block = randomized(SecureAffineCoupling(growth=4))
    x, y, key = noise(3, 12, 4, 6), noise(3, 12, 4, 6, seed=1), noise(3, 4, 4, 6, seed=2)
    for function in (block.forward, block.inverse):
        assert_keeps_inputs(function, x, y, key)
        assert_batch_equals_items(function, x, y, key, tolerance=1e-5)


@pytest.mark.parametrize(("dtype", "tolerance"), TOLERANCES)
@FEW
@given(batch=batches, height=half_sides, width=half_sides, seed=seeds)
def test_keyless_block_inverts(
    dtype: torch.dtype, tolerance: float, batch: int, height: int, width: int, seed: int
) -> None:
    block = randomized(AffineCoupling(growth=4), seed).to(dtype)
    x, y = (noise(batch, 12, height, width, seed=seed + i, dtype=dtype) for i in (1, 2))
    assert_inverts(block.forward, block.inverse, x, y, tolerance=tolerance)


def test_keyless_block_adds_to_the_mask_and_changes_the_original_affinely() -> None:
    block = randomized(AffineCoupling(growth=4)).double()
    x, y = (noise(1, 12, 3, 5, seed=i, dtype=torch.float64) for i in (1, 2))
    y_new = y + block.phi(x)
    x_new = x * torch.exp(2.0 * (2 * torch.sigmoid(block.rho(y_new)) - 1)) + block.eta(y_new)
    assert_close(block(x, y), (x_new, y_new), 1e-12)
    assert [name for name, _ in block.named_children()] == ["phi", "rho", "eta"]


def test_moments_of_a_training_under_way_belong_to_the_same_weights() -> None:
    """An optimizer knows weights by their order alone."""
    children = [name for name, _ in SecureAffineCoupling(growth=1).named_children()]
    assert children == ["omega", "phi", "rho", "eta"]


# --- embedder -------------------------------------------------------------------------------------


@pytest.mark.parametrize(("dtype", "tolerance"), TOLERANCES)
@FEW
@given(batch=batches, height=half_sides, width=half_sides, seed=seeds)
def test_embedder_inverts_with_its_byproduct(
    dtype: torch.dtype, tolerance: float, batch: int, height: int, width: int, seed: int
) -> None:
    model = small_embedder(seed)
    model.couplings.to(dtype)  # not the model itself: diffusers logs a complaint about that
    original, mask, key_map = scene(batch, 2 * height, 2 * width, seed, dtype)
    assert_inverts(
        lambda original, mask: model(original, mask, key_map),
        lambda protected, byproduct: model.inverse(protected, byproduct, key_map),
        original,
        mask,
        tolerance=tolerance,
    )


def test_default_embedder_inverts() -> None:
    model = randomized(Embedder())
    original, mask, key_map = scene(2, 16, 12)
    assert_inverts(
        lambda original, mask: model(original, mask, key_map),
        lambda protected, byproduct: model.inverse(protected, byproduct, key_map),
        original,
        mask,
        tolerance=1e-4,
    )


@pytest.mark.parametrize("blocks", [1, 2, 3])
def test_protect_is_forward_without_the_byproduct(blocks: int) -> None:
    model = randomized(Embedder(blocks=blocks, growth=4))
    images = scene(2, 8, 10)
    assert torch.equal(model.protect(*images), model(*images)[0])


@pytest.mark.parametrize("blocks", [1, 2, 3])
def test_recover_is_inverse_with_the_key_for_a_byproduct(blocks: int) -> None:
    model = randomized(Embedder(blocks=blocks, growth=4))
    protected, _, key_map = scene(2, 8, 10)
    whole = model.inverse(protected, key_map.expand(-1, 3, -1, -1), key_map)[0]
    assert_close(model.recover(protected, key_map), whole, 1e-5)


def test_pre_emphasis_changes_what_is_hidden_and_comes_undone() -> None:
    model = randomized(Embedder(blocks=2, growth=4, emphasis=0.6))
    original, mask, key_map = scene(2, 12, 10)
    assert_inverts(
        lambda original, mask: model(original, mask, key_map),
        lambda protected, byproduct: model.inverse(protected, byproduct, key_map),
        original,
        mask,
        tolerance=1e-4,
    )
    plain = Embedder(blocks=2, growth=4)
    plain.load_state_dict(model.state_dict())
    hidden = emphasize(original, 0.6)
    assert torch.equal(model.protect(original, mask, key_map), plain.protect(hidden, mask, key_map))
    recovered = deemphasize(plain.recover(mask, key_map), 0.6)
    assert torch.equal(model.recover(mask, key_map), recovered)


def test_fresh_embedder_shows_the_mask() -> None:
    original, mask, key_map = scene(2, 8, 10)
    assert_close(Embedder().protect(original, mask, key_map), mask, 1e-6)


def test_embedder_keeps_inputs() -> None:
    model = small_embedder()
    original, mask, key_map = scene(2, 6, 8)
    assert_keeps_inputs(model.forward, original, mask, key_map)
    assert_keeps_inputs(model.protect, original, mask, key_map)
    assert_keeps_inputs(model.inverse, original, mask, key_map)
    assert_keeps_inputs(model.recover, original, key_map)


def test_embedder_batch_equals_items() -> None:
    model = small_embedder()
    original, mask, key_map = scene(3, 6, 8)
    assert_batch_equals_items(model.forward, original, mask, key_map, tolerance=1e-5)
    assert_batch_equals_items(model.recover, original, key_map, tolerance=1e-5)


@pytest.mark.parametrize("blocks", [1, 3])
def test_parameters(blocks: int) -> None:
    model = Embedder() if blocks == 3 else Embedder(blocks=blocks)
    assert sum(p.numel() for p in model.parameters()) == {3: 1_073_040, 1: 357_680}[blocks]


def test_fully_convolutional() -> None:
    model = small_embedder()
    for height in range(2, 35, 4):
        for width in range(2, 35, 8):
            original, mask, key_map = scene(1, height, width)
            protected, byproduct = model(original, mask, key_map)
            assert protected.shape == byproduct.shape == original.shape
            assert model.recover(protected, key_map).shape == original.shape
            assert bool(protected.isfinite().all())


def test_interior_does_not_depend_on_the_size() -> None:
    model = randomized(Embedder(blocks=1, growth=4))
    original, mask, key_map = scene(1, 64, 80)
    whole = model.protect(original, mask, key_map)
    crop = (slice(None), slice(None), slice(0, 48), slice(0, 56))
    part = model.protect(original[crop], mask[crop], key_map[crop])
    assert_close(part[..., :32, :40], whole[..., :32, :40], 1e-5)


@pytest.mark.parametrize("side", [(7, 8), (8, 7)])
def test_odd_sides_are_refused(side: tuple[int, int]) -> None:
    with pytest.raises(ImageShapeError, match="even H and W"):
        small_embedder().protect(*scene(1, *side))


@FEW
@given(seed=seeds)
def test_another_key_map_gives_another_picture(seed: int) -> None:
    model = small_embedder(seed)
    original, mask, key_map = scene(1, 8, 8, seed)
    one_bit_off = key_map.clone()
    one_bit_off[0, 0, seed % 8, seed // 8 % 8] *= -1
    protected = model.protect(original, mask, key_map)
    recovered = model.recover(protected, key_map)
    for wrong in (one_bit_off, -key_map, key_maps(1, 8, 8, seed + 99)):
        assert (model.protect(original, mask, wrong) - protected).abs().max() > 1e-4
        assert (model.recover(protected, wrong) - recovered).abs().max() > 1e-4


def test_saved_and_loaded_is_bit_equal(tmp_path: Path) -> None:
    model = randomized(Embedder(blocks=2, growth=5, clamp=1.25))
    model.save_pretrained(tmp_path)
    loaded = Embedder.from_pretrained(tmp_path)
    saved = model.state_dict()
    assert saved.keys() == loaded.state_dict().keys()
    assert all(torch.equal(value, saved[name]) for name, value in loaded.state_dict().items())
    images = scene(1, 8, 10)
    assert torch.equal(loaded.protect(*images), model.protect(*images))
    config = json.loads((tmp_path / "config.json").read_text())
    assert {name: config[name] for name in ("blocks", "growth", "clamp")} == {
        "blocks": 2,
        "growth": 5,
        "clamp": 1.25,
    }
    assert sorted(file.suffix for file in tmp_path.iterdir()) == [".json", ".safetensors"]


# --- imn ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("dtype", "tolerance"), TOLERANCES)
@FEW
@given(batch=batches, height=half_sides, width=half_sides, seed=seeds)
def test_imn_inverts_with_its_byproduct(
    dtype: torch.dtype, tolerance: float, batch: int, height: int, width: int, seed: int
) -> None:
    model = randomized(Imn(blocks=3, growth=4), seed)
    model.couplings.to(dtype)
    original, mask, _ = scene(batch, 2 * height, 2 * width, seed, dtype)
    assert_inverts(model.forward, model.inverse, original, mask, tolerance=tolerance)


def test_imn_as_in_the_paper_inverts_and_has_its_size() -> None:
    model = Imn()
    assert (model.config.blocks, model.config.clamp) == (16, 2.0)
    assert sum(p.numel() for p in model.parameters()) == 4_050_240
    randomized(model, gain=0.1)
    original, mask, _ = scene(1, 12, 16)
    assert_inverts(model.forward, model.inverse, original, mask, tolerance=1e-4)


@pytest.mark.parametrize("blocks", [1, 3])
def test_imn_shares_and_brings_back_without_any_key(blocks: int) -> None:
    model = randomized(Imn(blocks=blocks, growth=4))
    original, mask, _ = scene(2, 8, 10)
    protected = model.protect(original, mask)
    assert torch.equal(protected, model(original, mask)[0])
    recovered = model.recover(protected)
    assert_close(recovered, model.inverse(protected, torch.zeros_like(protected))[0], 1e-6)
    drawn = noise(2, 3, 8, 10, seed=9)
    assert_close(model.recover(protected, drawn), model.inverse(protected, drawn)[0], 1e-6)
    assert (model.recover(protected, drawn) - recovered).abs().max() > 1e-3


def test_pre_emphasis_of_imn_changes_what_is_hidden_and_comes_undone() -> None:
    model = randomized(Imn(blocks=2, growth=4, emphasis=0.6))
    original, mask, _ = scene(2, 12, 10)
    assert_inverts(model.forward, model.inverse, original, mask, tolerance=1e-4)
    plain = Imn(blocks=2, growth=4)
    plain.load_state_dict(model.state_dict())
    assert torch.equal(model.protect(original, mask), plain.protect(emphasize(original, 0.6), mask))
    assert torch.equal(model.recover(mask), deemphasize(plain.recover(mask), 0.6))


def test_fresh_imn_shows_the_mask() -> None:
    original, mask, _ = scene(2, 8, 10)
    assert_close(Imn(blocks=2, growth=4).protect(original, mask), mask, 1e-6)


def test_imn_keeps_inputs_and_takes_any_even_size_and_no_other() -> None:
    model = randomized(Imn(blocks=2, growth=4))
    for height, width in ((2, 2), (6, 8), (34, 10)):
        original, mask, _ = scene(3, height, width)
        assert_keeps_inputs(model.protect, original, mask)
        assert_keeps_inputs(model.recover, original)
        assert_batch_equals_items(model.protect, original, mask, tolerance=1e-5)
        assert model.recover(original).shape == original.shape
    with pytest.raises(ImageShapeError, match="even H and W"):
        model.protect(*scene(1, 7, 8)[:2])


def test_gradients_reach_every_weight_of_imn() -> None:
    model = randomized(Imn(blocks=2, growth=4))
    original, mask, _ = scene(1, 8, 8)
    with torch.enable_grad():
        shared = model.protect(original, mask)
        (model.recover(shared) - original).square().sum().backward()
    assert all(bool(p.grad.abs().sum() > 0) for p in model.parameters())


def test_imn_saved_and_loaded_is_bit_equal(tmp_path: Path) -> None:
    model = randomized(Imn(blocks=2, growth=5, clamp=1.25))
    model.save_pretrained(tmp_path)
    loaded = read_network(tmp_path, "Imn")
    original, mask, _ = scene(1, 8, 10)
    assert torch.equal(loaded.protect(original, mask), model.protect(original, mask))
    assert (loaded.config.blocks, loaded.config.growth, loaded.config.clamp) == (2, 5, 1.25)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_same_on_the_gpu() -> None:
    model = randomized(Embedder())
    images = scene(2, 32, 48)
    assert_same_on("cuda", model, lambda m, *images: m(*images), *images, tolerance=1e-4)
    original, _, key_map = images
    recover = lambda m, *images: m.recover(*images)  # noqa: E731
    assert_same_on("cuda", model, recover, original, key_map, tolerance=1e-4)
