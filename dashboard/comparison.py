"""Ours against the papers in plain numbers: cells of their tables, fairly paired and counted."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from dashboard import words
from engine.results import PaperCell

MASKS: Final = 6
"""How many masks the papers' means are over."""

SETS: Final = ("lfw", "celeba", "ffhq")


@dataclass(frozen=True)
class Group:
    """One promise of one method, measured on several sets: a block of the Overview's picture."""

    title: str
    sense: str
    table: str
    method: str
    pair: str


GROUPS: Final = (
    Group("Protection, RandWR", "looks like the mask", "table_1_protect",
          "proface-s-rand", "mask:protected"),
    Group("Protection, ObfsWR", "looks like the mask", "table_1_protect",
          "proface-s-obfs", "mask:protected"),
    Group("Right key, RandWR", "the face comes back", "table_2_recover",
          "proface-s-rand", "original:recovered"),
    Group("Right key, ObfsWR", "the face comes back", "table_2_recover",
          "proface-s-obfs", "original:recovered"),
    Group("Wrong key, RandWR", "nothing like the face", "table_3_wrong",
          "proface-s-rand", "original:wrong"),
    Group("Wrong key, ObfsWR", "shows the mask", "table_3_wrong",
          "proface-s-obfs", "mask:wrong"),
)  # fmt: skip


@dataclass(frozen=True)
class Duel:
    """Ours and the paper's mean over the masks that both have, on one set.

    Attributes:
        ours: infinite where every recovery is exact.
        masks: which masks the means are over.
        images: how many faces ours is over.
    """

    group: Group
    source: str
    metric: str
    better: str
    ours: float
    paper: float
    masks: tuple[str, ...]
    images: int

    @property
    def difference(self) -> float:
        """Ours less the paper's."""
        return self.ours - self.paper

    @property
    def wins(self) -> bool:
        """Whether ours is at least as good."""
        return is_better(self.difference, self.better)


def is_better(difference: float, better: str) -> bool:
    """Whether a difference is in our favour; none counts as no worse."""
    return difference >= 0 if better == "higher" else difference <= 0


def comparable(cell: PaperCell) -> bool:
    """Whether ours and the paper's measure the same thing.

    LPIPS only of the same net; a mean of masks only where it is over as many as the paper's.
    """
    if cell.paper_value is None or ours(cell) is None:
        return False
    if cell.mask == "average" and cell.masks != MASKS:
        return False
    return cell.metric != "lpips" or cell.our_metric == "lpips_vgg"


def ours(cell: PaperCell) -> float | None:
    """Our figure, infinite where all recoveries are exact, None where it was not measured."""
    if cell.images is None:
        return None
    return math.inf if cell.our_value is None else cell.our_value


def duel(cells: Iterable[PaperCell], group: Group, source: str, metric: str) -> Duel | None:
    """Compare over the masks that both measured; None where there is none.

    Args:
        cells: of the group's table.
        group: which promise.
        source: which set.
        metric: by which figure.
    """
    shared = [
        cell
        for cell in cells
        if (cell.our_method, cell.pair, cell.source) == (group.method, group.pair, source)
        and cell.metric == metric
        and cell.mask not in ("average", "")
        and comparable(cell)
    ]
    if not shared:
        return None
    values = [value for cell in shared if (value := ours(cell)) is not None]
    papers = [cell.paper_value for cell in shared if cell.paper_value is not None]
    return Duel(
        group, source, metric, shared[0].better, sum(values) / len(values),
        sum(papers) / len(papers), tuple(cell.mask for cell in shared),
        sum(cell.images or 0 for cell in shared),
    )  # fmt: skip


def duels(tables: Mapping[str, Sequence[PaperCell]], metric: str) -> list[Duel]:
    """Every comparison that can be made, in the order of the picture.

    Args:
        tables: cells by name of table.
        metric: ``psnr_db`` or ``ssim``.
    """
    found = (
        duel(tables[group.table], group, source, metric) for group in GROUPS for source in SETS
    )
    return [one for one in found if one is not None]


def verdict(found: Sequence[Duel]) -> str:
    """The picture in one sentence."""
    if not found:
        return "Nothing here can be set beside the papers yet."
    parts: dict[bool, list[str]] = {True: [], False: []}
    for group in GROUPS:
        own = [one for one in found if one.group == group]
        if own:
            mean = sum(one.difference for one in own) / len(own)
            amount = words.number(mean, own[0].metric, sign=True, unit=True)
            parts[is_better(mean, own[0].better)].append(f"{group.title} ({amount})")
    wins = sum(one.wins for one in found)
    told = f"**Ours is as good or better in {wins} of {len(found)} comparisons.**"
    for wanted, word in ((True, "Better"), (False, "Worse")):
        if parts[wanted]:
            told += f" {word}: {'; '.join(parts[wanted])}."
    return told


@dataclass(frozen=True)
class Tally:
    """How a table stands: its cells, and how many of them are measured, better, worse."""

    cells: int
    measured: int
    better: int
    worse: int
    apart: int


def tally(cells: Iterable[PaperCell]) -> Tally:
    """Count the cells of a paper's table that are meant to have ours beside them."""
    meant = [cell for cell in cells if cell.paper_value is not None and cell.our_method]
    measured = [cell for cell in meant if cell.images is not None]
    fair = [cell for cell in measured if comparable(cell)]
    better = sum(cell_is_better(cell) for cell in fair)
    return Tally(len(meant), len(measured), better, len(fair) - better, len(measured) - len(fair))


def cell_is_better(cell: PaperCell) -> bool:
    """Whether ours is at least as good in this cell; only of comparable ones."""
    value = ours(cell)
    assert value is not None and cell.paper_value is not None
    return is_better(value - cell.paper_value, cell.better)
