"""What was measured and trained, remembered in SQLite; the dashboard reads it without torch.

:class:`Results` writes, :class:`Reader` looks. A score belongs to a series (one run, method, mask,
set, pair, metric and protocol) and to a face; a series knows its mean, so that no page adds up a
million numbers. Infinite scores, of recoveries that are equal to the original, are counted apart.
"""

from engine.errors import ResultsError
from engine.references import REFERENCES, Reference
from engine.results.advice import GATE_KNOWN, Advice, Restored, advise, restorations, too_weak
from engine.results.judging import (
    EXACT_DB,
    GATE_DB,
    GATE_MATCH,
    LEAST_FACES,
    Judgement,
    Matched,
    Trial,
    judge,
    pooled,
)
from engine.results.matching import LEAST_KNOWN, matches
from engine.results.reader import Reader
from engine.results.records import Artifact, Cost, Loss, MeanScore, PaperCell, Run, Score
from engine.results.schema import SCHEMA_VERSION
from engine.results.standing import Attacked, Standing, standings
from engine.results.views import TABLES
from engine.results.writer import Results

__all__ = [
    "EXACT_DB",
    "GATE_DB",
    "GATE_KNOWN",
    "GATE_MATCH",
    "LEAST_FACES",
    "LEAST_KNOWN",
    "REFERENCES",
    "SCHEMA_VERSION",
    "TABLES",
    "Advice",
    "Artifact",
    "Attacked",
    "Cost",
    "Judgement",
    "Loss",
    "Matched",
    "MeanScore",
    "PaperCell",
    "Reader",
    "Reference",
    "Restored",
    "Results",
    "ResultsError",
    "Run",
    "Score",
    "Standing",
    "Trial",
    "advise",
    "judge",
    "matches",
    "pooled",
    "restorations",
    "standings",
    "too_weak",
]
