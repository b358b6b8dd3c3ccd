"""Ways from a figure to its run: addresses of the page Runs, relative to the page they stand on."""

import html
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlencode


@dataclass(frozen=True)
class Links:
    """Makes links to runs of one database.

    Attributes:
        labels: of each run, as :func:`dashboard.run_rows.label` writes it.
        database: its name, where it is not the one that opens without asking; else empty.
    """

    labels: dict[int, str]
    database: str = ""

    def address(self, runs: Iterable[int]) -> str:
        """The page Runs with these runs chosen: one in full, several compared."""
        known = [self.labels[run] for run in dict.fromkeys(runs) if run in self.labels]
        query = [("db", self.database)] if self.database else []
        return f"runs?{urlencode([*query, *(('runs', label) for label in known)])}"

    def named(self, runs: Iterable[int]) -> str:
        """``runs 3, 4`` as HTML, each a link."""
        ids = sorted(set(runs))
        links = ", ".join(self.around((run,), str(run)) for run in ids)
        return f"run{'s' if len(ids) > 1 else ''} {links}"

    def around(self, runs: Iterable[int], text: str) -> str:
        """HTML of a link with this text."""
        return f'<a href="{html.escape(self.address(runs))}">{html.escape(text)}</a>'
