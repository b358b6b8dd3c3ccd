"""Pairs of pictures to score: noise, and crops of a photograph beside noisier copies of them."""

import skimage.data
import torch
from torch import Tensor


def noise(*shape: int, seed: int = 0) -> Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed))


def faces() -> tuple[Tensor, Tensor]:
    """Three crops of a photograph, and each of them noisier than the last."""
    photo = torch.from_numpy(skimage.data.astronaut()).permute(2, 0, 1).float() / 255
    first = torch.stack([photo[:, y : y + 64, 180:260] for y in (60, 100, 200)])
    spread = torch.tensor([0.01, 0.05, 0.2]).view(3, 1, 1, 1)
    return first, (first + spread * (noise(*first.shape) - 0.5)).clamp(0, 1)
