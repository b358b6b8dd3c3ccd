"""Why here: whether a recogniser tells faces apart: pairs, folds, accuracy, rates, thresholds."""

import csv
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from scipy import stats

from engine.data import FaceFile, FaceSet
from engine.errors import DataError
from engine.images import from_u8
from engine.recognition import Judge, align_batch

FOLDS = 10
MOST_OF_ONE = 10
"""Pairs of one person at most, or the person with most photographs would decide the figures."""

FAR = 1e-3
_COLUMNS = ["fold", "first", "second", "same"]
_CHUNK = 64

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Pair:
    """Two faces of a set: the files, the fold they belong to, and whether they are one person's."""

    fold: int
    first: str
    second: str
    same: bool


@dataclass(frozen=True)
class Verification:
    """What a recogniser reaches.

    Attributes:
        pairs: of the list, half of them of one person.
        accuracy: mean over the folds, each at the threshold that suits the others best.
        accuracy_deviation: standard deviation over the folds.
        auc: chance that a pair of one person has a higher cosine than one of two.
        different_pairs: all pairs of two persons from one source; ``auc`` and what follows is
            measured on these instead of the list's.
        threshold: cosine that a share :data:`FAR` of them reaches.
        tar: share of the list's pairs of one person that reach it.
        own_far: share of them that reaches the recogniser's own threshold, if it has one.
        own_tar: and of the list's pairs of one person.
    """

    pairs: int
    accuracy: float
    accuracy_deviation: float
    auc: float
    different_pairs: int
    threshold: float
    tar: float
    own_far: float | None = None
    own_tar: float | None = None


def draw_pairs(records: Sequence[FaceFile], seed: int = 0) -> list[Pair]:
    """Draw pairs of faces as LFW does: folds of disjoint people, one person's and two persons'.

    Both faces of a pair come from one source, since the sources themselves are easily told apart.
    Source: Huang et al., Labeled Faces in the Wild, 2007.

    Args:
        records: faces; those of unknown identity are left out.
        seed: of the folds and of the choice.

    Returns:
        In each fold as many pairs of two persons as of one, if it has so many people.

    Raises:
        DataError: nobody is there twice.
    """
    rng = np.random.default_rng(seed)
    pairs = []
    for people in _people(records).values():
        names = sorted(people)
        folds: list[list[str]] = [[] for _ in range(FOLDS)]
        for place, index in enumerate(rng.permutation(len(names))):
            folds[place % FOLDS].append(names[int(index)])
        for fold, members in enumerate(folds):
            pairs += _pairs_of_fold(fold, [people[name] for name in members], rng)
    if not any(pair.same for pair in pairs):
        raise DataError(
            "expected people with two faces or more, found none",
            hint="verification needs a set whose csv has identities",
        )
    return pairs


def _pairs_of_fold(
    fold: int, people: Sequence[Sequence[str]], rng: np.random.Generator
) -> list[Pair]:
    same = []
    for files in people:
        own = [Pair(fold, first, second, True) for first, second in combinations(files, 2)]
        chosen = rng.permutation(len(own))[:MOST_OF_ONE]
        same += [own[int(index)] for index in sorted(chosen)]
    different = {
        (first, second)
        for one, other in combinations(people, 2)
        for first in one
        for second in other
    }
    known = sorted(different)
    chosen = rng.permutation(len(known))[: len(same)]
    return same + [Pair(fold, *known[int(index)], False) for index in sorted(chosen)]


def write_pairs(path: Path, pairs: Sequence[Pair]) -> None:
    """Write a list of pairs as csv: fold, first, second, same (1 or 0)."""
    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(_COLUMNS)
        table.writerows((p.fold, p.first, p.second, int(p.same)) for p in pairs)


def read_pairs(path: Path) -> list[Pair]:
    """Read what :func:`write_pairs` wrote.

    Raises:
        DataError: it is no such list.
    """
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        return [
            Pair(int(r["fold"]), r["first"], r["second"], bool(("0", "1").index(r["same"])))
            for r in rows
        ]
    except (KeyError, ValueError, TypeError) as error:
        raise DataError(
            f"{path.name} must have the columns {', '.join(_COLUMNS)}",
            hint="name a file that is not there yet, and it will be written",
        ) from error


def embed_set(faces: FaceSet, judge: Judge, device: str = "cpu", guess: bool = False) -> Floats:
    """Embed the faces of a set: (N, D), in its order; zeros for those of unknown identity.

    Args:
        faces: the set.
        judge: the recogniser.
        device: where the faces are sent to.
        guess: align every face as one whose landmarks are not known.

    Raises:
        DataError: nobody's identity is known.
    """
    known = [i for i, record in enumerate(faces.records) if record.identity]
    found: dict[int, Floats] = {}
    for start in range(0, len(known), _CHUNK):
        part = known[start : start + _CHUNK]
        aligned = [
            align_batch(from_u8(faces.load(i)), [None if guess else faces.records[i].landmarks])
            for i in part
        ]
        with torch.inference_mode():
            vectors = judge.embed(torch.cat(aligned).to(device)).float().cpu().numpy()
        found |= dict(zip(part, vectors, strict=True))
    if not found:
        raise DataError(
            f"no face of {faces.name} has an identity",
            hint="name a set whose csv says who is who; masks also takes a --threshold",
        )
    vectors = np.zeros((len(faces), len(next(iter(found.values())))), np.float32)
    for index, vector in found.items():
        vectors[index] = vector
    return vectors


def verify(
    records: Sequence[FaceFile],
    vectors: Floats,
    pairs: Sequence[Pair],
    own_threshold: float | None = None,
) -> Verification:
    """Measure how well embeddings tell people apart.

    Args:
        records: the faces.
        vectors: (N, D), of length 1, of each.
        pairs: of these faces, in two folds or more.
        own_threshold: of the recogniser.

    Raises:
        DataError: a pair names a face that is not there, or there are too few of either kind.
    """
    place = {record.file: index for index, record in enumerate(records)}
    missing = next((f for p in pairs for f in (p.first, p.second) if f not in place), None)
    folds = np.array([pair.fold for pair in pairs])
    same = np.array([pair.same for pair in pairs], bool)
    if missing is not None or same.all() or not same.any() or len(set(folds)) < 2:
        raise DataError(
            f"expected pairs of this set, same and different, in two folds or more, got {missing}"
            if missing
            else "expected pairs of one person and of two, in two folds or more",
            hint="name a file that is not there yet, and a list will be drawn",
        )
    first = vectors[[place[pair.first] for pair in pairs]]
    second = vectors[[place[pair.second] for pair in pairs]]
    cosines = (first * second).sum(1).astype(np.float64)
    accuracies = [_accuracy(cosines, same, folds == fold) for fold in sorted(set(folds.tolist()))]
    others = different_cosines(records, vectors)
    threshold = threshold_at(others, FAR)
    return Verification(
        pairs=len(pairs),
        accuracy=float(np.mean(accuracies)),
        accuracy_deviation=float(np.std(accuracies)),
        auc=_auc(cosines[same], others),
        different_pairs=len(others),
        threshold=threshold,
        tar=float(np.mean(cosines[same] >= threshold)),
        own_far=None if own_threshold is None else float(np.mean(others >= own_threshold)),
        own_tar=None if own_threshold is None else float(np.mean(cosines[same] >= own_threshold)),
    )


def different_cosines(
    records: Sequence[FaceFile], vectors: Floats, most: int = 6000, seed: int = 0
) -> Floats:
    """Cosines of all pairs of two persons from one source, of at most so many faces of it."""
    rng = np.random.default_rng(seed)
    found = []
    for people in _people(records).values():
        where = {record.file: index for index, record in enumerate(records)}
        rows = [
            (where[file], label) for label, files in enumerate(people.values()) for file in files
        ]
        chosen = [rows[int(i)] for i in sorted(rng.permutation(len(rows))[:most])]
        indices, labels = (np.array(column) for column in zip(*chosen, strict=True))
        cosines = vectors[indices] @ vectors[indices].T
        upper = np.triu(labels[:, None] != labels[None], 1)
        found.append(cosines[upper])
    return np.concatenate(found)


def threshold_at(different: Floats, far: float) -> float:
    """The cosine that a share ``far`` of the pairs of two persons reaches."""
    return float(np.quantile(different, 1 - far, method="higher"))


def _people(records: Sequence[FaceFile]) -> dict[str, dict[str, list[str]]]:
    """Source to person to files, in the order of the set."""
    found: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for record in records:
        if record.identity:
            found[record.source][record.identity].append(record.file)
    return found


def _accuracy(
    cosines: npt.NDArray[np.float64], same: npt.NDArray[np.bool_], tested: npt.NDArray[np.bool_]
) -> float:
    """Of the pairs tested, at the threshold that is best for all others."""
    order = np.argsort(cosines[~tested])
    candidates, labels = cosines[~tested][order], same[~tested][order]
    # At candidate i, those below it are called different and the rest the same.
    right = np.concatenate([[0], np.cumsum(~labels)[:-1]]) + labels[::-1].cumsum()[::-1]
    best = int(right.argmax())
    threshold = candidates[max(best - 1, 0) : best + 1].mean()  # halfway, to be fair to both kinds
    return float(np.mean((cosines[tested] >= threshold) == same[tested]))


def _auc(same: npt.NDArray[np.float64], different: Floats) -> float:
    statistic = stats.mannwhitneyu(same, different, method="asymptotic").statistic
    return float(statistic / (len(same) * len(different)))
