"""Who the training faces are to the recogniser of identities."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from engine.data import FaceSet
from engine.errors import DataError
from engine.files import replacing
from engine.recognition import find_recognizer
from engine.training.learner import TrainOptions
from engine.training.teachers import aligned_faces, to_faces
from engine.zoo import IDENTITIES

_CHUNK = 64


def own_identities(sets: Sequence[FaceSet], options: TrainOptions) -> npt.NDArray[np.float32]:
    """Embeddings of every face by the recogniser of identities, (N, D), kept in the run's folder.

    Raises:
        DataError: a face has no landmarks, or the folder's embeddings are of other faces, or
            damaged.
        ModelError: as :func:`engine.recognition.find_recognizer`.
    """
    judge = find_recognizer(IDENTITIES, options.device)
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
