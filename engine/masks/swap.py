"""Gives a face the face of nobody, or of a person whom the user names: the swappers as masks."""

from functools import lru_cache
from typing import TYPE_CHECKING, cast

import numpy as np
import numpy.typing as npt

from engine.errors import StillKnownError
from engine.images import from_u8, to_u8
from engine.masks.portrait import Portrait, inner_matte, lay_back, to_portrait
from engine.sources import Source
from engine.zoo import load_model

if TYPE_CHECKING:
    from torch import Tensor

    from engine.networks.swapper import Swapper

SIMSWAP = "simswap.v1"
FACESHIFTER = "faceshifter.v1"
"""The released swappers."""

_TRIES = 8
_APART = 0.15
"""Cosine to the face that was below which the first agent will do; else the best one of some."""

_MOST = 0.3
"""Cosine above which no agent will do; well below the recogniser's threshold, which is .45."""

_STEPS_AWAY = np.array([0, 0.25, 0.5, 0.75], np.float32)
"""Shares of the own identity that are taken from a source's: the last leaves about .8 of it."""

F32 = npt.NDArray[np.float32]
U8 = npt.NDArray[np.uint8]


def simswap(
    face_u8: U8,
    *,
    landmarks: npt.ArrayLike | None = None,
    seed: int = 0,
    source: Source | None = None,
) -> U8:
    """Lay the face of an agent, or of the source, as SimSwap does (Chen et al., ACM MM 2020).

    Args, Returns, Raises: as :func:`swap_face`.
    """
    return swap_face(SIMSWAP, face_u8, landmarks, seed, source)


def faceshifter(
    face_u8: U8,
    *,
    landmarks: npt.ArrayLike | None = None,
    seed: int = 0,
    source: Source | None = None,
) -> U8:
    """Lay the face of an agent, or of the source, as FaceShifter does (Li et al., CVPR 2020).

    Args, Returns, Raises: as :func:`swap_face`.
    """
    return swap_face(FACESHIFTER, face_u8, landmarks, seed, source)


def swap_face(
    model: str,
    face_u8: U8,
    landmarks: npt.ArrayLike | None,
    seed: int,
    source: Source | None = None,
) -> U8:
    """Swap the inner face for an agent's or the source's.

    What comes out is shown to the released recogniser: where it still sees the person, the next
    agent is tried, or the source a step further away from that person, and the best one stays.

    Args:
        model: a released swapper.
        face_u8: face, ``(H, W, 3)`` RGB.
        landmarks: ``(5, 2)`` x, y in pixels in ArcFace order.
        seed: which agent, 0 or more; equal seeds give the same face the same agent.
        source: whose face instead of an agent's.

    Returns:
        The mask, same shape as ``face_u8``, equal to it outside the inner face.

    Raises:
        LandmarksError: no landmarks, or such that cannot be used.
        StillKnownError: the recogniser still knows the person under all that was tried, or takes
            the source for nearly the same person.
        ModelError: as :func:`engine.zoo.load_model`.
    """
    from engine.agents import choose_agents  # torch takes seconds to load
    from engine.recognition import embed

    portrait = to_portrait(face_u8, landmarks)
    placed = [np.asarray(landmarks, np.float32)]
    own = embed(from_u8(face_u8), placed)
    nearest, best_u8 = 1.0, face_u8
    own_identity = own[0].cpu().numpy()
    if source is None:
        others = choose_agents(seed, own_identity)[:_TRIES]
    else:
        others = _away(source.identity, own_identity)
    for other in others:
        made_u8 = lay_back(face_u8, swap_portrait(model, portrait, other), portrait.matrix)
        cosine = float((own * embed(from_u8(made_u8), placed)).sum())
        if cosine < nearest:
            nearest, best_u8 = cosine, made_u8
        if nearest < _APART:
            break
    if nearest > _MOST:
        raise StillKnownError(
            "under every identity that was tried the face stays too near to who it was",
            hint="take a mask that hides more, such as gaussian or pixelate",
        )
    return best_u8


def _away(source: F32, own: F32) -> F32:
    """A source, and what is left of it further and further away from who the face was: (N, D).

    Raises:
        StillKnownError: they are nearly the same person.
    """
    from engine.agents import APART

    if source @ own >= APART:
        raise StillKnownError(
            "expected the source to be somebody else, got a face too near to the one it replaces",
            hint="name a photograph of another person, or none",
        )
    others = source - _STEPS_AWAY[:, None] * own
    return np.asarray(others / np.linalg.norm(others, axis=1, keepdims=True), np.float32)


def swap_portrait(model: str, portrait: Portrait, identity: F32) -> U8:
    """Give a portrait an identity.

    Args:
        model: a released swapper.
        portrait: of any side that is a multiple of 8.
        identity: (256,), of length 1.

    Returns:
        (S, S, 3), RGB.

    Raises:
        ModelError: as :func:`engine.zoo.load_model`.
    """
    import torch

    network = cast("Swapper", load_model(model))
    device = network.device
    given = (
        from_u8(portrait.picture_u8),
        _matte(len(portrait.picture_u8)),
        torch.from_numpy(portrait.landmarks)[None],
        torch.from_numpy(identity)[None],
    )
    with torch.inference_mode():
        made = network(*(part.to(device) for part in given))
    return to_u8(made.float().clamp(0, 1).cpu())


@lru_cache(maxsize=4)
def _matte(side: int) -> "Tensor":
    import torch

    return torch.from_numpy(inner_matte(side))[None, None]
