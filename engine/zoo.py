"""Every released model: one card each; found, checked and loaded here and nowhere else."""

import difflib
import functools
import hashlib
import importlib
import inspect
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.errors import UnknownModelError, WeightsHashError, WeightsMissingError

if TYPE_CHECKING:
    from diffusers import ModelMixin

MODELS_FOLDER = Path(__file__).resolve().parents[1] / "assets" / "models"
WEIGHTS_FILE = "diffusion_pytorch_model.safetensors"
NETWORKS = {
    "AgentGallery": "engine.networks.gallery",
    "EigenFaces": "engine.networks.eigenfaces",
    "Embedder": "engine.networks.embedder",
    "Enhancer": "engine.networks.enhancer",
    "Imn": "engine.networks.imn",
    "LandmarkRegressor": "engine.networks.landmarks",
    "Recognizer": "engine.networks.recognizer",
    "Reveal": "engine.networks.reveal",
    "Swapper": "engine.networks.swapper",
}
"""Class of network to its module, imported when a model is loaded: the cards need no torch."""


@dataclass(frozen=True)
class ModelCard:
    """One released model, as its ``card.json`` beside the weights says.

    Attributes:
        name: ``family-variant.tag``; a retraining is a new tag.
        network: class of :data:`NETWORKS`.
        sha256: of config and weights, see :func:`hash_model`.
        parameters: how many.
        licence: terms of the weights.
        trained_on: the sets, and how many faces were seen.
        minutes: of training, and ``device``: on what.
        paper: what it implements.
        figures: what it reached: name to value, made by ``figures_command``.
        attacked: sha256 of the model whose pictures an attacker learned; empty for all others, and
            for one of a method without a model.
    """

    name: str
    network: str
    sha256: str
    parameters: int
    licence: str
    trained_on: str
    minutes: float
    device: str
    paper: str
    figures: dict[str, Any]
    figures_command: str
    attacked: str = ""

    @property
    def folder(self) -> Path:
        """Where its weights, config and card are."""
        return MODELS_FOLDER / self.name


RECOGNIZER = "recognizer.v2"
"""The released recogniser, which is meant where none is named."""

IDENTITIES = "recognizer.v1"
"""The one in whose space agents and swappers have their identities: swaps choose their agent by it.

A better one does not replace it before swappers have learned its space. Whether the person is still
known under a mask is asked of :data:`RECOGNIZER`."""

LANDMARKS = "landmarks.v1"
"""The one that refines landmarks which a detector found roughly."""

RELEASED: dict[str, str] = {
    "proface-s-rand.v1": "9e354e0fcb48a1ab5590b4fd169a366d4f759062975483d4f107448d62144304",
    "proface-s-obfs.v1": "45071103ff72dbf82e7162417eadd765f3c3ee52be3d80469816828fea8c1e25",
    "recognizer.v1": "d2d27c2af38885b1fb731716dbb8db5b92c4e7ae790d6a19df7e3fb50a721d35",
    "reveal-mask.v1": "93883393f610e2d93b670aab95a29ff5d73e5da7bfa18f0972450180dbfe40c5",
    "reveal-sealed.v1": "14e4ec3b63f1fb97f6624e701e3952979381c545c86475ddbb4660693e001912",
    "proface-s-obfs.v2": "5868f5feccabd542955aec66b851ab9ff4f4d10d1bd73d7ca8ff60f38c274155",
    "imn.v2": "87282bc7d172ec6f64f35e9014184d11e103c7c89e62af1dce0e662b293ea228",
    "proface-k.v3": "de10ba39f81686b49472104309f4a470443206a4344bcdd006c176a1862319ee",
    "proface-s-rand.v4": "16d10c39bd5184151ee9602b5a66f06b50a8173bd4609a945539214edd8aa3af",
    "reveal-proface-s-rand.v4": "27b45fa30e4c1ddd8fdba0492ab7badd767b3b1505b81c1c50a7a5b4f49633ba",
    "recognizer.v2": "9c7f27310e601c2537a41ffa4dfdcdfbf0712a4402e15f980bd83b2c54566a27",
    "ksame.v4": "60b4762c4770ce43df6b1fbb93c4dbaf082419ee0e0302c48257eca40a36fc05",
    "simswap.v4": "b5e5df1ae684d6ac6148f49446785292708b43c96b4f380dea6845fba295bd82",
    "agents.v5": "5c5684f5a01b7e94d071531f14efa4fd15e15fd9ab73add5d8915d8958284c97",
    "landmarks.v1": "ea7944da3671504d82c66a29780dab123a18b36dcf39d4cc348c4c5b10c0a4bc",
    "faceshifter.v5": "60f7be156d8f2f9db2650ba13da3636a4699b0135377a4ef2d512f638cb9deeb",
    "agents-faceshifter.v2": "6aa2a14b7fbb47b8c45a4c05f376fc94558ac64ac32439448d647613a4b39517",
    "imn.v5": "c88e416351c5af9926ca57f08b44765baaa9439714de6e5e9f4e8427065f9e9e",
    "enhancer.v3": "3418b699e99d87f5ffb8de51d630a4d2db07129c9d185f3a7a965ab01af71136",
}
"""Every model that this version carries, to its :func:`hash_model`; scripts/release writes these.

Here and not in the cards alone: a card can be exchanged together with its weights. A tag is never
given to other weights; one that was superseded may go, and what it made then needs the version of
the program that made it.
"""


@functools.cache
def find_card(name: str) -> ModelCard:
    """Read the card of a released model.

    Raises:
        UnknownModelError: no released model has this name.
        WeightsMissingError: its folder is not there.
        WeightsHashError: its card is another model's.
    """
    if name not in RELEASED:
        close = difflib.get_close_matches(name, RELEASED, n=1)
        hint = f"did you mean {close[0]!r}?" if close else f"released: {', '.join(RELEASED)}"
        raise UnknownModelError(f"no released model is called {name!r}", hint=hint)
    file = MODELS_FOLDER / name / "card.json"
    if not file.is_file():
        raise WeightsMissingError(
            f"the model {name} is not in assets/models",
            hint="run from a whole clone of the project, whose assets hold the weights",
        )
    card = ModelCard(**json.loads(file.read_text(encoding="utf-8")))
    _check_hash(name, "card", card.sha256)
    return card


def list_models() -> list[ModelCard]:
    """Every released model's card, in order of release."""
    return [find_card(name) for name in RELEASED]


def find_by_hash(sha256: bytes) -> ModelCard:
    """Find the released model, of whatever tag, whose weights have this hash.

    Raises:
        UnknownModelError: none has: the picture was made by a model that this program lacks.
        WeightsMissingError, WeightsHashError: as :func:`find_card`.
    """
    for name, released in RELEASED.items():
        if bytes.fromhex(released) == sha256:
            return find_card(name)
    raise UnknownModelError(
        f"the picture was protected by a model with hash {sha256.hex()[:12]}..., which is not here",
        hint="recover it with the version of this program that made it",
    )


def hash_model(folder: Path) -> str:
    """SHA-256 of a model's config.json and its weights, in hexadecimal: both make the network."""
    return hashlib.sha256(
        (folder / "config.json").read_bytes() + b"\0" + (folder / WEIGHTS_FILE).read_bytes()
    ).hexdigest()


def _check_hash(name: str, part: str, found: str) -> None:
    if found != RELEASED[name]:
        raise WeightsHashError(
            f"the {part} of {name} must have sha256 {RELEASED[name][:12]}..., got {found[:12]}...",
            hint="get assets/models again from a clean clone",
        )


@functools.lru_cache(maxsize=32)
def load_model(name: str, device: str | None = None) -> "ModelMixin":
    """Load a released model for inference: hash checked, strictly, on the GPU where there is one.

    Raises:
        UnknownModelError: no released model has this name.
        WeightsMissingError: its weights file is not there.
        WeightsHashError: its weights file is not the released one, or its config does not fit.
    """
    card = find_card(name)
    if not all((card.folder / file).is_file() for file in (WEIGHTS_FILE, "config.json")):
        raise WeightsMissingError(
            f"the weights of {name} are not in assets/models/{name}",
            hint="run from a whole clone of the project, whose assets hold the weights",
        )
    _check_hash(name, "network", hash_model(card.folder))
    import torch

    network = read_network(card.folder, card.network)
    network.requires_grad_(False)
    device = device or ("cuda" if torch.cuda.is_available() else "cpu")
    # Convolutions are fastest so, for inference.
    network = network.to(memory_format=torch.channels_last)
    return network.to(device)


def read_network(folder: Path, network: str) -> "ModelMixin":
    """Read a network that ``save_pretrained`` wrote, released or not, strictly, on the CPU.

    Args:
        folder: with its config.json and weights.
        network: its class, of :data:`NETWORKS`.

    Raises:
        WeightsMissingError: the folder holds no such files.
        WeightsHashError: its config does not describe its weights.
    """
    if not all((folder / file).is_file() for file in (WEIGHTS_FILE, "config.json")):
        raise WeightsMissingError(
            f"expected config.json and {WEIGHTS_FILE} in {folder.name}",
            hint="name the folder called model that the training wrote",
        )
    build = getattr(importlib.import_module(NETWORKS[network]), network)
    # diffusers leaves what it does not find untrained, with no more than a warning.
    found: ModelMixin
    found, faults = build.from_pretrained(
        folder,
        local_files_only=True,
        low_cpu_mem_usage=False,
        ignore_mismatched_sizes=True,
        output_loading_info=True,
    )
    if any(faults.values()):
        raise WeightsHashError(
            f"config.json of {folder.name} must describe its weights, got another network's",
            hint="get the folder again, from a clean clone if it is of assets/models",
        )
    # Of a file with weights of 16 bits beside values of 32, diffusers would keep both as they are.
    return found.float()


def holds(folder: Path, network: "ModelMixin") -> bool:
    """Tell whether a folder has this very network, whatever settings have been added since.

    A setting that its config.json has not heard of counts as the default.
    """
    if not all((folder / file).is_file() for file in (WEIGHTS_FILE, "config.json")):
        return False
    stored = read_network(folder, type(network).__name__)
    settings = [name for name in inspect.signature(type(network).__init__).parameters][1:]
    theirs, own = stored.state_dict(), network.state_dict()
    return (
        all(stored.config[name] == network.config[name] for name in settings)
        and theirs.keys() == own.keys()
        and all(theirs[name].to(own[name].dtype).equal(own[name]) for name in own)
    )
