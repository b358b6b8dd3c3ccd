"""Every released model: one card each; found, checked and loaded here and nowhere else."""

import difflib
import functools
import hashlib
import importlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.errors import UnknownModelError, WeightsHashError, WeightsMissingError

if TYPE_CHECKING:
    from diffusers import ModelMixin

MODELS_FOLDER = Path(__file__).resolve().parents[1] / "assets" / "models"
WEIGHTS_FILE = "diffusion_pytorch_model.safetensors"
NETWORKS = {"Embedder": "engine.networks.embedder"}
"""Class of network to its module, imported when a model is loaded: the cards need no torch."""


@dataclass(frozen=True)
class ModelCard:
    """One released model, as its ``card.json`` beside the weights says.

    Attributes:
        name: ``family-variant.tag``; a retraining is a new tag.
        network: class of :data:`NETWORKS`.
        sha256: of the weights file, in hexadecimal.
        parameters: how many.
        licence: terms of the weights.
        trained_on: the sets, and how many faces were seen.
        minutes: of training, and ``device``: on what.
        paper: what it implements.
        figures: what it reached: name to value, made by ``figures_command``.
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

    @property
    def folder(self) -> Path:
        """Where its weights, config and card are."""
        return MODELS_FOLDER / self.name


RELEASED: tuple[str, ...] = ("proface-s-rand.v1", "proface-s-obfs.v1")


@functools.cache
def find_card(name: str) -> ModelCard:
    """Read the card of a released model.

    Raises:
        UnknownModelError: no released model has this name.
        WeightsMissingError: its folder is not there.
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
    return ModelCard(**json.loads(file.read_text(encoding="utf-8")))


def list_models() -> list[ModelCard]:
    """Every released model's card, in order of release."""
    return [find_card(name) for name in RELEASED]


def find_by_hash(sha256: bytes) -> ModelCard:
    """Find the released model whose weights have this hash.

    Raises:
        UnknownModelError: none has: the picture was made by a model that this program lacks.
    """
    for card in list_models():
        if bytes.fromhex(card.sha256) == sha256:
            return card
    raise UnknownModelError(
        f"the picture was protected by a model with hash {sha256.hex()[:12]}..., which is not here",
        hint="recover it with the version of this program that made it",
    )


@functools.lru_cache(maxsize=8)
def load_model(name: str, device: str | None = None) -> "ModelMixin":
    """Load a released model for inference: hash checked, strictly, on the GPU where there is one.

    Raises:
        UnknownModelError: no released model has this name.
        WeightsMissingError: its weights file is not there.
        WeightsHashError: its weights file is not the released one, or its config does not fit.
    """
    card = find_card(name)
    weights = card.folder / WEIGHTS_FILE
    if not weights.is_file():
        raise WeightsMissingError(
            f"the weights of {name} are not in assets/models/{name}",
            hint="run from a whole clone of the project, whose assets hold the weights",
        )
    found = hashlib.sha256(weights.read_bytes()).hexdigest()
    if found != card.sha256:
        raise WeightsHashError(
            f"the weights of {name} have sha256 {found[:12]}..., expected {card.sha256[:12]}...",
            hint="get the file again from a clean clone",
        )
    import torch

    build = getattr(importlib.import_module(NETWORKS[card.network]), card.network)
    # diffusers leaves what it does not find untrained, with no more than a warning.
    network: ModelMixin
    network, faults = build.from_pretrained(
        card.folder,
        low_cpu_mem_usage=False,
        ignore_mismatched_sizes=True,
        output_loading_info=True,
    )
    if any(faults.values()):
        raise WeightsHashError(
            f"config.json of {name} must describe its weights, got another network's",
            hint="get the file again from a clean clone",
        )
    network.requires_grad_(False)
    return network.to(device or ("cuda" if torch.cuda.is_available() else "cpu"))
