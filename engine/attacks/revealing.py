"""What every trained attack shares: what a network is shown, how long it learns, what it gives.

A gain is always that of one network over another that saw less. What both reach comes from the mask
and from knowing faces; only the difference comes from the method.
"""

import contextlib
import json
import math
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import cast

import numpy as np
import numpy.typing as npt
import torch
from scipy.special import stdtrit
from torch import Tensor
from torch.nn.functional import avg_pool2d

from engine.attacks.attack import AttackConfig, Scene
from engine.data import FaceFile, FaceSet, find_training_sets
from engine.errors import DataError, MethodError
from engine.files import write_file
from engine.images import from_u8, pad_to_even, to_u8
from engine.metrics import METRICS, available, measure
from engine.networks.reveal import Reveal
from engine.results.judging import EXACT_DB
from engine.results.records import Score
from engine.training.precision import autocast
from engine.training.reveal import (
    RevealOptions,
    RevealRecipe,
    RevealTrainer,
    Teach,
    ahead,
    train_reveal,
)
from engine.zoo import load_model, read_network

__all__ = ["compare", "gains", "learn", "load_reveal", "metrics", "reveal", "see", "workplace"]

AMPLIFIED = 10.0
"""How much a network that is shown the residual too is shown of it, around mid-grey."""

_WANTED = ("psnr_db", "ssim", "identity_cosine", "identity_match")
_SMOOTH = 5
_TRIAL_STEPS = 3

U8 = npt.NDArray[np.uint8]


def see(picture: Tensor, pictures: int = 1, *, residual: bool = False) -> Tensor:
    """What a network is shown of a picture.

    Args:
        picture: (B, 3, H, W) in [0, 1], protected, or the mask.
        pictures: 1 for the picture alone; 2 for the picture and what it is more than its own
            smoothed copy, times :data:`AMPLIFIED`: where the mask is smooth, the residual.
        residual: the second of these alone.

    Returns:
        (B, 3 pictures, H, W) in [0, 1].
    """
    if pictures == 1 and not residual:
        return picture
    half = _SMOOTH // 2
    smooth = avg_pool2d(picture, _SMOOTH, stride=1, padding=half, count_include_pad=False)
    rest = (0.5 + AMPLIFIED * (picture - smooth)).clamp(0, 1)
    return rest if residual else torch.cat([picture, rest], 1)


def reveal(protected_u8: U8, model: Reveal, *, fast: bool = False) -> U8:
    """Show what an attacker without any key gets from a protected face.

    Args:
        protected_u8: the face's crop, (H, W, 3), any size; 112 px is what networks are trained at.
        model: from :func:`load_reveal` or :func:`learn`.
        fast: compute as it learned, in bfloat16 where that is fast: for thousands of faces.

    Returns:
        The attacker's reconstruction, (H, W, 3).

    Raises:
        ImageShapeError: no picture, or not of the size that the model is bound to.
    """
    height, width = protected_u8.shape[:2]
    shown = from_u8(protected_u8).to(model.device)
    if not model.config.places:
        shown, _ = pad_to_even(shown)
    inexact = autocast(str(model.device)) if fast else contextlib.nullcontext()
    with torch.inference_mode(), inexact:
        guess = model(see(shown, model.config.pictures, residual=model.config.residual))
    return to_u8(guess[..., :height, :width].float().clamp(0, 1).cpu())


def load_reveal(name: str | Path, device: str | None = None) -> Reveal:
    """Load an attacker's network: released, by name, or trained here, by its folder.

    Args:
        name: of a released model, or a :class:`~pathlib.Path` to a ``model`` folder.
        device: torch's name of where it runs; without, the GPU for a released one where there is
            one, else the CPU.

    Raises:
        MethodError: the released model is another kind of network.
        ModelError: as :func:`engine.zoo.load_model` and :func:`engine.zoo.read_network`.
    """
    if isinstance(name, Path):
        trained = read_network(name, "Reveal").requires_grad_(False).eval()
        return cast(Reveal, trained.to(device or "cpu"))
    network = load_model(name, device)
    if not isinstance(network, Reveal):
        raise MethodError(
            f"{name} must be an attacker's network, got a {type(network).__name__}",
            hint="list the released models with python -m engine models",
        )
    return cast(Reveal, network)


# --- learning -------------------------------------------------------------------------------------


def size_of(words: Sequence[str], known: Sequence[str]) -> str:
    """The size of network that a variant asks for; refuses words that an attack does not know.

    Raises:
        MethodError: there is such a word.
    """
    for word in words:
        if word not in known:
            raise MethodError(
                f"this attack has no variant {word!r}",
                hint=f"known: {', '.join(known)}; join several with +" if known else "leave it out",
            )
    return "large" if "large" in words else "small"


def training_sets(config: AttackConfig) -> list[FaceSet]:
    """The faces that the attacker learns from.

    Raises:
        DataError: no folder was named, or it holds none.
    """
    if config.training is None:
        raise DataError(
            "this attack needs faces to learn from",
            hint="name a folder of faces that are not under attack with --training",
        )
    return find_training_sets(config.training)


@contextlib.contextmanager
def workplace(config: AttackConfig) -> Iterator[Path]:
    """The folder to train in: the one to keep, or one that is gone afterwards."""
    if config.keep is not None:
        config.keep.mkdir(parents=True, exist_ok=True)
        yield config.keep
        return
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


def decide_steps(
    config: AttackConfig,
    recipe: RevealRecipe,
    lessons: Sequence[Teach],
    folder: Path,
    networks: int,
) -> int:
    """How many steps each network learns: as asked for, or as many as fit the minutes.

    The second is timed on a few steps of each kind of lesson that are thrown away, once, and goes
    by the slowest: what was decided is written down, so that a run goes on as it began, and holds
    for every network alike, of these methods and masks on this device with as many threads: others
    are timed anew. What the attack itself takes, once they have learned, comes on top.

    Args:
        config: ``tries`` are steps; without, ``minutes`` for all networks together.
        recipe: of any of the networks, which are of one size.
        lessons: of each kind of network.
        folder: where to write it down.
        networks: that learn.
    """
    if config.tries is not None:
        return config.tries
    shown, threads = sorted(config.methods + config.masks), torch.get_num_threads()
    asked = f"{recipe.name} {recipe.width} {config.minutes:g} min {networks} networks"
    asked += f" {','.join(shown)} {config.device} {threads} threads"
    noted = folder / "steps.json"
    known: dict[str, int] = json.loads(noted.read_text()) if noted.is_file() else {}
    if asked not in known:
        trainer = RevealTrainer(recipe, RevealOptions(folder / "timing", config.device))
        seconds = max(_seconds(trainer, teach) for teach in lessons)
        known[asked] = max(1, math.floor(60 * config.minutes / networks / seconds))
        write_file(noted, json.dumps(known).encode())
    return known[asked]


def _seconds(trainer: RevealTrainer, teach: Teach) -> float:
    """What a step takes."""
    trainer.step(teach(0))  # the first one also loads and warms up
    start = time.monotonic()
    for lesson in ahead(teach, 1, 1 + _TRIAL_STEPS):
        trainer.step(lesson)
    return (time.monotonic() - start) / _TRIAL_STEPS


def learn(scene: Scene, recipe: RevealRecipe, teach: Teach, folder: Path) -> Reveal:
    """Train a network, or take the one that this recipe gave before, and go on telling so.

    Args:
        scene: told how far it is.
        recipe: what to train; its folder bears its name, size, steps and seed.
        teach: its lessons.
        folder: from :func:`workplace`.

    Raises:
        ModelError, DataError: as :func:`engine.training.reveal.train_reveal`.
    """
    words = recipe.name.replace(" ", "-")
    place = folder / f"{words}-w{recipe.width}-{recipe.steps}-{recipe.seed}"
    return train_reveal(recipe, teach, RevealOptions(place, scene.config.device), scene.report)


# --- figures --------------------------------------------------------------------------------------


def metrics() -> list[str]:
    """What reconstructions are measured by: those wanted that the table has and can be had."""
    return [name for name in _WANTED if name in METRICS and available(name) is None]


def compare(
    record: FaceFile, original_u8: U8, shown: Mapping[str, U8], names: Sequence[str]
) -> dict[tuple[str, str], float]:
    """Measure pictures against the original: figures by ``("original:name", metric)``.

    Args:
        record: of the face; its landmarks say where a recogniser finds it, in every picture alike.
        original_u8: (H, W, 3).
        shown: pictures by name, of the same shape.
        names: of metrics.
    """
    original = from_u8(original_u8)
    return {
        (f"original:{name}", metric): value.item()
        for name, picture_u8 in shown.items()
        for metric, value in measure(
            names, original, from_u8(picture_u8), [record.landmarks]
        ).items()
    }


def as_scores(
    record: FaceFile, method: str, mask: str, found: Mapping[tuple[str, str], float]
) -> tuple[Score, ...]:
    """Figures of one face as rows."""
    return tuple(
        Score(record.file, record.source, method, mask, pair, metric, value)
        for (pair, metric), value in found.items()
    )


def gains(
    faces: Sequence[Mapping[tuple[str, str], float]], more: str, less: str
) -> dict[str, float]:
    """How much better one picture is than another, over all faces.

    Args:
        faces: figures of each face, from :func:`compare`.
        more: name of the picture by the network that saw more.
        less: of its rival's.

    PSNR counts up to :data:`EXACT_DB`: a picture that is equal to the original is the greatest
    leak, not a face to leave out, and two that are equal differ by nothing.

    Returns:
        For each metric the mean difference as ``gain_METRIC``, and from two faces on
        ``gain_METRIC_margin``: it lies so close with 95 % confidence, by Student's t; empty without
        faces. Where every face gives the same difference, as shares of few faces may, the margin
        is 0 and says nothing.
    """
    found = {}
    pairs = f"original:{more}", f"original:{less}"
    for metric in {name: None for one in faces for _, name in one}:
        values = np.array([[one[pair, metric] for pair in pairs] for one in faces])
        if metric == "psnr_db":
            values = np.minimum(values, EXACT_DB)
        differences = np.subtract(*values.T)
        differences = differences[np.isfinite(differences)]
        if differences.size:
            found[f"gain_{metric}"] = float(differences.mean())
        if differences.size > 1:
            error = differences.std(ddof=1) / math.sqrt(differences.size)
            reach = stdtrit(differences.size - 1, 0.975)
            found[f"gain_{metric}_margin"] = float(reach * error)
    return found
