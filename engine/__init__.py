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
    from engine.attacks.keys import Trial, key_map_sweep, one_bit_off, one_character_off, random_key
    from engine.attacks.microscope import estimate_mask
    from engine.attacks.race import Lap, planted, race
    from engine.attacks.rates import gpu_rates
    from engine.attacks.residual import amplify
    from engine.attacks.restore import restored
    from engine.attacks.revealed import learned_masks, reveal, revealed_methods
    from engine.faces import (
        Face,
        crop,
        detect,
        faces_from_boxes,
        merge_overlapping,
        no_face_error,
        whole_face,
    )
    from engine.images import Box, from_u8, open_photo, open_protected, write_png
    from engine.keys import Key, entropy_bits, generate_passphrase
    from engine.landmarks import landmarks_in
    from engine.masking import MaskNote, lay_masks, mask_faces
    from engine.masks import MASKS, make_mask
    from engine.methods import DEFAULT_METHOD, METHODS, find_method, usable_methods
    from engine.metrics import available, identity_cosine, identity_match, psnr_db, ssim
    from engine.options import ProtectOptions
    from engine.pipeline import protect, recover, recover_wrongly, refuse_hidden_faces
    from engine.recognition import find_recognizer
    from engine.results.advice import GATE_KNOWN, Advice, Restored, advise, restorations
    from engine.results.standing import Attacked, Standing, standings
    from engine.sources import Source, find_source
    from engine.zoo import RELEASED, list_models, load_model

__all__ = [
    "DEFAULT_METHOD",
    "GATE_KNOWN",
    "MASKS",
    "METHODS",
    "RELEASED",
    "Advice",
    "Attacked",
    "Box",
    "Face",
    "Key",
    "Lap",
    "MaskNote",
    "ProtectOptions",
    "Restored",
    "Source",
    "Standing",
    "Trial",
    "advise",
    "amplify",
    "available",
    "crop",
    "detect",
    "entropy_bits",
    "estimate_mask",
    "faces_from_boxes",
    "find_method",
    "find_recognizer",
    "find_source",
    "from_u8",
    "generate_passphrase",
    "gpu_rates",
    "identity_cosine",
    "identity_match",
    "key_map_sweep",
    "landmarks_in",
    "lay_masks",
    "learned_masks",
    "list_models",
    "load_model",
    "make_mask",
    "mask_faces",
    "merge_overlapping",
    "no_face_error",
    "one_bit_off",
    "one_character_off",
    "open_photo",
    "open_protected",
    "planted",
    "protect",
    "psnr_db",
    "race",
    "random_key",
    "recover",
    "recover_wrongly",
    "refuse_hidden_faces",
    "restorations",
    "restored",
    "reveal",
    "revealed_methods",
    "ssim",
    "standings",
    "usable_methods",
    "whole_face",
    "write_png",
]

_HOMES = {
    "Advice": "results.advice",
    "Attacked": "results.standing",
    "Box": "images",
    "DEFAULT_METHOD": "methods",
    "Face": "faces",
    "GATE_KNOWN": "results.advice",
    "Key": "keys",
    "Lap": "attacks.race",
    "MASKS": "masks",
    "METHODS": "methods",
    "MaskNote": "masking",
    "ProtectOptions": "options",
    "RELEASED": "zoo",
    "Restored": "results.advice",
    "Source": "sources",
    "Standing": "results.standing",
    "Trial": "attacks.keys",
    "advise": "results.advice",
    "amplify": "attacks.residual",
    "available": "metrics",
    "crop": "faces",
    "detect": "faces",
    "entropy_bits": "keys",
    "estimate_mask": "attacks.microscope",
    "faces_from_boxes": "faces",
    "find_method": "methods",
    "find_recognizer": "recognition",
    "find_source": "sources",
    "from_u8": "images",
    "generate_passphrase": "keys",
    "gpu_rates": "attacks.rates",
    "identity_cosine": "metrics",
    "identity_match": "metrics",
    "key_map_sweep": "attacks.keys",
    "learned_masks": "attacks.revealed",
    "list_models": "zoo",
    "load_model": "zoo",
    "make_mask": "masks",
    "landmarks_in": "landmarks",
    "lay_masks": "masking",
    "mask_faces": "masking",
    "merge_overlapping": "faces",
    "no_face_error": "faces",
    "one_bit_off": "attacks.keys",
    "one_character_off": "attacks.keys",
    "open_photo": "images",
    "open_protected": "images",
    "planted": "attacks.race",
    "protect": "pipeline",
    "psnr_db": "metrics",
    "race": "attacks.race",
    "random_key": "attacks.keys",
    "recover": "pipeline",
    "recover_wrongly": "pipeline",
    "refuse_hidden_faces": "pipeline",
    "restorations": "results.advice",
    "restored": "attacks.restore",
    "reveal": "attacks.revealed",
    "revealed_methods": "attacks.revealed",
    "ssim": "metrics",
    "standings": "results.standing",
    "usable_methods": "methods",
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
