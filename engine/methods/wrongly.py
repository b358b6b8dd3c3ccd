"""What a wrong key shows, for every method in one place: the method's own picture, or another.

A method has one wrong recovery of its own, the first of its modes. Whatever else it was protected
with is shown by this program instead: the picture as it was shared, or a decoy. That hides from an
onlooker that the key was wrong; it hides nothing from someone who runs the method without this
module and looks at what comes out.
"""

import numpy as np
import numpy.typing as npt

from engine.methods.decoy import lay_decoy
from engine.methods.signature import BoundKey, Method, Place


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
        ModelError: what a decoy needs is not here, as :func:`engine.methods.decoy.lay_decoy`.
    """
    x0, y0, x1, y1 = place.box
    if place.wrong == "decoy":
        return lay_decoy(photo_u8[y0:y1, x0:x1], key, place.mask)
    if place.wrong == "obfs" and method.wrong_modes[0] != "obfs":
        return photo_u8[y0:y1, x0:x1].copy()
    return method.recover_wrongly(photo_u8, place, key)
