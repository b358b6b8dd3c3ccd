"""Swaps as an enhancer is shown them: what the released swappers draw on training faces."""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, cast

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from engine.agents import GALLERY, choose_agents
from engine.data import FaceSet
from engine.masks.portrait import SIDE
from engine.masks.swap import GALLERIES, SHARES, SWAPPERS
from engine.networks.swapper import conceal
from engine.training.portraits import Casting, PortraitBatches, Portraits
from engine.training.precision import autocast
from engine.training.shown import lightened
from engine.training.swapping import cast_of
from engine.zoo import load_model

if TYPE_CHECKING:
    from engine.networks.swapper import Swapper

F32 = npt.NDArray[np.float32]


@cache
def agents() -> dict[str, F32]:
    """Swapper to the identities that it gives, (A, D).

    Raises:
        ModelError: as :func:`engine.zoo.load_model`.
    """
    return {
        model: choose_agents(0, gallery=GALLERIES.get(model, GALLERY))
        for model in SWAPPERS.values()
    }


def swap_batches(
    sets: Sequence[FaceSet],
    indices: npt.NDArray[np.int64],
    batch: int,
    seed: int | np.random.SeedSequence,
) -> PortraitBatches:
    """Endless batches of portraits, each with an agent of a swapper's and an average like that one.

    Args:
        sets: the faces.
        indices: those to train on, counted through all sets.
        batch: faces in a batch.
        seed: of everything random; a resumed run passes another.

    Raises:
        ModelError: as :func:`agents`.
    """
    identities = np.concatenate(list(agents().values()))
    nobody = np.empty(0, np.int64)
    casting = Casting(identities, nobody, count=0, own=0, each=1, agents=1.0, like=1.0)
    return PortraitBatches(sets, indices, batch, SIDE, seed, casting)


def draw_shares(rng: np.random.Generator) -> dict[str, float]:
    """Draw how much of each swapper's change is laid: as much as masks lay, or averages alone."""
    return {model: float(rng.choice((0.0, *SHARES[model]))) for model in agents()}


def laid_by_swappers(portraits: Portraits, shares: Mapping[str, float], device: str) -> Tensor:
    """What an enhancer is shown of portraits that swappers have given to agents.

    Args:
        portraits: of :func:`swap_batches`, B of them.
        shares: of each swapper's change.
        device: of what comes out.

    Returns:
        (B, 3, S, S), RGB in [0, 1].

    Raises:
        ValueError: portraits without averages or agents.
        ModelError: as :func:`engine.zoo.load_model`.
    """
    averages, given = cast_of(portraits)
    parts = (portraits.pictures, portraits.mattes, portraits.landmarks, averages)
    real, mattes, landmarks, others = (part.to(device) for part in parts)
    shown, laid, first = conceal(real, mattes, others), others.clone(), 0
    for model, identities in agents().items():
        rows = torch.nonzero((given >= first) & (given < first + len(identities))).flatten()
        if len(rows) and shares[model]:
            asked = torch.from_numpy(identities)[given[rows] - first].to(device)
            network = cast("Swapper", load_model(model, device))
            with torch.no_grad(), autocast(device):
                drawn = network(shown[rows], mattes[rows], landmarks[rows], asked).float()
            laid[rows] = lightened(others[rows], drawn, shares[model])
        first += len(identities)
    return conceal(real, mattes, laid)
