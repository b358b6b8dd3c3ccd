"""What the results database takes and gives: one plain record for each kind of row."""

import dataclasses
from dataclasses import dataclass, field

from engine.errors import ResultsError

__all__ = ["Artifact", "Cost", "Loss", "MeanScore", "PaperCell", "Run", "Score"]


@dataclass(frozen=True)
class Loss:
    """One logged value: the mean of a loss or figure over the steps since the last."""

    step: int
    name: str
    value: float
    seconds: float


@dataclass(frozen=True)
class Score:
    """One figure of one face: ``metric`` between the two images that ``pair`` names.

    ``protocol`` is ``"png"`` for what was read back from disk, ``"paper"`` for the papers' habits.
    """

    image: str
    source: str
    method: str
    mask: str
    pair: str
    metric: str
    value: float
    protocol: str = "png"


@dataclass(frozen=True)
class MeanScore:
    """A figure over the faces of one set; ``mean`` is over the finite values, None without any.

    ``exact`` counts the infinite ones: faces whose recovery is equal to the original.
    ``deviation`` is the standard deviation of the finite ones. ``series_id`` names the values.
    """

    method: str
    mask: str
    source: str
    pair: str
    metric: str
    images: int
    mean: float | None
    least: float
    greatest: float
    exact: int
    protocol: str = "png"
    deviation: float | None = None
    run_id: int = 0
    series_id: int = 0


@dataclass(frozen=True)
class Cost:
    """What something takes: ``name`` such as ``"protect_batch_s"`` or ``"parameters"``.

    ``low`` and ``high`` are the quartiles of the repeats, equal to ``median`` for a count.
    """

    method: str
    mask: str
    name: str
    batch: int
    median: float
    low: float
    high: float
    unit: str


@dataclass(frozen=True)
class Artifact:
    """A small picture kept with a run; ``name`` is one of original, mask, protected, recovered...

    ``licence`` says why it may be shown: without that, nothing is stored.
    """

    image: str
    method: str
    mask: str
    name: str
    licence: str
    data: bytes = field(repr=False)
    media_type: str = "image/png"

    def row(self, run_id: int) -> dict[str, object]:
        """As a row of a run.

        Raises:
            ResultsError: it has no licence note, or is over 64 KiB.
        """
        if not self.licence.strip() or len(self.data) > 2**16:
            raise ResultsError(
                f"{self.name} of {self.image} must have a licence note and at most 64 KiB, "
                f"got {len(self.data)} bytes under {self.licence!r}",
                hint="store only faces that may be shown, as thumbnails",
            )
        return {"run_id": run_id, **dataclasses.asdict(self)}


@dataclass(frozen=True)
class Run:
    """One training, benchmark or attack.

    Attributes:
        state: ``running``, ``finished``, ``stopped`` (by Ctrl-C), ``crashed`` (by an error, or its
            heartbeat has stopped) or ``unknown`` (of a database of schema 1).
        started_at: UTC, ISO 8601, as the other times.
        config: JSON, as ``versions``.
        dirty: whether the code differed from ``commit_hash``; None where nobody knows.
        figures: how many scores it has.
    """

    id: int
    kind: str
    model: str
    command: str
    started_at: str
    config: str
    state: str
    finished_at: str | None
    heartbeat_at: str | None
    commit_hash: str
    dirty: bool | None
    weights_hash: str
    data_hash: str
    seed: int | None
    versions: str
    device: str
    threads: int | None
    note: str
    tag: str
    hidden: bool
    figures: int


@dataclass(frozen=True)
class PaperCell:
    """One cell of a paper's table, ours beside it.

    Attributes:
        method: the row's name in the paper; our own name for rows that only we have.
        our_method: what stands beside it; empty where none is meant to.
        metric: the paper's, ``"lpips"`` without its net; ``our_metric`` names ours.
        better: ``"higher"`` or ``"lower"``, in this table.
        protocol: of our figure, ``"png"`` or ``"paper"``.
        paper_value: None for rows that only we have.
        our_value: the mean; None where ``images`` is None (not measured yet) or all are exact.
        least: the lowest single figure, as ``greatest`` the highest.
        images: faces that ours is the mean of, as ``exact`` those left out as infinite.
        masks: how many masks an average is over; 1 otherwise.
        run_id: where ours comes from.
        difference: ours less the paper's.
        note: what to know before comparing.
    """

    table: str
    place: int | None
    paper: str
    method: str
    our_method: str
    mask: str
    source: str
    pair: str
    metric: str
    better: str
    protocol: str
    paper_value: float | None
    note: str
    our_metric: str | None
    our_value: float | None
    least: float | None
    greatest: float | None
    exact: int | None
    images: int | None
    masks: int | None
    run_id: int | None
    difference: float | None
