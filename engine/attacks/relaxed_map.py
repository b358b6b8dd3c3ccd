"""A key map as real numbers, so that it can be searched for along a gradient.

The attacker has the network: every output is a smooth function of the map, if the map may be
anything in [-1, 1]. And it need not be made a key again: the network takes real numbers as well,
and a map whose signs are as wrong as chance can recover all the same.
"""

from collections.abc import Callable

import torch
from torch import Tensor

from engine.networks.embedder import Embedder

__all__ = ["descend", "recovered_by", "signs"]

Loss = Callable[[Tensor], Tensor]
"""Takes pictures recovered under the map, (B, 3, H, W); returns one number, lower is better."""


def descend(
    network: Embedder,
    protected: Tensor,
    judge: Loss,
    steps: int,
    seed: int,
    *,
    learning_rate: float = 0.2,
) -> Tensor:
    """Search for the one map under which protected pictures recover best.

    Adam on ``map = tanh(t)`` from small random t.

    Args:
        network: the embedder, whose weights are public.
        protected: (B, 3, H, W), H and W even, all under the same map.
        judge: what the attacker takes for a better recovery.
        steps: passes through the network and back.
        seed: of the start.
        learning_rate: of Adam.

    Returns:
        (1, 1, H, W) in [-1, 1]: of the maps on the way, the one judged best.
    """
    generator = torch.Generator().manual_seed(seed)
    start = 0.1 * torch.randn(1, 1, *protected.shape[-2:], generator=generator)
    free = start.to(protected.device).requires_grad_(True)
    optimizer = torch.optim.Adam([free], lr=learning_rate)
    best, least = torch.tanh(free).detach(), float("inf")
    for _ in range(steps):
        optimizer.zero_grad(set_to_none=True)
        key_map = torch.tanh(free)
        loss = judge(network.recover(protected, key_map.expand(len(protected), -1, -1, -1)).float())
        if float(loss.detach()) < least:
            best, least = key_map.detach(), float(loss.detach())
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    return best


def signs(values: Tensor) -> Tensor:
    """The map that real numbers stand for: -1 or +1, never 0."""
    return torch.where(values.detach() < 0, -1.0, 1.0)


def recovered_by(network: Embedder, protected: Tensor, key_map: Tensor) -> Tensor:
    """What a map shows of protected pictures, (B, 3, H, W) in [0, 1]."""
    with torch.inference_mode():
        maps = key_map.expand(len(protected), -1, -1, -1)
        return network.recover(protected, maps).float().clamp(0, 1)
