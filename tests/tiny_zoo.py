"""Writes a zoo of small random embedders, so that tests run its true loading code without training.

A random network hides nothing that it could bring back: what is tested with it is the way of the
pictures, not their quality. That is tested on the released weights.
"""

import json
import shutil
from dataclasses import asdict
from pathlib import Path
from typing import TypeVar

import pytest
import torch

from engine import zoo
from engine.masks.ksame import load_averages
from engine.networks.embedder import Embedder
from engine.networks.imn import Imn
from engine.networks.recognizer import Recognizer
from engine.networks.reveal import Reveal

RELEASED = dict(zoo.RELEASED)
ASSETS = zoo.MODELS_FOLDER
MODELS = tuple(RELEASED)
"""What is released."""

GREY = 128 / 255

Network = TypeVar("Network", Embedder, Imn)


def random_embedder(seed: int, blocks: int = 1) -> Embedder:
    """An embedder whose last layers are not zero, or every key would give the same picture."""
    network: Embedder = Embedder(blocks=blocks)
    return _randomized(network, seed)


def random_imn(seed: int, blocks: int = 1) -> Imn:
    """A small IMN whose last layers are not zero."""
    network: Imn = Imn(blocks=blocks, growth=4)
    return _randomized(network, seed)


def _randomized(network: Network, seed: int) -> Network:
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for weight in network.parameters():
            # Small enough that what it protects still passes for its mask (MAX_ERROR).
            weight.copy_(0.004 * torch.randn(weight.shape, generator=generator))
    network.eval()
    return network


def random_recognizer(seed: int, **settings: object) -> Recognizer:
    """A small recogniser that has learned nothing; ``settings`` as its network takes them."""
    small = {"widths": (8, 8, 16), "blocks": (1, 1, 1), "head_width": 8, "dimensions": 16}
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network: Recognizer = Recognizer(**{**small, **settings})
    network.eval()
    return network


def grey_embedder(strength: float = 0.15) -> Embedder:
    """An embedder set by hand that hides anything in plain grey, and brings it back.

    One block, nearly all of it zero: it adds ``strength`` times the original's difference from grey
    to the mask, and takes the difference of what was shared from grey for the original's.
    """
    network: Embedder = Embedder(blocks=1, growth=2)
    return _set_by_hand(network, strength)


def grey_imn(strength: float = 0.15) -> Imn:
    """The same without a key: whoever has it brings back what it hid in plain grey."""
    network: Imn = Imn(blocks=1, growth=2)
    return _set_by_hand(network, strength)


def _set_by_hand(network: Network, strength: float) -> Network:
    eye, light = torch.eye(12), (torch.arange(12) < 3) * 2 * GREY
    with torch.no_grad():
        for weight in network.parameters():
            weight.zero_()
        phi, eta = (getattr(network.couplings[0], name).convolutions[0] for name in ("phi", "eta"))
        phi.weight[-12:, :12, 1, 1], phi.bias[-12:] = strength * eye, -strength * light
        eta.weight[-12:, :12, 1, 1], eta.bias[-12:] = -eye / strength, light / strength - light
    network.eval()
    return network


def write_models(folder: Path) -> Path:
    """Write a random network of its class for each of the models; returns the folder."""
    for seed, name in enumerate(MODELS):
        if name.startswith("ksame"):  # averages of people, which nothing random can be
            shutil.copytree(ASSETS / name, folder / name)
            continue
        if name.startswith("reveal-"):
            network: Embedder | Imn | Recognizer | Reveal = Reveal(width=8)
        elif name.startswith("imn"):
            network = random_imn(seed)
        else:
            make = random_recognizer if name.startswith("recognizer") else random_embedder
            network = make(seed)
        write_model(folder / name, network, name)
    return folder


def write_model(
    folder: Path, network: Embedder | Imn | Recognizer | Reveal, name: str, attacked: str = ""
) -> None:
    """Save a network as the zoo wants it: config, weights and card."""
    network.save_pretrained(folder)
    card = zoo.ModelCard(
        name=name,
        network=type(network).__name__,
        sha256=zoo.hash_model(folder),
        parameters=sum(weight.numel() for weight in network.parameters()),
        licence="none",
        trained_on="nothing",
        minutes=0.0,
        device="none",
        paper="none",
        figures={},
        figures_command="",
        attacked=attacked,
    )
    (folder / "card.json").write_text(json.dumps(asdict(card)), encoding="utf-8")


def point_zoo_at(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """Let the zoo read another folder, as if what lies in it now had been released."""
    released = {
        name: zoo.hash_model(folder / name) if (folder / name).is_dir() else RELEASED[name]
        for name in MODELS
        if name in RELEASED or (folder / name).is_dir()
    }
    monkeypatch.setattr(zoo, "MODELS_FOLDER", folder)
    monkeypatch.setattr(zoo, "RELEASED", released)
    forget()


def forget() -> None:
    """Empty the zoo's caches; also to be called when a test that changed its folder ends."""
    zoo.find_card.cache_clear()
    zoo.load_model.cache_clear()
    load_averages.cache_clear()
