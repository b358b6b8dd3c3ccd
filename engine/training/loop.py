"""The training of what hides faces: the network, one step, its rates."""

from collections.abc import Iterator, Sequence
from typing import Any, cast

import torch
from torch import Tensor, optim

from engine.data import FaceSet
from engine.networks.embedder import Embedder
from engine.networks.imn import Imn
from engine.training import losses
from engine.training.batches import Batch, Batches
from engine.training.learner import Learner, TrainOptions, two_streams, warmed_up
from engine.training.muon import Muon
from engine.training.objective import compute_losses
from engine.training.precision import autocast
from engine.training.recipes import ImnRecipe, Recipe
from engine.training.rounds import Say, logged, run_rounds
from engine.training.sensitivity import both_ways, sensitivity_of

_SENSE_STEPS = 100
"""Steps between two measurements of how the network feels rounding."""

_SENSED = 1
"""Pictures of a batch that tell it."""

_SENSE_SHARE = 0.3
"""How much the newest measurement counts beside those before."""


class Trainer(Learner["Embedder | Imn", Recipe, TrainOptions]):
    """A network that hides faces, in training.

    Args:
        recipe: what to train.
        options: where and how long.
        perceptual: LPIPS as a (B,) distance of images in [0, 1]; needed where the recipe's weights
            ask for it.

    Attributes:
        batch_seed: for the stream of batches; a resumed run has another one.

    Raises:
        DataError: the folder holds a run of another recipe, or a damaged one.
    """

    def __init__(
        self, recipe: Recipe, options: TrainOptions, perceptual: losses.Distance | None = None
    ) -> None:
        torch.manual_seed(options.seed)
        kind = Muon if recipe.muon else optim.Adam
        super().__init__(
            recipe,
            options,
            lambda: _new_network(recipe, options),
            lambda learning: kind(learning, lr=recipe.learning_rate, betas=recipe.betas),
        )
        self.perceptual = perceptual
        self.batch_seed, self._rng = two_streams(options.seed, self.progress)

    def set_rates(self, done: float) -> None:
        """Warm up over the first steps, then a cosine to a fiftieth of the rate at the end."""
        share = warmed_up(self.progress.step, self.recipe.warm_up_steps, done, 0.02)
        self._set_rate(self.recipe.learning_rate * share)

    def step(self, batch: Batch) -> dict[str, float]:
        """One optimizer step; returns every loss of it."""
        device = self.options.device
        batch = Batch(*(part.to(device) for part in (batch.original, batch.mask, batch.key_map)))
        if self.recipe.rounding_cell and self.progress.step % _SENSE_STEPS == 0:
            self._sense(batch)
        total, found = compute_losses(
            self.model,
            batch,
            self.recipe,
            self._rng,
            self.perceptual,
            lambda: autocast(device),
        )
        norm = self._descend(total, self.model)
        self._follow()
        self._count(len(batch.original))
        return {**found, "total": float(total.detach()), "gradient_norm": norm}

    def _sense(self, batch: Batch) -> None:
        """Measure how recovery feels errors, and tell the network and its average."""
        some = Batch(*(part[:_SENSED] for part in (batch.original, batch.mask, batch.key_map)))
        protected, recover = both_ways(self.model, some, self.recipe, self._rng)
        found = sensitivity_of(recover, protected, self.recipe.rounding_cell)
        for network in (self.model, self.average):
            known = cast(Tensor, network.sensitivity)
            known.lerp_(found, _SENSE_SHARE if known.any() else 1.0)


def _new_network(recipe: Recipe, options: TrainOptions) -> Embedder | Imn:
    network: Embedder | Imn
    start = options.start_from
    settings: dict[str, Any] = {"emphasis": recipe.emphasis, "rounding_cell": recipe.rounding_cell}
    if isinstance(recipe, ImnRecipe):
        if start is None:
            network = Imn(blocks=recipe.blocks, growth=recipe.growth, **settings)
        else:
            network = Imn.from_pretrained(start, low_cpu_mem_usage=False, **settings).float()
            network = network.deepened(recipe.blocks)
        return network
    settings["keyed_recovery"] = recipe.keyed_recovery
    if start is None:
        network = Embedder(blocks=recipe.blocks, **settings)
    else:
        network = Embedder.from_pretrained(start, low_cpu_mem_usage=False, **settings).float()
    return network


def train(
    recipe: Recipe,
    sets: Sequence[FaceSet],
    options: TrainOptions,
    perceptual: losses.Distance | None = None,
    report: Say = lambda line: None,
) -> Trainer:
    """Train until the minutes are used up; interrupt it when you like, it goes on from there.

    Args:
        recipe: from :data:`engine.training.recipes.RECIPES`.
        sets: faces to train on.
        options: where and how long.
        perceptual: LPIPS, where the recipe asks for it.
        report: takes one line of text at a time.

    Raises:
        ModelError: the gradient is not finite; the last checkpoint is whole.
        MetricError: the recipe asks for LPIPS, and there is none.
        DataError: the folder holds a run of another recipe, or a damaged one.
    """
    options.folder.mkdir(parents=True, exist_ok=True)
    trainer = Trainer(recipe, options, perceptual)
    with logged(trainer) as results:
        batches: Iterator[Batch] = iter(Batches(sets, recipe.batches, trainer.batch_seed))
        run_rounds(trainer, batches, results, dict, _described, report)
    return trainer


def _described(figures: dict[str, float]) -> str:
    return "  ".join(
        f"{name} {value:{'.2f' if name.endswith('_db') else '.4f'}}"
        for name, value in figures.items()
    )
