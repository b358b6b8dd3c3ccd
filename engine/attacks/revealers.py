"""The released attackers, by the method that each was trained against; none is here yet."""

import numpy as np
import numpy.typing as npt

from engine.errors import MethodError

__all__ = ["reveal", "revealed_methods"]


def revealed_methods() -> tuple[str, ...]:
    """Methods against which a trained attacker is released; ``"mask"`` is the control's."""
    return ()


def reveal(face_u8: npt.NDArray[np.uint8], method: str) -> npt.NDArray[np.uint8]:
    """Show what a released attacker without any key makes of a face, (H, W, 3) uint8.

    Args:
        face_u8: protected by ``method``; or the mask alone, for ``"mask"``.
        method: of :func:`revealed_methods`.

    Raises:
        MethodError: no attacker is released against this method.
    """
    del face_u8
    raise MethodError(
        f"no trained attacker is released against {method!r}",
        hint="train one with python -m engine attack keyless",
    )
