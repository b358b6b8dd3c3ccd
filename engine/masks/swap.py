"""Gives a face the face of nobody, or of a person whom the user names: the swappers as masks."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from itertools import product
from typing import TYPE_CHECKING, cast

import numpy as np
import numpy.typing as npt

from engine.agents import APART, GALLERY, choose_agents
from engine.errors import StillKnownError
from engine.images import from_u8, to_u8
from engine.masks.enhance import check_enhance, lay_clear
from engine.masks.ksame import MOST_LIKE, average_for, seed_of_turn
from engine.masks.portrait import Portrait, to_portrait
from engine.sources import Source
from engine.zoo import IDENTITIES, load_model

if TYPE_CHECKING:
    from engine.networks.swapper import Swapper

SIMSWAP = "simswap.v4"
FACESHIFTER = "faceshifter.v5"
SWAPPERS = {"simswap": SIMSWAP, "faceshifter": FACESHIFTER}
"""Mask to its released swapper."""

GALLERIES = {FACESHIFTER: "agents-faceshifter.v2"}
"""Swapper to a gallery of its own: those whom it draws unlike each other."""

_TRIES = 8
SHARES = {SIMSWAP: (0.5, 0.65), FACESHIFTER: (0.45, 0.6)}
"""Shares of a swapper's change, from natural to like the agent; the first that will do is taken.

Its whole change pleases a recogniser and disfigures the face."""

LUMA = (0.299, 0.587, 0.114)
"""Of red, green and blue in lightness: Rec. 601's."""

_UNKNOWN = 0.15
"""Cosine to who the face was below which an agent will do."""

_THERE = 0.15
"""Cosine to the agent from which on it will do, as long as that is more than the other."""

_MOST = 0.3
"""Cosine above which no agent will do; the threshold of :data:`engine.zoo.IDENTITIES` is .45."""

_STEPS_AWAY = np.array([0, 0.25, 0.5, 0.75], np.float32)
"""Shares of the own identity that are taken from a source's: the last leaves about .8 of it."""

_AVERAGE_SHAPE = 0.5
"""Share of its own proportions that the average keeps which a swapper is shown: see ksame."""

_AVERAGE_CHOICES = 300
"""Of how many averages in like pose that one is: the more, the liker it can be to an identity."""

F32 = npt.NDArray[np.float32]
U8 = npt.NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class Swapped:
    """A face with another identity's face.

    Attributes:
        picture_u8: (H, W, 3), equal to the face outside the inner face.
        original_cosine: to who it was, by :data:`engine.zoo.IDENTITIES`.
        given_cosine: to whom it was given.
    """

    picture_u8: U8
    original_cosine: float
    given_cosine: float


def simswap(
    face_u8: U8,
    *,
    landmarks: npt.ArrayLike | None = None,
    seed: int = 0,
    source: Source | None = None,
    enhance: float = 0,
) -> U8:
    """Lay the face of an agent, or of the source, as SimSwap does (Chen et al., ACM MM 2020).

    Args, Returns, Raises: as :func:`swap_face`.
    """
    made = swap_face(SIMSWAP, face_u8, landmarks, seed, source=source, enhance=enhance)
    return made.picture_u8


def faceshifter(
    face_u8: U8,
    *,
    landmarks: npt.ArrayLike | None = None,
    seed: int = 0,
    source: Source | None = None,
    enhance: float = 0,
) -> U8:
    """Lay the face of an agent, or of the source, as FaceShifter does (Li et al., CVPR 2020).

    Args, Returns, Raises: as :func:`swap_face`.
    """
    made = swap_face(FACESHIFTER, face_u8, landmarks, seed, source=source, enhance=enhance)
    return made.picture_u8


def swap_face(
    model: str,
    face_u8: U8,
    landmarks: npt.ArrayLike | None,
    seed: int,
    *,
    source: Source | None = None,
    enhance: float = 0,
) -> Swapped:
    """Swap the inner face for an agent's or the source's.

    A swapper is shown an average of others that is like the identity already. What it changes of
    this in lightness is laid, as little as will do, but for a source, whose likeness is laid whole;
    colours stay those of the average, where the swapper's are now and then nobody's. What
    comes out is shown to the recogniser in whose space identities are: where it does not see the
    agent, or still the person, the next agent is tried with another average, then all of them with
    more mixed in, and the best one stays. A source is laid on several averages, and the likest one
    stays; where the person shows in all of them, the source is taken further away from that person.

    Args:
        model: a released swapper.
        face_u8: face, ``(H, W, 3)`` RGB.
        landmarks: ``(5, 2)`` x, y in pixels in ArcFace order.
        seed: 0 or more; chooses the agent, and which of the averages like it is drawn upon.
        source: whose face instead of an agent's.
        enhance: share, 0 to 1, of what :data:`engine.masks.enhance.ENHANCER` makes of it.

    Raises:
        MaskError: ``enhance`` outside [0, 1].
        LandmarksError: no landmarks, or such that cannot be used, or a face that is turned further
            than any of the averages.
        StillKnownError: the recogniser still knows the person under all that was tried, or takes
            the source for nearly the same person.
        ModelError: as :func:`engine.zoo.load_model`.
    """
    from engine.recognition import embed  # torch takes seconds to load

    check_enhance(enhance)
    portrait = to_portrait(face_u8, landmarks)
    placed = [np.asarray(landmarks, np.float32)]
    own: F32 = embed(from_u8(face_u8), placed, IDENTITIES)[0].cpu().numpy()

    def draw(turn: int, identity: F32) -> tuple[U8, U8]:
        place = seed_of_turn(seed, turn) if source is None else turn  # each of the likest once
        other_u8 = average_like(portrait.picture_u8, portrait.landmarks, place, identity)
        return other_u8, swap_portrait(model, portrait, identity, other_u8)

    def lay(drawn_u8: tuple[U8, U8], identity: F32, share: float = 1.0) -> Swapped:
        mixed_u8 = _lightened(*drawn_u8, share)
        made_u8 = lay_clear(face_u8, landmarks, portrait, mixed_u8, enhance)
        seen: F32 = embed(from_u8(made_u8), placed, IDENTITIES)[0].cpu().numpy()
        return Swapped(made_u8, float(seen @ own), float(seen @ identity))

    if source is None:
        agents = choose_agents(seed, own, GALLERIES.get(model, GALLERY))[:_TRIES]
        drawn = cache(lambda turn: draw(turn, agents[turn]))
        tries = product(SHARES[model], range(len(agents)))  # all of them before more is mixed in
        return _furthest(lay(drawn(turn), agents[turn], share) for share, turn in tries)
    return _likest(lambda turn, one: lay(draw(turn, one), one), _away(source.identity, own))


def _lightened(other_u8: U8, swapped_u8: U8, share: float) -> U8:
    """A picture, (H, W, 3), a share of the way as light as another of its size; its own colours."""
    change = (swapped_u8.astype(np.float32) - other_u8) @ np.array(LUMA, np.float32)
    mixed = other_u8 + share * change[..., None]
    return np.asarray(np.clip(mixed, 0, 255).round(), np.uint8)


def average_like(picture_u8: U8, points: F32, seed: int, identity: F32 | None = None) -> U8:
    """Draw the average of others that a swapper is shown.

    Args:
        picture_u8: (112, 112, 3), RGB, of a portrait.
        points: (5, 2), x and y in its pixels, ArcFace order.
        seed: chooses, 0 or more.
        identity: (256,) of length 1, which the average is to be like; any average without.

    Returns:
        (112, 112, 3), of use within the inner face.

    Raises:
        LandmarksError, ModelError: as :func:`engine.masks.ksame.average_for`.
    """
    return average_for(
        picture_u8,
        points,
        seed,
        choices=_AVERAGE_CHOICES,
        shape=_AVERAGE_SHAPE,
        like=identity,
    )


def _likest(lay: Callable[[int, F32], Swapped], identities: F32) -> Swapped:
    """Of a source, (D,), the likest on several averages; or the furthest of steps away from it.

    Args:
        lay: lays an identity on the average of a turn.
        identities: (N, D), the source's and the steps.

    Raises:
        StillKnownError: as :func:`_furthest`.
    """
    named, *further = identities
    made = [lay(turn, named) for turn in range(MOST_LIKE)]
    far = [one for one in made if one.original_cosine < min(_MOST, one.given_cosine)]
    if far:
        return max(far, key=lambda one: one.given_cosine)
    return _furthest([*made, *(lay(0, step) for step in further)])


def _furthest(tried: Iterable[Swapped]) -> Swapped:
    """The first that is far from who the face was and nearer to whom it got; or the furthest.

    Raises:
        StillKnownError: even that one is too near.
    """
    best: Swapped | None = None
    for made in tried:
        if made.original_cosine < min(_UNKNOWN, made.given_cosine) and made.given_cosine > _THERE:
            return made
        if best is None or made.original_cosine < best.original_cosine:
            best = made
    if best is None or best.original_cosine > _MOST:
        raise StillKnownError(
            "under every identity that was tried the face stays too near to who it was",
            hint="take a mask that hides more, such as gaussian or pixelate",
        )
    return best


def _away(source: F32, own: F32) -> F32:
    """A source, and what is left of it further and further away from who the face was: (N, D).

    Raises:
        StillKnownError: they are nearly the same person.
    """
    if source @ own >= APART:
        raise StillKnownError(
            "expected the source to be somebody else, got a face too near to the one it replaces",
            hint="name a photograph of another person, or none",
        )
    others = source - _STEPS_AWAY[:, None] * own
    return np.asarray(others / np.linalg.norm(others, axis=1, keepdims=True), np.float32)


def swap_portrait(model: str, portrait: Portrait, identity: F32, other_u8: U8) -> U8:
    """Give a portrait an identity.

    Args:
        model: a released swapper.
        portrait: of :data:`engine.masks.portrait.SIDE` pixels.
        identity: (256,), of length 1.
        other_u8: (112, 112, 3), another face in the portrait's place: all that it sees of one.

    Returns:
        (112, 112, 3), RGB, of use within the inner face.

    Raises:
        ModelError: as :func:`engine.zoo.load_model`.
    """
    import torch

    from engine.networks.swapper import conceal

    network = cast("Swapper", load_model(model))
    matte = torch.from_numpy(portrait.matte)[None, None]
    given = (
        conceal(from_u8(portrait.picture_u8), matte, from_u8(other_u8)),
        matte,
        torch.from_numpy(portrait.landmarks)[None],
        torch.from_numpy(identity)[None],
    )
    with torch.inference_mode():
        made = network(*(part.to(network.device) for part in given))
    return to_u8(made.float().clamp(0, 1).cpu())
