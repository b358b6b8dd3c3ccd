"""Draws a gallery of agents near to no training face, and keeps those whose faces differ most."""

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import cast

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from engine.agents import draw_gallery
from engine.data import FaceSet
from engine.errors import ModelError
from engine.images import to_u8
from engine.masks.matching import most_unlike
from engine.masks.portrait import SIDE
from engine.masks.swap import FACESHIFTER, SIMSWAP, average_like
from engine.networks.gallery import AgentGallery
from engine.networks.swapper import Swapper, conceal
from engine.recognition import find_recognizer
from engine.training import checkpoint
from engine.training.checkpoint import Progress
from engine.training.identities import own_identities
from engine.training.learner import TrainOptions
from engine.training.portraits import make_portraits
from engine.training.rounds import Say
from engine.training.shown import aligned, lightened
from engine.training.teachers import to_faces
from engine.zoo import load_model

F32 = npt.NDArray[np.float32]


@dataclass(frozen=True)
class GalleryRecipe:
    """What a gallery is drawn by.

    Attributes:
        name: of the recipe.
        swapper: released one, which is to give faces these identities.
        drawn: identities drawn, none nearer than ``most`` to a training face or to each other, as
            :func:`engine.agents.draw_gallery` takes it.
        count: of which are kept: those whose faces the swapper makes least alike.
        faces: training faces on which it draws each of them.
        share: of the change in lightness that is laid: somewhat less than masks lay.
    """

    name: str
    swapper: str
    count: int = 128
    drawn: int = 2048
    most: float = 0.4
    faces: int = 8
    share: float = 0.4


GALLERIES = {
    "agents": GalleryRecipe("agents", SIMSWAP),
    "agents-faceshifter": GalleryRecipe("agents-faceshifter", FACESHIFTER),
}
"""One for each swapper: who is unlike in the faces that one draws may be alike in the other's."""


@dataclass
class Fitted:
    """What :func:`fit_gallery` made, told as of a training: it has no steps."""

    recipe: GalleryRecipe
    options: TrainOptions
    progress: Progress
    figures: dict[str, float]


def fit_gallery(
    recipe: GalleryRecipe,
    sets: Sequence[FaceSet],
    options: TrainOptions,
    report: Say = lambda line: None,
) -> Fitted:
    """Draw a gallery that is near to no training face, and write it as a model folder.

    Two identities may be far apart as vectors and yet come out as one person, since a swapper
    cannot draw everybody. So each is drawn on some training faces, on one of the averages
    that masks take for it, and the released recogniser says which of them it would take for each
    other.

    Args:
        recipe: how many, and how far apart.
        sets: faces with landmarks.
        options: where, and the seed.
        report: takes one line of text at a time.

    Raises:
        DataError, ModelError: as :func:`engine.training.identities.own_identities` and
            :func:`engine.agents.draw_gallery`; no such swapper, or a recogniser that has no
            threshold.
    """
    start = time.monotonic()
    options.folder.mkdir(parents=True, exist_ok=True)
    embeddings = own_identities(sets, options)
    agents = draw_gallery(
        embeddings, recipe.drawn, recipe.most, np.random.default_rng(options.seed)
    )
    if recipe.count > recipe.drawn:
        raise ModelError(
            f"expected {recipe.drawn} identities or fewer to be kept, got {recipe.count}",
            hint="draw more, or keep fewer",
        )
    report(f"drawing each of {recipe.drawn:,} identities on {recipe.faces} faces")
    made, threshold = _drawn_on_faces(agents, sets, recipe, options)
    kept = most_unlike(made, recipe.count, threshold)
    gallery = AgentGallery(recipe.count, agents.shape[1], recipe.most)
    with torch.no_grad():
        gallery.identities.copy_(torch.from_numpy(agents[kept]))
    progress = Progress(seconds=time.monotonic() - start, faces_seen=len(embeddings))
    checkpoint.save_fitted(options.folder, gallery, progress, asdict(recipe))
    cosines = agents[kept] @ agents[kept].T - np.eye(len(kept))
    figures = {
        "nearest_face_cosine": float((agents[kept] @ embeddings.T).max()),
        "nearest_agent_cosine": float(cosines.max()),
        "drawn_match": _match(made, threshold),
        "kept_match": _match(made[kept], threshold),
    }
    return Fitted(recipe, options, progress, figures)


def _match(made: F32, threshold: float) -> float:
    """Share of the pairs of identities on one face that are taken for one person."""
    first, second = np.triu_indices(len(made), 1)
    if not len(first):
        return 0.0
    cosines = [(of_face @ of_face.T)[first, second] for of_face in made.transpose(1, 0, 2)]
    return float((np.stack(cosines) >= threshold).mean())


def _drawn_on_faces(
    agents: F32, sets: Sequence[FaceSet], recipe: GalleryRecipe, options: TrainOptions
) -> tuple[F32, float]:
    """Embeddings, (A, F, D) of length 1, of each agent's face on each of some training faces.

    Beside them the cosine from which on the recogniser takes two of them for one person.
    """
    every = np.linspace(0, sum(map(len, sets)) - 1, recipe.faces).round().astype(int)
    known = make_portraits(sets, every.tolist(), SIDE)
    swapper = cast(Swapper, load_model(recipe.swapper, options.device))
    judge = find_recognizer(device=options.device)
    if judge.threshold is None:
        raise ModelError(
            f"{judge.name} must have a threshold to tell who is taken for whom",
            hint="release the recogniser with --calibrated",
        )
    given = (known.pictures, known.mattes, known.landmarks)
    pictures, mattes, landmarks = (part.to(options.device) for part in given)
    seen_u8 = [to_u8(picture[None]) for picture in known.pictures]

    def one(agent: F32) -> Tensor:
        others = [
            average_like(picture_u8, points, 0, agent)
            for picture_u8, points in zip(seen_u8, known.landmarks.numpy(), strict=True)
        ]
        shown = conceal(pictures, mattes, to_faces(np.stack(others)).to(options.device))
        identity = torch.from_numpy(agent).to(options.device)
        drawn = swapper(shown, mattes, landmarks, identity.expand(len(pictures), -1))
        laid = lightened(shown, drawn, recipe.share)
        made = pictures + mattes * (laid - pictures)
        return judge.embed(aligned(made.clamp(0, 1)).clamp(0, 1)).cpu()

    with torch.inference_mode():
        found = torch.stack([one(agent) for agent in agents])
    return np.asarray(found.numpy(), np.float32), judge.threshold
