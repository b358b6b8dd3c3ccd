"""What one step of training is judged by: protect, share in 8 bits, recover rightly and wrongly."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import cast

import numpy as np
import torch
from torch import Tensor

from engine.errors import MetricError
from engine.networks.embedder import Embedder
from engine.networks.imn import Imn
from engine.scramble import Shuffle, random_shuffles, scramble, unscramble
from engine.training import losses
from engine.training.batches import Batch, wrong_key_map
from engine.training.recipes import ImnRecipe, LossWeights, Recipe
from engine.wavelet import haar


def compute_losses(
    model: Embedder | Imn,
    batch: Batch,
    recipe: Recipe,
    rng: np.random.Generator,
    perceptual: losses.Distance | None,
    autocast: Callable[[], AbstractContextManager[object]] = nullcontext,
) -> tuple[Tensor, dict[str, float]]:
    """Protect, round to 8 bits, recover with the right key and with wrong ones; judge all three.

    Args:
        model: the network in training.
        batch: faces, their masks and key maps.
        recipe: which losses count, and how much.
        rng: draws the wrong keys.
        perceptual: LPIPS as a (B,) distance, where the recipe asks for it.
        autocast: in what precision the network computes.

    Returns:
        The weighted sum, and each figure by name; ``*_db`` are PSNR in dB.

    Raises:
        MetricError: the recipe asks for LPIPS, and there is none.
    """
    if isinstance(recipe, ImnRecipe):
        return _keyless_losses(cast(Imn, model), batch, recipe, rng, perceptual, autocast)
    model = cast(Embedder, model)
    if recipe.scrambled:
        return _scrambled_losses(model, batch, recipe, rng, perceptual, autocast)
    original, mask, key_map = batch.original, batch.mask, batch.key_map
    with autocast():
        protected = model.protect(original, mask, key_map).float()
        shared = losses.round_to_8_bits(protected, model.rounded)
        recovered = model.deemphasized(model.extract(shared, key_map).float())
        some = max(1, round(recipe.wrong_share * len(original)))
        wrong_map = wrong_key_map(key_map[:some], rng)
        wrong = model.extract(shared[:some], wrong_map).float()
    # As extracted: emphasis would judge a noise's fine detail many times as hard as its coarse.
    noise = losses.cloudy_noise if recipe.emphasis else losses.key_noise
    aim = noise(wrong_map) if recipe.wrong == "rand" else model.emphasized(mask[:some])
    pairs = {"protect": (mask, protected), "recover": (original, recovered), "wrong": (aim, wrong)}
    seen = model.deemphasized(wrong)
    triplets = _triplets(recipe.wrong, original[:some], mask[:some], recovered[:some], seen)
    terms = _terms(recipe.weights, pairs, triplets, perceptual)
    figures = {
        "mask:protected_db": losses.psnr_db(mask, shared),
        "original:recovered_db": losses.psnr_db(original, recovered),
        "aim:wrong_db": losses.psnr_db(aim, wrong),
    }
    total = torch.stack(list(terms.values())).sum()
    return total, {**figures, **{name: float(term.detach()) for name, term in terms.items()}}


def _scrambled_losses(
    model: Embedder,
    batch: Batch,
    recipe: Recipe,
    rng: np.random.Generator,
    perceptual: losses.Distance | None,
    autocast: Callable[[], AbstractContextManager[object]],
) -> tuple[Tensor, dict[str, float]]:
    """The same where the key scrambles what is hidden: a wrong one needs no loss, nor any pass."""
    original, mask = batch.original, batch.mask
    generator = torch.Generator().manual_seed(int(rng.integers(2**63)))
    count, _, height, width = original.shape
    shuffle = random_shuffles(count, height, width, generator)
    shuffle = Shuffle(shuffle.source.to(original.device), shuffle.signs.to(original.device))
    no_key = torch.zeros_like(batch.key_map)
    with autocast():
        protected = model.protect(scramble(original, shuffle), mask, no_key).float()
        shared = losses.round_to_8_bits(protected, model.rounded)
        recovered = unscramble(model.recover(shared, no_key).float(), shuffle)
    pairs = {"protect": (mask, protected), "recover": (original, recovered)}
    terms = _terms(recipe.weights, pairs, [], perceptual)
    figures = {
        "mask:protected_db": losses.psnr_db(mask, shared),
        "original:recovered_db": losses.psnr_db(original, recovered),
    }
    total = torch.stack(list(terms.values())).sum()
    return total, {**figures, **{name: float(term.detach()) for name, term in terms.items()}}


def _keyless_losses(
    model: Imn,
    batch: Batch,
    recipe: ImnRecipe,
    rng: np.random.Generator,
    perceptual: losses.Distance | None,
    autocast: Callable[[], AbstractContextManager[object]],
) -> tuple[Tensor, dict[str, float]]:
    """Those of IMN, Eqs. (9) to (12): nothing is wrong where nothing is a key."""
    original, mask = batch.original, batch.mask
    auxiliary = None
    if recipe.auxiliary:
        generator = torch.Generator().manual_seed(int(rng.integers(2**63)))
        auxiliary = recipe.auxiliary * torch.randn(original.shape, generator=generator)
        auxiliary = auxiliary.to(original.device)
    with autocast():
        protected = model.protect(original, mask).float()
        shared = losses.round_to_8_bits(protected, model.rounded)
        recovered = model.recover(shared, auxiliary).float()
    pairs = {"protect": (mask, protected), "recover": (original, recovered)}
    low, low_protected = (haar(image)[:, :3] for image in (mask, protected))
    terms = _terms(recipe.weights, {**pairs, "low_frequency": (low, low_protected)}, [], perceptual)
    figures = {
        "mask:protected_db": losses.psnr_db(mask, shared),
        "original:recovered_db": losses.psnr_db(original, recovered),
    }
    total = torch.stack(list(terms.values())).sum()
    return total, {**figures, **{name: float(term.detach()) for name, term in terms.items()}}


def _terms(
    weights: LossWeights,
    pairs: dict[str, tuple[Tensor, Tensor]],
    triplets: list[tuple[Tensor, Tensor, Tensor]],
    perceptual: losses.Distance | None,
) -> dict[str, Tensor]:
    """The losses that have a weight, each by its weight's name and times it."""
    terms: dict[str, Tensor] = {}
    distances = {
        "": losses.charbonnier,
        "_l1": losses.l1,
        "_l2": losses.l2,
        "_lpips": _lpips(perceptual),
    }
    for ending, distance in distances.items():
        for name, (first, second) in pairs.items():
            weight = getattr(weights, name + ending, 0)
            if weight:
                terms[name + ending] = weight * distance(first, second).mean()
        weight = getattr(weights, "triplet" + ending, 0)
        if weight:
            hinges = [losses.triplet(*triplet, distance).mean() for triplet in triplets]
            terms["triplet" + ending] = weight * torch.stack(hinges).sum()
    return terms


def _triplets(
    wrong_mode: str, original: Tensor, mask: Tensor, recovered: Tensor, wrong: Tensor
) -> list[tuple[Tensor, Tensor, Tensor]]:
    """Anchors, positives and negatives of the wrong key's losses.

    Source: PRO-Face S, Eq. (20) for a random wrong recovery, Eq. (22) for an obfuscated one.
    """
    if wrong_mode == "rand":
        return [(original, recovered, wrong)]
    return [(wrong, mask, original), (recovered, original, mask)]


def _lpips(perceptual: losses.Distance | None) -> losses.Distance:
    """The perceptual distance, or one that says that it is missing."""

    def missing(first: Tensor, second: Tensor) -> Tensor:
        raise MetricError(
            "the recipe asks for LPIPS, but training was given no perceptual distance",
            hint="pass engine.metrics.perceptual_distance(), or set its weights to 0",
        )

    return missing if perceptual is None else perceptual
