"""Writes a zoo of small random embedders, so that tests run its true loading code without training.

A random network hides nothing that it could bring back: what is tested with it is the way of the
pictures, not their quality. That is tested on the released weights.
"""

import hashlib
import json
from dataclasses import asdict
from pathlib import Path

import pytest
import torch

from engine import zoo
from engine.networks.embedder import Embedder


def random_embedder(seed: int, blocks: int = 1) -> Embedder:
    """An embedder whose last layers are not zero, or every key would give the same picture."""
    network = Embedder(blocks=blocks)
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for weight in network.parameters():
            weight.copy_(0.05 * torch.randn(weight.shape, generator=generator))
    return network.eval()


def write_models(folder: Path) -> Path:
    """Write a random embedder for each released model; returns the folder."""
    for seed, name in enumerate(zoo.RELEASED):
        write_model(folder / name, random_embedder(seed), name)
    return folder


def write_model(folder: Path, network: Embedder, name: str) -> None:
    """Save a network as the zoo wants it: config, weights and card."""
    network.save_pretrained(folder)
    card = zoo.ModelCard(
        name=name,
        network="Embedder",
        sha256=hashlib.sha256((folder / zoo.WEIGHTS_FILE).read_bytes()).hexdigest(),
        parameters=sum(weight.numel() for weight in network.parameters()),
        licence="none",
        trained_on="nothing",
        minutes=0.0,
        device="none",
        paper="none",
        figures={},
        figures_command="",
    )
    (folder / "card.json").write_text(json.dumps(asdict(card)), encoding="utf-8")


def point_zoo_at(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """Let the zoo read another folder, with nothing remembered of the one before."""
    monkeypatch.setattr(zoo, "MODELS_FOLDER", folder)
    forget()


def forget() -> None:
    """Empty the zoo's caches; also to be called when a test that changed its folder ends."""
    zoo.find_card.cache_clear()
    zoo.load_model.cache_clear()
