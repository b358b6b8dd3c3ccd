"""k-Same: the average of ten or more other faces over the face; the classical de-identification.

Source: Newton, Sweeney and Malin, *Preserving Privacy by De-identifying Face Images*, IEEE TKDE
2005. There the protected face is itself one of the k that are averaged, so that nobody can tell
which of the k a picture shows. Here it is not: the k come from the training faces. What is promised
is therefore something else, in two parts.

* Of the training faces: everything in the released file is the average of ``least`` (10) or more
  faces, each used in one average only, so that no picture made from the file can be traced to fewer
  than ten of them. Faces known to be one person's count once in an average; who most of them are is
  not known, so ten faces may rarely be fewer people.
* Of the protected face: the average is chosen by its pose (and, more weakly, its proportions and
  mean colour), for being unlike the others that remain, and by the seed. It gives the place of its
  five landmarks, blended with the average's, and its broad light and colour. Hair, ears, neck and
  everything else outside the inner face stay, the far end of brow and cheek of a turned head too,
  and may tell who it is.

With ``enhance`` a network then sharpens what was laid. It has learned to give single faces back
what was taken from them, among them such as averages would draw, and to make averages and drawings
look real; what it adds follows from the average and from what is around it: the first part holds
of the file, no longer of every pixel. An average that is near to what one training face looks like
as an average may be given detail of it.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from engine.errors import LandmarksError, MaskError
from engine.masks.enhance import check_enhance, lay_clear
from engine.masks.matching import least_known, lit_as, most_unlike, tone_of
from engine.masks.portrait import SIDE, inner_matte, to_portrait
from engine.masks.sunglasses import eyes_are_covered, glasses_matte
from engine.masks.thin_plate import bend

if TYPE_CHECKING:
    from engine.networks.eigenfaces import EigenFaces

MODEL = "ksame.v4"

_SHAPE_SHARE = 0.3
_TONE_SHARE = 0.02
_SHAPE = 0.4
"""Share of the way that landmarks go from the protected face's to the average's."""

DETAIL = 1.2
"""An average is a little softer than a face."""

_POOL = 200
"""Averages nearest in pose; of these, those are chosen from that are least alike."""

MOST_LIKE = 10
"""Averages most like an identity; of these, the seed chooses one."""

_TRIES = 6
"""Averages that are tried, until the released recogniser sees little of the person."""

_FURTHEST = 6.0
"""Pixels of a portrait that a nose may lie away from the nearest average's."""

_LIKE = 3.0
"""Pixels that it may lie away from another average's; or as far as from the nearest's."""

F32 = npt.NDArray[np.float32]


def ksame(
    face_u8: npt.NDArray[np.uint8],
    *,
    landmarks: npt.ArrayLike | None = None,
    seed: int = 0,
    choices: int = 40,
    character: float = 1.6,
    enhance: float = 0,
) -> npt.NDArray[np.uint8]:
    """Replace the inner face by the average of ten or more others, in its pose and light.

    Args:
        face_u8: face, ``(H, W, 3)`` RGB.
        landmarks: ``(5, 2)`` x, y in pixels in ArcFace order.
        seed: which of the averages in like pose, 0 or more; where the released recogniser sees the
            person in it, others are tried.
        choices: how many of them the seed chooses from, 1 or more: those least alike of the 200
            nearest in pose, so that different seeds give different people; from 200 on, all.
        character: 1 draws the average; more exaggerates what sets it apart from the mean of all.
        enhance: share, 0 to 1, of what :data:`engine.masks.enhance.ENHANCER` makes of it:
            averages are soft.

    Returns:
        The mask, same shape as ``face_u8``, equal to it outside the inner face.

    Raises:
        LandmarksError: no landmarks, or such as cannot be used, or a face that is turned further
            than any of the averages.
        MaskError: a strength outside its range.
        ModelError: the averages cannot be loaded.
    """
    if int(choices) != choices or choices < 1 or not 0 <= character <= 4:
        raise MaskError(
            f"choices must be whole and from 1, character 0 to 4, got {choices:g}, {character:g}",
            hint="40 and 1.6 are the defaults",
        )
    check_enhance(enhance)
    portrait = to_portrait(face_u8, landmarks)
    points = np.asarray(landmarks, np.float32)

    def lay(turn: int) -> npt.NDArray[np.uint8]:
        average_u8 = average_for(
            portrait.picture_u8,
            portrait.landmarks,
            seed_of_turn(seed, turn),
            choices=int(choices),
            character=character,
        )
        return lay_clear(face_u8, points, portrait, average_u8, enhance)

    return least_known(face_u8, points, (lay(turn) for turn in range(_TRIES)))


def average_for(
    picture_u8: npt.NDArray[np.uint8],
    points: F32,
    seed: int,
    *,
    choices: int = 40,
    character: float = 1.6,
    shape: float = _SHAPE,
    like: F32 | None = None,
) -> npt.NDArray[np.uint8]:
    """Draw the average of ten or more others in a portrait's pose and light.

    Args:
        picture_u8: (112, 112, 3), RGB, of a portrait.
        points: (5, 2), x and y in its pixels, ArcFace order.
        seed: as of :func:`ksame`, as are the others.
        choices: of how many averages in like pose, see :func:`ksame`.
        character: how far it is exaggerated.
        shape: share of the way that landmarks go from the portrait's to the average's, 0 to 1.
        like: (D,) of length 1, by :data:`engine.zoo.IDENTITIES`: the seed chooses from the few
            that are most like it.

    Returns:
        (112, 112, 3), of use within the inner face.

    Raises:
        LandmarksError: the face is turned further than any of the averages.
        ModelError: the averages cannot be loaded.
    """
    turned = yaw_of(points) < 0  # the averages all look one way
    if turned:
        picture_u8, points = mirrored(picture_u8, points)
    averages, matte = load_averages(), inner_matte(len(picture_u8), points)
    if eyes_are_covered(picture_u8, points):  # sunglasses have not the colour of the skin
        matte = matte * (1 - glasses_matte(len(picture_u8), points))
    near = averages.nearest(points, tone_of(picture_u8, matte), max(choices, _POOL))
    near = near[most_unlike(averages.vectors[near, None], choices)]
    if like is not None:
        near = near[np.argsort(-averages.identities[near] @ like, kind="stable")[:MOST_LIKE]]
    group = int(near[place_of_seed(seed, len(near))])
    goal = points + shape * (averages.landmarks[group] - points)
    other = bend(averages.draw(group, character), averages.shape, goal)
    laid_u8 = lit_as(np.clip(other, 0, 255), picture_u8, matte, DETAIL)
    return mirrored(laid_u8, points)[0] if turned else laid_u8


def place_of_seed(seed: int, count: int) -> int:
    """Which of so many a seed chooses: neighbours never the same one, and any as often as any."""
    return int(np.random.default_rng(count).permutation(count)[seed % count])


def seed_of_turn(seed: int, turn: int) -> int:
    """The seed itself at first, then others that no neighbour of it comes to."""
    return seed if turn == 0 else int(np.random.default_rng([seed, turn]).integers(2**63))


def yaw_of(landmarks: F32) -> float:
    """How far a portrait's nose lies to the right of eyes and mouth, in its pixels."""
    return float(landmarks[2, 0] - landmarks[[0, 1, 3, 4], 0].mean())


def mirrored(
    picture_u8: npt.NDArray[np.uint8], landmarks: F32
) -> tuple[npt.NDArray[np.uint8], F32]:
    """Exchange left and right in a portrait and its landmarks."""
    points = landmarks[[1, 0, 2, 4, 3]].copy()
    points[:, 0] = picture_u8.shape[1] - 1 - points[:, 0]
    return np.ascontiguousarray(picture_u8[:, ::-1]), points


@dataclass(frozen=True, eq=False)
class Averages:
    """The released averages, as arrays.

    Attributes:
        network: that draws them.
        landmarks: (N, 5, 2), of each, in a portrait.
        tones: (N, 3), mean colour of each, CIE Lab.
        vectors: (N, D) of length 1, what the released recogniser sees in each.
        identities: (N, D) of length 1, what that of :data:`engine.zoo.IDENTITIES` sees.
        shape: (5, 2), where all have their landmarks when drawn.
    """

    network: "EigenFaces"
    landmarks: F32
    tones: F32
    vectors: F32
    identities: F32
    shape: F32

    def nearest(self, landmarks: F32, tone: F32, count: int) -> npt.NDArray[np.int64]:
        """Number the averages that are nearest, above all in pose, ``count`` or fewer.

        Raises:
            LandmarksError: none is near.
        """
        difference = self.landmarks - landmarks
        nose = difference[:, 2] - difference[:, [0, 1, 3, 4]].mean(axis=1)
        distance = (
            (nose**2).sum(axis=1)
            + _SHAPE_SHARE * (difference**2).sum(axis=(1, 2))
            + _TONE_SHARE * ((self.tones - tone) ** 2).sum(axis=1)
        )
        order = np.argsort(distance, kind="stable")
        away = np.abs(nose[order]).max(axis=1)
        if away[0] > _FURTHEST:
            raise LandmarksError(
                "the face is turned further than any of the averages",
                hint="take a mask that covers the whole box, such as gaussian or pixelate",
            )
        return np.asarray(order[away <= max(_LIKE, float(away[0]))][:count], np.int64)

    def draw(self, group: int, character: float) -> F32:
        """Draw an average: (112, 112, 3), RGB in [0, 255]."""
        import torch

        with torch.inference_mode():
            drawn = self.network(torch.tensor([group]), character)[0]
        return 255 * np.asarray(drawn.permute(1, 2, 0).contiguous().numpy(), np.float32)


@lru_cache(maxsize=1)
def load_averages() -> Averages:
    """Load the released averages.

    Raises:
        ModelError: as :func:`engine.zoo.load_model`.
    """
    # Here, so that the table of masks needs neither torch nor weights.
    from typing import cast

    from engine import zoo

    network = cast("EigenFaces", zoo.load_model(MODEL, "cpu"))
    assert network.config.side == SIDE
    names = ("landmarks", "tones", "vectors", "identities", "shape")
    kept = (getattr(network, name) for name in names)
    return Averages(network, *(part.detach().float().numpy() for part in kept))
