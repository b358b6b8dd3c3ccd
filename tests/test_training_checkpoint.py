import dataclasses
import itertools
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from tiny_training import (
    TINY,
    assert_same_state,
    make_batch,
    options,
)

from engine.errors import DataError
from engine.networks.embedder import Embedder
from engine.training import checkpoint
from engine.training.loop import Trainer


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def test_checkpoint_gives_everything_back(tmp_path: Path) -> None:
    first = Trainer(TINY, options(tmp_path))
    for _ in range(2):
        first.step(make_batch())
    first.progress.seconds, first.progress.run_id = 12.5, 7
    first.save()
    second = Trainer(TINY, options(tmp_path, seed=99))
    assert_same_state(first, second)
    for trainer in (first, second):
        trainer._rng = np.random.default_rng(0)
        trainer.step(make_batch(1))
    assert_same_state(first, second)


def test_a_setting_that_there_was_none_of_was_off(tmp_path: Path) -> None:
    trainer = Trainer(TINY, options(tmp_path))
    trainer.save()
    noted = trainer.options.folder / "checkpoint" / "state.json"
    state = json.loads(noted.read_text())
    assert not state["recipe"].pop("muon")
    noted.write_text(json.dumps(state))
    assert Trainer(TINY, options(tmp_path)).progress.step == 0
    with pytest.raises(DataError, match="other settings: muon"):
        Trainer(dataclasses.replace(TINY, muon=True), options(tmp_path))


def test_export_is_the_average(tmp_path: Path) -> None:
    trainer = Trainer(TINY, options(tmp_path))
    trainer.step(make_batch())
    trainer.save()
    exported = Embedder.from_pretrained(tmp_path / "run" / "model")
    for name, value in trainer.average.state_dict().items():
        assert torch.equal(value, exported.state_dict()[name])
    again = Trainer(
        TINY, options(tmp_path, folder=tmp_path / "next", start_from=tmp_path / "run" / "model")
    )
    for name, value in again.model.state_dict().items():
        assert torch.equal(value, exported.state_dict()[name])


class Killed(BaseException):
    """Stands for the process being killed at one point of a save."""


def killed_at(point: int) -> Callable[..., None]:
    """A rename that dies the ``point``-th time, before doing anything."""
    count = itertools.count(1)
    rename = os.replace

    def replace(*arguments: Path) -> None:
        if next(count) == point:
            raise Killed
        rename(*arguments)

    return replace


def kill_a_save(
    trainer: Trainer, monkeypatch: pytest.MonkeyPatch, target: str, death: Callable[..., None]
) -> None:
    with monkeypatch.context() as patch, pytest.raises(Killed):
        patch.setattr(target, death)
        trainer.save()


@pytest.mark.parametrize("point", ["half written", "written", "between the renames"])
def test_kill_during_a_save_leaves_a_whole_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, point: str
) -> None:
    def die(*_: object) -> None:
        raise Killed

    target, death, leftovers = {
        "half written": ("json.dumps", die, {"checkpoint", "checkpoint.new"}),
        "written": ("os.replace", killed_at(1), {"checkpoint", "checkpoint.new"}),
        "between the renames": ("os.replace", killed_at(2), {"checkpoint.old", "checkpoint.new"}),
    }[point]
    trainer = Trainer(TINY, options(tmp_path))
    trainer.step(make_batch())
    trainer.save()
    saved = Trainer(TINY, options(tmp_path))
    trainer.step(make_batch())
    kill_a_save(trainer, monkeypatch, target, death)
    assert {path.name for path in (tmp_path / "run").glob("checkpoint*")} == leftovers

    resumed = Trainer(TINY, options(tmp_path))
    assert resumed.progress.step == 1
    assert_same_state(resumed, saved)

    resumed.step(make_batch())
    kill_a_save(resumed, monkeypatch, "os.replace", killed_at(1))
    assert Trainer(TINY, options(tmp_path)).progress.step == 1
    resumed.save()
    assert_same_state(Trainer(TINY, options(tmp_path)), resumed)
    assert {path.name for path in (tmp_path / "run").glob("checkpoint*")} == {"checkpoint"}


@pytest.mark.parametrize("point", [3, 4])
def test_kill_during_an_export_leaves_a_whole_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, point: int
) -> None:
    trainer = Trainer(TINY, options(tmp_path))
    trainer.save()
    before = trainer.average.state_dict()["couplings.0.phi.convolutions.0.weight"].clone()
    trainer.step(make_batch())
    kill_a_save(trainer, monkeypatch, "os.replace", killed_at(point))
    whole = tmp_path / "run" / ("model" if point == 3 else "model.old")
    exported = Embedder.from_pretrained(whole)
    assert torch.equal(exported.state_dict()["couplings.0.phi.convolutions.0.weight"], before)
    trainer.save()
    assert {path.name for path in (tmp_path / "run").glob("model*")} == {"model"}


def test_no_checkpoint(tmp_path: Path) -> None:
    trainer = Trainer(TINY, options(tmp_path))
    with pytest.raises(DataError, match="no checkpoint in checkpoint"):
        checkpoint.load(tmp_path / "checkpoint", {"model": trainer.model}, trainer.optimizer, {})


def test_a_damaged_checkpoint_is_not_started_over_in_silence(tmp_path: Path) -> None:
    Trainer(TINY, options(tmp_path)).save()
    (tmp_path / "run" / "checkpoint" / "state.json").unlink()
    with pytest.raises(DataError, match="no checkpoint in checkpoint"):
        Trainer(TINY, options(tmp_path))
