"""Mixtures, one face's inner face in another's place: there are more people so than in the sets."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from engine.alignment import SIDE
from engine.data import FaceSet
from engine.masks.inner_face import AXES, CENTRE
from engine.training.teachers import Asked, Report, aligned_faces, ask_about, describe_asked

U8 = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Mixtures:
    """Pairs of faces and how each is mixed, all of it given by a number.

    Attributes:
        sets: faces with landmarks.
        indices: those that are mixed, counted through all sets.
        count: of mixtures.
    """

    sets: Sequence[FaceSet]
    indices: npt.NDArray[np.int64]
    count: int

    def make(self, number: int) -> U8:
        """The mixture of a number below ``count``: (112, 112, 3), the same whenever it is made."""
        rng = np.random.default_rng([number, len(self.indices)])
        first, second = aligned_faces(self.sets, rng.choice(self.indices, 2).tolist())
        return mix(first, second, rng)

    def ask(
        self,
        teachers: Sequence[Path],
        folder: Path,
        device: str = "cpu",
        minutes: float = math.inf,
        report: Report = lambda done, total: None,
    ) -> npt.NDArray[np.float16]:
        """What teachers see in each, see :func:`engine.training.teachers.ask_teachers`."""
        described = describe_asked(self.sets, teachers, of=len(self.indices))
        return ask_about(
            lambda rows: np.stack([self.make(row) for row in rows]),
            self.count,
            Asked("mixtures", described),
            teachers,
            folder,
            device,
            minutes,
            report,
        )


def mix(first_u8: U8, second_u8: U8, rng: np.random.Generator) -> U8:
    """Lay one aligned face's inner face over another's, in the light of that one: a new person.

    Args:
        first_u8: (112, 112, 3), RGB, aligned.
        second_u8: likewise, whose inner face it is.
        rng: decides how much of the second shows, and how sharply it ends.

    Returns:
        (112, 112, 3).
    """
    wide, high = AXES * np.exp(rng.normal(0, 0.15, 2))
    x, y = CENTRE + rng.normal(0, 4, 2)
    radius = np.hypot((_PLACES[None] - x) / wide, (_PLACES[:, None] - y) / high)
    share = np.clip((1 - radius) / rng.uniform(0.05, 0.4), 0, 1).astype(np.float32)[..., None]
    over = second_u8.astype(np.float32) - first_u8
    light = (over * share).sum((0, 1)) / max(float(share.sum()), 1.0)
    return np.asarray(np.clip(first_u8 + share * (over - light), 0, 255).round(), np.uint8)


_PLACES = np.arange(SIDE)
