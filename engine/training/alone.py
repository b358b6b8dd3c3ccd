"""A network that learns without an opponent: it, its average, its optimizer, its progress."""

import dataclasses
import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar, cast

import numpy as np
import torch
from torch import Tensor, nn

from engine.errors import ModelError
from engine.networks.mixins import ModelMixin
from engine.training import checkpoint
from engine.training.checkpoint import Progress
from engine.training.loop import TrainOptions
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


class Alone(Generic[Network, Recipe]):
    """A network in training: model, moving average, optimizer, progress.

    Args:
        recipe: what to train.
        options: where and how long.
        make: makes the network, fresh or as it starts.

    Attributes:
        figures: means of every figure over the latest steps, by name; empty before the first.
        batch_seed: for the stream of batches; a resumed run has another one.

    Raises:
        DataError: the folder holds a run of another recipe, or a damaged one.
    """

    def __init__(self, recipe: Recipe, options: TrainOptions, make: Callable[[], Network]) -> None:
        torch.manual_seed(options.seed)
        self.recipe, self.options = recipe, options

        def placed() -> Network:
            network = make().to(options.device)
            return cast(Network, network.to(memory_format=torch.channels_last))

        self.model, self.average = placed().train(), placed().eval()
        self.average.load_state_dict(self.model.state_dict())
        self.optimizer = Muon(
            self.model.parameters(), lr=recipe.learning_rate, weight_decay=recipe.weight_decay
        )
        self.progress = Progress()
        self.figures: dict[str, float] = {}
        if checkpoint.find(self._checkpoint) is not None:
            self.progress = checkpoint.load(
                self._checkpoint, self._modules(), self.optimizer, self._settings()
            )
        self.batch_seed = np.random.SeedSequence([options.seed, self.progress.step])

    @property
    def _checkpoint(self) -> Path:
        return self.options.folder / "checkpoint"

    def _modules(self) -> dict[str, nn.Module]:
        return {"model": self.model, "average": self.average}

    def _settings(self) -> checkpoint.Settings:
        return dataclasses.asdict(self.recipe)

    def save(self) -> None:
        """Write the checkpoint and the averaged weights as a model folder, ready to be loaded."""
        checkpoint.save(
            self._checkpoint, self._modules(), self.optimizer, self.progress, self._settings()
        )
        checkpoint.export(self.options.folder / "model", self.average)

    def set_rates(self, done: float) -> None:
        """Warm up over the first steps, then a cosine to a hundredth of the rate at the end."""
        warm_up = min(1.0, (self.progress.step + 1) / self.recipe.warm_up_steps)
        cosine = 0.5 * (1 + math.cos(math.pi * min(1.0, done)))
        for group in self.optimizer.param_groups:
            group["lr"] = self.recipe.learning_rate * warm_up * (0.01 + 0.99 * cosine)

    def descend(self, loss: Tensor, faces: int) -> dict[str, float]:
        """One optimizer step against a loss of so many faces; returns it and the gradient's norm.

        Raises:
            ModelError: the gradient is not finite.
        """
        self.model.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        norm = nn.utils.clip_grad_norm_(self.model.parameters(), self.recipe.clip_norm)
        if not math.isfinite(float(norm)):
            raise ModelError(
                f"the gradient is not finite at step {self.progress.step}",
                hint="the last step before it is saved: go on from there with another --seed",
            )
        self.optimizer.step()
        self._average()
        self.progress.step += 1
        self.progress.faces_seen += faces
        return {"total": float(loss.detach()), "gradient_norm": float(norm)}

    def _average(self) -> None:
        decay = min(self.recipe.average, (1 + self.progress.step) / (10 + self.progress.step))
        checkpoint.copy_average(self.average, self.model, decay)
        with torch.no_grad():
            # Statistics of the batches are averages already; they belong to the weights' average
            # only if they lag as it does.
            for own, other in zip(self.average.buffers(), self.model.buffers(), strict=True):
                if own.is_floating_point():
                    own.lerp_(other, 1 - decay)
                else:
                    own.copy_(other)
