"""The recogniser in training: its recipe, its weights and their average, one step."""

from dataclasses import dataclass, field

import torch
from torch import Tensor

from engine.networks.recognizer import Recognizer
from engine.training.aligned import Changes, Faces
from engine.training.alone import Alone, AloneRecipe
from engine.training.learner import TrainOptions
from engine.training.precision import autocast


@dataclass(frozen=True)
class DistilRecipe(AloneRecipe):
    """All that the recogniser's training needs besides data, teachers and minutes.

    Attributes:
        name: model family.
        widths, blocks, dimensions: of :class:`engine.networks.recognizer.Recognizer`.
        changes: how far a face may be from the one that the teachers saw.
        mixtures: of two faces each, that are learned from beside the faces; 0 for none.
    """

    name: str = "recognizer"
    widths: tuple[int, int, int] = (48, 96, 128)
    blocks: tuple[int, int, int] = (1, 3, 2)
    dimensions: int = 256
    changes: Changes = field(default_factory=Changes)
    mixtures: int = 30_000


RECOGNIZER = DistilRecipe()


class Pupil(Alone[Recognizer, DistilRecipe]):
    """A recogniser in training.

    Args:
        recipe: what to train.
        options: where and how long.

    Raises:
        DataError: the folder holds a run of another recipe, or a damaged one.
    """

    def __init__(self, recipe: DistilRecipe, options: TrainOptions) -> None:
        super().__init__(recipe, options, lambda: _new(recipe, options))

    def step(self, batch: Faces) -> dict[str, float]:
        """One optimizer step; returns every figure of it."""
        device = self.options.device
        targets = batch.targets.to(device)
        with autocast(device):
            found = self.model(batch.pictures.to(device)).float()
        return self.descend(1 - (found * targets).sum(1).mean(), len(batch.pictures))

    def agreement(self, pictures: Tensor, targets: Tensor) -> float:
        """Mean cosine between the averaged network's embeddings and their targets."""
        with torch.inference_mode():
            chunks = [
                self.average(part.to(self.options.device)) for part in torch.split(pictures, 64)
            ]
        return float((torch.cat(chunks).cpu() * targets).sum(1).mean())


def _new(recipe: DistilRecipe, options: TrainOptions) -> Recognizer:
    network: Recognizer
    if options.start_from is not None:
        network = Recognizer.from_pretrained(options.start_from, low_cpu_mem_usage=False)
    else:
        network = Recognizer(recipe.widths, recipe.blocks, dimensions=recipe.dimensions)
    return network
