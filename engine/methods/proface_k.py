"""Proface-k: what the network hides is scrambled by the key first, so the network cannot leak it.

The network is PRO-Face S's and has no secret: whoever has its weights gets the scrambled picture
back, coloured noise with the spectrum of a face. The key alone undoes the scrambling
(:mod:`engine.scramble`), so a wrong key needs no training to show noise.
"""

import numpy as np
import numpy.typing as npt

from engine.methods.proface_s import ProfaceS
from engine.methods.signature import BoundKey, Place


class ProfaceK(ProfaceS):
    """One released embedder behind a keyed scrambling."""

    scrambled = True

    def recover_wrongly(
        self, photo_u8: npt.NDArray[np.uint8], place: Place, key: BoundKey
    ) -> npt.NDArray[np.uint8]:
        """Noise, or the picture as it was shared: the choice of whoever protected it.

        The second hides from an onlooker that anything was tried; it hides nothing from someone
        who runs the network by himself and sees the noise.
        """
        if place.wrong == "obfs":
            x0, y0, x1, y1 = place.box
            return photo_u8[y0:y1, x0:x1].copy()
        return self.recover(photo_u8, place, key)
