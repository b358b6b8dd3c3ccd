"""How far made faces are from real ones, in a recogniser's eyes (Heusel et al., NeurIPS 2017)."""

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from engine._compat import ensure_torchvision


def frechet(real: npt.NDArray[np.float64], made: npt.NDArray[np.float64]) -> float:
    """Fréchet distance of two clouds of embeddings: of the Gaussians that fit them.

    Args:
        real: (N, D), N from 2.
        made: (M, D), M from 2.

    Returns:
        0 for clouds of one mean and one covariance; no upper limit.
    """
    ensure_torchvision()
    from torchmetrics.image.fid import FrechetInceptionDistance

    # What comes in are features already.
    distance = FrechetInceptionDistance(
        nn.Identity(), normalize=True, input_img_size=real.shape[1:]
    )
    distance.set_dtype(torch.float64)
    distance.update(torch.from_numpy(real), real=True)
    distance.update(torch.from_numpy(made), real=False)
    return float(distance.compute())
