"""Why here: whose face it is: finds a recogniser, aligns faces for it, embeds and compares them."""

import contextlib
import hashlib
import io
import json
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional

from engine import zoo
from engine.alignment import SIDE, align
from engine.detectors import PACK, pack_folder
from engine.errors import ModelError, UnknownModelError, WeightsMissingError
from engine.images import batch_to_u8
from engine.zoo import RECOGNIZER

if TYPE_CHECKING:
    from engine.networks.recognizer import Recognizer


ONNX_FILE = "recognizer.onnx"
"""Beside the weights of the released one: the same network, see :func:`export_onnx`."""

Landmarks = Sequence[npt.NDArray[np.float32] | None]
"""For each face (5, 2), x and y in its pixels, or None where they are not known."""


@dataclass(frozen=True)
class Judge:
    """A recogniser, whoever made it.

    Attributes:
        name: as :func:`find_recognizer` was given it, without the folders of this machine.
        sha256: of its weights.
        embed: (B, 3, 112, 112), RGB in [0, 1], aligned, to (B, D) float32 of length 1.
        threshold: cosine from which two faces pass for one person; None where nobody measured it.
    """

    name: str
    sha256: str
    embed: Callable[[Tensor], Tensor]
    threshold: float | None = None


def find_recognizer(name: str = RECOGNIZER, device: str | torch.device = "cpu") -> Judge:
    """Load a recogniser.

    Args:
        name: a released one; ``"insightface:NAME"``, a pack on this machine, by its name or path as
            in :func:`engine.faces.detect`; the path of a model folder that training has written;
            or of a TorchScript file (``.ts``) that embeds faces as :class:`Judge` says.
        device: where it runs; a pack always runs on the processor.

    Raises:
        UnknownModelError: there is none of this name.
        WeightsMissingError, WeightsHashError: as :func:`engine.zoo.load_model`; or the pack is not
            on this machine, or recognises nobody.
        ModelError: it cannot be loaded, or is no recogniser.
    """
    if name.startswith(PACK):
        folder = pack_folder(name.removeprefix(PACK))
        pack = _pack(str(folder))
        return Judge(PACK + folder.name, _hash_file(Path(pack.model_file)), _of_pack(pack))
    path = Path(name)
    if path.suffix == ".ts" or (path / "config.json").is_file():
        return _of_file(path.resolve(), str(device))
    if name == RECOGNIZER and name not in zoo.RELEASED:
        raise UnknownModelError(
            "no recogniser is released yet",
            hint="train one with python -m engine train recognizer and name its folder, "
            "as in identity_cosine@FOLDER, or insightface:PACK",
        )
    if name not in zoo.RELEASED:
        raise UnknownModelError(
            f"no recogniser is called {name!r}",
            hint=f"name {RECOGNIZER}, insightface:PACK, or the folder of a trained one",
        )
    from engine.networks.recognizer import Recognizer  # diffusers takes seconds to load

    network = zoo.load_model(name, str(device))
    if not isinstance(network, Recognizer):
        raise ModelError(
            f"{name} must be a Recognizer, got a {type(network).__name__}",
            hint=f"name {RECOGNIZER}, or an insightface pack",
        )
    embed_aligned = cast(Callable[[Tensor], Tensor], network)
    return Judge(name, zoo.RELEASED[name], embed_aligned, network.config.threshold)


def align_batch(faces: Tensor, landmarks: Landmarks | None = None) -> Tensor:
    """Align a batch of faces for a recogniser.

    Args:
        faces: (B, 3, H, W), RGB in [0, 1], on any device.
        landmarks: of each, or None; what is not known is guessed as :func:`engine.alignment.align`
            does for a crop.

    Returns:
        (B, 3, 112, 112) float32, on the same device.

    Raises:
        ImageShapeError: landmarks that are no five points.
    """
    pictures = faces.detach().float().permute(0, 2, 3, 1).contiguous().cpu().numpy()
    known = [None] * len(pictures) if landmarks is None else landmarks
    aligned = [align(face, points) for face, points in zip(pictures, known, strict=True)]
    stacked = torch.from_numpy(np.stack(aligned) if aligned else np.empty((0, SIDE, SIDE, 3)))
    return stacked.float().permute(0, 3, 1, 2).to(faces.device)


def embed(faces: Tensor, landmarks: Landmarks | None = None, name: str = RECOGNIZER) -> Tensor:
    """Align faces and embed them: (B, 3, H, W), RGB in [0, 1], to (B, D) float32 of length 1.

    Args:
        faces: crops of one face each.
        landmarks: as :func:`align_batch` takes them.
        name: of the recogniser.

    Raises:
        ImageShapeError: as :func:`align_batch`.
        ModelError: as :func:`find_recognizer`.
    """
    judge = find_recognizer(name, faces.device)
    with torch.inference_mode():
        return judge.embed(align_batch(faces, landmarks))


def cosines(
    first: Tensor, second: Tensor, landmarks: Landmarks | None = None, name: str = RECOGNIZER
) -> Tensor:
    """Compare the faces of two batches pairwise: (B,) float64, 1 for the same face.

    Args:
        first: (B, 3, H, W), RGB in [0, 1].
        second: the same shape and range.
        landmarks: of each pair; the same for both of its pictures.
        name: of the recogniser.

    Raises:
        ImageShapeError, ModelError: as :func:`embed`.
    """
    one, other = (embed(faces, landmarks, name).double() for faces in (first, second))
    return (one * other).sum(1).clamp(-1, 1)


def export_onnx(network: "Recognizer", path: Path) -> None:
    """Write a recogniser as ONNX, for ``insightface.model_zoo.get_model`` and others.

    Its input is what insightface gives an ArcFace model: (N, 3, 112, 112), RGB in [-1, 1]; its
    output are unit vectors (N, D).

    Args:
        network: on the processor.
        path: written over.
    """

    class Signed(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.network = network

        def forward(self, signed: Tensor) -> Tensor:
            return self.network.embed(signed)

    example = torch.zeros(1, 3, SIDE, SIDE)
    with warnings.catch_warnings():
        # The exporter that torch recommends instead needs a package more.
        warnings.simplefilter("ignore", DeprecationWarning)
        torch.onnx.export(
            Signed().eval(),
            (example,),
            str(path),
            dynamo=False,
            input_names=["face"],
            output_names=["embedding"],
            dynamic_axes={"face": {0: "n"}, "embedding": {0: "n"}},
        )


@lru_cache(maxsize=4)
def _of_file(path: Path, device: str) -> Judge:
    if path.suffix == ".ts":
        network = load_torchscript(path, device)
        return Judge(
            path.name, _hash_file(path), lambda faces: functional.normalize(network(faces))
        )
    from engine.networks.recognizer import Recognizer

    try:
        config = json.loads((path / "config.json").read_text(encoding="utf-8"))
    except ValueError as error:
        raise ModelError(
            f"the config.json of {path.name} is damaged", hint="copy the folder again"
        ) from error
    if config.get("_class_name") != Recognizer.__name__:
        raise ModelError(
            f"expected a recogniser, {path.name} holds another network",
            hint="name the folder model/ of a run of the recipe recognizer",
        )
    network = cast(Recognizer, zoo.read_network(path, Recognizer.__name__))
    network = network.requires_grad_(False).eval().to(device)
    name = path.parent.name if path.name == "model" else path.name  # training writes RUN/model
    return Judge(name, zoo.hash_model(path), network, network.config.threshold)


@lru_cache(maxsize=4)
def _hash_file(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def load_torchscript(
    path: Path, device: str = "cpu", *, gradients: bool = False
) -> Callable[[Tensor], Tensor]:
    """Load a TorchScript recogniser: a function as :attr:`Judge.embed`, but of any length.

    Args:
        path: the file.
        device: where it runs.
        gradients: let them pass through it, to train something else with; itself stays as it is.

    Raises:
        WeightsMissingError: it is not there.
        ModelError: it is none.
    """
    if not path.is_file():
        raise WeightsMissingError(
            f"expected a TorchScript recogniser, found no {path.name}", hint="check the path"
        )
    try:
        network = torch.jit.load(str(path), map_location=device)  # type: ignore[no-untyped-call]
    except RuntimeError as error:
        raise ModelError(
            f"expected a TorchScript recogniser, {path.name} cannot be loaded",
            hint="copy it again, or name another",
        ) from error
    network.eval()
    for parameter in network.parameters():
        parameter.requires_grad_(False)

    def embed_aligned(faces: Tensor) -> Tensor:
        with contextlib.nullcontext() if gradients else torch.inference_mode():
            # A third faster so, on processors.
            found: Tensor = network(faces.contiguous(memory_format=torch.channels_last))
        return found

    return embed_aligned


@lru_cache(maxsize=2)
def _pack(folder: str) -> Any:
    """The recogniser of an insightface pack, as FaceAnalysis finds it there."""
    from insightface.app import FaceAnalysis
    from onnxruntime.capi import onnxruntime_pybind11_state as state

    broken = (state.Fail, state.InvalidGraph, state.InvalidProtobuf, state.NotImplemented)
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            analysis = FaceAnalysis(
                folder,
                allowed_modules=["detection", "recognition"],
                providers=["CPUExecutionProvider"],
            )
    except AssertionError as error:
        raise WeightsMissingError(
            f"expected a pack with a detector and a recogniser, found no detector in {folder}",
            hint="insightface opens no pack without one, such as det_10g.onnx",
        ) from error
    except (*broken, OSError, RuntimeError, TypeError, ValueError) as error:
        raise ModelError(
            f"expected an insightface pack, cannot load {folder}: {type(error).__name__}",
            hint=f"unpack it again, or name {RECOGNIZER}",
        ) from error
    if "recognition" not in analysis.models:
        raise WeightsMissingError(
            f"expected a pack with a recogniser, found none in {folder}",
            hint="a recogniser is an .onnx file of the ArcFace kind, such as w600k_r50.onnx",
        )
    return analysis.models["recognition"]


def _of_pack(model: Any) -> Callable[[Tensor], Tensor]:
    def embed_aligned(faces: Tensor) -> Tensor:
        if not len(faces):
            return faces.new_empty(0, 1)
        pictures_u8 = batch_to_u8(faces.clamp(0, 1))
        found = model.get_feat([np.ascontiguousarray(one[..., ::-1]) for one in pictures_u8])
        return functional.normalize(torch.from_numpy(found).float()).to(faces.device)

    return embed_aligned
