"""One recipe per released model: what it is trained on, for what, and how hard."""

from dataclasses import dataclass

from engine.errors import UnknownModelError
from engine.training.batches import BatchConfig

BLUR_MASKS = {"gaussian": 1.0, "pixelate": 1.0, "median": 1.0, "sticker": 1.5}
OTHER_MASKS = {"superpixel": 0.1, "edge": 0.1, "extreme_blur": 0.1, "noise": 0.1, "box": 0.1}


@dataclass(frozen=True)
class LossWeights:
    """How much each loss counts; a loss of weight 0 is not computed.

    Attributes:
        protect: :func:`engine.training.losses.charbonnier` between mask and protected.
        recover: the same between original and recovered.
        wrong: the same between the wrong-key picture and what it should be (key noise, or mask).
        protect_l1, recover_l1: mean absolute differences (PRO-Face S, Sec. IV-E1, IV-E2).
        protect_lpips: LPIPS between mask and protected (the paper: 5).
        triplet_l1, triplet_lpips: the paper's wrong-key triplets, margin 1.
    """

    protect: float = 1.0
    recover: float = 2.0
    wrong: float = 0.1
    protect_l1: float = 0.0
    recover_l1: float = 0.0
    protect_lpips: float = 0.0
    triplet_l1: float = 0.0
    triplet_lpips: float = 0.0


@dataclass(frozen=True)
class Recipe:
    """All that a training needs besides data and minutes.

    Attributes:
        name: model family and variant, such as ``"proface-s-rand"``.
        wrong: what a wrong key should show, ``"rand"`` or ``"obfs"``.
        wrong_share: share of each batch that is also recovered with a wrong key.
        learning_rate: of AdamW at its height.
        warm_up_steps: steps until it gets there.
        clip_norm: greatest norm of the gradient.
        average: decay of the moving average of the weights, which is what is released.
    """

    name: str
    wrong: str
    weights: LossWeights
    batches: BatchConfig
    blocks: int = 3
    wrong_share: float = 1 / 3
    learning_rate: float = 1e-3
    warm_up_steps: int = 100
    clip_norm: float = 0.5
    average: float = 0.998


_PROFACE_BATCHES = BatchConfig(masks={**BLUR_MASKS, **OTHER_MASKS})

RECIPES: dict[str, Recipe] = {
    "proface-s-rand": Recipe(
        name="proface-s-rand",
        wrong="rand",
        weights=LossWeights(protect=1.0, recover=1.5, wrong=0.6),
        batches=_PROFACE_BATCHES,
    ),
    "proface-s-obfs": Recipe(
        name="proface-s-obfs",
        wrong="obfs",
        weights=LossWeights(protect=1.0, recover=1.5, wrong=1.0),
        batches=_PROFACE_BATCHES,
        learning_rate=7e-4,  # to be started from the weights of proface-s-rand
    ),
}


def find_recipe(name: str) -> Recipe:
    """Return a recipe by name.

    Raises:
        UnknownModelError: there is none of this name.
    """
    if name not in RECIPES:
        raise UnknownModelError(
            f"no recipe called {name!r}", hint=f"recipes: {', '.join(sorted(RECIPES))}"
        )
    return RECIPES[name]
