"""What the released models give for one small picture; run as a program, it is written down anew.

    python tests/golden_models.py

To be run, and its difference read, when a model is released: weights never change under a name.
"""

import json
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from engine import zoo
from engine.attacks.revealing import reveal
from engine.images import to_u8
from engine.masks.portrait import inner_matte
from engine.networks.eigenfaces import EigenFaces
from engine.networks.embedder import Embedder
from engine.networks.enhancer import Enhancer
from engine.networks.gallery import AgentGallery
from engine.networks.imn import Imn
from engine.networks.landmarks import LandmarkRegressor
from engine.networks.recognizer import Recognizer
from engine.networks.reveal import Reveal
from engine.networks.swapper import Swapper

GOLDEN = Path(__file__).parent / "golden" / "models.json"


def picture_of(network: Embedder | Imn | Reveal) -> dict[str, npt.NDArray[np.uint8]]:
    """Protect an 8 x 8 slope in its mirror image, and recover it from 8 bits; or see through it."""
    slope = torch.linspace(0.1, 0.9, 3 * 8 * 8).reshape(1, 3, 8, 8)
    if isinstance(network, Reveal):
        return {"revealed": reveal(to_u8(slope), network)}
    if isinstance(network, Imn):
        with torch.inference_mode():
            protected_u8 = to_u8(network.protect(slope, slope.flip(-1)).clamp(0, 1))
            shared = torch.from_numpy(protected_u8).permute(2, 0, 1)[None] / 255
            recovered_u8 = to_u8(network.recover(shared).clamp(0, 1))
        return {"protected": protected_u8, "recovered": recovered_u8}
    checks = torch.tensor([[1.0, -1.0], [-1.0, 1.0]]).repeat(4, 4)[None, None]
    with torch.inference_mode():
        protected_u8 = to_u8(network.protect(slope, slope.flip(-1), checks).clamp(0, 1))
        shared = torch.from_numpy(protected_u8).permute(2, 0, 1)[None] / 255
        recovered_u8 = to_u8(network.recover(shared, checks).clamp(0, 1))
        wrong_u8 = to_u8(network.recover(shared, -checks).clamp(0, 1))
    return {"protected": protected_u8, "recovered": recovered_u8, "wrong": wrong_u8}


def swapped_by(network: Swapper) -> npt.NDArray[np.uint8]:
    """Swap the face of a slope for that of the first axis; every eighth pixel of what comes out."""
    slope = torch.linspace(0.1, 0.9, 3 * 112 * 112).reshape(1, 3, 112, 112)
    points = torch.tensor([[[40.0, 38], [72, 38], [56, 56], [43, 75], [69, 75]]])
    matte = torch.from_numpy(inner_matte())[None, None]
    with torch.inference_mode():
        made = network(slope, matte, points, torch.eye(1, 256))
    return to_u8(made.clamp(0, 1))[::8, ::8]


def enhanced_by(network: Enhancer) -> dict[str, npt.NDArray[np.int64]]:
    """Enhance a slope at both scales; every eighth pixel of what comes out."""
    slope = torch.linspace(0.1, 0.9, 3 * 112 * 112).reshape(1, 3, 112, 112)
    with torch.inference_mode():
        made = {f"enhanced_{scale}": network(slope, scale).clamp(0, 1) for scale in (1, 2)}
    return {name: to_u8(one)[::8, ::8].astype(np.int64) for name, one in made.items()}


def outputs_of(network: object) -> dict[str, npt.NDArray[np.int64]]:
    """What is written down of a network: pictures, or a recogniser's embedding in thousandths."""
    if isinstance(network, Recognizer):
        slope = torch.linspace(0.1, 0.9, 3 * 112 * 112).reshape(1, 3, 112, 112)
        with torch.inference_mode():
            return {"embedding": (1000 * network(slope)[0]).round().numpy().astype(np.int64)}
    if isinstance(network, LandmarkRegressor):
        slope = torch.linspace(0.1, 0.9, 3 * 112 * 112).reshape(1, 3, 112, 112)
        with torch.inference_mode():
            return {"points": (1000 * network(slope)[0]).round().numpy().astype(np.int64)}
    if isinstance(network, AgentGallery):
        return {"agents": (1000 * network.identities[:3]).round().numpy().astype(np.int64)}
    if isinstance(network, Swapper):
        return {"swapped": swapped_by(network).astype(np.int64)}
    if isinstance(network, Enhancer):
        return enhanced_by(network)
    if isinstance(network, EigenFaces):
        with torch.inference_mode():
            drawn_u8 = to_u8(network(torch.tensor([7]), 1.6)[..., ::8, ::8])
        return {"average": drawn_u8.astype(np.int64)}
    assert isinstance(network, Embedder | Imn | Reveal)
    return {kind: found_u8.astype(np.int64) for kind, found_u8 in picture_of(network).items()}


def main() -> None:
    """Write the golden file."""
    golden = {}
    for name in zoo.RELEASED:
        outputs = outputs_of(zoo.load_model(name, "cpu"))
        pictures = {kind: found.tolist() for kind, found in outputs.items()}
        golden[name] = {"sha256": zoo.find_card(name).sha256, **pictures}
    GOLDEN.parent.mkdir(exist_ok=True)
    GOLDEN.write_text(json.dumps(golden) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
