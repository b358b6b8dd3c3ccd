"""What an attack is asked to do: which methods, masks and faces, and how hard to try."""

from dataclasses import dataclass
from pathlib import Path

from engine.benchmark.plan import BenchmarkConfig
from engine.errors import DataError, MaskError, MethodError
from engine.masks import MASKS, find_mask
from engine.methods import find_method
from engine.pipeline import Preset

__all__ = ["AttackConfig"]


@dataclass(frozen=True)
class AttackConfig:
    """What to attack, and how hard.

    Attributes:
        methods: names in :data:`engine.methods.METHODS`.
        masks: names in :data:`engine.masks.MASKS`.
        preset: mask strengths; the papers' at 112 px by default.
        limit: faces of each set, chosen with ``seed``; None for all.
        seed: of the choice and of the passphrases.
        tries: keys, edits or steps, whichever the attack counts; its own default where None.
        minutes: how long an attack that trains may train.
        training: folder with faces to train an attacker on, as :mod:`engine.data` finds them.
        device: torch's name of where networks run.
        variant: words of the attack's own that change it, joined by ``+``, such as ``"large"``.
        keep: folder for what an attack trains, so that it can be stopped and gone on with.
    """

    methods: tuple[str, ...]
    masks: tuple[str, ...]
    preset: Preset = "paper"
    limit: int | None = None
    seed: int = 0
    tries: int | None = None
    minutes: float = 2.0
    training: Path | None = None
    device: str = "cpu"
    variant: str = ""
    keep: Path | None = None

    def benchmark(self, *parts: str) -> BenchmarkConfig:
        """The same choice of methods, masks and faces, as the benchmark takes it."""
        return BenchmarkConfig(
            self.methods, self.masks, preset=self.preset, limit=self.limit, seed=self.seed,
            parts=parts,
        )  # fmt: skip

    def check(self) -> None:
        """Refuse before any work what would fail later.

        Raises:
            MethodError, MaskError, ModelError: as :meth:`BenchmarkConfig.check`.
            MethodError: fewer than one try, or no time at all.
            MaskError: a mask draws with a network that the user names, which no attack takes.
        """
        for name in self.methods:
            find_method(name)
        for mask in self.masks:
            if find_mask(mask).takes_model:
                own = [name for name, one in MASKS.items() if one.replaces and not one.takes_model]
                raise MaskError(
                    f"expected a mask of our own, got {mask}, which draws with a network of yours",
                    hint=f"attack another mask; other faces lay {', '.join(own)} too",
                )
        self.benchmark().check()
        if self.tries is not None and self.tries < 1:
            raise MethodError(f"tries must be 1 or more, got {self.tries}", hint="leave it out")
        if not self.minutes > 0:
            raise MethodError(f"minutes must be above 0, got {self.minutes:g}", hint="take 2")

    def check_training(self) -> None:
        """Refuse to learn from nothing.

        Raises:
            DataError: no folder of faces to learn from was named, or it is not there.
        """
        if self.training is None or not self.training.exists():
            named = "" if self.training is None else f", and there is no {self.training.name}"
            raise DataError(
                f"this attack needs faces to learn from{named}",
                hint="name a folder of faces that are not under attack with --training",
            )
