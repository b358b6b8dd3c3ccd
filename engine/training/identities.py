"""Who the training faces are to the released recogniser, and a gallery of agents near to none."""

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from engine.agents import draw_gallery
from engine.data import FaceSet
from engine.errors import DataError
from engine.files import replacing
from engine.networks.gallery import AgentGallery
from engine.recognition import find_recognizer
from engine.training import checkpoint
from engine.training.checkpoint import Progress
from engine.training.loop import TrainOptions
from engine.training.teachers import aligned_faces, to_faces

_CHUNK = 64


def own_identities(sets: Sequence[FaceSet], options: TrainOptions) -> npt.NDArray[np.float32]:
    """Embeddings of every face by the released recogniser, (N, D), kept in the run's folder.

    Raises:
        DataError: a face has no landmarks, or the folder's embeddings are of other faces, or
            damaged.
        ModelError: as :func:`engine.recognition.find_recognizer`.
    """
    judge = find_recognizer(device=options.device)
    file, total = options.folder / f"{judge.name}-{judge.sha256[:12]}.npy", sum(map(len, sets))
    if file.is_file():
        found = _load(file)
        if len(found) != total:
            raise DataError(
                f"{file.name} holds {len(found)} faces, the sets have {total}",
                hint="name another folder with --resume, or the data of before",
            )
        return found
    chunks = []
    with torch.inference_mode():
        for start in range(0, total, _CHUNK):
            rows = range(start, min(start + _CHUNK, total))
            faces = to_faces(aligned_faces(sets, rows)).to(options.device)
            chunks.append(judge.embed(faces).cpu().numpy())
    found = np.concatenate(chunks)
    with replacing(file) as whole:  # a killed run shall leave nothing that is taken for all
        np.save(whole, found)
    return found


def _load(file: Path) -> npt.NDArray[np.float32]:
    try:
        return np.asarray(np.load(file), np.float32)
    except (ValueError, EOFError) as error:
        raise DataError(
            f"{file.name} must hold the embeddings of the faces, and is damaged",
            hint="remove it: they are made again",
        ) from error


@dataclass(frozen=True)
class GalleryRecipe:
    """What a gallery is drawn by; as :func:`engine.agents.draw_gallery` takes it."""

    name: str = "agents"
    count: int = 1024
    most: float = 0.4


@dataclass
class Fitted:
    """What :func:`fit_gallery` made, told as of a training: it has no steps."""

    recipe: GalleryRecipe
    options: TrainOptions
    progress: Progress
    figures: dict[str, float]


def fit_gallery(recipe: GalleryRecipe, sets: Sequence[FaceSet], options: TrainOptions) -> Fitted:
    """Draw a gallery that is near to no training face, and write it as a model folder.

    Args:
        recipe: how many, and how far apart.
        sets: faces with landmarks.
        options: where, and the seed.

    Raises:
        DataError, ModelError: as :func:`own_identities` and :func:`engine.agents.draw_gallery`.
    """
    start = time.monotonic()
    options.folder.mkdir(parents=True, exist_ok=True)
    embeddings = own_identities(sets, options)
    rng = np.random.default_rng(options.seed)
    agents = draw_gallery(embeddings, recipe.count, recipe.most, rng)
    gallery = AgentGallery(recipe.count, agents.shape[1], recipe.most)
    with torch.no_grad():
        gallery.identities.copy_(torch.from_numpy(agents))
    progress = Progress(seconds=time.monotonic() - start, faces_seen=len(embeddings))
    checkpoint.save_fitted(options.folder, gallery, progress, asdict(recipe))
    apart = agents @ agents.T - np.eye(len(agents))
    figures = {
        "nearest_face_cosine": float((agents @ embeddings.T).max()),
        "nearest_agent_cosine": float(apart.max()),
    }
    return Fitted(recipe, options, progress, figures)
