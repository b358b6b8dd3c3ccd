"""Measures a network on many faces at once; what comes out is the pipeline's."""

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from engine.benchmark.judge import PLAIN, Exhibit
from engine.benchmark.photographs import clipped, whole
from engine.benchmark.plan import BenchmarkConfig, Subject, drawn
from engine.benchmark.rig import Floats, Keys, Png, Rig, network_of, stack
from engine.data import FaceSet
from engine.faces import merge_overlapping
from engine.images import batch_to_u8
from engine.masking import Masked, lay_masks
from engine.methods.embedding import MAX_ERROR

U8 = npt.NDArray[np.uint8]


def show(
    faces: FaceSet,
    indices: Sequence[int],
    subject: Subject,
    mask: str,
    config: BenchmarkConfig,
    folder: Path,
    device: str,
) -> list[Exhibit]:
    """Protect, write, read and recover faces of equal size.

    The pixels are those that :func:`engine.pipeline.protect` makes, but for the salt and the seed
    of the mask: they come from ``config.seed``, so that figures can be made again.

    Returns:
        The pictures of each; only that it was refused, where the network hides too little.
    """
    records = [faces.records[index] for index in indices]
    originals = [faces.load(index) for index in indices]
    masked = [_masked(faces, index, mask, config) for index in indices]
    shape = originals[0].shape[:2]
    keys = [Keys(subject, mask, config, record.file, shape) for record in records]
    medium = Png(folder, shape) if config.protocol == "png" else Floats(shape)
    rig = Rig(network_of(subject, device), device, medium, subject)
    masks = [one.photo_u8 for one in masked]
    named = rig.basics(stack(originals), stack(masks), keys, config.parts)
    extra = rig.extras(named, keys, config.parts)
    leaks = _leaks(named, rig.byproducts(named, keys)) if "byproducts" in config.parts else {}
    aim = "mask" if subject.wrong == "obfs" else "original"
    aims = {"recovered": "original", "spoofed": "original", "protected": "mask"}
    exhibits = []
    for i, record in enumerate(records):
        exhibit = Exhibit(record, record.source)
        exhibits.append(exhibit)
        if masked[i].notes:
            exhibit.note_mask()
        if (255 * (named["protected"][i] - named["mask"][i])).square().mean().item() > MAX_ERROR:
            exhibit.refuse()
            continue
        exhibit.shown = {n: medium.shown(n, t[i : i + 1]) for n, t in (named | extra).items()}
        others = [name for name in named if name not in ("original", "mask")]
        exhibit.compare(config.metrics, *(f"{aims.get(name, aim)}:{name}" for name in others))
        if config.of_faces:  # whether whoever is protected is still known
            exhibit.compare(config.of_faces, "original:protected")
        exhibit.compare(PLAIN, *(f"original:{name}" for name in extra))
        exhibit.values["wrong", "clipped"] = clipped(batch_to_u8(exhibit.shown["wrong"])[0])
        exhibit.values |= {pair: values[i] for pair, values in leaks.items()}
    return exhibits


@lru_cache(maxsize=256)  # of a batch, for the next network: laying another face is slow
def _masked(faces: FaceSet, index: int, mask: str, config: BenchmarkConfig) -> Masked:
    original_u8, record = faces.load(index), faces.records[index]
    regions = merge_overlapping([whole(original_u8, record)], *original_u8.shape[:2])
    seed = int.from_bytes(drawn(config.seed, record.file, "mask")[:16], "big")
    return lay_masks(
        original_u8, regions, mask,
        preset=config.preset, seed=seed, model=config.model_for(mask),
    )  # fmt: skip


def _leaks(
    named: dict[str, Tensor], byproducts: dict[str, Tensor]
) -> dict[tuple[str, str], list[float]]:
    """What the networks' second outputs tell of the original, and the mask as the control."""
    return {
        (f"original:{name}", "fitted_psnr_db"): fitted_psnr_db(named["original"], picture)
        for name, picture in {**byproducts, "mask": named["mask"]}.items()
    }


def fitted_psnr_db(original: Tensor, picture: Tensor) -> list[float]:
    """PSNR once each colour of a picture has the contrast and brightness that suit it best.

    An upper bound for whoever looks at a picture that leaves [0, 1]: how it is stretched decides
    what is seen. Both (B, 3, H, W), any range; one value for each.
    """
    first, second = original.double().flatten(2), picture.double().flatten(2)
    first, second = (image - image.mean(2, keepdim=True) for image in (first, second))
    shared = (first * second).mean(2).square() / second.square().mean(2).clamp_min(1e-20)
    error = (first.square().mean(2) - shared).clamp_min(0).mean(1)
    values: list[float] = (-10 * torch.log10(error)).tolist()
    return values
