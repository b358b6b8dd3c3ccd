"""What of a database can be relied on and what cannot, in plain sentences made from its rows."""

import math
from collections.abc import Sequence

from dashboard import words
from dashboard.comparison import Duel
from engine.results import MeanScore, Run


def trusted(
    runs: Sequence[Run],
    means: Sequence[MeanScore],
    failures: Sequence[MeanScore],
    protocol: str,
) -> list[str]:
    """What holds.

    Args:
        runs: those that the figures come from.
        means: the figures shown.
        failures: rows of the pair ``photograph``: refused, or without a found face.
        protocol: ``png`` or ``paper``.
    """
    found = []
    if protocol == "png":
        found.append("Measured on the **8-bit PNG read back from disk**, as a receiver gets it.")
    faces = faces_by_set(means)
    if faces:
        sets = ", ".join(
            f"{count:,} of {words.plain(words.source(name))}" for name, count in faces.items()
        )
        same = len({run.data_hash for run in runs}) == 1 and runs[0].data_hash
        found.append(f"**Faces:** {sets}{', the same set of files in every run' if same else ''}.")
    exact = [m for m in means if m.pair == "original:recovered" and m.metric == "psnr_db"]
    for name in dict.fromkeys(m.method for m in exact):
        own = [m for m in exact if m.method == name]
        total, equal = sum(m.images for m in own), sum(m.exact for m in own)
        if equal:
            found.append(
                f"**{words.plain(words.method(name))} returns the face bit by bit** in {equal:,} "
                f"of {total:,} recoveries ({equal / total:.0%})."
            )
    if runs and all(run.command for run in runs):
        found.append("**Every figure can be made again** by the command that its run keeps.")
    found.append(_counted(failures))
    named = [run for run in runs if run.commit_hash and not run.dirty]
    if named and len(named) == len(runs):
        found.append("Every run names **the commit, the weights and the data** that made it.")
    return found


def _counted(failures: Sequence[MeanScore]) -> str:
    """What became of photographs that gave no picture: the benchmark counts each in a row."""
    told = []
    for metric, what in (("refused", "were refused by the method"), ("no_face", "had no face")):
        own = [m for m in failures if m.metric == metric]
        if own:
            by = dict.fromkeys(words.plain(words.method(m.method)) for m in own)
            told.append(f"{sum(m.images for m in own):,} {what} ({', '.join(by)})")
    if told:
        return (
            f"**Failures are counted, and in no mean:** {' and '.join(told)}, over masks and sets "
            "together."
        )
    return "**No photograph was refused** in these runs; one would be counted here."


def faces_by_set(means: Sequence[MeanScore]) -> dict[str, int]:
    """The most faces that any figure of a set is over."""
    found: dict[str, int] = {}
    for mean in means:
        found[mean.source] = max(found.get(mean.source, 0), mean.images)
    return dict(sorted(found.items()))


def doubted(
    runs: Sequence[Run], means: Sequence[MeanScore], duels: Sequence[Duel], protocol: str
) -> list[str]:
    """What does not hold, or is not known.

    Args:
        runs: those that the figures come from.
        means: the figures shown.
        duels: the comparisons shown.
        protocol: ``png`` or ``paper``.
    """
    found = []
    found.append(
        "**A trained attacker is not measured here.** Noise under a wrong key does not prove that "
        "nobody can see through it: *Robustness and attacks* has what one gains."
    )
    if duels and protocol == "png":
        found.append(
            "**The papers measure otherwise:** they recover from float tensors, which helps them, "
            "and stretch wrong-key pictures before scoring, which helps us in *Wrong key, RandWR*."
        )
    masks = {name for one in duels for name in one.masks}
    if duels and len(masks) < 6:
        found.append(
            f"**{len(masks)} of the paper's 6 masks** are compared "
            f"({', '.join(sorted(words.mask(m) for m in masks))}); face swaps are not among them."
        )
    faces = faces_by_set(means)
    if faces and max(faces.values()) < 1000:
        found.append(
            f"**At most {max(faces.values()):,} faces of a set**; PRO-Face S took 1,000"
            f"{_spread(means)}."
        )
    if any(m.metric.startswith("lpips") and m.metric != "lpips_vgg" for m in means):
        found.append("**LPIPS is of another net** than the papers': shown, never compared.")
    found += _provenance(runs)
    return found


def _spread(means: Sequence[MeanScore]) -> str:
    """Twice the standard error of the least certain mean in decibels."""
    errors = [
        2 * m.deviation / math.sqrt(m.images - m.exact)
        for m in means
        if m.metric == "psnr_db" and m.deviation is not None and m.images > m.exact + 1
    ]
    return f" (means in dB are good to ±{max(errors):.2f} or better)" if errors else ""


def _provenance(runs: Sequence[Run]) -> list[str]:
    dirty = [run.id for run in runs if run.dirty]
    unknown = [run.id for run in runs if not run.commit_hash]
    found = []
    if dirty:
        found.append(
            f"**Code not committed** when {_named(dirty)} measured: not repeatable to the bit."
        )
    if unknown:
        found.append(f"**Nobody wrote down which code** made {_named(unknown)}.")
    return found


def _named(ids: Sequence[int]) -> str:
    return f"run{'s' if len(ids) > 1 else ''} " + ", ".join(str(one) for one in sorted(ids))
