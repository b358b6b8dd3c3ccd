"""One crop through an embedder, both ways; apart from the method so that it alone needs torch."""

from collections.abc import Callable
from typing import cast

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from engine.errors import MethodError
from engine.images import from_u8, to_u8
from engine.keys import key_map_tensor
from engine.methods.signature import BoundKey
from engine.networks.embedder import Embedder
from engine.networks.imn import Imn
from engine.scramble import Shuffle, keyed_shuffle, no_key, scramble, unscramble
from engine.zoo import load_model

TILE = 768
"""Side of the tiles that a large crop is cut in, pixels, even."""

MAX_ERROR = 255**2 / 10**2
"""Mean squared difference from the mask that may go out, in squared levels: a PSNR of 20 dB."""


MAX_SCRAMBLED = 4_194_304
"""Most pixels of a crop that is scrambled, 2048 x 2048: a shuffle is held whole, in memory that
grows with the crop and not with its tiles."""


def load(model: str, *, keyless: bool = False) -> Embedder | Imn:
    """Load a released network that hides and recovers.

    Raises:
        MethodError: the model is another kind of network.
        ModelError: as :func:`engine.zoo.load_model`.
    """
    kind = Imn if keyless else Embedder
    network = load_model(model)
    if not isinstance(network, kind):
        raise MethodError(
            f"{model} must be an {kind.__name__}, got a {type(network).__name__}",
            hint="get assets/models again from a clean clone",
        )
    return cast(Embedder | Imn, network)


def load_embedder(model: str) -> Embedder:
    """:func:`load` of one that takes a key map."""
    return cast(Embedder, load(model))


def protect_crop(
    network: Embedder | Imn,
    original_u8: npt.NDArray[np.uint8],
    mask_u8: npt.NDArray[np.uint8],
    key: BoundKey | None,
    *,
    scrambled: bool = False,
) -> npt.NDArray[np.uint8]:
    """Hide one crop in its mask; both (h, w, 3) uint8, any size from 1 x 1.

    With ``scrambled`` the key scrambles the crop, and the network is given no key. Without a key
    the network is one that knows none.

    Raises:
        MethodError: what came out is not the mask to the eye, and nothing may go out then; or the
            crop is too large to scramble.
    """
    if scrambled and original_u8.shape[0] * original_u8.shape[1] > MAX_SCRAMBLED:
        raise MethodError(
            f"a face that is scrambled may have {MAX_SCRAMBLED:,} pixels, got "
            f"{original_u8.shape[1]} x {original_u8.shape[0]}",
            hint="protect it with --method sealed, draw a smaller --box, or scale the picture down",
        )
    original = from_u8(original_u8)
    if scrambled and key:  # before the padding, which would spread what is cut off again everywhere
        original = scramble(original, _shuffle(key, original))
    original, mask = padded(original), padded(from_u8(mask_u8))
    key_map = [no_key(original)] if scrambled else _key_map(key, original)
    protected = _hide(network, original, mask, *key_map)
    protected_u8 = _to_u8(network.rounded(protected), *mask_u8.shape[:2])
    error = np.square(protected_u8.astype(np.float32) - mask_u8).mean()
    if error > MAX_ERROR:
        raise MethodError(
            f"the network must hide this face within {MAX_ERROR:.0f} mean squared levels of its "
            f"mask, got {error:.0f}",
            hint="protect it with --method sealed, or with another mask",
        )
    return protected_u8


def recover_crop(
    network: Embedder | Imn,
    protected_u8: npt.NDArray[np.uint8],
    key: BoundKey | None,
    *,
    scrambled: bool = False,
) -> npt.NDArray[np.uint8]:
    """Bring one crop back, (h, w, 3) uint8; with a wrong key, the wrong-recovery picture.

    Without a key the network is one that knows none.
    """
    height, width = protected_u8.shape[:2]
    if scrambled and key:
        hidden = recover_hidden(network, protected_u8)
        return _to_u8(unscramble(hidden, _shuffle(key, hidden)), height, width)
    protected = padded(from_u8(protected_u8))
    recovered = _bring_back(network, protected, *_key_map(key, protected))
    return _to_u8(recovered, height, width)


def recover_hidden(network: Embedder | Imn, protected_u8: npt.NDArray[np.uint8]) -> Tensor:
    """Bring back the scrambled picture that a network without a key hides, as anyone can.

    Args:
        network: the embedder that protected it.
        protected_u8: (h, w, 3).

    Returns:
        (1, 3, h, w), not clamped.
    """
    height, width = protected_u8.shape[:2]
    protected = padded(from_u8(protected_u8))
    found = _bring_back(network, protected, no_key(protected))
    return found[..., :height, :width]


def recover_by_map(
    network: Embedder, protected_u8: npt.NDArray[np.uint8], key_map: npt.NDArray[np.int8]
) -> npt.NDArray[np.uint8]:
    """Bring one crop back by a given key map, (h, w, 3) uint8.

    Args:
        network: the embedder that protected it.
        protected_u8: (h, w, 3).
        key_map: -1 and +1, of the crop's sides made even.
    """
    protected = padded(from_u8(protected_u8))
    recovered = _bring_back(network, protected, key_map_tensor(key_map))
    return _to_u8(recovered, *protected_u8.shape[:2])


def padded(image: Tensor) -> Tensor:
    """As :func:`engine.images.pad_to_even`, for what may leave [0, 1] as well.

    Args:
        image: (B, C, H, W); it is not changed.

    Returns:
        The same with its last row and column repeated where a side is odd.
    """
    height, width = image.shape[-2:]
    if height % 2 or width % 2:
        image = torch.nn.functional.pad(image, (0, width % 2, 0, height % 2), mode="replicate")
    return image


def _hide(network: Embedder | Imn, original: Tensor, *others: Tensor) -> Tensor:
    """Protect in tiles; pre-emphasis sees all of the picture at once, and so comes before."""
    return _in_tiles(network, network.embed, network.emphasized(original), *others)


def _bring_back(network: Embedder | Imn, *images: Tensor) -> Tensor:
    """Recover in tiles, and lower the emphasis of the whole."""
    return network.deemphasized(_in_tiles(network, network.extract, *images))


def _in_tiles(network: Embedder | Imn, run: Callable[..., Tensor], *images: Tensor) -> Tensor:
    """Run a network over a crop of any size in bounded memory, with the result of one run.

    Each of the 2N - 1 sub-networks in a row looks five cells of two pixels further, so a tile with
    that margin holds all that its middle depends on.
    """
    margin = 10 * (2 * network.config.blocks - 1)
    height, width = images[0].shape[-2:]
    result = torch.empty_like(images[0])
    for top in range(0, height, TILE):
        for left in range(0, width, TILE):
            y0, x0 = max(0, top - margin), max(0, left - margin)
            bottom, right = min(height, top + TILE), min(width, left + TILE)
            area = slice(y0, min(height, bottom + margin)), slice(x0, min(width, right + margin))
            with torch.inference_mode():
                tile = run(*(image[..., *area].to(network.device) for image in images))
            middle = tile[..., top - y0 : bottom - y0, left - x0 : right - x0]
            result[..., top:bottom, left:right] = middle.cpu()
    return result


def _key_map(key: BoundKey | None, image: Tensor) -> list[Tensor]:
    """The key map that a network takes, or nothing for one that takes none."""
    if key is None:
        return []
    return [key_map_tensor(key.key.map(key.context, image.shape[-2], image.shape[-1]))]


def _shuffle(key: BoundKey, image: Tensor) -> Shuffle:
    return keyed_shuffle(key.key, key.context, image.shape[-2], image.shape[-1])


def _to_u8(image: Tensor, height: int, width: int) -> npt.NDArray[np.uint8]:
    return to_u8(image[..., :height, :width].float().clamp(0, 1))
