"""Runs as lines of a table, and what two of them differ in; no Streamlit here."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from dashboard import words
from dashboard.charts.curves import best, title
from engine.results import MeanScore, Run

SHORT: Final = 10


def label(run: Run) -> str:
    """A run in few words that never change, as the URL holds them: its number, what it is of."""
    return f"{run.id} {run.model}"


def line(run: Run) -> dict[str, Any]:
    """A run as a line of the list."""
    return {
        "run": run.id,
        "state": words.STATES.get(run.state, run.state),
        "kind": run.kind,
        "model": run.model,
        "started (UTC)": words.moment(run.started_at),
        "took": took(run),
        "figures": run.figures,
        "tag": run.tag,
        "note": run.note,
        "commit": commit(run),
        "device": run.device,
        "hidden": run.hidden,
        "command": run.command,
    }


def took(run: Run) -> str:
    """From start to end, in the largest fitting unit."""
    end = run.finished_at or run.heartbeat_at
    if not end:
        return "–"
    seconds = (datetime.fromisoformat(end) - datetime.fromisoformat(run.started_at)).total_seconds()
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def commit(run: Run) -> str:
    """Which code, shortened, with a star where it differed from the commit."""
    return run.commit_hash[:SHORT] + ("*" if run.dirty else "") if run.commit_hash else "–"


def matching(
    runs: Sequence[Run], search: str, kinds: Sequence[str], states: Sequence[str]
) -> list[Run]:
    """Runs that hold every word of a search, of these kinds and states; of all where empty."""
    wanted = search.lower().split()
    return [
        run
        for run in runs
        if (not kinds or run.kind in kinds)
        and (not states or run.state in states)
        and all(word in _text(run) for word in wanted)
    ]


def _text(run: Run) -> str:
    parts = (str(run.id), run.kind, run.model, run.state, run.tag, run.note, run.command,
             run.config, run.commit_hash, run.device)  # fmt: skip
    return " ".join(parts).lower()


def settings(run: Run) -> dict[str, str]:
    """What a run was made with: its columns and its configuration, laid out flat."""
    found = {
        "model": run.model,
        "kind": run.kind,
        "seed": "–" if run.seed is None else str(run.seed),
        "device": run.device,
        "threads": "–" if run.threads is None else str(run.threads),
        "commit": run.commit_hash + (" (changed)" if run.dirty else ""),
        "weights": run.weights_hash,
        "data": run.data_hash,
    }
    for prefix, text in (("config", run.config), ("versions", run.versions)):
        found |= _flat(prefix, _parsed(text))
    return found


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return text


def _flat(prefix: str, value: Any) -> dict[str, str]:
    if isinstance(value, Mapping):
        found: dict[str, str] = {}
        for name, inner in value.items():
            found |= _flat(f"{prefix}.{name}", inner)
        return found
    if isinstance(value, list):
        return {prefix: ", ".join(str(one) for one in value)}
    return {prefix: str(value)}


def differences(runs: Sequence[Run], *, only: bool = True) -> list[dict[str, str]]:
    """Settings side by side, a column for each run.

    Args:
        runs: to be compared.
        only: leave out what is the same in all.
    """
    columns = {label(run): settings(run) for run in runs}
    keys = list(dict.fromkeys(key for own in columns.values() for key in own))
    found = []
    for key in keys:
        values = {name: own.get(key, "") for name, own in columns.items()}
        if not only or len(set(values.values())) > 1:
            found.append({"setting": key, **values})
    return found


Extremes = Mapping[int, Mapping[str, tuple[float, float, float]]]


def last_and_best(runs: Sequence[Run], extremes: Extremes) -> list[dict[str, Any]]:
    """The last and the best of each logged value, a pair of columns for each run."""
    keys = list(dict.fromkeys(key for run in runs for key in extremes[run.id]))
    found = []
    for key in keys:
        row: dict[str, Any] = {"value": title(key)}
        for run in runs:
            own = extremes[run.id].get(key)
            row[f"{label(run)}: last"] = own and own[0]
            row[f"{label(run)}: best"] = own and best(key, own[1], own[2])
        found.append(row)
    return found


def side_by_side(runs: Sequence[Run], means: Sequence[MeanScore]) -> list[dict[str, Any]]:
    """Each figure that any of the runs has, a column for each run."""
    lines: dict[tuple[str, ...], dict[str, Any]] = {}
    names = {run.id: label(run) for run in runs}
    for m in means:
        key = (m.method, m.mask, m.source, m.pair, m.metric, m.protocol)
        row = lines.setdefault(key, {
            "method": words.method(m.method), "mask": words.mask(m.mask),
            "set": words.source(m.source), "figure": words.figure(m.pair, m.metric),
            "protocol": m.protocol, **dict.fromkeys(names.values()),
        })  # fmt: skip
        row[names[m.run_id]] = shown(m)
    return list(lines.values())


def shown(mean: MeanScore) -> float | None:
    """A mean for a table: None where every recovery is exact."""
    return None if mean.mean is None else round(mean.mean, words.metric(mean.metric).decimals)


def figures(means: Sequence[MeanScore]) -> list[dict[str, Any]]:
    """A run's figures as lines."""
    return [
        {
            "method": words.method(m.method), "mask": words.mask(m.mask),
            "set": words.source(m.source), "figure": words.figure(m.pair, m.metric),
            "mean": shown(m), "spread": None if m.deviation is None else round(m.deviation, 4),
            "least": m.least, "greatest": m.greatest, "faces": m.images, "exact": m.exact,
            "protocol": m.protocol,
        }
        for m in means
    ]  # fmt: skip
