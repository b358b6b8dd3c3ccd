"""Shows what the released attackers make of a protected face, for the door and the demo.

An attacker is one of the networks that ``python -m engine attack keyless`` trains, released as the
model ``reveal-METHOD.vN``; its control, ``reveal-mask.vN``, saw masks alone.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

from engine import zoo
from engine.errors import UnknownModelError
from engine.masks import MASKS
from engine.methods import METHODS, find_method

__all__ = ["CONTROL", "attacker_name", "learned_masks", "reveal", "revealed_methods"]

CONTROL: Final = "mask"
"""What stands for a method in the control's name: there is none."""

_FAMILY: Final = "reveal-"

U8 = npt.NDArray[np.uint8]


def attacker_name(method: str) -> str:
    """The family of the model that attacks a method, or of the control."""
    return f"{_FAMILY}{method}"


def revealed_methods() -> tuple[str, ...]:
    """The methods that a released attacker was trained against, in the registry's order.

    One that was trained against older weights of a method does not count, nor does any without a
    released control, which alone says what of its picture the method gave away.

    Returns:
        Names in :data:`engine.methods.METHODS`; none where no attacker is released.

    Raises:
        WeightsMissingError, WeightsHashError: as :func:`engine.zoo.find_card`.
    """
    if _newest(CONTROL) is None:
        return ()
    return tuple(name for name in METHODS if _newest(name) is not None)


def learned_masks(method: str | None = None) -> tuple[str, ...]:
    """The masks that a released attacker was trained and measured on, in the table's order.

    Args:
        method: of :func:`revealed_methods`; None or ``"mask"`` for the control.

    Returns:
        Names in :data:`engine.masks.MASKS`, as the figures of its card have them.

    Raises:
        UnknownModelError: no attacker of this method is released.
        MethodError: there is no such method.
        WeightsMissingError, WeightsHashError: as :func:`engine.zoo.find_card`.
    """
    figures = zoo.find_card(_released(method or CONTROL)).figures
    told = {name.partition(" ")[0].partition(":")[0] for name in figures}
    return tuple(mask for mask in MASKS if mask in told)


def reveal(face_u8: U8, method: str | None = None) -> U8:
    """Show what an attacker without any key gets from a protected face.

    Only beside the control does that say anything: both restore what the mask leaves, and what the
    attacker shows more of the face comes from the method.

    Args:
        face_u8: (H, W, 3), RGB, 0..255: a face's crop of a protected picture, or its mask for the
            control. The attackers learned faces of 112 x 112 px: one of another size is brought to
            that size and its picture back again, which can wipe out traces that a method leaves, so
            to show all that an attacker gets, protect the face at 112 px.
        method: that protected it, of :func:`revealed_methods`; None or ``"mask"`` for the control.

    Returns:
        The attacker's reconstruction, (H, W, 3).

    Raises:
        UnknownModelError: no attacker of this method is released.
        MethodError: there is no such method.
        ImageShapeError: no picture.
        ModelError: as :func:`engine.zoo.load_model`.
    """
    name = _released(method or CONTROL)
    # Here: the door and the list of methods need no torch.
    from engine.attacks import revealing
    from engine.attacks.target import resized
    from engine.images import from_u8
    from engine.training.batches import PAPER_SIDE

    from_u8(face_u8)  # refuses what is no picture
    height, width = face_u8.shape[:2]
    shown_u8 = revealing.reveal(
        resized(face_u8, PAPER_SIDE, PAPER_SIDE), revealing.load_reveal(name)
    )
    return resized(shown_u8, height, width)


def _released(method: str) -> str:
    """The model that attacks a method, or the control; an error where there is none."""
    name = _newest(method)
    if name is None:
        if method != CONTROL:
            find_method(method)
        known = ", ".join(revealed_methods()) or "none yet"
        raise UnknownModelError(
            f"no attacker of {method} is released", hint=f"methods with one: {known}"
        )
    return name


def _newest(method: str) -> str | None:
    """The newest released attacker of a method as it is now, or control; None without one."""
    family = attacker_name(method) + ".v"
    tags = [int(name.removeprefix(family)) for name in zoo.RELEASED if name.startswith(family)]
    if not tags:
        return None
    attacked = METHODS[method].model_hash().hex() if method in METHODS else ""
    names = (f"{family}{tag}" for tag in sorted(tags, reverse=True))
    return next((name for name in names if zoo.find_card(name).attacked == attacked), None)
