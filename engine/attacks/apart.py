"""Holds the faces that an attacker learns from apart from those that are attacked.

A network that has seen a face needs no leak to draw it again: its gain would say nothing.
"""

from collections.abc import Iterable

import cv2
import numpy as np
import numpy.typing as npt

from engine.attacks.attack import Scene
from engine.attacks.pairs import PairMaker
from engine.attacks.target import paper_sized
from engine.data import FaceFile
from engine.errors import DataError

__all__ = ["check_apart"]

_SIDE = 16
_SAME = 2.0
"""Mean difference of two thumbnails, in levels: re-encoding stays below it, other faces do not."""

U8 = npt.NDArray[np.uint8]


def check_apart(maker: PairMaker, scene: Scene) -> None:
    """Refuse faces to learn from that are among those attacked.

    Compared by thumbnails of 16 px, so that another file format or size hides nothing; another
    photograph of the same person is another face.

    Args:
        maker: whose faces an attacker learns from.
        scene: whose chosen faces are attacked.

    Raises:
        DataError: they have a face in common.
    """
    attacked = _thumbnails((scene.faces.load(i), scene.faces.records[i]) for i in scene.chosen)
    for faces, i in maker.places:
        (own,) = _thumbnails([(faces.load(i), faces.records[i])])
        distances = np.abs(attacked - own).mean(1)
        if distances.min() < _SAME:
            same = scene.faces.records[scene.chosen[int(distances.argmin())]].file
            raise DataError(
                f"faces to learn from must not be under attack, got {faces.records[i].file} of "
                f"{faces.name}, which is {same} of {scene.faces.name}",
                hint="name other faces with --training, or attack others with --data",
            )


def _thumbnails(faces: Iterable[tuple[U8, FaceFile]]) -> npt.NDArray[np.float32]:
    """(N, 768) in 0..255."""
    small = [
        cv2.resize(paper_sized(face_u8, record)[0], (_SIDE, _SIDE), interpolation=cv2.INTER_AREA)
        for face_u8, record in faces
    ]
    return np.stack(small).reshape(len(small), -1).astype(np.float32)
