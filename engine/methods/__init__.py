"""Ways to protect and recover: one signature, one literal registry.

A method sees a whole photograph whose faces are masked already, and hides each crop's original in
it. What it needs for recovery besides the key it notes in at most 64 bytes per crop, which travel
in the header.
"""

import difflib

from engine.errors import MethodError, ModelError
from engine.methods.imn import InvertibleMask
from engine.methods.proface_k import ProfaceK
from engine.methods.proface_s import ProfaceS
from engine.methods.sealed import Sealed
from engine.methods.signature import BoundKey, Crop, Method, Place, Plan, WrongMode

__all__ = [
    "DEFAULT_METHOD",
    "METHODS",
    "BoundKey",
    "Crop",
    "Method",
    "Place",
    "Plan",
    "WrongMode",
    "find_method",
    "usable_methods",
]

DEFAULT_METHOD = "sealed"

METHODS: dict[str, Method] = {
    "sealed": Sealed(),
    "proface-k": ProfaceK(
        "proface-k",
        model="proface-k.v3",
        wrong=("rand", "obfs", "decoy"),
        promise="the key scrambles the face before the network hides it",
    ),
    "proface-s-rand": ProfaceS(
        "proface-s-rand",
        model="proface-s-rand.v4",
        wrong=("rand", "decoy"),
        promise="looks random under a wrong key",
    ),
    "proface-s-obfs": ProfaceS(
        "proface-s-obfs",
        model="proface-s-obfs.v2",
        wrong=("obfs", "decoy"),
        promise="stays masked under a wrong key",
    ),
    "imn": InvertibleMask(
        "imn",
        model="imn.v5",
        wrong=("",),
        promise="no key: anyone who has this program recovers the face, the passphrase does not "
        "protect it",
    ),
}


def usable_methods() -> tuple[str, ...]:
    """Names of the methods whose models are here, in the registry's order."""
    return tuple(name for name, method in METHODS.items() if _is_usable(method))


def _is_usable(method: Method) -> bool:
    try:
        method.model_hash()
    except ModelError:
        return False
    return True


def find_method(name: str) -> Method:
    """Return a method by name.

    Raises:
        MethodError: there is none of this name.
    """
    if name in METHODS:
        return METHODS[name]
    close = difflib.get_close_matches(name, METHODS, n=1)
    hint = f"did you mean {close[0]!r}?" if close else f"known: {', '.join(METHODS)}"
    raise MethodError(f"unknown method {name!r}", hint=hint)
