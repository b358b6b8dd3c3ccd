"""A network that learns without an opponent: its recipe, its optimizer, its rates."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar, cast

import numpy as np
import torch
from torch import Tensor

from engine.networks.mixins import ModelMixin
from engine.training.learner import Learner, TrainOptions, warmed_up
from engine.training.muon import Muon


@dataclass(frozen=True, kw_only=True)
class AloneRecipe:
    """What the recipe of any such network says of its training.

    Attributes:
        batch: faces in a batch.
        held_out: every so many-th face is left out of training and tells how well it goes.
        learning_rate: at its height.
        weight_decay: as :class:`engine.training.muon.Muon` takes it.
        warm_up_steps: steps until it gets there.
        clip_norm: greatest norm of the gradient.
        average: decay of the moving average of the weights, which is what is released.
    """

    batch: int = 64
    held_out: int = 50
    learning_rate: float = 3e-3
    weight_decay: float = 0.02
    warm_up_steps: int = 50
    clip_norm: float = 5.0
    average: float = 0.998


Network = TypeVar("Network", bound=ModelMixin)
Recipe = TypeVar("Recipe", bound=AloneRecipe)


class Alone(Learner[Network, Recipe, TrainOptions]):
    """A network in training, on faces and what is known of them.

    Args:
        recipe: what to train.
        options: where and how long.
        make: makes the network, fresh or as it starts.

    Attributes:
        batch_seed: for the stream of batches; a resumed run has another one.

    Raises:
        DataError: the folder holds a run of another recipe, or a damaged one.
    """

    def __init__(self, recipe: Recipe, options: TrainOptions, make: Callable[[], Network]) -> None:
        torch.manual_seed(options.seed)
        super().__init__(
            recipe,
            options,
            lambda: cast(Network, make().to(memory_format=torch.channels_last)),
            lambda learning: Muon(
                learning, lr=recipe.learning_rate, weight_decay=recipe.weight_decay
            ),
        )
        self.batch_seed = np.random.SeedSequence([options.seed, self.progress.step])

    def set_rates(self, done: float) -> None:
        """Warm up over the first steps, then a cosine to a hundredth of the rate at the end."""
        share = warmed_up(self.progress.step, self.recipe.warm_up_steps, done, 0.01)
        self._set_rate(self.recipe.learning_rate * share)

    def descend(self, loss: Tensor, faces: int) -> dict[str, float]:
        """One optimizer step against a loss of so many faces; returns it and the gradient's norm.

        Raises:
            ModelError: the gradient is not finite.
        """
        norm = self._descend(loss, self.model)
        self._follow()
        self._count(faces)
        return {"total": float(loss.detach()), "gradient_norm": norm}

    def _follow(self) -> float:
        decay = super()._follow()
        with torch.no_grad():
            # Statistics of the batches are averages already; they belong to the weights' average
            # only if they lag as it does.
            for own, other in zip(self.average.buffers(), self.model.buffers(), strict=True):
                if own.is_floating_point():
                    own.lerp_(other, 1 - decay)
                else:
                    own.copy_(other)
        return decay
