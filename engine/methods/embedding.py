"""One crop through an embedder, both ways; apart from the method so that it alone needs torch."""

from typing import cast

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from engine.errors import MethodError
from engine.images import from_u8, pad_to_even, to_u8
from engine.keys import key_map_tensor
from engine.methods.signature import BoundKey
from engine.networks.embedder import Embedder
from engine.zoo import load_model


def load(model: str) -> Embedder:
    """Load a released embedder.

    Raises:
        MethodError: the model is another kind of network.
        ModelError: as :func:`engine.zoo.load_model`.
    """
    network = load_model(model)
    if not isinstance(network, Embedder):
        raise MethodError(
            f"{model} must be an Embedder, got a {type(network).__name__}",
            hint="get assets/models again from a clean clone",
        )
    return cast(Embedder, network)


def protect_crop(
    network: Embedder,
    original_u8: npt.NDArray[np.uint8],
    mask_u8: npt.NDArray[np.uint8],
    key: BoundKey,
) -> npt.NDArray[np.uint8]:
    """Hide one crop in its mask; both (h, w, 3) uint8, any size from 1 x 1."""
    original, (height, width) = pad_to_even(from_u8(original_u8))
    mask, _ = pad_to_even(from_u8(mask_u8))
    key_map = _key_map(key, original)
    with torch.inference_mode():
        protected = network.protect(*(t.to(network.device) for t in (original, mask, key_map)))
    return _to_crop(protected, height, width)


def recover_crop(
    network: Embedder, protected_u8: npt.NDArray[np.uint8], key: BoundKey
) -> npt.NDArray[np.uint8]:
    """Bring one crop back, (h, w, 3) uint8; with a wrong key, the wrong-recovery picture."""
    protected, (height, width) = pad_to_even(from_u8(protected_u8))
    key_map = _key_map(key, protected)
    with torch.inference_mode():
        recovered = network.recover(protected.to(network.device), key_map.to(network.device))
    return _to_crop(recovered, height, width)


def _key_map(key: BoundKey, image: Tensor) -> Tensor:
    return key_map_tensor(key.key.map(key.context, image.shape[-2], image.shape[-1]))


def _to_crop(image: Tensor, height: int, width: int) -> npt.NDArray[np.uint8]:
    return to_u8(image[..., :height, :width].float().clamp(0, 1).cpu())
