"""Turns the pictures of faces into figures: each between two that are named, many at a time."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from engine.data import FaceFile
from engine.metrics import label, measure
from engine.recognition import Landmarks
from engine.results import Score

PLAIN = ("psnr_db", "ssim")
"""The metrics of the parts that make many pictures of each face."""


@dataclass(eq=False)
class Exhibit:
    """The pictures of one face under one method and mask, and what they shall be compared by.

    Attributes:
        record: the face.
        source: of the face, or another heading that its figures belong under.
        shown: name to picture, (1, 3, H, W) in [0, 1]; of the protocol ``png`` as read back.
        pairs: ``"first:second"`` of those names to metrics.
        values: figures by pair and metric that need no metric.
    """

    record: FaceFile
    source: str
    shown: dict[str, Tensor] = field(default_factory=dict)
    pairs: dict[str, tuple[str, ...]] = field(default_factory=dict)
    values: dict[tuple[str, str], float] = field(default_factory=dict)

    def compare(self, metrics: Sequence[str], *pairs: str) -> None:
        """Ask for the figures of these pairs."""
        self.pairs |= dict.fromkeys(pairs, tuple(metrics))

    def note_mask(self) -> None:
        """Note that the mask could not be laid, and the face was blurred instead."""
        self.values["photograph", "mask_noted"] = 1.0

    def refuse(self, what: str = "photograph") -> None:
        """Note that the method would not make this picture."""
        self.values[what, "refused"] = 1.0


def judge(
    exhibits: Sequence[Exhibit], method: str, mask: str, protocol: str, device: str = "cpu"
) -> list[Score]:
    """Measure every pair that the exhibits ask for, those of equal size together.

    Args:
        exhibits: of this method and mask.
        method: name for the rows.
        mask: name for the rows.
        protocol: ``"png"`` or ``"paper"``.
        device: where LPIPS runs.

    Raises:
        MetricError, ModelError: as :func:`engine.metrics.measure`.
    """
    scores = [
        Score(one.record.file, one.source, method, mask, pair, metric, value, protocol)
        for one in exhibits
        for (pair, metric), value in one.values.items()
    ]
    for (pair, metrics, _), group in _alike(exhibits).items():
        first, second = (
            torch.cat([one.shown[name] for one in group]).to(device) for name in pair.split(":")
        )
        landmarks = [one.record.landmarks for one in group]
        for metric, values in _measure(metrics, first, second, landmarks, protocol):
            scores += [
                Score(one.record.file, one.source, method, mask, pair, metric, value, protocol)
                for one, value in zip(group, values.tolist(), strict=True)
            ]
    return scores


def _alike(
    exhibits: Sequence[Exhibit],
) -> dict[tuple[str, tuple[str, ...], tuple[int, ...]], list[Exhibit]]:
    groups = defaultdict(list)
    for one in exhibits:
        for pair, metrics in one.pairs.items():
            size = tuple(one.shown[pair.split(":")[0]].shape)
            groups[pair, metrics, size].append(one)
    return groups


def _measure(
    metrics: Sequence[str], first: Tensor, second: Tensor, landmarks: Landmarks, protocol: str
) -> Iterable[tuple[str, Tensor]]:
    with torch.inference_mode():
        for metric in metrics:
            images = first, second
            if protocol == "paper" and metric.startswith("lpips_"):
                # The papers' code feeds [0, 1] where the network expects [-1, 1].
                images = (first + 1) / 2, (second + 1) / 2
            yield label(metric), measure([metric], *images, landmarks)[metric]
