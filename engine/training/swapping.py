"""The swapper in training: its recipe, its losses, its weights and their average, one step."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional

from engine.agents import GALLERY
from engine.errors import ModelError
from engine.masks.portrait import SIDE
from engine.masks.swap import FACESHIFTER, GALLERIES
from engine.networks.swapper import Injection, Swapper, conceal
from engine.training.critic import FeatureMaps, realism, sum_of, weak_matching
from engine.training.learner import TrainOptions
from engine.training.losses import Distance
from engine.training.opposed import Opposed, OpposedRecipe
from engine.training.pairs import alike_of_pairs, pairs_of
from engine.training.portraits import Portraits
from engine.training.precision import autocast
from engine.training.shown import aligned, lightened, shaken
from engine.zoo import read_network


@dataclass(frozen=True)
class SwapWeights:
    """Weights of the losses, and two limits.

    Attributes:
        pixels, perceptual: L1 and LPIPS where the identity is the portrait's own.
        natural: LPIPS to the average that is shown, where the identity is another's.
        identity: 1 - cosine to the identity asked for, by the recogniser in training.
        push_away: cosine to the portrait's own identity, where it is above 0.
        apart: square of what the cosine of a pair of one portrait's swaps has beyond ``far`` and
            beyond that of the identities asked for: few pairs are alike, and these are to be less.
        various: what LPIPS of such a pair, as light as they were made, aligned, at 56 pixels, lacks
            of ``variety``: about that of two real inner faces on one head. Patterns would be enough
            for a recogniser.
        far, variety: the limits.
        low_pass: L1 of averages of 8 x 8 pixels to those of the average that is shown, where the
            identity is another's: light and tone.
        realism: of the critic's verdict; ``matching``, of its deepest features.
    """

    pixels: float = 4.0
    perceptual: float = 3.0
    natural: float = 2.0
    identity: float = 1.0
    push_away: float = 0.3
    apart: float = 15.0
    far: float = 0.1
    various: float = 5.0
    variety: float = 0.11
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
        batch: portraits in a batch; ``own`` of them get their own identity back, the others
            ``each`` identities each, so that what is alike in their swaps can be pushed apart.
        agents, like: of :class:`engine.training.portraits.Casting`.
        gallery: whose agents these are.
        shares: of the swap's change in lightness that recogniser and critic are shown, one in
            each step: about what masks lay, the last for a source.
        held_out: every so many-th face is left out of training and tells how well it goes.
    """

    name: str
    injection: Injection
    widths: tuple[int, int, int] = (32, 80, 160)
    blocks: tuple[int, int, int] = (1, 2, 3)
    side: int = SIDE
    batch: int = 16
    own: int = 7
    each: int = 3
    agents: float = 0.75
    like: float = 0.75
    gallery: str = GALLERY
    shares: tuple[float, ...] = (0.55, 0.7, 1.0)
    held_out: int = 200
    weights: SwapWeights = SwapWeights()

    def __post_init__(self) -> None:
        """Refuse batches that no groups fill.

        Raises:
            ModelError: ``each`` below 2, or ``batch`` less ``own`` is no multiple of it above 0.
        """
        others = self.batch - self.own
        if self.each < 2 or others <= 0 or others % self.each:
            raise ModelError(
                f"expected groups of 2 or more to fill {others} places of a batch, "
                f"got groups of {self.each}",
                hint="change batch, own or each of the recipe",
            )


SWAPPERS = {
    "simswap": SwapRecipe("simswap", "adain"),
    "faceshifter": SwapRecipe("faceshifter", "aad", gallery=GALLERIES[FACESHIFTER]),
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

    @cached_property
    def given(self) -> Tensor:
        """Identities of all faces and then of the agents, (N + A, D)."""
        return torch.cat([self.own, self.agents])

    @cached_property
    def given_seen(self) -> Tensor:
        """What the recogniser of the losses sees, or would see, in them: (N + A, E)."""
        return torch.cat([self.seen, self.agents_seen])


class SwapTrainer(Opposed[Swapper, SwapRecipe]):
    """A swapper in training.

    Args:
        recipe: what to train.
        options: where and how long.
        sitters: whose faces they are.
        perceptual: LPIPS as a (B,) distance of images in [0, 1].
        recogniser: (B, 3, 112, 112), aligned, in [0, 1], to (B, E): what the losses see.
        features: of a frozen network, by which the critic judges besides.

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
        features: FeatureMaps,
    ) -> None:
        super().__init__(recipe, options, lambda: _new(recipe, options.start_from), features)
        self.sitters = sitters
        self.perceptual, self.recogniser = perceptual, recogniser

    def step(self, batch: Portraits) -> dict[str, float]:
        """One step of the swapper and one of its critic; returns every figure of it."""
        device = self.options.device
        averages, given = cast_of(batch)
        real, landmarks = batch.pictures.to(device), batch.landmarks.to(device)
        mattes, identities = batch.mattes.to(device), self.sitters.given[given].to(device)
        shown = conceal(real, mattes, averages.to(device))
        with autocast(device):
            drawn = self.model(shown, mattes, landmarks, identities).float()
        made = real + mattes * (drawn - real)
        natural = real + mattes * (shown - real)
        laid = self._laid(natural, made)
        window = self._window(real)
        judged = (self._known(real, natural)[window], laid[window], mattes[window])
        parts = self._losses(real, made, laid, natural, batch.indices, given)
        parts |= self._losses_to_critic(*judged)
        total = sum_of(getattr(self.recipe.weights, name) * loss for name, loss in parts.items())
        figures = {name: float(loss.detach()) for name, loss in parts.items()}
        return {**figures, **self.learn(total, *judged)}

    def _laid(self, natural: Tensor, made: Tensor) -> Tensor:
        """What onlookers are shown: what got its own identity as made, the others as masks lay."""
        share, own = float(self._rng.choice(self.recipe.shares)), self.recipe.own
        return torch.cat([made[:own], lightened(natural[own:], made[own:], share)])

    def _known(self, real: Tensor, natural: Tensor) -> Tensor:
        """What the critic takes for real: in the colours that are laid, which nobody can mend."""
        own = self.recipe.own
        return torch.cat([real[:own], lightened(natural[own:], real[own:], 1.0)])

    def _losses_to_critic(self, real: Tensor, laid: Tensor, mattes: Tensor) -> dict[str, Tensor]:
        """What the critic has the swapper learn; it looks at inner faces, the rest is as it was."""
        with torch.no_grad():
            of_real = self.critic.patches(real)
        of_laid = self.critic(laid)
        return {"realism": realism(of_laid, mattes), "matching": weak_matching(of_real, of_laid)}

    def _losses(
        self,
        real: Tensor,
        made: Tensor,
        laid: Tensor,
        natural: Tensor,
        indices: Tensor,
        given: Tensor,
    ) -> dict[str, Tensor]:
        """All losses but the critic's."""
        weights, own = self.recipe.weights, self.recipe.own
        shown = shaken(aligned(laid[own:]), self._rng).clamp(0, 1)
        found = functional.normalize(self.recogniser(shown))
        before = self.sitters.seen[indices[own:]].to(real.device)
        wanted = self.sitters.given_seen[given[own:]].to(real.device)
        reached, kept = (found * wanted).sum(1), (found * before).sum(1)
        each = self.recipe.each
        alike = alike_of_pairs(found, each) - alike_of_pairs(wanted, each).clamp_min(weights.far)
        aims = torch.cat([real[:own], natural[own:]])
        small = functional.avg_pool2d(aligned(lightened(natural[own:], made[own:], 1.0)), 2)
        with autocast(self.options.device):
            unlike = self.perceptual(*pairs_of(small, each)).float()
            perceptual = self.perceptual(made, aims).float()
        light, tone = (functional.avg_pool2d(pictures[own:], 8) for pictures in (made, natural))
        return {
            "pixels": functional.l1_loss(made[:own], real[:own]),
            "perceptual": perceptual[:own].mean(),
            "natural": perceptual[own:].mean(),
            "identity": 1 - reached.mean(),
            "push_away": kept.clamp_min(0).mean(),
            "apart": alike.clamp_min(0).square().mean(),
            "various": (weights.variety - unlike).clamp_min(0).mean(),
            "low_pass": functional.l1_loss(light, tone),
        }


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


def cast_of(batch: Portraits) -> tuple[Tensor, Tensor]:
    """The averages of a batch, (B, 3, S, S), and whose identity each portrait gets, (B,).

    Raises:
        ValueError: it was made without.
    """
    if batch.averages is None or batch.given is None:
        raise ValueError("expected a batch with averages and a casting, got one without")
    return batch.averages, batch.given
