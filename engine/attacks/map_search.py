"""Searches for the key map with the network in hand: along its gradient, and tile by tile.

The attacker has one protected file and the weights, and no original. A recovery
is taken for better the smoother it is, the less it leaves [0, 1], and, where the mask is a fixed
filter that the header names, the nearer the recovery under that filter comes to the protected
picture. Nothing is chosen by looking at the original. That judgement sharpens a blurred picture by
itself, so what a map gains is counted over a control: a picture that starts as the protected one
and descends the same loss for as many steps, without network or map, the best of several rates by
the original itself, in the control's favour. The protected picture has rows of its own.
"""

from collections.abc import Callable, Iterator
from typing import cast

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d, conv2d, pad

from engine.attacks.attack import Attack, AttackConfig, Outcome, Scene, Target
from engine.attacks.keys import Trial, random_key
from engine.attacks.pairs import scaled_strength
from engine.attacks.relaxed_map import descend, recovered_by, signs
from engine.attacks.revealing import as_scores, compare, gains, metrics
from engine.images import from_u8, pad_to_even, to_u8
from engine.masks import Preset
from engine.methods import find_method
from engine.methods.embedding import load_embedder
from engine.methods.proface_s import ProfaceS
from engine.metrics import psnr_db
from engine.networks.embedder import Embedder
from engine.training.batches import PAPER_SIDE, random_key_map

__all__ = ["ATTACK", "climb", "mask_again", "prior", "prior_alone"]

_STEPS = 100
_TILE = 16
_CANDIDATES = 4
"""Maps tried in one pass of the climb; a pass forwards costs a third of one forwards and back."""

_CONTROL = "prior"

_PICTURE_RATES = (0.001, 0.003, 0.01, 0.03)
_SHAKE = 0.03
"""Of the control's start: a mosaic lies where no single pixel can move without a loss."""

Filter = Callable[[Tensor], Tensor]


def mask_again(mask: str, preset: Preset, height: int, width: int) -> Filter | None:
    """Give a mask's filter as torch computes it, where there is a smooth one.

    Args:
        mask: name.
        preset: of its strength.
        height: of the face.
        width: of the face.

    Returns:
        From (B, 3, H, W) to the same shape; None for a mask that is no such filter.
    """
    times = 1.0 if preset == "paper" else min(height, width) / PAPER_SIDE
    if mask == "gaussian":
        strength = scaled_strength(mask, times)
        return lambda image: _blur(image, int(strength["kernel"]), strength["sigma"])
    if mask == "pixelate":
        block = int(scaled_strength(mask, times)["block"])
        return lambda image: _pixelate(image, block)
    return None


def prior(protected: Tensor, again: Filter | None, smoothness: float = 1.0) -> Filter:
    """Judge recoveries of one protected picture, lower is better, without the original.

    Args:
        protected: (1, 3, H, W) in [0, 1].
        again: the mask's filter, where it is known.
        smoothness: weight of the total variation.

    Returns:
        From (B, 3, H, W) to (B,).
    """

    def judge(recovered: Tensor) -> Tensor:
        down = (recovered[..., 1:, :] - recovered[..., :-1, :]).abs().flatten(1).mean(1)
        right = (recovered[..., 1:] - recovered[..., :-1]).abs().flatten(1).mean(1)
        outside = (recovered - recovered.clamp(0, 1)).abs().flatten(1).mean(1)
        loss = smoothness * (down + right) + 2 * outside
        if again is not None:
            loss = loss + 2 * (again(recovered) - protected).abs().flatten(1).mean(1)
        return loss

    return judge


def climb(network: Embedder, protected: Tensor, judge: Filter, passes: int, seed: int) -> Tensor:
    """Search tile by tile: roll one tile of the map anew, keep it if the recovery is judged better.

    Args:
        network: the embedder.
        protected: (1, 3, H, W).
        judge: from :func:`prior`.
        passes: of :data:`_CANDIDATES` maps each, through the network.
        seed: of the start and the tiles.

    Returns:
        (1, 1, H, W) of -1 and +1.
    """
    rng = np.random.default_rng(seed)
    height, width = protected.shape[-2:]
    best = random_key_map(1, height, width, rng).to(protected.device)
    many = protected.expand(_CANDIDATES, -1, -1, -1)
    least = float("inf")
    for _ in range(passes):
        tries = best.repeat(_CANDIDATES, 1, 1, 1)
        for i in range(1 if least == float("inf") else 0, _CANDIDATES):
            top = int(rng.integers(0, max(1, height - _TILE + 1)))
            left = int(rng.integers(0, max(1, width - _TILE + 1)))
            part = tries[i, :, top : top + _TILE, left : left + _TILE]
            part.copy_(random_key_map(1, part.shape[-2], part.shape[-1], rng)[0])
        with torch.inference_mode():
            losses = judge(network.recover(many, tries).float())
        if float(losses.min()) < least:
            least, best = float(losses.min()), tries[int(losses.argmin())][None]
    return best


def prior_alone(protected: Tensor, judge: Filter, steps: int, seed: int, rate: float) -> Tensor:
    """What the judgement makes of a protected picture without any network or map.

    Adam on the pixels themselves, from the protected ones and a little noise.

    Args:
        protected: (1, 3, H, W).
        judge: from :func:`prior`.
        steps: of Adam.
        seed: of the noise.
        rate: of Adam.

    Returns:
        (1, 3, H, W) in [0, 1]: of the pictures on the way, the one judged best.
    """
    generator = torch.Generator().manual_seed(seed)
    noise = torch.randn(protected.shape, generator=generator).to(protected.device)
    free = (protected + _SHAKE * noise).requires_grad_(True)
    optimizer = torch.optim.Adam([free], lr=rate)
    best, least = protected, float("inf")
    for _ in range(steps):
        optimizer.zero_grad(set_to_none=True)
        loss = judge(free).sum()
        if float(loss.detach()) < least:
            best, least = free.detach().clone(), float(loss.detach())
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    return best.clamp(0, 1)


def _run(scene: Scene) -> Iterator[Outcome]:
    """Who has one protected file and the network, and no key, wants a map that shows the face."""
    for method, mask in scene.combinations():
        network, faces = _network(method, scene.config.device), []
        for target in scene.targets(method, mask):
            faces.append(_search(scene, network, target))
            yield Outcome(as_scores(target.record, method, mask, faces[-1]))
        for found in ("searched", "searched_signs", "climbed"):
            pair = f"{found}:{_CONTROL}"
            values = gains(faces, found, _CONTROL).items()
            yield Outcome(tuple(scene.whole_run(method, mask, pair, *value) for value in values))


def _search(scene: Scene, network: Embedder, target: Target) -> dict[tuple[str, str], float]:
    config, steps = scene.config, scene.config.tries or _STEPS
    protected, (height, width) = pad_to_even(from_u8(target.protected_u8))
    protected = protected.to(network.device)
    again = mask_again(target.mask, config.preset, *protected.shape[-2:])
    judge = prior(protected, again)
    relaxed = descend(network, protected, lambda r: judge(r).sum(), steps, config.seed)
    maps = {
        "searched": relaxed,
        "searched_signs": signs(relaxed),
        "climbed": climb(network, protected, judge, steps, config.seed),
    }
    trial = Trial(target.file)
    pictures = {name: recovered_by(network, protected, found) for name, found in maps.items()}
    alone = [prior_alone(protected, judge, steps, config.seed, rate) for rate in _PICTURE_RATES]
    original, _ = pad_to_even(from_u8(target.original_u8))
    pictures[_CONTROL] = max(alone, key=lambda one: psnr_db(original, one.cpu()).item())
    shown = {name: to_u8(picture[..., :height, :width].cpu()) for name, picture in pictures.items()}
    shown |= {
        "wrong_key": trial.show(random_key()),
        "right_key": trial.show(target.key),
        "protected": target.protected_u8,
    }
    return compare(target.record, target.original_u8, shown, metrics())


def _has_map(name: str) -> bool:
    method = find_method(name)
    return isinstance(method, ProfaceS) and not method.scrambled


def _network(name: str, device: str) -> Embedder:
    return cast(Embedder, load_embedder(cast(ProfaceS, find_method(name)).model).to(device))


def _blur(image: Tensor, kernel: int, sigma: float) -> Tensor:
    """OpenCV's Gaussian with its mirrored border, in floats."""
    line = torch.from_numpy(cv2.getGaussianKernel(kernel, sigma)[:, 0]).to(image)
    half = kernel // 2
    planes = pad(image, (half, half, half, half), mode="reflect").flatten(0, 1)[:, None]
    blurred = conv2d(conv2d(planes, line.view(1, 1, -1, 1)), line.view(1, 1, 1, -1))
    return blurred.view_as(image)


def _pixelate(image: Tensor, block: int) -> Tensor:
    height, width = image.shape[-2:]
    means = avg_pool2d(image, block, ceil_mode=True, count_include_pad=False)
    large = means.repeat_interleave(block, -2).repeat_interleave(block, -1)
    return large[..., :height, :width]


def _budget(config: AttackConfig) -> str:
    steps = config.tries or _STEPS
    return (
        f"for each face {steps} steps of Adam through the network and back, and {steps} passes "
        f"of {_CANDIDATES} maps that differ in a tile of {_TILE} px; for the control {steps} "
        f"steps on a free picture at each of {len(_PICTURE_RATES)} rates"
    )


ATTACK = Attack(
    name="map-search",
    title="White-box map search",
    knowledge="one protected file, the program and its weights, so the network and the mask's name",
    goal="a key map that shows the face, without the passphrase",
    budget=_budget,
    run=_run,
    suits=_has_map,
    needs="a key map to search for",
)
