"""Sends protected pictures through what the world does to pictures, and asks what is left.

Nobody attacks here: the owner has the right passphrase and a file that was re-encoded, resized or
brightened on its way, and wants the face back, or else to be told what happened instead of being
shown noise. The quality is what the method makes of the pixels that came
when every check is left out; beside it stands the mask's, as the picture that anyone has anyway.
"""

from collections.abc import Iterator

import cv2
import numpy as np
import numpy.typing as npt

from engine.attacks.attack import Attack, AttackConfig, Outcome, Scene, Target
from engine.attacks.distortions import DISTORTIONS, Distortion
from engine.errors import EngineError, NotProtectedError, ReencodedError, WrongKeyError
from engine.header import context
from engine.images import ProtectedFile, open_protected
from engine.methods import BoundKey, Place, find_method
from engine.pipeline import recover
from engine.record import Header
from engine.results.records import Score

__all__ = ["ATTACK"]

U8 = npt.NDArray[np.uint8]


def _run(scene: Scene) -> Iterator[Outcome]:
    """The owner, with the passphrase and a file that was changed, wants the face, or the reason."""
    for method, mask in scene.combinations():
        for target in scene.targets(method, mask):
            yield Outcome(tuple(_send(target)))


def _send(target: Target) -> Iterator[Score]:
    """Everything that may happen to one file."""
    yield from target.compare("mask", target.mask_u8)
    undisturbed_u8 = recover(target.file, [target.passphrase]).photo_u8
    yield from target.compare("recovered", undisturbed_u8)
    for distortion in DISTORTIONS:
        file = open_protected(distortion.apply(target.protected_u8))
        recovered_u8 = _unchecked(target, file)
        if recovered_u8 is not None:
            yield from target.compare(distortion.name, recovered_u8)
        if find_method(target.method).authenticates:
            opened = float(recovered_u8 is not None)
            yield target.score(f"original:{distortion.name}", "opened", opened)
        yield from _what_is_told(target, file, distortion, undisturbed_u8)


def _unchecked(target: Target, file: ProtectedFile) -> U8 | None:
    """What the method makes of the pixels with the right key; None where it refuses by itself."""
    photo_u8, shape = file.photo_u8, target.protected_u8.shape
    if photo_u8.shape != shape:
        # Brought back to size, as a viewer does it who does not know what was cut away.
        photo_u8 = np.asarray(cv2.resize(photo_u8, shape[1::-1], interpolation=cv2.INTER_CUBIC))
    face = target.header.faces[0]
    place, bound = Place(face.box, face.data, "rand"), context(target.header, 0)
    try:
        return find_method(target.method).recover(photo_u8, place, BoundKey(target.key, bound))
    except WrongKeyError:
        return None


def _what_is_told(
    target: Target, file: ProtectedFile, distortion: Distortion, wanted_u8: U8
) -> Iterator[Score]:
    """Whether the owner gets the face where the pixels are whole, and else the right reason.

    The right reason is that the file was re-encoded. A PNG of another program that has lost our
    header, with the pixels it lay in, looks like any other picture: that nothing of ours is in it,
    and that it may have been re-encoded, is then all that can be said, and stands for ``told`` but
    not for ``told_reencoded``.
    """
    pair = f"protected:{distortion.name}"
    for ending, header in (("", None), ("_with_sidecar", target.header)):
        answer = _answer(target, file, header)
        whole = isinstance(answer, np.ndarray) and np.array_equal(answer, wanted_u8)
        if distortion.lossless and (header or find_method(target.method).carries_header):
            yield target.score(pair, f"recovered{ending}", float(whole))
            continue
        blind = header is None and distortion.format == "PNG"
        right = isinstance(answer, (ReencodedError, NotProtectedError) if blind else ReencodedError)
        yield target.score(pair, f"told{ending}", float(right))
        named = isinstance(answer, ReencodedError)
        yield target.score(pair, f"told_reencoded{ending}", float(named))


def _answer(target: Target, file: ProtectedFile, header: Header | None) -> U8 | EngineError:
    try:
        return recover(file, [target.passphrase], header=header).photo_u8
    except EngineError as error:
        return error


def _budget(config: AttackConfig) -> str:
    del config
    return f"{len(DISTORTIONS)} changes of each file"


ATTACK = Attack(
    name="world",
    title="The world",
    knowledge="the right passphrase, and a file that something has happened to on its way",
    goal="the face back, or else to be told what happened",
    budget=_budget,
    run=_run,
)
