"""What a benchmark shall measure: methods, masks, metrics, parts, and which faces."""

import dataclasses
import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal

import numpy as np
import torch

from engine.data import FaceSet
from engine.errors import MethodError, MetricError, WeightsMissingError
from engine.masks import find_mask, mask_label, models_of, weights_of
from engine.masks.diffusion import hash_pipeline, load_inpainting
from engine.methods import find_method
from engine.methods.networked import Networked
from engine.metrics import available, label, measure, recognizer_of
from engine.pipeline import Preset
from engine.zoo import hash_model

Protocol = Literal["png", "paper"]
PARTS = ("keys", "spoof", "sweep", "byproducts", "cost")
"""What can be measured besides protection, recovery and a wrong key."""

SHARES = (0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5)
"""Of key map bits, which the part ``sweep`` makes wrong; ``proface-k`` and ``imn`` have none."""


@dataclass(frozen=True)
class Subject:
    """What is measured: a method of the registry, or a trained network from a folder.

    Attributes:
        name: of the method, or what the rows shall be called.
        folder: of a model as training writes it; None for a method of the registry.
    """

    name: str
    folder: Path | None = None

    @property
    def wrong(self) -> str:
        """What a wrong key shows, ``"rand"`` or ``"obfs"``; empty where no key is known."""
        if self.keyless:
            return ""
        if self.folder is not None:
            return "obfs" if "-obfs" in self.name else "rand"
        return find_method(self.name).wrong_modes[0]

    @property
    def is_embedder(self) -> bool:
        """Whether it is a network that hides and recovers, and can take faces in batches."""
        return self.folder is not None or isinstance(find_method(self.name), Networked)

    @property
    def keyless(self) -> bool:
        """Whether its network knows no key, as IMN's: what one key recovers, every other does."""
        if self.folder is not None:
            return network_named(self.folder) == "Imn"
        return find_method(self.name).keyless

    @property
    def scrambled(self) -> bool:
        """Whether the key scrambles what the network hides, as with ``proface-k``.

        Of a folder its training run says so; without one beside it, its name: ``proface-k...``.
        """
        if self.folder is not None:
            return _trained_scrambled(self.folder, self.name)
        method = find_method(self.name)
        return isinstance(method, Networked) and method.scrambled

    def weights_hash(self) -> str:
        """SHA-256 of its weights; empty where it has none."""
        if self.folder is not None:
            return _hash_once(self.folder)
        return find_method(self.name).model_hash().hex()


@lru_cache(maxsize=32)
def _hash_once(folder: Path) -> str:
    network_named(folder)
    return hash_model(folder)


@lru_cache(maxsize=32)
def network_named(folder: Path) -> str:
    """Class of the network that training wrote into a folder.

    Raises:
        WeightsMissingError: there is none.
        MethodError: it is one that does not hide and recover.
    """
    file = folder / "config.json"
    if not file.is_file():
        raise WeightsMissingError(
            f"expected config.json in {folder.name}",
            hint="name the folder called model that the training wrote",
        )
    name = str(json.loads(file.read_text(encoding="utf-8")).get("_class_name", ""))
    if name not in ("Embedder", "Imn"):
        raise MethodError(
            f"{folder.name} must hold a network that hides and recovers, got {name or 'another'}",
            hint="name the folder called model that the training of such a network wrote",
        )
    return name


@lru_cache(maxsize=32)
def _trained_scrambled(folder: Path, name: str) -> bool:
    state = folder.parent / "checkpoint" / "state.json"
    if not state.is_file():
        return name.startswith("proface-k")
    recipe = json.loads(state.read_text(encoding="utf-8")).get("recipe") or {}
    return bool(recipe.get("scrambled", False))  # the first runs did not note it


@dataclass(frozen=True)
class BenchmarkConfig:
    """What to measure.

    Attributes:
        methods: names in :data:`engine.methods.METHODS`, or ``NAME=FOLDER`` of a trained network.
        masks: names in :data:`engine.masks.MASKS`.
        metrics: names in :data:`engine.metrics.METRICS`.
        preset: mask strengths; the papers' at 112 px by default.
        limit: faces of each set, chosen with ``seed``; None for all.
        seed: of the choice, the passphrases, the salts and the masks.
        photographs: find the faces with the detector, instead of taking each picture as one; the
            sets are then photographs whose faces fill less and more than a tenth of them.
        parts: of :data:`PARTS`.
        protocol: ``"png"``, or ``"paper"``: float tensors that never were a file, the wrong key's
            picture stretched from its least to its greatest value, LPIPS fed [0, 1].
        model: of those masks that take one: name or folder of an inpainting pipeline.
    """

    methods: tuple[str, ...]
    masks: tuple[str, ...]
    metrics: tuple[str, ...] = ("psnr_db", "ssim")
    preset: Preset = "paper"
    limit: int | None = None
    seed: int = 0
    photographs: bool = False
    parts: tuple[str, ...] = ()
    protocol: Protocol = "png"
    model: str = ""

    @property
    def of_faces(self) -> tuple[str, ...]:
        """Those of the metrics that ask a recogniser."""
        return tuple(name for name in self.metrics if name.startswith("identity_"))

    def subjects(self) -> list[Subject]:
        """What is measured, in order."""
        split = [name.partition("=") for name in self.methods]
        return [Subject(name, Path(folder) if folder else None) for name, _, folder in split]

    def model_for(self, mask: str) -> str:
        """The model that a mask draws with; empty where it takes none."""
        return self.model if find_mask(mask).takes_model else ""

    def check(self) -> None:
        """Refuse before any work what would fail after hours.

        Raises:
            MethodError: an unknown method, or one that cannot be measured so.
            MetricError: an unknown metric, or one that cannot be had here.
            MaskError: an unknown mask, or as :func:`engine.masks.models_of`.
            ModelError: a method's weights are not there, or the masks' model cannot be loaded.
        """
        for metric in self.metrics:
            if available(metric) is not None:
                black = torch.zeros(1, 3, 64, 64)
                measure([metric], black, black)
        if len({label(metric) for metric in self.metrics}) < len(self.metrics):
            raise MetricError(
                "two metrics would stand under one name in the results",
                hint="name each once; recognisers need different file or folder names",
            )
        for mask in self.masks:
            mask_label(mask, preset=self.preset)
        if any(models_of(self.masks, self.model).values()):
            load_inpainting(self.model)
        unknown = [part for part in self.parts if part not in PARTS]
        if unknown:
            raise MethodError(
                f"no part is called {unknown[0]!r}", hint=f"known: {', '.join(PARTS)}"
            )
        for subject in self.subjects():
            subject.weights_hash()
            if self.protocol == "paper" and (self.photographs or not subject.is_embedder):
                raise MethodError(
                    f"the papers' protocol measures networks on faces, not {subject.name} here",
                    hint="leave --protocol paper out, or measure proface-s-rand or proface-k",
                )
        if self.photographs and self.of_faces:
            raise MetricError(
                f"{self.of_faces[0]} compares single faces, not photographs",
                hint="leave --photographs out, or measure other metrics",
            )
        if self.photographs and set(self.parts) - {"cost"}:
            raise MethodError(
                "the parts measure single faces, not photographs",
                hint="leave --photographs or --parts out",
            )

    def described(self, faces: FaceSet) -> str:
        """JSON by which the same benchmark is found again: what, on which faces and weights."""
        weights = model_hashes(self.subjects(), self.masks)
        for mask in filter(self.model_for, self.masks):
            weights[f"{mask} model"] = hash_pipeline(self.model)
        for metric in self.metrics:
            recognizer = recognizer_of(metric)
            if recognizer is not None:
                weights[recognizer.name] = recognizer.sha256
        names = [label(metric) for metric in self.metrics]
        inputs = {"data": faces.sha256(), "weights": weights, "metrics": names}
        own = dataclasses.asdict(self)
        del own["model"]  # its hash tells it, and a path would tell of this machine's folders
        return json.dumps(own | inputs, sort_keys=True)


def model_hashes(subjects: Iterable[Subject], masks: Iterable[str]) -> dict[str, str]:
    """SHA-256 of the weights of methods, and of the models that masks draw with, by name."""
    return {subject.name: subject.weights_hash() for subject in subjects} | weights_of(masks)


def choose(faces: FaceSet, config: BenchmarkConfig) -> list[int]:
    """Choose the faces: ``limit`` of each source, with a fixed seed."""
    rng = np.random.default_rng(config.seed)
    chosen: list[int] = []
    for source in sorted({record.source for record in faces.records}):
        own = [i for i, record in enumerate(faces.records) if record.source == source]
        if config.limit is not None and config.limit < len(own):
            own = sorted(int(i) for i in rng.choice(own, config.limit, replace=False))
        chosen += own
    return chosen


def drawn(seed: int, file: str, word: str) -> bytes:
    """32 bytes that are the same whenever this face is measured, for one purpose."""
    return hashlib.sha256(f"{seed}/{file}/{word}".encode()).digest()


def passphrase(seed: int, file: str, word: str) -> str:
    """A passphrase of this face alone: ``"right"``, or ``"wrong"``."""
    return drawn(seed, file, word).hex()
