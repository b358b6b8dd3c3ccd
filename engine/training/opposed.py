"""A generator in training against a critic: both, the average that is released, one optimizer."""

import dataclasses
import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar, cast

import numpy as np
import torch
from torch import Tensor, nn, optim

from engine.errors import ModelError
from engine.networks.mixins import ModelMixin
from engine.training import checkpoint
from engine.training.checkpoint import Progress
from engine.training.critic import Critic, FeatureMaps, unmasking
from engine.training.loop import TrainOptions


@dataclass(frozen=True, kw_only=True)
class OpposedRecipe:
    """What any generator's recipe says of its training.

    Attributes:
        learning_rate, betas: of Adam, for the generator and its critic.
        clip_norm: largest norm of a gradient.
        average: decay of the moving average of the weights, which is what is released.
    """

    learning_rate: float = 4e-4
    betas: tuple[float, float] = (0.0, 0.99)
    clip_norm: float = 5.0
    average: float = 0.995


Network = TypeVar("Network", bound=ModelMixin)
Recipe = TypeVar("Recipe", bound=OpposedRecipe)


class Opposed(Generic[Network, Recipe]):
    """A generator in training: it, its moving average, its critic, the optimizer, the progress.

    Args:
        recipe: what to train.
        options: where and how long.
        make: makes the network, fresh or as it starts.
        features: by which its critic judges besides, on the device.

    Attributes:
        figures: means of every figure over the latest steps, by name; empty before the first.
        batch_seed: for the stream of batches; a resumed run has another one.

    Raises:
        DataError: the folder holds a run of another recipe, or a damaged one.
    """

    def __init__(
        self,
        recipe: Recipe,
        options: TrainOptions,
        make: Callable[[], Network],
        features: FeatureMaps | None = None,
    ) -> None:
        torch.manual_seed(options.seed)
        self.recipe, self.options = recipe, options

        def placed() -> Network:
            network = make().to(options.device)
            return cast(Network, network.to(memory_format=torch.channels_last))

        self.model, self.average = placed().train(), placed().eval()
        self.average.load_state_dict(self.model.state_dict())
        self.critic = Critic(features=features, device=options.device).to(options.device)
        self.optimizer = optim.Adam(
            [*self.model.parameters(), *self.critic.parameters()],
            lr=recipe.learning_rate,
            betas=recipe.betas,
        )
        self.progress, self.figures = Progress(), dict[str, float]()
        if checkpoint.find(self._checkpoint) is not None:
            self.progress = checkpoint.load(
                self._checkpoint, self._modules(), self.optimizer, self._settings()
            )
        seeds = np.random.SeedSequence([options.seed, self.progress.step])
        self.batch_seed, own_seed = seeds.spawn(2)
        self._rng = np.random.default_rng(own_seed)

    @property
    def _checkpoint(self) -> Path:
        return self.options.folder / "checkpoint"

    def _modules(self) -> dict[str, nn.Module]:
        return {"model": self.model, "average": self.average, "critic": self.critic}

    def _settings(self) -> checkpoint.Settings:
        return dataclasses.asdict(self.recipe)

    def save(self) -> None:
        """Write the checkpoint and the averaged weights as a model folder, ready to be loaded."""
        checkpoint.save(
            self._checkpoint, self._modules(), self.optimizer, self.progress, self._settings()
        )
        checkpoint.export(self.options.folder / "model", self.average)

    def set_rates(self, done: float) -> None:
        """The full rate until nine tenths of the schedule, then down to a twentieth."""
        falling = min(1.0, max(0.05, 10 * (1 - done)))
        for group in self.optimizer.param_groups:
            group["lr"] = self.recipe.learning_rate * falling

    def learn(
        self, loss: Tensor, real: Tensor, made: Tensor, where: Tensor | None = None
    ) -> dict[str, float]:
        """One step of the generator against a loss, and one of its critic.

        Args:
            loss: of what was made; the critic's verdict may be part of it.
            real: (B, 3, S, S) in [0, 1].
            made: (B', 3, S', S'), what the generator made, or as much as is to be judged of it.
            where: (B, 1, S, S), see :func:`engine.training.critic.realism`; B' is B then.

        Returns:
            The critic's figure and the generator's.
        """
        self._descend(loss, self.model)
        step = self.progress.step
        decay = min(self.recipe.average, (1 + step) / (10 + step))
        checkpoint.copy_average(self.average, self.model, decay)
        opposed = unmasking(self.critic(real), self.critic(made.detach()), where)
        self._descend(opposed, self.critic)
        self.progress.step += 1
        self.progress.faces_seen += len(real)
        return {"critic": float(opposed.detach()), "total": float(loss.detach())}

    def _descend(self, loss: Tensor, module: nn.Module) -> None:
        self.optimizer.zero_grad(set_to_none=True)  # Adam leaves alone what has no gradient
        inputs = list(module.parameters())
        loss.backward(inputs=inputs)  # type: ignore[no-untyped-call]
        norm = nn.utils.clip_grad_norm_(inputs, self.recipe.clip_norm)
        if not math.isfinite(float(norm)):
            raise ModelError(
                f"the gradient is not finite at step {self.progress.step}",
                hint="the last step before it is saved: go on from there with another --seed",
            )
        self.optimizer.step()
