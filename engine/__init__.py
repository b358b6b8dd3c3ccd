"""FaceVeil's engine: hide the faces of a photograph so that only a key brings them back.

This is the public door; names are loaded when first used, so importing it costs nothing.

========================  =======================  =======================
our word                  PRO-Face S               IMN
========================  =======================  =======================
original                  x                        x_Protected
mask                      y                        x_Mask
protected                 y-hat                    x_Masked
recovered                 x-check                  x_Recovered
byproduct                 x-hat                    m (lost information)
key map                   k; K after Haar          (none: no key)
wrong recovery            x-double-dot             (none)
========================  =======================  =======================
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from engine.faces import detect, faces_from_boxes, whole_face
    from engine.images import open_photo, open_protected, write_png
    from engine.keys import generate_passphrase
    from engine.pipeline import ProtectOptions, protect, recover, recover_wrongly
    from engine.zoo import list_models, load_model

__all__ = [
    "ProtectOptions",
    "detect",
    "faces_from_boxes",
    "generate_passphrase",
    "list_models",
    "load_model",
    "open_photo",
    "open_protected",
    "protect",
    "recover",
    "recover_wrongly",
    "whole_face",
    "write_png",
]

_HOMES = {
    "ProtectOptions": "pipeline",
    "detect": "faces",
    "faces_from_boxes": "faces",
    "generate_passphrase": "keys",
    "list_models": "zoo",
    "load_model": "zoo",
    "open_photo": "images",
    "open_protected": "images",
    "protect": "pipeline",
    "recover": "pipeline",
    "recover_wrongly": "pipeline",
    "whole_face": "faces",
    "write_png": "images",
}


def __getattr__(name: str) -> Any:
    """Load a public name from its module on first use."""
    if name not in _HOMES:
        raise AttributeError(f"module 'engine' has no attribute {name!r}")
    return getattr(importlib.import_module(f"engine.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
