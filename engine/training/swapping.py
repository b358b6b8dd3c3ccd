"""The swapper in training: its recipe, its losses, its weights and their average, one step."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from engine.alignment import SIDE as ALIGNED_SIDE
from engine.errors import ModelError
from engine.masks.portrait import SIDE, canonical_to_portrait
from engine.networks.swapper import Injection, Swapper, conceal
from engine.training.critic import realism, sum_of, weak_matching
from engine.training.loop import TrainOptions
from engine.training.losses import Distance
from engine.training.opposed import Opposed, OpposedRecipe
from engine.training.portraits import Portraits
from engine.training.precision import autocast
from engine.zoo import read_network


@dataclass(frozen=True)
class SwapWeights:
    """Weights of the losses.

    Attributes:
        pixels, perceptual: L1 and LPIPS where the identity is the portrait's own.
        natural: LPIPS to the average that is shown, where the identity is another's.
        identity: 1 - cosine to the identity asked for, by the recogniser in training.
        push_away: cosine to the portrait's own identity, where it is above 0.
        apart: cosine of one portrait's two swaps beyond that of the identities asked for.
        low_pass: L1 of averages of 8 x 8 pixels to those of the average that is shown, where the
            identity is another's: light and tone.
        realism: of the critic's verdict; ``matching``, of its deepest features.
    """

    pixels: float = 4.0
    perceptual: float = 3.0
    natural: float = 4.0
    identity: float = 1.0
    push_away: float = 0.3
    apart: float = 3.0
    low_pass: float = 2.0
    realism: float = 0.3
    matching: float = 0.1


@dataclass(frozen=True)
class SwapRecipe(OpposedRecipe):
    """All that a swapper's training needs besides data, teachers and minutes.

    Attributes:
        name: model family.
        injection, widths, blocks: of :class:`engine.networks.swapper.Swapper`.
        side: of the portraits, pixels.
        batch: portraits in a batch; ``own`` of them get their own identity back, the others two
            identities each, so that what is alike in their swaps can be pushed apart.
        agents: share of the others that get an agent's identity, one of the released gallery,
            instead of another face's.
        held_out: every so many-th face is left out of training and tells how well it goes.
    """

    name: str
    injection: Injection
    widths: tuple[int, int, int] = (32, 80, 160)
    blocks: tuple[int, int, int] = (1, 2, 3)
    side: int = SIDE
    batch: int = 16
    own: int = 8
    agents: float = 0.75
    held_out: int = 200
    weights: SwapWeights = SwapWeights()


SWAPPERS = {
    "simswap": SwapRecipe("simswap", "adain"),
    "faceshifter": SwapRecipe("faceshifter", "aad"),
}


@dataclass(frozen=True)
class Sitters:
    """Who the faces of the training sets are, to those who look.

    Attributes:
        own: (N, D), of the recogniser whose space identities are in; length 1.
        seen: (N, E), of the recogniser that the losses see; length 1.
        judged: (N, F), of one that no loss sees; length 1.
        agents: (A, D) identities of nobody, and ``agents_seen``: (A, E), what the recogniser of
            the losses would see in them, by linear regression.
    """

    own: Tensor
    seen: Tensor
    judged: Tensor
    agents: Tensor
    agents_seen: Tensor


class SwapTrainer(Opposed[Swapper, SwapRecipe]):
    """A swapper in training.

    Args:
        recipe: what to train.
        options: where and how long.
        sitters: whose faces they are.
        perceptual: LPIPS as a (B,) distance of images in [0, 1].
        recogniser: (B, 3, 112, 112), aligned, in [0, 1], to (B, E): what the losses see.

    Raises:
        DataError: the folder holds a run of another recipe, or a damaged one.
    """

    def __init__(
        self,
        recipe: SwapRecipe,
        options: TrainOptions,
        sitters: Sitters,
        perceptual: Distance,
        recogniser: Callable[[Tensor], Tensor],
    ) -> None:
        super().__init__(recipe, options, lambda: _new(recipe, options.start_from))
        self.sitters = sitters
        self.perceptual, self.recogniser = perceptual, recogniser

    def step(self, batch: Portraits) -> dict[str, float]:
        """One step of the swapper and one of its critic; returns every figure of it."""
        device, own = self.options.device, self.recipe.own
        batch = twice(batch, own)
        real, landmarks = batch.pictures.to(device), batch.landmarks.to(device)
        identities, wanted = (part.to(device) for part in self._sources(batch.indices))
        mattes, others = batch.mattes.to(device), averages_of(batch).to(device)
        shown = conceal(real, mattes, others)
        with autocast(device):
            drawn = self.model(shown, mattes, landmarks, identities).float()
        made = real + mattes * (drawn - real)
        natural = real + mattes * (shown - real)
        total, figures = self._losses(real, made, natural, batch.indices, wanted)
        return {**figures, **self.learn(total, real, made)}

    def _sources(self, indices: Tensor) -> tuple[Tensor, Tensor]:
        """Identities (B, D) for a batch, and what the losses' recogniser shall see in the others.

        The first ``own`` portraits get their own; the others an agent's or another face's.
        """
        sitters, own = self.sitters, self.recipe.own
        others = len(indices) - own
        agent = torch.from_numpy(self._rng.random(others) < self.recipe.agents)[:, None]
        which = torch.from_numpy(self._rng.integers(len(sitters.agents), size=others))
        faces = torch.from_numpy(self._rng.integers(len(sitters.own), size=others))
        given = torch.where(agent, sitters.agents[which], sitters.own[faces])
        wanted = torch.where(agent, sitters.agents_seen[which], sitters.seen[faces])
        return torch.cat([sitters.own[indices[:own]], given]), wanted

    def _losses(
        self, real: Tensor, made: Tensor, natural: Tensor, indices: Tensor, wanted: Tensor
    ) -> tuple[Tensor, dict[str, float]]:
        weights, own = self.recipe.weights, self.recipe.own
        shown = shaken(aligned(made[own:]), self._rng).clamp(0, 1)
        found = functional.normalize(self.recogniser(shown))
        before = self.sitters.seen[indices[own:]].to(real.device)
        reached, kept = (found * wanted).sum(1), (found * before).sum(1)
        alike = alike_of_pairs(found) - alike_of_pairs(wanted)
        aims = torch.cat([real[:own], natural[own:]])
        with autocast(self.options.device):
            perceptual = self.perceptual(made, aims).float()
        with torch.no_grad():
            of_real = self.critic(real)
        of_made = self.critic(made)
        light, tone = (functional.avg_pool2d(pictures[own:], 8) for pictures in (made, natural))
        parts = {
            "pixels": functional.l1_loss(made[:own], real[:own]),
            "perceptual": perceptual[:own].mean(),
            "natural": perceptual[own:].mean(),
            "identity": 1 - reached.mean(),
            "push_away": kept.clamp_min(0).mean(),
            "apart": alike.clamp_min(0).mean(),
            "low_pass": functional.l1_loss(light, tone),
            "realism": realism(of_made),
            "matching": weak_matching(of_real, of_made),
        }
        total = sum_of(getattr(weights, name) * loss for name, loss in parts.items())
        return total, {name: float(loss.detach()) for name, loss in parts.items()}


def _new(recipe: SwapRecipe, start: Path | None) -> Swapper:
    network: Swapper = Swapper(recipe.widths, recipe.blocks, injection=recipe.injection)
    if start is not None:
        _begin_from(network, start)
    return network


def _begin_from(network: Swapper, folder: Path) -> None:
    """Take over every weight that another swapper has too; the injections may differ.

    Raises:
        ModelError: another size of network, or none.
    """
    known, own = read_network(folder, "Swapper").state_dict(), network.state_dict()
    shared = {name: value for name, value in known.items() if name in own}
    if not shared or any(own[name].shape != value.shape for name, value in shared.items()):
        raise ModelError(
            f"{folder.name} must hold a swapper of the same widths and blocks",
            hint="leave out --start-from, or name another",
        )
    network.load_state_dict(shared, strict=False)


def averages_of(batch: Portraits) -> Tensor:
    """The averages of a batch, (B, 3, S, S).

    Raises:
        ValueError: it was made without.
    """
    if batch.averages is None:
        raise ValueError("expected portraits with averages, got a batch that was made without")
    return batch.averages


def twice(batch: Portraits, own: int) -> Portraits:
    """A batch whose portraits after the first ``own``, an even number, come in pairs: half anew.

    Raises:
        ValueError: no even number of others.
    """
    half, odd = divmod(len(batch.indices) - own, 2)
    if odd or not half:
        raise ValueError(f"expected an even number of portraits after {own}, got {2 * half + odd}")
    pictures, landmarks, indices, averages = (
        torch.cat([part[: own + half], part[own : own + half]])
        for part in (batch.pictures, batch.landmarks, batch.indices, averages_of(batch))
    )
    return Portraits(pictures, landmarks, indices, averages)


def alike_of_pairs(vectors: Tensor) -> Tensor:
    """Cosines, (B / 2), of each of the first half of unit vectors, (B, D), and its twin."""
    first, second = vectors.chunk(2)
    return (first * second).sum(1)


def aligned(portraits: Tensor) -> Tensor:
    """Portraits, (B, 3, S, S), as a recogniser wants its faces: (B, 3, 112, 112)."""
    side = portraits.shape[-1]
    matrix = canonical_to_portrait(side)
    line = torch.arange(ALIGNED_SIDE, dtype=torch.float32, device=portraits.device)
    across, down = (
        2 * (float(matrix[axis, axis]) * line + float(matrix[axis, 2]) + 0.5) / side - 1
        for axis in (0, 1)
    )
    grid = torch.stack(torch.meshgrid(across, down, indexing="xy"), -1)
    grid = grid.expand(len(portraits), -1, -1, -1)
    return functional.grid_sample(portraits, grid, padding_mode="border", align_corners=False)


def shaken(faces: Tensor, rng: np.random.Generator) -> Tensor:
    """Aligned faces, (B, 3, S, S), each a little turned, scaled and moved, half of them mirrored.

    Most batches are made coarse besides, and half of the faces lack a part. What a recogniser sees
    in them all the same is a face, all over it, and not a pattern made to please it: an unseen one
    then sees it too.
    """
    count, side = len(faces), faces.shape[-1]
    angle, scale = rng.normal(0, 0.06, count), np.exp(rng.normal(0, 0.04, count))
    flip = np.where(rng.random(count) < 0.5, -1.0, 1.0)
    across, down = scale * np.cos(angle), scale * np.sin(angle)
    shift = rng.normal(0, 0.03, (count, 2))
    theta = np.stack([flip * across, -down, shift[:, 0], flip * down, across, shift[:, 1]], 1)
    matrices = torch.from_numpy(theta.reshape(count, 2, 3).astype(np.float32)).to(faces.device)
    grid = functional.affine_grid(matrices, list(faces.shape), align_corners=False)
    if rng.random() < 0.7:
        coarse = int(side * rng.uniform(0.3, 0.9))
        small = functional.interpolate(faces, (coarse, coarse), mode="bilinear", antialias=True)
        faces = functional.interpolate(small, (side, side), mode="bilinear")
    left = torch.ones(count, 1, side, side, device=faces.device)
    for one in np.flatnonzero(rng.random(count) < 0.5):
        height, width = (int(side * share) for share in rng.uniform(0.2, 0.45, 2))
        y, x = rng.integers(0, side - height), rng.integers(0, side - width)
        left[one, :, y : y + height, x : x + width] = 0
    # What is left out is as bright as the face: a hole would be seen first of all.
    faces = faces * left + faces.mean((2, 3), keepdim=True) * (1 - left)
    return functional.grid_sample(faces, grid, padding_mode="border", align_corners=False)
