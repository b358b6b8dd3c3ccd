"""A generator in training against a critic: both, their recipe, one optimizer for them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar, cast

import torch
from torch import Tensor, nn, optim

from engine.networks.mixins import ModelMixin
from engine.training.critic import Critic, FeatureMaps, unmasking
from engine.training.learner import Learner, TrainOptions, two_streams


@dataclass(frozen=True, kw_only=True)
class OpposedRecipe:
    """What any generator's recipe says of its training.

    Attributes:
        learning_rate, betas: of Adam, for the generator and its critic.
        clip_norm: largest norm of a gradient.
        average: decay of the moving average of the weights, which is what is released.
        window: pixels, even and above 0, that the critic's window is smaller than a portrait; where
            it is, is chance, so that no pattern is made to please the critic's grids.
    """

    learning_rate: float = 4e-4
    betas: tuple[float, float] = (0.0, 0.99)
    clip_norm: float = 5.0
    average: float = 0.995
    window: int = 16


Network = TypeVar("Network", bound=ModelMixin)
Recipe = TypeVar("Recipe", bound=OpposedRecipe)


class Opposed(Learner[Network, Recipe, TrainOptions]):
    """A generator in training, and its critic.

    Args:
        recipe: what to train.
        options: where and how long.
        make: makes the network, fresh or as it starts.
        features: by which its critic judges besides, on the device.

    Attributes:
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

        def oppose() -> dict[str, nn.Module]:
            self.critic = Critic(features=features, device=options.device).to(options.device)
            return {"critic": self.critic}

        super().__init__(
            recipe,
            options,
            lambda: cast(Network, make().to(memory_format=torch.channels_last)),
            lambda learning: optim.Adam(learning, lr=recipe.learning_rate, betas=recipe.betas),
            oppose,
        )
        self.batch_seed, self._rng = two_streams(options.seed, self.progress)

    def set_rates(self, done: float) -> None:
        """The full rate until nine tenths of the schedule, then down to a twentieth."""
        self._set_rate(self.recipe.learning_rate * min(1.0, max(0.05, 10 * (1 - done))))

    def _window(self, pictures: Tensor) -> tuple[slice, slice, slice, slice]:
        size = [length - self.recipe.window for length in pictures.shape[2:]]
        top, left = self._rng.integers(self.recipe.window, size=2).tolist()
        return slice(None), slice(None), slice(top, top + size[0]), slice(left, left + size[1])

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
        self._follow()
        opposed = unmasking(self.critic(real), self.critic(made.detach()), where)
        self._descend(opposed, self.critic)
        self._count(len(real))
        return {"critic": float(opposed.detach()), "total": float(loss.detach())}
