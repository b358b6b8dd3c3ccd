"""How to protect: every choice in one place, and which of them go together."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from engine.errors import MaskError, MethodError
from engine.keys import KdfParams
from engine.masks import Preset, check_takes_source, checked_model
from engine.methods import DEFAULT_METHOD, Method, WrongMode
from engine.sources import Source


@dataclass(frozen=True)
class ProtectOptions:
    """How to protect.

    Attributes:
        method: name in :data:`engine.methods.METHODS`.
        mask: name in :data:`engine.masks.MASKS`.
        preset: ``"scaled"`` with the face, or the papers' 112 px settings as they are.
        strength: mask settings that replace the preset's.
        wrong: what a wrong key shows; the method's own default where empty.
        check_value: store a tag that tells the right key and guards every pixel; without it nothing
            says which key is right, and changes made on purpose go unnoticed (``--no-tag``).
        kdf: cost of one guess at the passphrase.
        model: of a mask that draws with a network the user names; it does not travel along.
        mask_seed: chooses among the masks that one name can make, 0 or more; ``"key"`` lets the
            first face's key choose, which is another one in every picture; None draws one.
        source: whose face a mask that lays another face shall lay, instead of nobody's: the
            protected picture looks like that person, whom no key hides. It does not travel along.
    """

    method: str = DEFAULT_METHOD
    mask: str = "gaussian"
    preset: Preset = "scaled"
    strength: Mapping[str, float] = field(default_factory=dict)
    wrong: WrongMode = ""
    check_value: bool = True
    kdf: KdfParams = field(default_factory=KdfParams)
    model: str = ""
    mask_seed: int | Literal["key"] | None = None
    source: Source | None = None


def check_mask(options: ProtectOptions) -> None:
    """Refuse a model or a source that the mask does not take, or needs and is not given.

    Raises:
        MaskError: as :func:`engine.masks.checked_model` and
            :func:`engine.masks.check_takes_source`; or a source and a seed, which has no meaning.
    """
    checked_model(options.mask, options.model)
    if options.source is None:
        return
    check_takes_source(options.mask)
    if options.mask_seed is not None:
        raise MaskError(
            "a mask whose source is given says whose face it is, and takes no seed",
            hint="leave out the seed, or the source",
        )


def wrong_mode_of(method: Method, options: ProtectOptions) -> WrongMode:
    """Find what a wrong key shall show.

    Raises:
        MethodError: the method cannot show it, or could not tell when.
    """
    own, wrong = method.wrong_modes[0], options.wrong
    if wrong and method.keyless:
        raise MethodError(
            f"{method.name} knows no key, so every passphrase shows the face itself, not {wrong}",
            hint="choose another method, or leave --wrong out",
        )
    if wrong and wrong not in method.wrong_modes:
        raise MethodError(
            f"{method.name} shows {' or '.join(method.wrong_modes)} under a wrong key, not {wrong}",
            hint="choose another method, or leave --wrong out",
        )
    if wrong not in ("", own) and not (options.check_value or method.authenticates):
        raise MethodError(
            f"without a tag nothing tells a wrong key, so {method.name} would show {own} under it, "
            f"not {wrong}",
            hint="keep the tag, or leave --wrong out",
        )
    return wrong or own
