"""Makes what a trained attacker learns from: other people's faces, protected at home at will.

Anyone has the program, so anyone can protect as many faces as they like under keys of their own,
and show a network each protected picture beside its original.
"""

import contextlib
import copy
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from engine import carrier
from engine.attacks.target import paper_sized
from engine.data import FaceFile, FaceSet
from engine.errors import DataError, MaskError
from engine.images import batch_to_u8, from_u8
from engine.keys import Key
from engine.masks import MASKS, Preset, make_mask
from engine.methods import BoundKey, Crop, Method, Plan, find_method
from engine.methods.embedding import load_embedder
from engine.methods.proface_s import ProfaceS
from engine.methods.sealed import Sealed
from engine.networks.embedder import Embedder
from engine.scramble import random_shuffles, scramble
from engine.training.batches import PAPER_SIDE, random_key_map

HEADER_BYTES = 181
"""Length of the header of one face with a tag, as a sealed picture carries it in its pixels."""

WIDE = (0.4, 2.2)
"""Least and greatest mask strength that a de-blurrer meets, times the papers'."""

_KEPT_PLANS = 20_000
_KEPT_STEPS = 1_000
_REDRAWS = 100

U8 = npt.NDArray[np.uint8]


class Protector(Protocol):
    """Protects faces of one size, many at a time, under keys that it draws.

    Attributes:
        local: what it does to a part of a face is what it does to that part alone, so that crops
            may be cut before it.
    """

    local: bool

    def protect(self, originals: Tensor, masks: Tensor, rng: np.random.Generator) -> Tensor:
        """Hide originals in masks, both (B, 3, H, W) in [0, 1]; returns what 8 bits keep of it."""
        ...


def make_protector(name: str, device: str = "cpu", one_key: int | None = None) -> Protector:
    """Give the fastest way to protect many faces by a method.

    Args:
        name: of the method.
        device: where networks run.
        one_key: seed of one key for all faces, as the papers have it; fresh keys without.

    Raises:
        MethodError, ModelError: there is no such method, or its weights are not there.
    """
    method = find_method(name)
    if isinstance(method, ProfaceS):
        network = load_embedder(method.model).to(device)
        return ByNetwork(network, scrambled=method.scrambled, one_key=one_key)
    return ByMethod(method, one_key)


class ByNetwork:
    """An embedder with random key maps, or behind random shuffles."""

    def __init__(
        self, network: Embedder, *, scrambled: bool = False, one_key: int | None = None
    ) -> None:
        self.network, self.scrambled, self.one_key = network, scrambled, one_key
        self.local = not (scrambled or network.config.emphasis) and one_key is None

    def protect(self, originals: Tensor, masks: Tensor, rng: np.random.Generator) -> Tensor:
        """As :meth:`Protector.protect`."""
        count, _, height, width = originals.shape
        drawn = 1 if self.one_key is not None else count
        draw = rng if self.one_key is None else np.random.default_rng(self.one_key)
        if self.scrambled:
            generator = torch.Generator().manual_seed(int(draw.integers(2**63)))
            shuffles = [random_shuffles(1, height, width, generator) for _ in range(drawn)]
            parts = [scramble(originals[i : i + 1], shuffles[i % drawn]) for i in range(count)]
            originals, key_map = torch.cat(parts), torch.zeros(count, 1, height, width)
        else:
            key_map = random_key_map(drawn, height, width, draw).expand(count, -1, -1, -1)
        device = self.network.device
        with torch.inference_mode():
            images = (image.to(device) for image in (originals, masks, key_map))
            made = self.network.rounded(self.network.protect(*images).float()).cpu()
        return _stack(list(batch_to_u8(made)))


class ByMethod:
    """Any method of the registry, one face at a time, each face the whole of its picture.

    What a sealed face weighs depends on the face alone, so that is found out once for each face and
    kept. Where the method writes its header into the pixels, random bytes of its length stand for
    it: nothing in it tells of the face but digests and a tag.
    """

    local = False

    def __init__(self, method: Method, one_key: int | None = None) -> None:
        self.method, self.one_key = method, one_key
        self._plans: dict[bytes, Plan] = {}

    def protect(self, originals: Tensor, masks: Tensor, rng: np.random.Generator) -> Tensor:
        """As :meth:`Protector.protect`."""
        pairs = zip(batch_to_u8(originals), batch_to_u8(masks), strict=True)
        return _stack([self._one(original, mask, rng) for original, mask in pairs])

    def _one(self, original_u8: U8, mask_u8: U8, rng: np.random.Generator) -> U8:
        draw = rng if self.one_key is None else np.random.default_rng(self.one_key)
        key = BoundKey(Key(draw.bytes(32)), draw.bytes(32))
        height, width = mask_u8.shape[:2]
        crop = Crop((0, 0, width, height), original_u8)
        plan = self._plan(mask_u8, crop)
        protected_u8 = self.method.protect(mask_u8, [crop], [plan], [key])
        if self.method.carries_header:
            protected_u8 = carrier.write_header_copy(protected_u8, rng.bytes(HEADER_BYTES))
        return protected_u8

    def _plan(self, mask_u8: U8, crop: Crop) -> Plan:
        known = hashlib.sha256(crop.original_u8.tobytes()).digest()
        plan = self._plans.get(known)
        if plan is None or not isinstance(self.method, Sealed):
            (plan,) = self.method.plan(mask_u8, [crop], HEADER_BYTES)
            if len(self._plans) < _KEPT_PLANS:
                self._plans[known] = plan
        return plan


@dataclass(frozen=True)
class PairConfig:
    """What the pairs are.

    Attributes:
        masks: names of the masks, equally likely.
        preset: of their strengths.
        batch: pairs at a time.
        crop: side of the square that is cut from each face of 112 px; 112 takes it whole, as it is
            attacked: what a method scatters over all of a face no part of it tells.
        faces: faces to learn from, drawn with the seed; None for all that there are.
        strength: ``"test"`` as the preset has it; ``"mixed"`` half of the time so, else as a
            training mask rolls it; ``"wide"``, from weak to strong.
    """

    masks: tuple[str, ...]
    preset: Preset = "paper"
    batch: int = 8
    crop: int = PAPER_SIDE
    faces: int | None = 4000
    strength: str = "mixed"


@dataclass(frozen=True, eq=False)
class Pairs:
    """Originals, masks and protected pictures, each (B, 3, S, S) in [0, 1], the last in 8 bits."""

    original: Tensor
    mask: Tensor
    protected: Tensor | None


class PairMaker:
    """Makes the pairs of each step: the same faces, masks and crops whatever protects them.

    Args:
        sets: faces to draw from.
        config: what the pairs are.
        seed: of everything drawn.
        protector: how to protect; without one there is only the mask.

    Attributes:
        places: the faces that it draws from, each by its set and its number there.

    Raises:
        DataError: there are no faces.
    """

    def __init__(
        self,
        sets: Sequence[FaceSet],
        config: PairConfig,
        seed: int,
        protector: Protector | None = None,
    ) -> None:
        self.config, self.seed, self.protector = config, seed, protector
        places = [(faces, i) for faces in sets for i in range(len(faces))]
        if not places:
            raise DataError("no faces to learn from", hint="name a folder that has some")
        chosen = np.random.default_rng(seed).permutation(len(places))[: config.faces]
        self.places = [places[i] for i in chosen]
        self._kept, self._drawn = False, dict[int, list[tuple[U8, U8]]]()

    def behind(self, protector: Protector) -> "PairMaker":
        """The same faces, masks and crops, protected; what one draws is kept for the next."""
        self._kept = True
        maker = copy.copy(self)
        maker.protector = protector
        return maker

    def make(self, step: int) -> Pairs:
        """The pairs of a step, the same ones each time.

        Raises:
            MaskError: hardly any of the faces takes the masks.
        """
        config = self.config
        both = self._drawn.get(step)
        if both is None:
            draw_rng = np.random.default_rng([self.seed, step])
            both = [self._draw(draw_rng) for _ in range(config.batch)]
            if self._kept and len(self._drawn) < _KEPT_STEPS:
                self._drawn[step] = both
        rng = np.random.default_rng([self.seed, step, 2])
        corners = rng.integers(0, PAPER_SIDE - config.crop + 1, (config.batch, 2)).tolist()
        original, mask = (_stack([pair[i] for pair in both]) for i in (0, 1))
        key_rng = np.random.default_rng([self.seed, step, 1])
        if self.protector is None or self.protector.local:
            original, mask = (_cut(image, corners, config.crop) for image in (original, mask))
            if self.protector is None:
                return Pairs(original, mask, None)
            return Pairs(original, mask, self.protector.protect(original, mask, key_rng))
        protected = self.protector.protect(original, mask, key_rng)
        return Pairs(*(_cut(image, corners, config.crop) for image in (original, mask, protected)))

    def _draw(self, rng: np.random.Generator) -> tuple[U8, U8]:
        """A face and its mask; another face where the mask cannot be made."""
        for _ in range(_REDRAWS):
            faces, i = self.places[rng.integers(len(self.places))]
            with contextlib.suppress(MaskError):
                return self._masked(faces.load(i), faces.records[i], rng)
        raise MaskError(
            f"faces to learn from must take the masks {', '.join(self.config.masks)}, got "
            f"{_REDRAWS} in a row that do not",
            hint="take other masks, or faces with landmarks",
        )

    def _masked(self, face_u8: U8, record: FaceFile, rng: np.random.Generator) -> tuple[U8, U8]:
        name = str(rng.choice(self.config.masks))
        original_u8, points = paper_sized(face_u8, record)
        strength = self._strength(name, rng)
        seed = int(rng.integers(2**31))
        mask_u8 = make_mask(
            name, original_u8, landmarks=points, seed=seed, preset=self.config.preset,
            strength=strength,
        )  # fmt: skip
        return original_u8, mask_u8

    def _strength(self, name: str, rng: np.random.Generator) -> Mapping[str, float] | None:
        if self.config.strength == "wide":
            low, high = np.log(WIDE)
            return scaled_strength(name, float(np.exp(rng.uniform(low, high))))
        if self.config.strength == "mixed" and rng.random() < 0.5:
            return MASKS[name].sample(rng)
        return None


def scaled_strength(name: str, times: float) -> dict[str, float]:
    """A mask's paper strengths with those that are lengths so many times as large."""
    entry = MASKS[name]
    found = dict(entry.paper)
    for key in entry.lengths:
        value = entry.paper[key] * times
        if key == "kernel":
            found[key] = max(3, 2 * round((value - 1) / 2) + 1)
        elif key == "block":
            found[key] = max(2, round(value))
        else:
            found[key] = round(max(1.0, value), 2)
    return found


def _cut(images: Tensor, corners: Sequence[Sequence[int]], side: int) -> Tensor:
    return torch.stack(
        [
            image[:, top : top + side, left : left + side]
            for image, (top, left) in zip(images, corners, strict=True)
        ]
    )


def _stack(pictures_u8: Sequence[U8]) -> Tensor:
    return torch.cat([from_u8(picture_u8) for picture_u8 in pictures_u8])
