"""Makes the averages of k-Same: groups of ten faces that look alike, each averaged into one.

In a group, faces are bent to its mean landmarks and then, by optical flow, to their own average
again and again: that is what keeps it sharp.
"""

import dataclasses
import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import torch

from engine.data import FaceSet
from engine.errors import DataError
from engine.masks.matching import tone_of
from engine.masks.portrait import SIDE, inner_matte
from engine.masks.thin_plate import bend
from engine.networks.eigenfaces import EigenFaces
from engine.recognition import find_recognizer
from engine.training.checkpoint import export
from engine.training.crowd import (
    F32,
    U8,
    AveragesRecipe,
    Say,
    form_groups,
    gather,
    one_way,
    portrait_of,
)
from engine.training.shown import aligned
from engine.zoo import IDENTITIES

_CHUNK = 64
_MIDDLE = 20  # pixels of its edge that the inner face lacks in its middle
_FLOW_STEPS = 3
_FLOW_BLUR = 4.0
_LONGEST_FLOW = 5.0  # pixels in one step


def fit_averages(
    sets: Sequence[FaceSet],
    folder: Path,
    recipe: AveragesRecipe | None = None,
    seed: int = 0,
    report: Say = lambda line: None,
) -> EigenFaces:
    """Group, average and write ``model`` and ``checkpoint`` of the run.

    It takes minutes; a run that was stopped begins anew.

    Args:
        sets: faces with landmarks.
        folder: of the run; only averages and what is made from them is written there.
        recipe: how.
        seed: of the order in which groups are formed.
        report: takes one line of text at a time.

    Raises:
        DataError: not enough faces with landmarks for two groups, or as :func:`skin_of`.
        ModelError: the released recogniser cannot be loaded.
    """
    recipe, start = recipe or AveragesRecipe(), time.monotonic()
    crowd = gather(sets, report)
    groups = form_groups(crowd, recipe, seed)
    report(f"{len(groups)} groups of {recipe.least} of {len(crowd.people):,} faces")
    averages, landmarks = [], []
    for number, group in enumerate(groups, 1):
        landmarks.append(crowd.landmarks[group].mean(axis=0))
        pictures = [one_way(portrait_of(sets, crowd.places[i]))[0] for i in group]
        averages.append(average(pictures, crowd.landmarks[group]))
        if number % 100 == 0:
            report(f"averaged {number} of {len(groups)} groups")
    network = compress(np.stack(averages), np.stack(landmarks), recipe)
    look_at(network, recipe)
    progress = {
        "step": len(groups),
        "seconds": time.monotonic() - start,
        "faces_seen": sum(map(len, groups)),
    }
    state = {"progress": progress, "recipe": dataclasses.asdict(recipe), "seed": seed}
    _write(folder, network, state)
    return network


def average(portraits_u8: Sequence[U8], landmarks: F32) -> F32:
    """Average faces after bending them onto each other: (S, S, 3), RGB in [0, 255].

    Args:
        portraits_u8: (S, S, 3) each.
        landmarks: (K, 5, 2), of each; the result has their mean.
    """
    goal = landmarks.mean(axis=0)
    faces = [
        bend(picture_u8.astype(np.float32), points, goal)
        for picture_u8, points in zip(portraits_u8, landmarks, strict=True)
    ]
    mean = np.mean(faces, axis=0)
    for _ in range(_FLOW_STEPS):
        mean = np.mean([_flowed(face, mean) for face in faces], axis=0)
    return np.asarray(np.clip(mean, 0, 255), np.float32)


def _flowed(face: F32, mean: F32) -> F32:
    """Bend a face onto an average, where its shades say how (Kroeger et al., DIS flow, 2016)."""
    wanted, grey = (
        cv2.cvtColor(one.astype(np.float32), cv2.COLOR_RGB2GRAY) for one in (mean, face)
    )
    grey = (grey - grey.mean()) / max(float(grey.std()), 1e-3) * wanted.std() + wanted.mean()
    first, second = (np.clip(one, 0, 255).astype(np.uint8) for one in (wanted, grey))
    preset = cv2.DISOPTICAL_FLOW_PRESET_MEDIUM
    flow = cv2.DISOpticalFlow_create(preset).calc(first, second, None)  # type: ignore[attr-defined]
    flow = np.clip(cv2.GaussianBlur(flow, (0, 0), _FLOW_BLUR), -_LONGEST_FLOW, _LONGEST_FLOW)
    y, x = np.mgrid[: len(face), : len(face)].astype(np.float32)
    bent = cv2.remap(
        face, x + flow[..., 0], y + flow[..., 1], cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT_101
    )
    return np.asarray(bent, np.float32)


def compress(averages: F32, landmarks: F32, recipe: AveragesRecipe) -> EigenFaces:
    """Keep the principal components of averages.

    Pixels outside the inner face are dropped, and what is no skin on most: hair, neck and what is
    behind. Components are stored in 8 bits.

    Args:
        averages: (N, S, S, 3), RGB in [0, 255], N from 2.
        landmarks: (N, 5, 2), of each.
        recipe: how many components, and what is kept.

    Raises:
        DataError: as :func:`skin_of`.
    """
    shape = landmarks.mean(axis=0)
    tones = np.stack(
        [tone_of(np.rint(one).astype(np.uint8), inner_matte(SIDE)) for one in averages]
    )
    drawn = np.stack([bend(one, own, shape) for one, own in zip(averages, landmarks, strict=True)])
    kept = skin_of(drawn, recipe) & _grown(recipe.margin)
    pixels = drawn[:, kept].reshape(len(drawn), -1).astype(np.float64) / 255
    mean = pixels.mean(axis=0)
    values, vectors = np.linalg.eigh((pixels - mean) @ (pixels - mean).T)
    count = min(recipe.components, len(values) - 1)
    chosen = vectors[:, ::-1][:, :count]
    components = chosen.T @ (pixels - mean)
    scales = np.maximum(np.abs(components).max(axis=1), 1e-9) / 127
    network: EigenFaces = EigenFaces(len(drawn), count, int(kept.sum()), SIDE, recipe.least)
    parts = {
        "mean": mean, "basis": np.rint(components / scales[:, None]), "scales": scales,
        "coefficients": chosen, "landmarks": landmarks, "shape": shape, "tones": tones,
        "kept": kept,
    }  # fmt: skip
    for name, part in parts.items():
        own = getattr(network, name)
        own.data.copy_(torch.from_numpy(np.ascontiguousarray(part)).to(own.dtype))
    network.eval()
    return network


def look_at(network: EigenFaces, recipe: AveragesRecipe) -> None:
    """Note what the released recogniser and that of identities see in each average.

    Raises:
        ModelError: one cannot be loaded.
    """
    seen = [(find_recognizer(), network.vectors), (find_recognizer(IDENTITIES), network.identities)]
    with torch.inference_mode():
        for numbers in torch.split(torch.arange(len(network.vectors)), _CHUNK):
            drawn = aligned(network(numbers, recipe.character))
            for judge, vectors in seen:
                vectors[numbers] = judge.embed(drawn).to(vectors.dtype)


def skin_of(averages: F32, recipe: AveragesRecipe) -> npt.NDArray[np.bool_]:
    """Where pictures of one shape, (N, S, S, 3), show the face: as light as its middle, or inside.

    Hair and shade beside a jaw, laid over a fuller face, would be a dark rim on it.

    Args:
        averages: RGB in [0, 255].
        recipe: how dark is too dark.

    Raises:
        DataError: no face is there.
    """
    from scipy.ndimage import binary_erosion, binary_fill_holes, label
    from skimage.morphology import convex_hull_image

    light = np.mean(
        [cv2.cvtColor(one / 255, cv2.COLOR_RGB2LAB)[..., 0] for one in averages], axis=0
    )
    middle = _grown(-_MIDDLE)
    found = binary_fill_holes(light > np.median(light[middle]) - recipe.darker)
    parts, _ = label(binary_erosion(found, iterations=recipe.edge))
    inside = parts[middle & (parts > 0)]
    if not len(inside):
        raise DataError(
            "expected averages that are light where faces are, found none",
            hint="look whether the set's landmarks lie on its faces",
        )
    own = np.bincount(inside).argmax()
    return np.asarray(convex_hull_image(parts == own), np.bool_)  # eyes are dark, and of the face


def _grown(pixels: int) -> npt.NDArray[np.bool_]:
    """The inner face of a portrait and as much around it; or less, where that is below 0."""
    from scipy.ndimage import binary_dilation, binary_erosion

    inside = inner_matte(SIDE) > 0
    if not pixels:  # scipy would go on until nothing changes
        return inside
    change = binary_dilation if pixels > 0 else binary_erosion
    return np.asarray(change(inside, iterations=abs(pixels)))


def _write(folder: Path, network: EigenFaces, state: dict[str, Any]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    export(folder / "model", network)
    (folder / "checkpoint").mkdir(exist_ok=True)
    (folder / "checkpoint" / "state.json").write_text(json.dumps(state), encoding="utf-8")


def reached(folder: Path, recipe: AveragesRecipe, seed: int) -> dict[str, Any] | None:
    """Tell what a finished run has made, ready for JSON; None where it has not finished.

    Raises:
        DataError: the folder holds another run.
    """
    file = folder / "checkpoint" / "state.json"
    if not file.is_file():
        return None
    state = json.loads(file.read_text(encoding="utf-8"))
    if state.get("recipe") != dataclasses.asdict(recipe) or state.get("seed") != seed:
        raise DataError(
            f"{folder.name} holds another run than of ksame with seed {seed}",
            hint="name another folder with --resume",
        )
    progress = state["progress"]
    return {
        "recipe": recipe.name,
        "model": str(folder / "model"),
        "groups": progress["step"],
        "faces_seen": progress["faces_seen"],
        "minutes": round(progress["seconds"] / 60, 2),
    }
