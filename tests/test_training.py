import dataclasses
import json
import math
import sqlite3
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from tiny_training import (
    LOGGED,
    TINY,
    assert_same_state,
    draw_face,
    make_batch,
    options,
    state_of,
)

from engine.data import FaceSet, find_training_sets
from engine.errors import DataError, ModelError, UnknownModelError
from engine.masks import MASKS
from engine.networks.embedder import Embedder
from engine.results import Results
from engine.rounding import round_by
from engine.training import checkpoint, loop
from engine.training.batches import Batch
from engine.training.loop import Trainer, train
from engine.training.objective import compute_losses
from engine.training.precision import has_fast_bfloat16
from engine.training.recipes import RECIPES, ImnRecipe, LossWeights, find_recipe

EMPHASISED = {"emphasis": 0.6, "muon": True, "learning_rate": 4e-3}
"""As the recipe of proface-s-rand, at a rate for a dozen steps."""


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture
def faces(tmp_path: Path) -> FaceSet:
    folder = tmp_path / "faces"
    folder.mkdir()
    for seed in range(4):
        Image.fromarray(draw_face(seed)).save(folder / f"{seed}.png")
    return FaceSet(folder)


# --- steps ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("changes", [{}, {"wrong": "obfs"}, EMPHASISED], ids=str)
def test_a_few_steps_lower_the_loss(tmp_path: Path, changes: dict[str, Any]) -> None:
    recipe = dataclasses.replace(TINY, **changes)
    trainer = Trainer(recipe, options(tmp_path))
    batch = make_batch()

    def loss() -> float:
        rng = np.random.default_rng(5)
        return compute_losses(trainer.model, batch, recipe, rng, None)[0].item()

    before = loss()
    for _ in range(12):
        found = trainer.step(batch)
    assert found.keys() == LOGGED
    assert loss() < 0.9 * before
    assert trainer.progress.step == 12
    assert trainer.progress.faces_seen == 24


def test_the_average_trails_the_model(tmp_path: Path) -> None:
    trainer = Trainer(TINY, options(tmp_path))
    start = {name: value.clone() for name, value in trainer.model.state_dict().items()}
    for _ in range(3):
        trainer.step(make_batch())
    name = "couplings.0.phi.convolutions.0.weight"
    way = (trainer.model.state_dict()[name] - start[name]).norm()
    assert 0 < (trainer.average.state_dict()[name] - start[name]).norm() < way


def test_copy_average_by_hand() -> None:
    average, model = torch.nn.Linear(1, 1), torch.nn.Linear(1, 1)
    for parameter in average.parameters():
        parameter.data.fill_(1.0)
    for parameter in model.parameters():
        parameter.data.fill_(2.0)
    checkpoint.copy_average(average, model, 0.75)
    assert [p.item() for p in average.parameters()] == [1.25, 1.25]
    assert [p.item() for p in model.parameters()] == [2.0, 2.0]


def test_rates_warm_up_and_fall(tmp_path: Path) -> None:
    trainer = Trainer(dataclasses.replace(TINY, warm_up_steps=10), options(tmp_path))

    def rate(step: int, done: float) -> float:
        trainer.progress.step = step
        trainer.set_rates(done)
        return float(trainer.optimizer.param_groups[0]["lr"]) / TINY.learning_rate

    assert rate(0, 0.0) == pytest.approx(0.1)
    assert rate(9, 0.0) == pytest.approx(1.0)
    assert rate(500, 0.5) == pytest.approx(0.51)
    assert rate(500, 1.0) == pytest.approx(0.02)
    assert rate(500, 3.0) == pytest.approx(0.02)


def test_nan_is_refused_and_changes_nothing(tmp_path: Path) -> None:
    trainer = Trainer(TINY, options(tmp_path))
    trainer.step(make_batch())
    before = {name: value.clone() for name, value in state_of(trainer).items()}
    batch = make_batch()
    batch.mask[0, 0, 0, 0] = math.nan
    with pytest.raises(ModelError, match="not finite at step 1"):
        trainer.step(batch)
    assert all(torch.equal(value, before[name]) for name, value in state_of(trainer).items())
    assert trainer.progress.step == 1


def test_has_fast_bfloat16() -> None:
    here = has_fast_bfloat16("cpu")
    assert isinstance(here, bool)
    flags = Path("/proc/cpuinfo")
    if flags.is_file():
        words = flags.read_text().split()
        assert here == ("avx512_bf16" in words)


# --- whole runs -----------------------------------------------------------------------------------


def test_a_network_learns_how_its_recovery_feels_rounding(
    tmp_path: Path, faces: FaceSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loop, "_SENSE_STEPS", 2)  # a fresh network's recovery feels nothing
    recipe = dataclasses.replace(TINY, rounding_cell=2)
    trainer = train(recipe, [faces], options(tmp_path))
    known = Embedder.from_pretrained(tmp_path / "run/model").sensitivity
    assert known.shape == (12, 12) and float(known.diagonal().min()) > 0
    assert torch.equal(known, trainer.average.sensitivity)
    shared = torch.rand(1, 3, 16, 16)
    assert torch.equal(trainer.average.rounded(shared), round_by(shared, known))
    again = train(recipe, [faces], options(tmp_path))
    assert torch.equal(again.average.sensitivity, known), "the checkpoint has it too"


@pytest.mark.parametrize("changes", [{}, EMPHASISED], ids=str)
def test_train_and_resume(tmp_path: Path, faces: FaceSet, changes: dict[str, Any]) -> None:
    lines: list[str] = []
    recipe = dataclasses.replace(TINY, **changes)
    first = train(recipe, [faces], options(tmp_path), report=lines.append)
    assert first.progress.step == 4
    assert first.progress.faces_seen == 8
    assert len(lines) == 2
    assert lines[0].startswith("step 2 ")
    assert all(loss in lines[0] for loss in ("original:recovered_db", "recover ", "gradient_norm "))

    waiting = Trainer(recipe, options(tmp_path))
    assert_same_state(waiting, first)
    assert Embedder.from_pretrained(tmp_path / "run/model").config["emphasis"] == recipe.emphasis

    assert first.figures.keys() == LOGGED
    second = train(recipe, [faces], options(tmp_path, max_steps=8))
    assert second.progress.step == 8
    assert second.progress.run_id == first.progress.run_id
    assert second.progress.seconds > first.progress.seconds > 0

    results = Results(tmp_path / "run" / "results.db")
    logged = results.losses(first.progress.run_id)
    results.close()
    assert {loss.name for loss in logged} == LOGGED
    for name in LOGGED:
        assert [loss.step for loss in logged if loss.name == name] == [2, 4, 6, 8]
    assert all(math.isfinite(loss.value) for loss in logged)


def test_the_log_remembers_recipe_and_name(tmp_path: Path, faces: FaceSet) -> None:
    train(TINY, [faces], options(tmp_path, max_steps=1))
    connection = sqlite3.connect(tmp_path / "run" / "results.db")
    rows = connection.execute("SELECT kind, model, config FROM run").fetchall()
    connection.close()
    assert [row[:2] for row in rows] == [("train", "tiny")]
    assert json.loads(rows[0][2]) == json.loads(json.dumps(dataclasses.asdict(TINY)))


def test_a_logged_value_is_the_mean_of_its_steps(
    tmp_path: Path, faces: FaceSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps: list[float] = []
    real = Trainer.step

    def step(self: Trainer, batch: Batch) -> dict[str, float]:
        found = real(self, batch)
        steps.append(found["total"])
        return found

    monkeypatch.setattr(Trainer, "step", step)
    run = train(TINY, [faces], options(tmp_path, max_steps=3, log_steps=2)).progress.run_id
    train(TINY, [faces], options(tmp_path, max_steps=4, log_steps=2))
    results = Results(tmp_path / "run" / "results.db")
    totals = [loss.value for loss in results.losses(run) if loss.name == "total"]
    results.close()
    assert totals == pytest.approx([(steps[0] + steps[1]) / 2, steps[2], steps[3]])


def test_a_schedule_may_end_after_so_many_steps(tmp_path: Path, faces: FaceSet) -> None:
    limits = {"steps": 4, "max_steps": None}
    ended = train(TINY, [faces], options(tmp_path / "ended", **limits))
    halted = train(TINY, [faces], options(tmp_path / "halted", max_steps=4))
    assert ended.progress.step == halted.progress.step == 4
    rates = [run.optimizer.param_groups[0]["lr"] for run in (ended, halted)]
    assert rates[0] < rates[1] / 4
    assert_same_state(train(TINY, [faces], options(tmp_path / "ended", **limits)), ended)


@pytest.mark.parametrize("limit", [{"max_steps": 2}, {"minutes": 0.0, "max_steps": None}])
def test_a_finished_run_stops_at_once(
    tmp_path: Path, faces: FaceSet, limit: dict[str, object]
) -> None:
    first = train(TINY, [faces], options(tmp_path, max_steps=3))
    assert_same_state(train(TINY, [faces], options(tmp_path, **limit)), first)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"wrong": "obfs"}, "wrong"),
        ({"name": "other", "learning_rate": 1.0}, "name, learning_rate"),
        ({"weights": LossWeights(protect=9.0)}, r"weights\.protect"),
        ({"batches": dataclasses.replace(TINY.batches, batch=3)}, r"batches\.batch"),
        ({"blocks": 2}, "blocks"),
    ],
)
def test_a_run_is_not_resumed_under_another_recipe(
    tmp_path: Path, changes: dict[str, object], told: str
) -> None:
    first = Trainer(TINY, options(tmp_path))
    first.step(make_batch())
    first.save()
    other = dataclasses.replace(TINY, **changes)  # type: ignore[arg-type]
    with pytest.raises(DataError, match=f"as tiny with other settings: {told}$") as caught:
        Trainer(other, options(tmp_path))
    assert "another folder" in caught.value.hint
    assert_same_state(Trainer(TINY, options(tmp_path)), first)


def test_a_checkpoint_of_before_recipes_were_noted_goes_on(tmp_path: Path) -> None:
    first = Trainer(TINY, options(tmp_path))
    first.step(make_batch())
    first.save()
    file = tmp_path / "run" / "checkpoint" / "state.json"
    state = json.loads(file.read_text())
    del state["recipe"]
    state["progress"]["threads"] = 2
    file.write_text(json.dumps(state))
    assert_same_state(Trainer(TINY, options(tmp_path)), first)


def test_batches_and_wrong_keys_are_drawn_from_streams_of_their_own(tmp_path: Path) -> None:
    def draws(trainer: Trainer) -> list[list[int]]:
        rngs = (np.random.default_rng(trainer.batch_seed), trainer._rng)
        return [rng.integers(2**32, size=4).tolist() for rng in rngs]

    first, again = Trainer(TINY, options(tmp_path)), Trainer(TINY, options(tmp_path))
    found = draws(first)
    assert found == draws(again)
    assert found[0] != found[1]
    first.step(make_batch())
    first.save()
    resumed = draws(Trainer(TINY, options(tmp_path)))
    seeded = draws(Trainer(TINY, options(tmp_path, folder=tmp_path / "new", seed=1)))
    every = [stream for pair in (found, resumed, seeded) for stream in pair]
    assert len({tuple(stream) for stream in every}) == 6


def test_an_interrupted_run_is_saved(tmp_path: Path, faces: FaceSet) -> None:
    def interrupt(line: str) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(TINY, [faces], options(tmp_path), report=interrupt)
    assert Trainer(TINY, options(tmp_path)).progress.step == 2


def test_find_training_sets(tmp_path: Path, faces: FaceSet) -> None:
    assert [s.path for s in find_training_sets(faces.path)] == [faces.path]
    with pytest.raises(DataError):
        find_training_sets(tmp_path / "absent")
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="no pictures in empty") as caught:
        find_training_sets(tmp_path / "empty")
    assert caught.value.hint
    for name in ("faces_train_1.zip", "faces_train_0.zip", "faces_other.zip"):
        with zipfile.ZipFile(tmp_path / "empty" / name, "w") as archive:
            archive.write(faces.path / "0.png", f"{name}.png")
    found = find_training_sets(tmp_path / "empty")
    assert [s.name for s in found] == ["faces_train_0.zip", "faces_train_1.zip"]
    alone = find_training_sets(tmp_path / "empty" / "faces_other.zip")
    assert [len(s) for s in alone] == [1]


# --- recipes --------------------------------------------------------------------------------------


ABLATIONS = {
    "proface-s-rand": {"full", "no-key-in-recovery", "no-triplet-l1", "no-triplet-lpips"},
    "proface-s-obfs": {"full", "no-key-in-recovery", "no-triplet-lpips"},
}


def test_recipes() -> None:
    variants = {f"{name}-{end}" for name, ends in ABLATIONS.items() for end in (*ends, "paper")}
    assert set(RECIPES) == {*ABLATIONS, "proface-k", "imn", "imn-paper"} | variants
    for name, recipe in RECIPES.items():
        assert recipe.name == name
        assert recipe.scrambled == (name == "proface-k")
        keyless = isinstance(recipe, ImnRecipe)
        assert keyless == name.startswith("imn") == (not recipe.wrong)
        assert recipe.scrambled or keyless or name.startswith(f"proface-s-{recipe.wrong}")
        assert recipe.weights.perceptual == (name in variants)
        assert recipe.keyed_recovery != name.endswith("no-key-in-recovery")
        assert recipe.batches.masks.keys() <= MASKS.keys()
        assert {"gaussian", "pixelate", "median", "sticker"} <= recipe.batches.masks.keys()
        assert recipe.batches.crop % 2 == 0
        assert find_recipe(name) is recipe


@pytest.mark.parametrize("family", ABLATIONS)
def test_an_ablation_lacks_one_thing(family: str) -> None:
    """PRO-Face S, Table IV."""
    full = find_recipe(f"{family}-full")
    for end in ABLATIONS[family] - {"full"}:
        recipe = find_recipe(f"{family}-{end}")
        assert (recipe.keyed_recovery, recipe.weights) != (full.keyed_recovery, full.weights)
        same = dataclasses.replace(
            recipe, name=full.name, keyed_recovery=True, weights=full.weights
        )
        assert same == full
        gone = weights_of(full.name).keys() - weights_of(recipe.name).keys()
        assert gone == ({end.removeprefix("no-").replace("-", "_")} if "triplet" in end else set())


def test_without_the_key_in_recovery_zeros_stand_for_the_byproduct(tmp_path: Path) -> None:
    torch.manual_seed(0)
    keyed = Embedder(blocks=1)
    for parameter in keyed.parameters():  # fresh ones end in zeros: then nothing would differ
        torch.nn.init.normal_(parameter, std=0.05)
    keyed.save_pretrained(tmp_path)
    plain = Embedder.from_pretrained(tmp_path, low_cpu_mem_usage=False, keyed_recovery=False)
    protected, key_map = torch.rand(1, 3, 16, 16), torch.ones(1, 1, 16, 16)
    black = torch.zeros_like(protected)
    expected, _ = keyed.inverse(protected, black, key_map)
    assert torch.allclose(plain.recover(protected, key_map), expected, atol=1e-5)
    assert not torch.allclose(keyed.recover(protected, key_map), expected, atol=1e-2)


def weights_of(name: str) -> dict[str, float]:
    every = dataclasses.asdict(find_recipe(name).weights)
    return {name: value for name, value in every.items() if value}


def test_the_papers_recipes_are_the_papers() -> None:
    """Sec. IV-E and V-A; weights 0.3, 0.5, 0.2 and 0.2, 0.3, 0.5 from the authors' code."""
    assert weights_of("proface-s-rand-paper") == pytest.approx(
        {
            "protect_lpips": 1.5,
            "protect_l1": 0.3,
            "recover_l1": 0.5,
            "triplet_lpips": 0.2,
            "triplet_l1": 0.2,
        }
    )
    assert weights_of("proface-s-obfs-paper") == pytest.approx(
        {
            "protect_lpips": 1.0,
            "protect_l1": 0.2,
            "recover_l1": 0.3,
            "wrong_l1": 0.5,
            "triplet_lpips": 0.5,
        }
    )
    for wrong in ("rand", "obfs"):
        recipe = find_recipe(f"proface-s-{wrong}-paper")
        assert (recipe.learning_rate, recipe.betas) == (1e-5, (0.9, 0.999))
        assert (recipe.batches.batch, recipe.batches.crop, recipe.blocks) == (12, 112, 3)
        assert recipe.wrong_share == recipe.batches.paper_share == 1


def test_unknown_recipe() -> None:
    with pytest.raises(UnknownModelError, match="no recipe called 'proface'") as caught:
        find_recipe("proface")
    assert "proface-s-rand" in caught.value.hint
