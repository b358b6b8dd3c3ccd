"""The recogniser in training: its recipe, its weights and their average, one step."""

import dataclasses
import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import numpy as np
import torch
from torch import Tensor, nn

from engine.errors import ModelError
from engine.networks.recognizer import Recognizer
from engine.training import checkpoint
from engine.training.aligned import Changes, Faces
from engine.training.checkpoint import Progress
from engine.training.loop import TrainOptions
from engine.training.muon import Muon
from engine.training.precision import autocast


@dataclass(frozen=True)
class DistilRecipe:
    """All that the recogniser's training needs besides data, teachers and minutes.

    Attributes:
        name: model family.
        widths, blocks, dimensions: of :class:`engine.networks.recognizer.Recognizer`.
        batch: faces in a batch.
        changes: how far a face may be from the one that the teachers saw.
        mixtures: of two faces each, that are learned from beside the faces; 0 for none.
        held_out: every so many-th face is left out of training and tells how well it goes.
        learning_rate: at its height.
        weight_decay: as :class:`engine.training.muon.Muon` takes it.
        warm_up_steps: steps until it gets there.
        clip_norm: greatest norm of the gradient.
        average: decay of the moving average of the weights, which is what is released.
    """

    name: str = "recognizer"
    widths: tuple[int, int, int] = (48, 96, 128)
    blocks: tuple[int, int, int] = (1, 3, 2)
    dimensions: int = 256
    batch: int = 64
    changes: Changes = field(default_factory=Changes)
    mixtures: int = 30_000
    held_out: int = 50
    learning_rate: float = 3e-3
    weight_decay: float = 0.02
    warm_up_steps: int = 50
    clip_norm: float = 5.0
    average: float = 0.998


RECOGNIZER = DistilRecipe()


class Pupil:
    """A recogniser in training: model, moving average, optimizer, progress.

    Args:
        recipe: what to train.
        options: where and how long.

    Attributes:
        figures: means of every figure over the latest steps, by name; empty before the first.

    Raises:
        DataError: the folder holds a run of another recipe, or a damaged one.
    """

    def __init__(self, recipe: DistilRecipe, options: TrainOptions) -> None:
        torch.manual_seed(options.seed)
        self.recipe, self.options = recipe, options
        self.model = self._new().train()
        self.average = self._new().eval()
        self.average.load_state_dict(self.model.state_dict())
        self.optimizer = Muon(
            self.model.parameters(), lr=recipe.learning_rate, weight_decay=recipe.weight_decay
        )
        self.progress = Progress()
        self.figures: dict[str, float] = {}
        if checkpoint.find(self._checkpoint) is not None:
            self.progress = checkpoint.load(
                self._checkpoint, self._modules(), self.optimizer, dataclasses.asdict(recipe)
            )
        self.batch_seed = np.random.SeedSequence([options.seed, self.progress.step])

    def _new(self) -> Recognizer:
        recipe = self.recipe
        network: Recognizer
        if self.options.start_from is not None:
            start = self.options.start_from
            network = Recognizer.from_pretrained(start, low_cpu_mem_usage=False)
        else:
            network = Recognizer(recipe.widths, recipe.blocks, dimensions=recipe.dimensions)
        network = network.to(self.options.device)
        return cast(Recognizer, network.to(memory_format=torch.channels_last))

    @property
    def _checkpoint(self) -> Path:
        return self.options.folder / "checkpoint"

    def _modules(self) -> dict[str, nn.Module]:
        return {"model": self.model, "average": self.average}

    def save(self) -> None:
        """Write the checkpoint and the averaged weights as a model folder, ready to be loaded."""
        checkpoint.save(
            self._checkpoint,
            self._modules(),
            self.optimizer,
            self.progress,
            dataclasses.asdict(self.recipe),
        )
        checkpoint.export(self.options.folder / "model", self.average)

    def set_rates(self, done: float) -> None:
        """Warm up over the first steps, then a cosine to a hundredth of the rate at the end."""
        warm_up = min(1.0, (self.progress.step + 1) / self.recipe.warm_up_steps)
        cosine = 0.5 * (1 + math.cos(math.pi * min(1.0, done)))
        for group in self.optimizer.param_groups:
            group["lr"] = self.recipe.learning_rate * warm_up * (0.01 + 0.99 * cosine)

    def step(self, batch: Faces) -> dict[str, float]:
        """One optimizer step; returns every figure of it."""
        device = self.options.device
        targets = batch.targets.to(device)
        with autocast(device):
            found = self.model(batch.pictures.to(device)).float()
        cosine = (found * targets).sum(1).mean()
        total = 1 - cosine
        self.model.zero_grad(set_to_none=True)
        total.backward()  # type: ignore[no-untyped-call]
        norm = nn.utils.clip_grad_norm_(self.model.parameters(), self.recipe.clip_norm)
        if not math.isfinite(float(norm)):
            raise ModelError(
                f"the gradient is not finite at step {self.progress.step}",
                hint="the last step before it is saved: go on from there with another --seed",
            )
        self.optimizer.step()
        self._average()
        self.progress.step += 1
        self.progress.faces_seen += len(batch.pictures)
        return {"total": float(total.detach()), "gradient_norm": float(norm)}

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

    def agreement(self, pictures: Tensor, targets: Tensor) -> float:
        """Mean cosine between the averaged network's embeddings and their targets."""
        with torch.inference_mode():
            chunks = [
                self.average(part.to(self.options.device)) for part in torch.split(pictures, 64)
            ]
        return float((torch.cat(chunks).cpu() * targets).sum(1).mean())
