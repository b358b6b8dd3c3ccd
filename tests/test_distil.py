"""The recogniser's training: teachers asked, targets that keep their cosines, resumable."""

import dataclasses
import json
import os
from pathlib import Path

import numpy as np
import pytest
import torch
from tiny_teachers import write_taught_faces
from tiny_training import draw_face
from typer.testing import CliRunner

from engine.alignment import similarity, typical_landmarks
from engine.cli import app
from engine.data import FaceSet
from engine.errors import DataError, ModelError, WeightsMissingError
from engine.networks.recognizer import Recognizer
from engine.recognition import load_torchscript
from engine.results import Results
from engine.training import pupil
from engine.training.aligned import AlignedBatches, Changes, change
from engine.training.distil import distil
from engine.training.learner import TrainOptions
from engine.training.mixtures import Mixtures, mix
from engine.training.pupil import DistilRecipe, Pupil
from engine.training.teachers import ask_teachers, find_teachers, principal_axes, to_faces

TINY = DistilRecipe(
    widths=(8, 8, 16),
    blocks=(1, 1, 1),
    dimensions=8,
    batch=4,
    mixtures=6,
    held_out=4,
    warm_up_steps=1,
)
FACES = 12


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A zip of faces with their landmarks, and beside it two teachers."""
    return write_taught_faces(tmp_path / "data", FACES)


def sets_of(data: Path) -> list[FaceSet]:
    return [FaceSet(data / "faces_train_0.zip")]


def options(tmp_path: Path, **changes: object) -> TrainOptions:
    plain = TrainOptions(folder=tmp_path / "run", minutes=60, log_steps=2, max_steps=4)
    return dataclasses.replace(plain, **changes)  # type: ignore[arg-type]


def same_weights(first: Pupil, second: Pupil) -> bool:
    a, b = first.average.state_dict(), second.average.state_dict()
    return all(torch.equal(a[name], b[name]) for name in a)


# --- teachers -------------------------------------------------------------------------------------


def test_teachers_are_asked_once_and_answers_kept(data: Path, tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    files = find_teachers(data)
    first = ask_teachers(
        sets_of(data), files, tmp_path, report=lambda done, total: told.append((done, total))
    )
    assert first.shape == (FACES, 12)
    assert told == [(FACES, FACES)]
    halves = np.asarray(first, np.float32).reshape(FACES, 2, 6)
    assert np.allclose(np.linalg.norm(halves, axis=2), 1, atol=2e-3)
    again = ask_teachers(
        sets_of(data), files, tmp_path, report=lambda done, total: told.append((done, total))
    )
    assert np.array_equal(first, again)
    assert len(told) == 1


def test_faces_that_time_did_not_reach_are_asked_the_next_time(data: Path, tmp_path: Path) -> None:
    files = find_teachers(data)
    assert not ask_teachers(sets_of(data), files, tmp_path, minutes=0).any()
    assert ask_teachers(sets_of(data), files, tmp_path).any(axis=1).all()


def test_answers_of_others_are_not_taken(data: Path, tmp_path: Path) -> None:
    files = find_teachers(data)
    ask_teachers(sets_of(data), files, tmp_path)
    with pytest.raises(DataError, match="other teachers"):
        ask_teachers(sets_of(data), files[:1], tmp_path)
    files[0].write_bytes(files[1].read_bytes())
    with pytest.raises(DataError, match="other teachers") as caught:
        ask_teachers(sets_of(data), files, tmp_path)
    assert caught.value.hint


def test_a_run_killed_while_it_begins_leaves_no_part_of_the_answers(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = find_teachers(data)

    replace = os.replace

    def killed(fresh: Path, target: Path) -> None:
        if target.name == "teachers.npy":
            raise KeyboardInterrupt
        replace(fresh, target)

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", killed)
        with pytest.raises(KeyboardInterrupt):
            ask_teachers(sets_of(data), files, tmp_path)
    assert not (tmp_path / "teachers.npy").exists()
    assert ask_teachers(sets_of(data), files, tmp_path).any(axis=1).all()
    (tmp_path / "teachers.npy").write_bytes(b"\x93NUMPY\x01")
    with pytest.raises(DataError, match="is damaged"):
        ask_teachers(sets_of(data), files, tmp_path)


def test_missing_teachers_and_landmarks_are_told(data: Path, tmp_path: Path) -> None:
    with pytest.raises(WeightsMissingError, match=r"expected recognizer_\*\.ts"):
        find_teachers(tmp_path)
    (data / "faces_train_0.csv").unlink()
    with pytest.raises(DataError, match=r"\.png of faces_train_0\.zip has no landmarks"):
        ask_teachers(sets_of(data), find_teachers(data), tmp_path)


def test_all_axes_keep_the_mean_of_the_cosines() -> None:
    rng = np.random.default_rng(0)
    halves = rng.normal(size=(30, 2, 5))
    halves /= np.linalg.norm(halves, axis=2, keepdims=True)
    answers = halves.reshape(30, 10).astype(np.float32)
    projected = answers @ principal_axes(answers, 10) / np.sqrt(2)
    mean = np.einsum("ikd,jkd->ij", halves, halves) / 2
    assert np.allclose(projected @ projected.T, mean, atol=1e-5)
    few = principal_axes(answers, 4)
    assert np.allclose(few.T @ few, np.eye(4), atol=1e-5)
    with pytest.raises(ModelError, match="at most the teachers' 10"):
        principal_axes(answers, 11)


# --- batches --------------------------------------------------------------------------------------


def test_changes_of_nothing_align_exactly() -> None:
    face_u8 = draw_face(0, 90)
    matrix = similarity(typical_landmarks(90, 90))
    still = Changes(**dict.fromkeys((f.name for f in dataclasses.fields(Changes)), 0.0))
    found = [change(face_u8, matrix, still, np.random.default_rng(i)) for i in range(4)]
    assert all(one.shape == (112, 112, 3) and one.dtype == np.uint8 for one in found)
    hidden = dataclasses.replace(still, covered=1.0)
    covered = change(face_u8, matrix, hidden, np.random.default_rng(0))
    differing = (covered != found[0]).any(axis=2).mean()
    assert 0 < differing < 0.26


def test_an_epoch_shows_every_face_once(data: Path) -> None:
    targets = torch.eye(FACES)
    batches = iter(AlignedBatches(sets_of(data), np.arange(FACES), targets, 4, Changes(), None, 3))
    seen = torch.cat([next(batches).targets for _ in range(3)])
    assert sorted(seen.argmax(1).tolist()) == list(range(FACES))
    batch = next(batches)
    assert batch.pictures.shape == (4, 3, 112, 112)
    assert batch.pictures.min() >= 0 and batch.pictures.max() <= 1


def test_a_mixture_has_the_inner_face_of_one_and_the_rest_of_another() -> None:
    rng = np.random.default_rng(0)
    first_u8 = np.full((112, 112, 3), 90, np.uint8)
    second_u8 = rng.integers(0, 80, (112, 112, 3)).astype(np.uint8)
    for _ in range(8):
        mixed_u8 = mix(first_u8, second_u8, rng)
        assert np.array_equal(mixed_u8[:8, :8], first_u8[:8, :8])
        inner = slice(70, 84), slice(48, 64)
        assert np.corrcoef(mixed_u8[inner].ravel(), second_u8[inner].ravel())[0, 1] > 0.95
        assert abs(float(mixed_u8.mean()) - 90) < 6, "its light is the first one's"


def test_teachers_are_asked_once_what_they_see_in_mixtures(data: Path, tmp_path: Path) -> None:
    mixtures, files = Mixtures(sets_of(data), np.arange(4), 5), find_teachers(data)
    answers = np.array(mixtures.ask(files, tmp_path), np.float32)
    seen = [load_torchscript(file)(to_faces(mixtures.make(3)[None])) for file in files]
    assert np.allclose(answers[3], torch.cat(seen, dim=1)[0].numpy(), atol=2e-3)
    told: list[tuple[int, int]] = []
    mixtures.ask(files, tmp_path, report=lambda done, total: told.append((done, total)))
    assert not told
    with pytest.raises(DataError, match=r"mixtures\.npy .* holds the answers of other"):
        Mixtures(sets_of(data), np.arange(5), 5).ask(files, tmp_path)


def test_an_epoch_shows_every_mixture_beside_the_faces(data: Path) -> None:
    mixtures = Mixtures(sets_of(data), np.arange(4), 6)
    still = Changes(**dict.fromkeys((f.name for f in dataclasses.fields(Changes)), 0.0))
    indices = np.concatenate([np.arange(4), FACES + np.arange(6)])
    batches = AlignedBatches(sets_of(data), indices, torch.eye(FACES + 6), 10, still, mixtures, 3)
    batch = next(iter(batches))
    places = batch.targets.argmax(1).tolist()
    assert sorted(places) == indices.tolist()
    mixed = to_faces(mixtures.make(2)[None])[0].permute(1, 2, 0)
    shown = batch.pictures[places.index(FACES + 2)].permute(1, 2, 0)
    closest = max(np.corrcoef(shown.ravel(), one.ravel())[0, 1] for one in (mixed, mixed.flip(1)))
    assert closest > 0.9, "the same picture, in another light"


def test_a_fault_in_the_background_reaches_the_reader(data: Path) -> None:
    (data / "faces_train_0.csv").unlink()
    batches = AlignedBatches(sets_of(data), np.arange(2), torch.eye(2), 1, Changes(), None, 0)
    with pytest.raises(DataError, match="no landmarks"):
        next(iter(batches))


# --- the run --------------------------------------------------------------------------------------


def test_a_run_learns_and_logs_and_leaves_a_model(data: Path, tmp_path: Path) -> None:
    trainer = distil(TINY, sets_of(data), data, options(tmp_path, max_steps=40, log_steps=10))
    assert trainer.progress.step == 40
    assert trainer.progress.faces_seen == 160
    loaded = Recognizer.from_pretrained(tmp_path / "run" / "model", low_cpu_mem_usage=False)
    assert loaded.config.dimensions == 8
    assert loaded.config.threshold is None
    results = Results(tmp_path / "run" / "results.db")
    losses = results.losses(trainer.progress.run_id)
    results.close()
    totals = [loss.value for loss in losses if loss.name == "total"]
    assert len(totals) == 4
    assert totals[-1] < 0.8 * totals[0]
    assert {loss.name for loss in losses} == {"total", "gradient_norm", "held_out_cosine"}


def test_a_stopped_run_goes_on_where_it_was(data: Path, tmp_path: Path) -> None:
    first = distil(TINY, sets_of(data), data, options(tmp_path))
    same = distil(TINY, sets_of(data), data, options(tmp_path))
    assert same_weights(first, same)
    more = distil(TINY, sets_of(data), data, options(tmp_path, max_steps=6))
    assert more.progress.step == 6
    assert not same_weights(first, more)
    with pytest.raises(DataError, match="batch"):
        distil(dataclasses.replace(TINY, batch=5), sets_of(data), data, options(tmp_path))


def test_mixtures_that_nobody_was_asked_about_are_left_out(data: Path, tmp_path: Path) -> None:
    ask_teachers(sets_of(data), find_teachers(data), tmp_path / "run")
    told: list[str] = []
    trainer = distil(
        TINY, sets_of(data), data, options(tmp_path), ask_minutes=0, report=told.append
    )
    assert trainer.progress.step == 4
    assert "learning from 9 faces, 0 mixtures" in told
    plain = dataclasses.replace(TINY, mixtures=0)
    without = distil(plain, sets_of(data), data, options(tmp_path, folder=tmp_path / "without"))
    assert without.progress.step == 4


def test_another_run_is_refused_before_anybody_is_asked(data: Path, tmp_path: Path) -> None:
    distil(TINY, sets_of(data), data, options(tmp_path))
    (tmp_path / "run" / "mixtures.npy").unlink()
    with pytest.raises(DataError, match="batch"):
        distil(dataclasses.replace(TINY, batch=5), sets_of(data), data, options(tmp_path))
    assert not (tmp_path / "run" / "mixtures.npy").exists()


def test_nothing_is_learned_from_no_answers(data: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="must have been asked") as caught:
        distil(TINY, sets_of(data), data, options(tmp_path), ask_minutes=0)
    assert "--ask-minutes" in caught.value.hint


def test_the_verb_trains_it(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pupil, "RECOGNIZER", TINY)
    words = ["train", "recognizer", "--data", str(data), "--resume", str(tmp_path / "run")]
    refused = CliRunner().invoke(app, words)
    assert refused.exit_code == 2
    assert "--teachers" in refused.stderr
    for unheeded in (["--crop", "64"], ["--blocks", "2"], ["--lpips", "1"]):
        assert CliRunner().invoke(app, [*words, *unheeded]).exit_code == 2
    other = ["train", "proface-s-rand", *words[2:], "--teachers", str(data)]
    assert CliRunner().invoke(app, other).exit_code == 2
    words += ["--teachers", str(data), "--minutes", "0.002", "--device", "cpu", "--json"]
    result = CliRunner().invoke(app, words)
    assert result.exit_code == 0, result.stderr
    told = json.loads(result.stdout)
    assert (told["recipe"], told["run"]) == ("recognizer", 1)
    assert told["steps"] > 0
