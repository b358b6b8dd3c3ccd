"""Looks for a face by what scrambling does not hide: how large each sub-band's coefficients are.

The attacker has one file protected by ``proface-k``, the program and the weights, no key, and a
gallery of faces with their names. He runs the network, which gives everyone the scrambled picture,
sorts the magnitudes of each sub-band's coefficients, and takes the gallery's face whose are most
alike. Permutations and signs change none of them.

What to expect of it: whoever holds the very photograph finds it so, nearly always, behind any mask:
scrambling does not hide *which* of some known pictures was protected. The other question is whether
*another* photograph of the same person is found. Beside both stands the control, the same search
by the mask alone, which everyone has anyway, against the gallery under the same mask where the
header tells how to make it. A blurred or pixelated face tells as much by its mask; a sticker or a
box tells nothing, so behind these whatever is found above chance is what scrambling leaks. The
original's own coefficients, without a network's noise on them, bound what a better network would
give away.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor

from engine.attacks.attack import Attack, AttackConfig, Outcome, Scene, Target
from engine.attacks.remask import can_remask, remask
from engine.benchmark.plan import Subject
from engine.benchmark.rig import network_of
from engine.data import FaceSet
from engine.errors import ImageShapeError
from engine.images import from_u8
from engine.masks import mask_label
from engine.methods.embedding import recover_hidden
from engine.results.records import Score
from engine.scramble import bands, coefficients, gains

__all__ = ["ATTACK", "Found", "descriptor", "look_up"]

QUANTILES: Final = 33
"""Magnitudes that stand for all of a sub-band, from the smallest to the greatest."""


def descriptor(scrambled: Tensor) -> Tensor:
    """Describe pictures by what no scrambling changes.

    Args:
        scrambled: (B, 3, H, W), as :func:`engine.scramble.scramble` gives them, or its estimate.

    Returns:
        (B, 990): of three channels and ten sub-bands 33 quantiles of the magnitudes, from least to
        greatest; for pictures of any size.
    """
    return _described(coefficients(scrambled))


def _of_original(original: Tensor) -> Tensor:
    """The descriptor that any scrambling of a picture would have."""
    return _described(coefficients(original) * gains(original))


def _described(values: Tensor) -> Tensor:
    found = []
    for band in bands(*values.shape[-2:]):
        magnitudes = values[(..., *band)].abs().flatten(2).sort(2).values
        count = magnitudes.shape[2]
        at = torch.linspace(0, max(0, count - 1), QUANTILES).round().long()
        # A sub-band of a tiny picture may be empty.
        found.append(
            magnitudes[..., at] if count else magnitudes.new_zeros(*values.shape[:2], QUANTILES)
        )
    return torch.stack(found, 2).flatten(1)


@dataclass(frozen=True)
class Found:
    """Where the search ended.

    Attributes:
        same_photo: the nearest of the gallery is the very photograph.
        same_person: the nearest of the others is the same person; None where no other of the
            gallery is.
        chance: of ``same_person``, for who draws one of the others blindly.
    """

    same_photo: bool
    same_person: bool | None
    chance: float


def look_up(probe: Tensor, gallery: Tensor, names: Sequence[str], own: int) -> Found:
    """Search a gallery for a descriptor.

    Every entry counts by its distance in standard deviations of the gallery, and they are summed.

    Args:
        probe: (D,).
        gallery: (N, D).
        names: of each of the gallery's faces; empty where it is unknown.
        own: which of them is the very photograph.

    Raises:
        ImageShapeError: the sizes do not fit.
    """
    if gallery.ndim != 2 or probe.shape != gallery.shape[1:] or len(names) != len(gallery):
        raise ImageShapeError(
            f"expected (N, D), N names and a probe (D,), got {tuple(gallery.shape)}, {len(names)} "
            f"and {tuple(probe.shape)}",
            hint="describe probe and gallery by the same function",
        )
    spread = gallery.std(0, unbiased=False).clamp_min(1e-6)
    distance = ((gallery - probe) / spread).abs().sum(1)
    same_photo = int(distance.argmin()) == own
    others = [i for i in range(len(names)) if i != own]
    own_kind = [i for i in others if names[own] and names[i] == names[own]]
    if not own_kind:
        return Found(same_photo, None, 0.0)
    nearest = others[int(distance[others].argmin())]
    return Found(same_photo, nearest in own_kind, len(own_kind) / len(others))


def _run(scene: Scene) -> Iterator[Outcome]:
    """Who has one protected file, the weights and a gallery and no key wants the person's name."""
    faces = scene.faces
    names = [f"{r.source}/{r.identity}" if r.identity else "" for r in faces.records]
    originals = _gallery(scene, "")
    for method, mask in scene.combinations():
        label = mask_label(mask, preset=scene.config.preset)
        masked = _gallery(scene, label) if can_remask(label) else originals
        places = {record.file: i for i, record in enumerate(faces.records)}
        for target in scene.targets(method, mask):
            own = places[target.record.file]
            searches = {
                "multiset": (_seen(target, scene.config.device), originals),
                "mask_multiset": (_of_original(from_u8(target.mask_u8)), masked),
                "original_multiset": (originals[own : own + 1], originals),
            }
            scores: list[Score] = []
            for name, (probe, gallery) in searches.items():
                found = look_up(probe[0], gallery, names, own)
                scores += _scores(target, f"original:{name}", found, len(names))
            yield Outcome(tuple(scores))


def _gallery(scene: Scene, label: str) -> Tensor:
    """Descriptors of all faces of the set, (N, D), as they are or under a mask."""
    faces: FaceSet = scene.faces
    found = []
    for i in range(len(faces.records)):
        face_u8 = faces.load(i)
        found.append(_of_original(from_u8(remask(label, face_u8) if label else face_u8)))
    return torch.cat(found)


def _seen(target: Target, device: str) -> Tensor:
    """The descriptor of what the network gives without a key."""
    network = network_of(Subject(target.method), device)
    x0, y0, x1, y1 = target.header.faces[0].box
    return descriptor(recover_hidden(network, target.protected_u8[y0:y1, x0:x1]))


def _scores(target: Target, pair: str, found: Found, count: int) -> Iterator[Score]:
    yield target.score(pair, "same_photo", found.same_photo)
    yield target.score(pair, "same_photo_chance", 1 / count)
    if found.same_person is not None:
        yield target.score(pair, "same_person", found.same_person)
        yield target.score(pair, "same_person_chance", found.chance)


def _budget(config: AttackConfig) -> str:
    del config
    return "one pass of the network for each face; the gallery is all faces of the set"


ATTACK = Attack(
    name="multiset",
    title="What scrambling leaves",
    knowledge="the file, the weights, and a gallery of named faces; no key",
    goal="to find the person in the gallery",
    budget=_budget,
    run=_run,
    suits=lambda name: Subject(name).scrambled,
    needs="a scrambled picture to look at",
)
