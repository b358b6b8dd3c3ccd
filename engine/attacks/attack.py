"""What every attack of the lab is given and gives back: a scene to work in, outcomes to store.

An attack sees protected faces as their files, made as a person makes them: protected under a
passphrase and salt of their own, written as PNG, read back. What it finds it yields piece by piece,
so that whatever stops it, what came before is kept.
"""

import copy
import dataclasses
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from engine.attacks.plan import AttackConfig
from engine.attacks.target import Target, paper_sized
from engine.benchmark.photographs import settle, whole
from engine.benchmark.plan import Subject, choose, drawn, model_hashes, passphrase
from engine.data import FaceFile, FaceSet
from engine.errors import CapacityError, MaskError, MethodError
from engine.images import open_protected
from engine.keys import SALT_BYTES, KdfParams
from engine.masks import make_mask
from engine.methods import METHODS, WrongMode
from engine.pipeline import Preset, ProtectOptions, protect_again
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
        refused: of each face that a method or mask would not take, a figure that says so.
    """

    def __init__(self, faces: FaceSet, config: AttackConfig, report: Report = no_report) -> None:
        self.faces, self.config, self.report = faces, config, report
        self.chosen = tuple(choose(faces, config.benchmark()))
        self.refused: list[Score] = []
        self._paper_size = False

    def at_paper_size(self) -> "Scene":
        """The same faces, each the middle square of its picture at 112 px.

        A network that learned faces of one size sees less of others, which is no method's doing.
        """
        scene = copy.copy(self)  # what is refused goes into the same list
        scene._paper_size = True
        return scene

    def face(self, index: int) -> tuple[FaceFile, U8]:
        """A face of the set as it is attacked: what is known of it, and (H, W, 3)."""
        record, original_u8 = self.faces.records[index], self.faces.load(index)
        if self._paper_size:
            original_u8, points = paper_sized(original_u8, record)
            record = dataclasses.replace(record, landmarks=points)
        return record, original_u8

    def mask(
        self,
        record: FaceFile,
        original_u8: U8,
        mask: str,
        preset: Preset | None = None,
        strength: Mapping[str, float] | None = None,
    ) -> U8:
        """A face's mask without the pipeline, from the run's seed.

        Args:
            record: of the face, from :meth:`face`.
            original_u8: the face.
            mask: name of the mask.
            preset: of its strength; the configuration's unless given.
            strength: settings that replace the preset's.

        Raises:
            MaskError: the mask cannot be made for this face.
        """
        return make_mask(
            mask, original_u8, landmarks=record.landmarks, seed=self.config.seed,
            preset=preset or self.config.preset, strength=strength,
        )  # fmt: skip

    def refuse(self, record: FaceFile, method: str, mask: str) -> None:
        """Note that a method or mask will not take a face."""
        where = (record.file, record.source, method, mask)
        self.refused.append(Score(*where, "photograph", "refused", 1.0))

    def take_refused(self) -> tuple[Score, ...]:
        """What was refused since the last time."""
        found = tuple(self.refused)
        self.refused.clear()
        return found

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
        wrong: WrongMode = "",
    ) -> Target:
        """Protect a face as a person does, and read the file back.

        The key derivation runs at its cheapest: its cost changes no picture. Salt and mask follow
        from the seed, the face and what is asked, whatever else is attacked in the same run.

        Args:
            index: of the set.
            method: name of the method.
            mask: name of the mask.
            secret: the passphrase; one of the face's own unless given.
            check_value: with a tag, as by default.
            wrong: what a wrong key shall show; the method's own wrong picture where empty.

        Raises:
            CapacityError, MethodError: the method will not protect this face, or not so.
            MaskError: the mask cannot be made for it.
        """
        record, original_u8 = self.face(index)
        if secret is None:
            secret = passphrase(self.config.seed, record.file, "right")
        settle(Subject(method), self.config.device)
        options = ProtectOptions(
            method, mask, self.config.preset, wrong=wrong, check_value=check_value,
            kdf=KdfParams.cheapest(),
        )  # fmt: skip
        asked = f"{method} {mask} {secret} {check_value} {wrong}"
        salt = drawn(self.config.seed, record.file, f"salt {asked}")[:SALT_BYTES]
        mask_seed = int.from_bytes(drawn(self.config.seed, record.file, f"mask {mask}")[:16], "big")
        face = [whole(original_u8, record)]
        made = protect_again(original_u8, face, secret, options, salt, mask_seed)
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
            except (CapacityError, MaskError, MethodError):
                self.refuse(one, method, mask)
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
        variants: words that the configuration's ``variant`` may join.
        options: which of the configuration's ``minutes``, ``training`` and ``keep`` it reads; one
            that reads ``training`` cannot do without.
        suits: whether it can be made on the method of a name.
        needs: what such a method has, in words.
    """

    name: str
    title: str
    knowledge: str
    goal: str
    budget: Callable[[AttackConfig], str]
    run: Callable[[Scene], Iterator[Outcome]]
    variants: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    suits: Callable[[str], bool] = lambda name: True
    needs: str = "a method"

    def check(self, config: AttackConfig) -> None:
        """Refuse before any work what would fail later, or be stored as what it was not.

        Raises:
            MethodError, MaskError, ModelError: as :meth:`AttackConfig.check`.
            MethodError: a word of the variant is unknown, or a method does not suit.
            DataError: as :meth:`AttackConfig.check_training`, where it learns from faces.
        """
        config.check()
        for word in filter(None, config.variant.split("+")):
            if word not in self.variants:
                known = f"known: {', '.join(self.variants)}; join several with +"
                raise MethodError(
                    f"{self.name} has no variant {word!r}",
                    hint=known if self.variants else "leave it out: this attack has none",
                )
        if "training" in self.options:
            config.check_training()
        _, unfit = self.part(config.methods)
        if unfit:
            fit, _ = self.part(METHODS)
            raise MethodError(
                f"{self.name} needs {self.needs}, got {', '.join(unfit)}",
                hint=f"leave it out, and attack {' or '.join(fit)}",
            )

    def part(self, methods: Iterable[str]) -> tuple[list[str], list[str]]:
        """Part methods into those that it can be made on, and the others.

        Raises:
            MethodError: there is no method of a name.
        """
        named = list(methods)
        fit = [name for name in named if self.suits(name)]
        return fit, [name for name in named if name not in fit]

    def described(self, config: AttackConfig, faces: FaceSet) -> str:
        """JSON to be kept with the run: which attack, its budget, what it was given."""
        plain = dataclasses.asdict(config)
        # A folder's whole path would tell of the machine.
        plain["training"] = None if config.training is None else config.training.name
        plain["keep"] = None if config.keep is None else config.keep.name
        plain |= {"attack": self.name, "budget": self.budget(config), "data": faces.sha256()}
        plain["weights"] = model_hashes(map(Subject, config.methods), config.masks)
        return json.dumps(plain, sort_keys=True)
