"""A key map as real numbers, so that it can be searched for along a gradient.

The attacker has the network: every output is a smooth function of the map, if the map may be
anything in [-1, 1]. And it need not be made a key again: the network takes real numbers as well,
and a map whose signs are as wrong as chance can recover all the same.
"""

from collections.abc import Callable, Iterator

import numpy as np
import torch
from torch import Tensor

from engine.networks.embedder import Embedder
from engine.training.losses import charbonnier

__all__ = ["FIT_RATE", "descend", "fit", "recovered_by", "signs"]

Loss = Callable[[Tensor], Tensor]
"""Takes pictures recovered under the map, (B, 3, H, W); returns one number, lower is better."""

FIT_RATE = 0.05
"""Adam's for a fit: at four times as much, faces of 48 px were not recovered in 120 steps."""

_SEARCH_RATE = 0.2


def descend(network: Embedder, protected: Tensor, judge: Loss, steps: int, seed: int) -> Tensor:
    """Search for the one map under which protected pictures recover best.

    Adam on ``map = tanh(t)`` from small random t.

    Args:
        network: the embedder, whose weights are public.
        protected: (B, 3, H, W), H and W even, all under the same map.
        judge: what the attacker takes for a better recovery.
        steps: passes through the network and back.
        seed: of the start.

    Returns:
        (1, 1, H, W) in [-1, 1]: of the maps on the way, the one judged best.
    """

    def loss(key_map: Tensor, step: int) -> Tensor:
        del step
        return judge(network.recover(protected, key_map.expand(len(protected), -1, -1, -1)).float())

    return min(_way(protected, loss, steps, seed, _SEARCH_RATE), key=lambda one: one[1])[0]


def fit(
    network: Embedder,
    protected: Tensor,
    originals: Tensor,
    steps: int,
    seed: int,
    *,
    batch: int,
) -> Tensor:
    """Fit one map to protected pictures whose originals are known, as :func:`descend` does.

    Args:
        network: the embedder, whose weights are public.
        protected: (N, 3, H, W), H and W even, all under the same map or taken to be.
        originals: of the same shape.
        steps: passes of a batch through the network and back.
        seed: of the start, and of the batches.
        batch: pairs in a step, drawn anew for each; all of them where there are no more.

    Returns:
        (1, 1, H, W) in [-1, 1]: the last, since losses on different pairs cannot be compared.
    """

    def loss(key_map: Tensor, step: int) -> Tensor:
        rng = np.random.default_rng([seed, step])
        rows = torch.from_numpy(rng.permutation(len(protected))[:batch]).to(protected.device)
        made = network.recover(protected[rows], key_map.expand(len(rows), -1, -1, -1)).float()
        return charbonnier(made, originals[rows]).sum()

    *_, (key_map, _) = _way(protected, loss, steps, seed, FIT_RATE)
    return key_map


def _way(
    protected: Tensor, loss: Callable[[Tensor, int], Tensor], steps: int, seed: int, rate: float
) -> Iterator[tuple[Tensor, float]]:
    """The maps of each step of Adam, with their losses."""
    generator = torch.Generator().manual_seed(seed)
    start = 0.1 * torch.randn(1, 1, *protected.shape[-2:], generator=generator)
    free = start.to(protected.device).requires_grad_(True)
    optimizer = torch.optim.Adam([free], lr=rate)
    for step in range(steps):
        optimizer.zero_grad(set_to_none=True)
        key_map = torch.tanh(free)
        value = loss(key_map, step)
        value.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        yield key_map.detach(), float(value.detach())


def signs(values: Tensor) -> Tensor:
    """The map that real numbers stand for: -1 or +1, never 0."""
    return torch.where(values.detach() < 0, -1.0, 1.0)


def recovered_by(network: Embedder, protected: Tensor, key_map: Tensor) -> Tensor:
    """What a map shows of protected pictures, (B, 3, H, W) in [0, 1]."""
    with torch.inference_mode():
        maps = key_map.expand(len(protected), -1, -1, -1)
        return network.recover(protected, maps).float().clamp(0, 1)
