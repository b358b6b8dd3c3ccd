"""Trains a swapper: asks recognisers who the training faces are, then swaps them among each other.

One recogniser's space is that of the identities: a released one, which everybody has who swaps.
A second one, the first teacher, is what the losses see. The last teacher is in no loss: it judges
held-out faces, since a network learns to please the recogniser that it is trained with. It is not
wholly apart, though: the released recogniser has learned from it too.
"""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional

from engine.agents import choose_agents
from engine.data import FaceSet
from engine.errors import DataError
from engine.networks.swapper import conceal
from engine.recognition import load_torchscript
from engine.results import Results
from engine.training.critic import FeatureMaps
from engine.training.identities import own_identities
from engine.training.learner import TrainOptions
from engine.training.losses import Distance
from engine.training.portraits import Casting, PortraitBatches, Portraits, make_portraits
from engine.training.rounds import Say, logged, run_rounds
from engine.training.shown import aligned, lightened
from engine.training.swapping import Sitters, SwapRecipe, SwapTrainer
from engine.training.teachers import ask_teachers, find_teacher_and_judge, find_teachers

_CHUNK = 64
_FEWEST = 3  # a face, the next one, whose identity it gets, and the next but one


def learn_to_swap(
    recipe: SwapRecipe,
    sets: Sequence[FaceSet],
    teachers: Path,
    options: TrainOptions,
    perceptual: Distance,
    features: FeatureMaps,
    report: Say = lambda line: None,
) -> SwapTrainer:
    """Train until the minutes are used up; interrupt it when you like, it goes on from there.

    Args:
        recipe: from :data:`engine.training.swapping.SWAPPERS`.
        sets: faces with landmarks.
        teachers: folder of two ``recognizer_*.ts`` or more: the first is in the losses, the last
            one judges.
        options: where and how long.
        perceptual: LPIPS.
        features: of a frozen network, by which the critic judges besides.
        report: takes one line of text at a time.

    Raises:
        ModelError: the gradient is not finite, or a teacher cannot be loaded.
        WeightsMissingError: there are not two teachers, or no recogniser is released.
        DataError: a face has no landmarks, or the folder holds another run.
    """
    options.folder.mkdir(parents=True, exist_ok=True)
    first, last = find_teacher_and_judge(teachers)
    sitters = _ask_who(sets, find_teachers(teachers), recipe.gallery, options, report)
    seen = load_torchscript(first, options.device, gradients=True)
    judge = load_torchscript(last, options.device)
    trainer = SwapTrainer(recipe, options, sitters, perceptual, seen, features)
    with logged(trainer) as results:
        _run(trainer, sets, judge, results, report)
    return trainer


def _ask_who(
    sets: Sequence[FaceSet], files: Sequence[Path], gallery: str, options: TrainOptions, report: Say
) -> Sitters:
    report("asking the recognisers who the faces are")
    answers = np.asarray(ask_teachers(sets, files, options.folder, options.device), np.float32)
    probe = torch.zeros(1, 3, 112, 112, device=options.device)
    widths = [load_torchscript(file, options.device)(probe).shape[1] for file in files]
    seen, judged = answers[:, : widths[0]], answers[:, -widths[-1] :]
    own = own_identities(sets, options)
    agents = choose_agents(0, gallery=gallery)
    # What the losses' recogniser sees in a face follows from what ours sees, nearly linearly.
    follow = np.linalg.lstsq(own, seen, rcond=None)[0]
    return Sitters(*(_unit(part) for part in (own, seen, judged, agents, agents @ follow)))


def _unit(vectors: npt.NDArray[np.float32]) -> Tensor:
    return functional.normalize(torch.from_numpy(vectors))


def _run(
    trainer: SwapTrainer,
    sets: Sequence[FaceSet],
    judge: Callable[[Tensor], Tensor],
    results: Results,
    report: Say,
) -> None:
    recipe = trainer.recipe
    indices = np.arange(sum(map(len, sets)))
    kept = indices[:: recipe.held_out]
    others = np.setdiff1d(indices, kept)
    casting = Casting(
        trainer.sitters.given.numpy(),
        others,
        len(indices),
        recipe.own,
        recipe.each,
        recipe.agents,
        recipe.like,
    )
    measure = _judgement(trainer, judge, sets, kept)
    batches: Iterator[Portraits] = iter(
        PortraitBatches(sets, others, recipe.batch, recipe.side, trainer.batch_seed, casting)
    )
    run_rounds(trainer, batches, results, measure, _described, report)


def _judgement(
    trainer: SwapTrainer,
    judge: Callable[[Tensor], Tensor],
    sets: Sequence[FaceSet],
    kept: npt.NDArray[np.int64],
) -> Callable[[], dict[str, float]]:
    """What the judge sees in held-out faces: cosines to whose they were, and to whose they became.

    Each gets the identity of the next one, so that the judge knows it, and that of the next but
    one: how alike the judge finds the two is told too.
    """
    sitters, side = trainer.sitters, trainer.recipe.side
    if len(kept) < _FEWEST:
        raise DataError(
            f"expected {_FEWEST} held-out faces or more to judge by, got {len(kept)}",
            hint="give more faces, or let the recipe hold out more of them",
        )
    sources = (np.roll(kept, -1), np.roll(kept, -2))
    known = [
        make_portraits(sets, kept.tolist(), side, like=sitters.own[source].numpy())
        for source in sources
    ]
    # Whether a face can be placed and averages are near it does not hang on whom it gets.
    assert torch.equal(known[0].indices, known[1].indices)
    rows = torch.from_numpy(np.searchsorted(kept, known[0].indices.numpy()))
    mattes = known[0].mattes
    before = sitters.judged[torch.from_numpy(kept)[rows]]
    after = sitters.judged[torch.from_numpy(sources[0])[rows]]

    def judged(portraits: Portraits, source: npt.NDArray[np.int64]) -> Tensor:
        given = sitters.own[torch.from_numpy(source)[rows]]
        made = _laid(trainer, portraits, mattes, given)
        found = [judge(aligned(part).clamp(0, 1)) for part in torch.split(made, _CHUNK)]
        return functional.normalize(torch.cat(found)).cpu()

    def measure() -> dict[str, float]:
        with torch.inference_mode():
            found, other = map(judged, known, sources)
        cosines = {"original": before, "source": after, "twins": other}
        return {
            f"judge_{name}_cosine": float((found * seen).sum(1).mean())
            for name, seen in cosines.items()
        }

    return measure


def _laid(trainer: SwapTrainer, portraits: Portraits, mattes: Tensor, given: Tensor) -> Tensor:
    """Portraits with the face of the identities given, as much of it as masks lay at first."""
    device, chunks = trainer.options.device, []
    shown = portraits.averages
    assert shown is not None  # they were asked for
    for rows in torch.split(torch.arange(len(given)), _CHUNK):
        parts = (portraits.pictures, mattes, shown, portraits.landmarks, given)
        real, matte, average, landmarks, identities = (part[rows].to(device) for part in parts)
        concealed = conceal(real, matte, average)
        drawn = trainer.average(concealed, matte, landmarks, identities)
        chunks.append(real + matte * (lightened(concealed, drawn, trainer.recipe.shares[0]) - real))
    return torch.cat(chunks)


def _described(figures: dict[str, float]) -> str:
    shown = (
        "pixels",
        "perceptual",
        "natural",
        "identity",
        "push_away",
        "apart",
        "various",
        "realism",
        "critic",
    )
    words = [f"{name} {figures[name]:.3f}" for name in shown]
    return "  ".join(
        [
            *words,
            f"judge: source {figures['judge_source_cosine']:.2f}, "
            f"original {figures['judge_original_cosine']:.2f}, "
            f"twins {figures['judge_twins_cosine']:.2f}",
        ]
    )
