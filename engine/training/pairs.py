"""Pairs within the groups of a batch: several swaps of one portrait, which shall be unlike."""

import torch
from torch import Tensor


def alike_of_pairs(vectors: Tensor, each: int) -> Tensor:
    """Cosines, one for each of :func:`pairs_of`, of unit vectors, (B, D)."""
    first, second = pairs_of(vectors, each)
    return (first * second).sum(1)


def pairs_of(things: Tensor, each: int) -> tuple[Tensor, Tensor]:
    """First and second of all pairs within each group of ``each`` that follow.

    Args:
        things: (B, ...), B a multiple of ``each``.
        each: 2 or more.

    Returns:
        Two of (B (each - 1) / 2, ...).

    Raises:
        ValueError: groups of one, or a group is not whole.
    """
    if each < 2 or len(things) % each:
        raise ValueError(f"expected groups of 2 or more, got {len(things)} in groups of {each}")
    groups = things.reshape(-1, each, *things.shape[1:])
    first, second = torch.triu_indices(each, each, 1, device=things.device)
    return groups[:, first].flatten(0, 1), groups[:, second].flatten(0, 1)
