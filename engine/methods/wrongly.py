"""What a wrong key shows, for every method in one place: the method's own picture, or another.

A method has one wrong recovery of its own, the first of its modes. Whatever else it was protected
with is shown by this program instead: the picture as it was shared, or a decoy. That hides from an
onlooker that the key was wrong; it hides nothing from someone who runs the method without this
module and looks at what comes out.
"""

from itertools import count
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from engine.masks import make_mask
from engine.masks.cartoon import character
from engine.masks.inner_face import LANDMARKS
from engine.masks.sticker import sticker_layer
from engine.methods.signature import BoundKey, Method, Place

_SHARE: Final = 0.85  # of the box's shorter side that the 112 px of a drawn face take up
_DRAWN: Final = 512  # longest side that a decoy is drawn at; larger ones are enlarged
_TINT: Final = (0.6, 1.4)  # how far the drawn skin may be darkened and lightened


def show_wrongly(
    method: Method, photo_u8: npt.NDArray[np.uint8], place: Place, key: BoundKey
) -> npt.NDArray[np.uint8]:
    """Show a place under a key that is not its own.

    Args:
        method: that protected it.
        photo_u8: the protected photograph, (H, W, 3).
        place: where; its ``wrong`` says what to show.
        key: any.

    Returns:
        (h, w, 3) of the place's box.

    Raises:
        MaskError: the box of a decoy is smaller than 2 pixels each way.
    """
    x0, y0, x1, y1 = place.box
    if place.wrong == "decoy":
        return draw_decoy(photo_u8[y0:y1, x0:x1], key)
    if place.wrong == "obfs" and method.wrong_modes[0] != "obfs":
        return photo_u8[y0:y1, x0:x1].copy()
    return method.recover_wrongly(photo_u8, place, key)


def draw_decoy(shared_u8: npt.NDArray[np.uint8], key: BoundKey) -> npt.NDArray[np.uint8]:
    """Draw a face that is nobody's over what was shared (DecoyWR): the same for the same key.

    The seed is ``key.stream(context, "decoy", 8)``, u64be, or the first number after it whose
    cartoon is a person. What was shared is blurred beyond recognition first, and gives the skin
    its colour.

    An onlooker who sees the wrong key's picture takes it for what was hidden, and another wrong key
    shows another face. Someone with this code knows that a drawn face is a decoy, and that the key
    was wrong: against him it hides nothing, nor does it have to, since the tag tells him the same.

    Args:
        shared_u8: the place as it was shared, (h, w, 3).
        key: any.

    Raises:
        MaskError: as :func:`engine.masks.make_mask`.
    """
    height, width = shared_u8.shape[:2]
    if max(height, width) > _DRAWN and min(height, width) > 1:
        smaller = _DRAWN / max(height, width)
        size = max(2, round(smaller * width)), max(2, round(smaller * height))
        small_u8 = np.asarray(cv2.resize(shared_u8, size, interpolation=cv2.INTER_AREA), np.uint8)
        decoy_u8 = draw_decoy(small_u8, key)
        enlarged = cv2.resize(decoy_u8, (width, height), interpolation=cv2.INTER_CUBIC)
        return np.asarray(enlarged, np.uint8)
    ground_u8 = make_mask("extreme_blur", shared_u8)
    first = int.from_bytes(key.key.stream(key.context, "decoy", 8), "big")
    seed = next(seed for seed in count(first) if character(seed).kind == "human")
    scale = _SHARE * min(height, width) / 112
    landmarks = (LANDMARKS - LANDMARKS.mean(0)) * scale + (width / 2, 0.52 * height)
    colour, matte = sticker_layer(height, width, landmarks=landmarks, seed=seed)
    middle_u8 = ground_u8[height // 3 : -(-2 * height // 3), width // 3 : -(-2 * width // 3)]
    skin = np.asarray(character(seed).coat, np.float32)
    tint = np.clip(middle_u8.mean((0, 1)) / skin, *_TINT).astype(np.float32)
    laid = np.minimum(colour * tint, 255 * matte) + ground_u8 * (1 - matte)
    return np.asarray(np.clip(laid + 0.5, 0, 255), np.uint8)
