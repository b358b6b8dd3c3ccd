"""What is the same in every training: a network, its average, an optimizer, how far it has come."""

import dataclasses
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Generic, Protocol, TypeVar

import numpy as np
from torch import Tensor, nn, optim

from engine.errors import ModelError
from engine.networks.mixins import ModelMixin
from engine.training import checkpoint
from engine.training.checkpoint import Progress


@dataclass(frozen=True)
class TrainOptions:
    """Where and how long to train.

    Attributes:
        folder: checkpoint, log and exported weights go here; a run found there is resumed, if it
            is of the same recipe.
        minutes: length of the schedule; a run that has had them already stops at once.
        device: torch device name.
        seed: 0 or more; a resumed run derives other numbers from it and its step.
        save_seconds: time between checkpoints.
        log_steps: steps between two lines of the log.
        start_from: weights of a released or exported model to start from, instead of fresh ones.
        steps: the schedule ends after so many steps, if its minutes do not end before: for runs
            that are compared.
        max_steps: stop after so many steps as well, in the middle of the schedule (tests).
    """

    folder: Path
    minutes: float
    device: str = "cpu"
    seed: int = 0
    save_seconds: float = 120.0
    log_steps: int = 20
    start_from: Path | None = None
    steps: int | None = None
    max_steps: int | None = None


class Place(Protocol):
    """Where a training is: its folder, and the name of its torch device."""

    @property
    def folder(self) -> Path:
        """Of checkpoint, log and exported weights."""
        ...

    @property
    def device(self) -> str:
        """Torch device name."""
        ...


class Averaged(Protocol):
    """What every recipe says, a dataclass: how large a gradient may be, how slow the average is."""

    __dataclass_fields__: ClassVar[dict[str, Any]]

    @property
    def clip_norm(self) -> float:
        """Greatest norm of a gradient."""
        ...

    @property
    def average(self) -> float:
        """Decay of the moving average of the weights, which is what is released."""
        ...


Network = TypeVar("Network", bound=ModelMixin)
Recipe = TypeVar("Recipe", bound=Averaged)
Where = TypeVar("Where", bound=Place)


class Learner(Generic[Network, Recipe, Where]):
    """A network in training: it, its moving average, an optimizer, the progress.

    Args:
        recipe: what to train.
        options: where.
        make: makes the network, fresh or as it starts.
        optimize: makes the optimizer of all that learns.
        others: makes what learns beside the network, by the name that it has in the checkpoint;
            asked after the network is made, so that they hang on no more than the seed.

    Attributes:
        figures: means of every figure over the latest steps, by name; empty before the first.

    Raises:
        DataError: the folder holds a run of another recipe, or a damaged one.
    """

    def __init__(
        self,
        recipe: Recipe,
        options: Where,
        make: Callable[[], Network],
        optimize: Callable[[list[nn.Parameter]], optim.Optimizer],
        others: Callable[[], Mapping[str, nn.Module]] = dict,
    ) -> None:
        self.recipe, self.options = recipe, options
        self.model = make().to(options.device).train()
        self.average = make().to(options.device).eval()
        self.average.load_state_dict(self.model.state_dict())
        self._others = others()
        learning = (self.model, *self._others.values())
        self.optimizer = optimize([one for part in learning for one in part.parameters()])
        self.progress, self.figures = Progress(), dict[str, float]()
        if checkpoint.find(self._checkpoint) is not None:
            self.progress = checkpoint.load(
                self._checkpoint, self._modules(), self.optimizer, self._settings()
            )

    @property
    def _checkpoint(self) -> Path:
        return self.options.folder / "checkpoint"

    def _modules(self) -> dict[str, nn.Module]:
        return {"model": self.model, "average": self.average, **self._others}

    def _settings(self) -> checkpoint.Settings:
        return dataclasses.asdict(self.recipe)

    def save(self) -> None:
        """Write the checkpoint and the averaged weights as a model folder, ready to be loaded."""
        checkpoint.save(
            self._checkpoint, self._modules(), self.optimizer, self.progress, self._settings()
        )
        checkpoint.export(self.options.folder / "model", self.average)

    def _set_rate(self, rate: float) -> None:
        """Have the optimizer take its next steps at this rate."""
        for group in self.optimizer.param_groups:
            group["lr"] = rate

    def _descend(self, loss: Tensor, module: nn.Module) -> float:
        """One optimizer step of a module against a loss; returns the norm of the gradient.

        Raises:
            ModelError: the gradient is not finite.
        """
        self.optimizer.zero_grad(set_to_none=True)  # what has no gradient is left alone
        inputs = list(module.parameters())
        loss.backward(inputs=inputs)  # type: ignore[no-untyped-call]
        norm = float(nn.utils.clip_grad_norm_(inputs, self.recipe.clip_norm))
        if not math.isfinite(norm):
            raise self._not_finite()
        self.optimizer.step()
        return norm

    def _not_finite(self) -> ModelError:
        return ModelError(
            f"the gradient is not finite at step {self.progress.step}",
            hint="the last step before it is saved: go on from there with another --seed",
        )

    def _follow(self) -> float:
        """Move the average towards the network, quicker in the first steps; returns its decay."""
        step = self.progress.step
        decay = min(self.recipe.average, (1 + step) / (10 + step))
        checkpoint.copy_average(self.average, self.model, decay)
        return decay

    def _count(self, faces: int) -> None:
        """Note that a step on so many faces is behind."""
        self.progress.step += 1
        self.progress.faces_seen += faces


def warmed_up(step: int, warm_up_steps: int, done: float, least: float) -> float:
    """Share of the full rate: up over the first steps, then a cosine.

    Args:
        step: steps that are behind.
        warm_up_steps: steps until the full rate.
        done: share of the schedule that is behind, 1 or more at its end.
        least: the share at the end.
    """
    cosine = 0.5 * (1 + math.cos(math.pi * min(1.0, done)))
    return min(1.0, (step + 1) / warm_up_steps) * (least + (1 - least) * cosine)


def two_streams(
    seed: int, progress: Progress
) -> tuple[np.random.SeedSequence, np.random.Generator]:
    """Make chance for a run's batches and chance for its steps; a resumed run gets other numbers.

    With one stream, wrong keys, say, would be drawn from the numbers of the batches.

    Args:
        seed: of the run.
        progress: how far it is.

    Returns:
        The seed of the batches, and what the steps draw from.
    """
    batches, own = np.random.SeedSequence([seed, progress.step]).spawn(2)
    return batches, np.random.default_rng(own)
