"""The verb ``train``: says what it found, goes on where it stopped, and tells what it reached."""

import json
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from click.testing import Result
from PIL import Image
from tiny_training import LOGGED, TINY, draw_face
from typer.testing import CliRunner

from engine.cli import app
from engine.cli.train import _adjusted
from engine.training import recipes
from engine.training.recipes import find_recipe


@pytest.fixture(autouse=True)
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A folder of faces, a recipe that takes moments, and the signals as they were afterwards."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(recipes.RECIPES, "tiny", TINY)
    Path("faces").mkdir()
    for seed in range(4):
        Image.fromarray(draw_face(seed)).save(f"faces/{seed}.png")
    handler, threads = signal.getsignal(signal.SIGTERM), torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    signal.signal(signal.SIGTERM, handler)
    torch.set_num_threads(threads)


def train(*words: str, data: str = "faces", minutes: str = "0.005") -> Result:
    options = ("--data", data, "--resume", "run", "--minutes", minutes, "--device", "cpu")
    return CliRunner().invoke(app, ["train", "tiny", *options, *words])


def test_a_run_tells_what_it_found_and_what_it_reached() -> None:
    result = train("--json")
    assert result.exit_code == 0, result.stderr
    assert result.stderr.splitlines()[0] == "faces: 4 of faces"
    told = json.loads(result.stdout)
    assert (told["recipe"], told["model"], told["run"]) == ("tiny", "run/model", 1)
    assert told["steps"] > 0
    assert told["faces_seen"] == 2 * told["steps"]
    assert told["minutes"] >= 0
    assert told["figures"].keys() == LOGGED
    assert Path("run/model/config.json").is_file()

    again = train("--json")
    assert json.loads(again.stdout)["steps"] == told["steps"], "the schedule is over"
    further = train(minutes="0.01")
    assert further.exit_code == 0
    assert further.stdout == ""
    assert "run/model: " in further.stderr


@pytest.mark.parametrize("words", [("--batch", "3"), ("--crop", "18")])
def test_other_settings_are_no_resumption(words: tuple[str, str]) -> None:
    assert train().exit_code == 0
    result = train(*words)
    assert result.exit_code == 1
    assert "error: the run was started as tiny with other settings: batches" in result.stderr
    assert "hint: name another folder with --resume" in result.stderr


def test_an_empty_folder_is_told() -> None:
    Path("nothing").mkdir()
    result = train(data="nothing")
    assert result.exit_code == 1
    assert "error: no pictures in nothing" in result.stderr
    assert not Path("run").exists()


@pytest.mark.parametrize(
    "words",
    [
        ("--crop", "17"),
        ("--seed", "-1"),
        ("--lpips", "-1"),
        ("--blocks", "2", "--start-from", "model"),
    ],
)
def test_what_no_training_can_have_is_wrong_usage(words: tuple[str, ...]) -> None:
    assert train(*words).exit_code == 2


def test_an_enhancer_is_trained_with_a_recogniser() -> None:
    words = ["train", "enhancer", "--data", "faces", "--resume", "run"]
    result = CliRunner().invoke(app, words)
    assert result.exit_code == 2
    assert "--teachers" in result.stderr
    for option in (("--ask-minutes", "1"), ("--batch", "2"), ("--crop", "64")):
        result = CliRunner().invoke(app, [*words, "--teachers", "faces", *option])
        assert result.exit_code == 2
        assert "no use for it" in result.stderr


def test_a_recipe_keeps_what_the_person_says_nothing_of() -> None:
    paper = find_recipe("proface-s-obfs-paper")
    assert _adjusted(paper, None, None, None, None) == paper
    changed = _adjusted(paper, 0.0, 64, 4, 5)
    assert (changed.weights.protect_lpips, changed.weights.triplet_lpips) == (0.0, 0.5)
    assert (changed.batches.crop, changed.batches.batch, changed.blocks) == (64, 4, 5)
    assert changed.batches.masks == paper.batches.masks
