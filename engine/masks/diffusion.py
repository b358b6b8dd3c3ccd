"""A face that a diffusion model paints: any inpainting pipeline of diffusers that the user names.

Off unless one is named: the project releases none. The pipeline never sees the face that it paints
over, only what lies around it.
"""

import hashlib
import os
from functools import lru_cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError

from engine.errors import MaskError, ModelError, WeightsMissingError
from engine.masks.portrait import Portrait, lay_back, to_portrait

PROMPT = "portrait photograph of the face of a person, natural skin, looking at the camera"
"""What every pipeline is asked for; nothing in it depends on the face."""

_FAULTS = (ValueError, TypeError, LookupError, AttributeError, ArithmeticError, RuntimeError)
"""What diffusers and transformers raise, undocumented, where a file of a pipeline is damaged."""

U8 = npt.NDArray[np.uint8]


def diffusion(
    face_u8: U8,
    *,
    landmarks: npt.ArrayLike | None = None,
    seed: int = 0,
    steps: int = 30,
    guidance: float = 7.5,
    model: str = "",
) -> U8:
    """Have the inner face painted anew.

    Args:
        face_u8: face, ``(H, W, 3)`` RGB.
        landmarks: ``(5, 2)`` x, y in pixels in ArcFace order.
        seed: of the noise that the painting begins with, 0 or more.
        steps: of denoising, 1 or more.
        guidance: how closely the prompt is followed, 0 or more.
        model: name on the Hugging Face Hub, or folder, of an inpainting pipeline.

    Returns:
        The mask, same shape as ``face_u8``, equal to it outside the inner face.

    Raises:
        LandmarksError: no landmarks, or such as cannot be used.
        MaskError: a strength outside its range.
        ModelError: the pipeline cannot be loaded, stops, or what it paints is no picture.
    """
    if int(steps) != steps or steps < 1:
        raise MaskError(f"steps must be whole and 1 or more, got {steps:g}", hint="30 is usual")
    pipeline = load_inpainting(model)
    portrait = to_portrait(face_u8, landmarks, _side_of(pipeline))
    painted_u8 = _paint(pipeline, portrait, seed, int(steps), float(guidance))
    return lay_back(face_u8, painted_u8, portrait)


def _paint(pipeline: Any, portrait: Portrait, seed: int, steps: int, guidance: float) -> U8:
    import torch
    from PIL import Image

    side = len(portrait.picture_u8)
    inner = portrait.matte > 0
    try:
        painted = pipeline(
            prompt=PROMPT,
            image=Image.fromarray(_without_face(portrait.picture_u8, inner)),
            mask_image=Image.fromarray(np.where(inner, 255, 0).astype(np.uint8)),
            height=side,
            width=side,
            strength=1.0,  # from noise alone
            num_inference_steps=steps,
            guidance_scale=guidance,
            # On the processor, so that every device begins with the same noise.
            generator=torch.Generator("cpu").manual_seed(seed % 2**63),
        ).images[0]
    except _FAULTS as error:
        raise ModelError(
            f"the diffusion model must paint a face, it stopped with {type(error).__name__}",
            hint="it may be damaged, or too large for this machine: name another one",
        ) from error
    painted_u8 = np.asarray(painted.convert("RGB"), np.uint8)
    if painted_u8.shape != portrait.picture_u8.shape:
        raise ModelError(
            f"the pipeline must paint {side} x {side} pixels, got {painted_u8.shape[:2]}",
            hint="name another pipeline with --diffusion-model",
        )
    return painted_u8


def _without_face(picture_u8: U8, inner: npt.NDArray[np.bool_]) -> U8:
    """Put the mean colour of its rim in place of the inner face."""
    rim = cv2.dilate(inner.astype(np.uint8), np.ones((3, 3), np.uint8)).astype(bool) & ~inner
    bare_u8 = picture_u8.copy()
    bare_u8[inner] = picture_u8[rim].mean(axis=0)
    return bare_u8


def _side_of(pipeline: Any) -> int:
    """The side that the pipeline was trained for, in pixels."""
    network = getattr(pipeline, "unet", None) or getattr(pipeline, "transformer", None)
    size = getattr(getattr(network, "config", None), "sample_size", None)
    side = size * getattr(pipeline, "vae_scale_factor", 8) if isinstance(size, int) else 512
    return int(min(max(side, 16), 1024))


@lru_cache(maxsize=1)
def load_inpainting(model: str) -> Any:
    """Load an inpainting pipeline of diffusers, on the GPU where there is one.

    Args:
        model: name on the Hugging Face Hub, or folder; what is not on this machine yet is fetched
            by diffusers.

    Raises:
        WeightsMissingError: there is none of this name, or the package transformers is not here,
            which these pipelines read their prompts with.
        ModelError: it is there, and damaged, or no inpainting pipeline.
    """
    import importlib.util

    import torch

    from engine._compat import ensure_torchvision

    if importlib.util.find_spec("transformers") is None:
        raise WeightsMissingError(
            "inpainting pipelines need the package transformers, which is not installed",
            hint="pip install transformers, or take another mask",
        )
    ensure_torchvision()
    from diffusers import AutoPipelineForInpainting

    cuda = torch.cuda.is_available()
    try:
        pipeline = AutoPipelineForInpainting.from_pretrained(
            model, dtype=torch.float16 if cuda else torch.float32, use_safetensors=True
        )
    except OSError as error:
        if Path(model).is_dir():
            raise _damaged(error) from error
        raise WeightsMissingError(
            "the diffusion model is not on this machine and cannot be fetched",
            hint="name a folder that save_pretrained wrote, or a pipeline of the Hugging Face Hub",
        ) from error
    except (*_FAULTS, ImportError, SafetensorError) as error:
        raise _damaged(error) from error
    _check_words(pipeline)
    pipeline.set_progress_bar_config(disable=True)
    return pipeline.to("cuda" if cuda else "cpu")


def hash_pipeline(model: str) -> str:
    """SHA-256 of all files of a pipeline with their names, the same wherever its folder lies.

    Args:
        model: as :func:`load_inpainting`, which has loaded it: what is to be fetched is here then.

    Raises:
        WeightsMissingError: it is not on this machine.
    """
    folder = _folder_of(model)
    # Not by rglob, which does not look into linked folders.
    found = os.walk(folder, followlinks=True)
    files = [Path(place) / name for place, _, names in found for name in names]
    names = {path.relative_to(folder): path for path in files}
    digest = hashlib.sha256()
    for name in sorted(name for name in names if not any(p.startswith(".") for p in name.parts)):
        with names[name].open("rb") as file:
            own = hashlib.file_digest(file, "sha256").digest()
        digest.update(name.as_posix().encode() + b"\0" + own)
    return digest.hexdigest()


def _folder_of(model: str) -> Path:
    """The folder of a pipeline, which is the Hub's own cache where it was fetched from there."""
    if Path(model).is_dir():
        return Path(model)
    from huggingface_hub import try_to_load_from_cache

    index = try_to_load_from_cache(model, "model_index.json")
    if not isinstance(index, str):
        raise WeightsMissingError(
            "the diffusion model must lie on this machine, the cache of the Hub does not have it",
            hint="save it into a folder with save_pretrained, and name that",
        )
    return Path(index).parent


def _damaged(error: Exception) -> ModelError:
    return ModelError(
        "the diffusion model must be an inpainting pipeline of diffusers, whole, got something "
        f"else or a damaged one ({type(error).__name__})",
        hint="copy its folder again, or name one that AutoPipelineForInpainting takes",
    )


def _check_words(pipeline: Any) -> None:
    """Refuse a pipeline that knows no words: where their file is missing, transformers goes on."""
    for name, part in pipeline.components.items():
        special = getattr(part, "all_special_tokens", None)
        if special is not None and not set(part.get_vocab()) - set(special):
            raise ModelError(
                f"the diffusion model must know words to be asked with, its {name} knows none",
                hint="copy its folder again: the vocabulary is missing",
            )
