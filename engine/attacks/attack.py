"""What every attack of the lab is given and gives back: a scene to work in, outcomes to store.

An attack sees protected faces as their files, made as a person makes them: protected under a
passphrase and salt of their own, written as PNG, read back. What it finds it yields piece by piece,
so that whatever stops it, what came before is kept.
"""

import dataclasses
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt

from engine.benchmark.photographs import settle, whole
from engine.benchmark.plan import BenchmarkConfig, Subject, choose, passphrase
from engine.data import FaceFile, FaceSet
from engine.errors import CapacityError, MethodError
from engine.images import ProtectedFile, from_u8, open_protected
from engine.keys import KdfParams, Key
from engine.methods import find_method
from engine.metrics import measure
from engine.pipeline import Preset, ProtectOptions, protect
from engine.record import Header
from engine.results.records import Artifact, Cost, Score

__all__ = ["ALL", "Attack", "AttackConfig", "Outcome", "Report", "Scene", "Target", "no_report"]

ALL = "all"
"""Image and source of a figure that belongs to a whole run, such as an AUC."""

U8 = npt.NDArray[np.uint8]

Report = Callable[[int, int, str], None]
"""Takes what is done, what there is in all, and what is being done."""


def no_report(done: int, total: int, what: str) -> None:
    """Say nothing."""


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
        """
        for name in self.methods:
            find_method(name)
        self.benchmark().check()
        if self.tries is not None and self.tries < 1:
            raise MethodError(f"tries must be 1 or more, got {self.tries}", hint="leave it out")
        if not self.minutes > 0:
            raise MethodError(f"minutes must be above 0, got {self.minutes:g}", hint="take 2")

    def described(self, attack: "Attack", faces: FaceSet) -> str:
        """JSON to be kept with the run: which attack, its budget, what it was given."""
        plain = dataclasses.asdict(self)
        # A folder's whole path would tell of the machine.
        plain["training"] = None if self.training is None else self.training.name
        plain["keep"] = None if self.keep is None else self.keep.name
        plain |= {"attack": attack.name, "budget": attack.budget(self), "data": faces.sha256()}
        plain["weights"] = {name: Subject(name).weights_hash() for name in self.methods}
        return json.dumps(plain, sort_keys=True)


@dataclass(frozen=True, eq=False)
class Target:
    """One protected face, and beside it what only its owner and the judge know.

    Attributes:
        record: which face of the set.
        method: that protects it.
        mask: that hides it.
        original_u8: the face, (H, W, 3).
        mask_u8: what was laid over it, same shape.
        png: the file that was shared.
        file: the same as it is read back.
        header: what travels with it.
        passphrase: the right one.
        key: the right one.
    """

    record: FaceFile
    method: str
    mask: str
    original_u8: U8 = field(repr=False)
    mask_u8: U8 = field(repr=False)
    png: bytes = field(repr=False)
    file: ProtectedFile = field(repr=False)
    header: Header = field(repr=False)
    passphrase: str = field(repr=False)

    @cached_property
    def key(self) -> Key:
        """The right key, derived on first use."""
        return Key.from_passphrase(self.passphrase, self.header.salt, self.header.kdf)

    @property
    def protected_u8(self) -> U8:
        """The pixels that were shared, as read back from the file."""
        return self.file.photo_u8

    def score(self, pair: str, metric: str, value: float) -> Score:
        """A figure of this face."""
        record = self.record
        return Score(record.file, record.source, self.method, self.mask, pair, metric, float(value))

    def compare(
        self, name: str, shown_u8: U8, metrics: Sequence[str] = ("psnr_db", "ssim")
    ) -> list[Score]:
        """Measure a picture against the original, as the pair ``original:name``.

        Raises:
            MetricError, ImageShapeError: as :func:`engine.metrics.measure`.
        """
        found = measure(metrics, from_u8(self.original_u8), from_u8(shown_u8))
        return [self.score(f"original:{name}", m, value.item()) for m, value in found.items()]


@dataclass(frozen=True)
class Outcome:
    """What an attack found by now, to be stored together.

    Attributes:
        scores: figures of faces, each between two named images, and of the whole run, with
            :data:`ALL` for image and source.
        costs: times, rates and prices.
        artifacts: pictures of faces that may be shown.
    """

    scores: tuple[Score, ...] = ()
    costs: tuple[Cost, ...] = ()
    artifacts: tuple[Artifact, ...] = ()


class Scene:
    """The faces under attack.

    Args:
        faces: the set.
        config: what to attack, and how hard.
        report: told how far the attack is.

    Attributes:
        faces: the set.
        config: what to attack, and how hard.
        chosen: indices of the faces to attack.
        report: to be called with what is done, what there is in all, and what is being done.
        refused: of each face that a method would not protect, a figure that says so.
    """

    def __init__(self, faces: FaceSet, config: AttackConfig, report: Report = no_report) -> None:
        self.faces, self.config, self.report = faces, config, report
        self.chosen = tuple(choose(faces, config.benchmark()))
        self.refused: list[Score] = []

    def combinations(self) -> list[tuple[str, str]]:
        """Every method with every mask."""
        return [(method, mask) for method in self.config.methods for mask in self.config.masks]

    def protect(
        self,
        index: int,
        method: str,
        mask: str,
        *,
        secret: str | None = None,
        check_value: bool = True,
    ) -> Target:
        """Protect a face as a person does, and read the file back.

        The key derivation runs at its cheapest: its cost changes no picture. The salt is new.

        Args:
            index: of the set.
            method: name of the method.
            mask: name of the mask.
            secret: the passphrase; one of the face's own unless given.
            check_value: with a tag, as by default.

        Raises:
            CapacityError, MethodError: the method will not protect this face.
        """
        record, original_u8 = self.faces.records[index], self.faces.load(index)
        if secret is None:
            secret = passphrase(self.config.seed, record.file, "right")
        settle(Subject(method), self.config.device)
        options = ProtectOptions(
            method, mask, self.config.preset, check_value=check_value, kdf=KdfParams.cheapest()
        )
        made = protect(original_u8, [whole(original_u8, record)], secret, options)
        file = open_protected(made.png)
        return Target(
            record, method, mask, original_u8, made.masked_u8, made.png, file, made.header, secret
        )

    def targets(
        self,
        method: str,
        mask: str,
        *,
        secret: Callable[[FaceFile], str] | None = None,
        check_value: bool = True,
    ) -> Iterator[Target]:
        """Protect the chosen faces one after the other; who is refused is noted and left out.

        Args:
            method: name of the method.
            mask: name of the mask.
            secret: gives the passphrase of a face; one of the face's own unless given.
            check_value: with tags, as by default.
        """
        for i, index in enumerate(self.chosen):
            self.report(self._before(method, mask) + i, self._total, f"{method} {mask}")
            one = self.faces.records[index]
            try:
                target = self.protect(
                    index, method, mask, secret=secret and secret(one), check_value=check_value
                )
            except (CapacityError, MethodError):
                refusal = Score(one.file, one.source, method, mask, "photograph", "refused", 1.0)
                self.refused.append(refusal)
            else:
                yield target
        self.report(self._before(method, mask) + len(self.chosen), self._total, "")

    def whole_run(self, method: str, mask: str, pair: str, metric: str, value: float) -> Score:
        """A figure of all faces together, such as an AUC."""
        return Score(ALL, ALL, method, mask, pair, metric, float(value))

    @property
    def _total(self) -> int:
        return len(self.chosen) * len(self.combinations())

    def _before(self, method: str, mask: str) -> int:
        return len(self.chosen) * self.combinations().index((method, mask))


@dataclass(frozen=True)
class Attack:
    """One attack of the lab.

    Attributes:
        name: as users write it.
        title: a few words for a heading.
        knowledge: one sentence: what the attacker has.
        goal: one sentence: what the attacker wants.
        budget: what it spends under a configuration, in words; printed before the run, kept with
            it.
        run: attacks a scene, and yields what it finds.
    """

    name: str
    title: str
    knowledge: str
    goal: str
    budget: Callable[[AttackConfig], str]
    run: Callable[[Scene], Iterator[Outcome]]
