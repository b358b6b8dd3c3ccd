"""The attacker's training: so many steps, the same ones after a stop; and its network's door."""

import dataclasses
import threading
from pathlib import Path

import numpy as np
import pytest
import torch
from tiny_training import draw_face
from tiny_zoo import forget, point_zoo_at, write_models

from engine import zoo
from engine.attacks.revealing import load_reveal, reveal, see
from engine.errors import (
    DataError,
    ImageShapeError,
    MethodError,
    WeightsHashError,
    WeightsMissingError,
)
from engine.networks.reveal import Reveal
from engine.results import Reader
from engine.training.reveal import (
    Lesson,
    RevealOptions,
    RevealRecipe,
    RevealTrainer,
    new_reveal,
    train_reveal,
)

TINY = RevealRecipe(name="tiny", steps=6, width=8, warm_up_steps=1, learning_rate=1e-2)


def teach(step: int) -> Lesson:
    rng = np.random.default_rng(step)
    faces = [draw_face(int(rng.integers(50)), 16) for _ in range(2)]
    original = torch.from_numpy(np.stack(faces)).permute(0, 3, 1, 2).float() / 255
    return 1 - original, original


def same(first: Reveal, second: Reveal) -> bool:
    pairs = zip(first.parameters(), second.parameters(), strict=True)
    return all(torch.equal(one, other) for one, other in pairs)


def options(folder: Path) -> RevealOptions:
    return RevealOptions(folder, log_steps=2)


def test_it_learns_and_keeps_what_it_learned(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.argv", ["engine", "attack", "keyless", "--keep", "/home/me/kept"])
    told: list[tuple[int, int, str]] = []
    main = threading.current_thread()

    def report(done: int, total: int, line: str) -> None:
        assert threading.current_thread() is main, "a database is bound to its thread"
        told.append((done, total, line))

    recipe = dataclasses.replace(TINY, steps=40)
    network = train_reveal(recipe, teach, options(tmp_path), report)
    seen, original = teach(1000)
    with torch.inference_mode():
        before, after = ((net(seen) - original).abs().mean() for net in (new_reveal(TINY), network))
    assert after < 0.8 * before
    loaded = load_reveal(tmp_path / "model")
    assert same(loaded, network)
    with Reader(tmp_path / "results.db") as reader:
        (run,) = reader.runs()
    assert (run.kind, run.model, run.state) == ("train", "reveal tiny", "finished")
    assert run.command == "python -m engine attack keyless --keep kept"
    assert [done for done, *_ in told] == list(range(1, 41))
    assert told[0][1:] == (40, "learning tiny") and "at step 40" in told[-1][2]


def test_a_stopped_training_goes_on_as_if_it_had_not_been(tmp_path: Path) -> None:
    whole = train_reveal(TINY, teach, options(tmp_path / "whole"))

    def stopped(step: int) -> Lesson:
        if step == 4:
            raise KeyboardInterrupt
        return teach(step)

    with pytest.raises(KeyboardInterrupt):
        train_reveal(TINY, stopped, options(tmp_path / "parts"))
    assert 0 < RevealTrainer(TINY, options(tmp_path / "parts")).progress.step < TINY.steps
    parts = train_reveal(TINY, teach, options(tmp_path / "parts"))
    assert same(whole, parts)

    def never(step: int) -> Lesson:
        raise AssertionError("the steps are used up")

    again = train_reveal(TINY, never, options(tmp_path / "parts"))
    assert same(whole, again)


def test_another_recipe_is_refused(tmp_path: Path) -> None:
    train_reveal(dataclasses.replace(TINY, steps=1), teach, options(tmp_path))
    with pytest.raises(DataError, match="steps"):
        RevealTrainer(TINY, options(tmp_path))


def test_rivals_start_from_the_same_weights() -> None:
    state = torch.random.get_rng_state()
    first = new_reveal(TINY)
    rival = new_reveal(dataclasses.replace(TINY, name="control", steps=9))
    other = new_reveal(dataclasses.replace(TINY, seed=1))
    assert same(first, rival)
    assert not torch.equal(first.enter.weight, other.enter.weight)
    assert torch.equal(torch.random.get_rng_state(), state), "the caller's random numbers moved"


def test_a_network_that_knows_places_takes_one_size_only() -> None:
    network = Reveal(width=8, places=16)
    assert network(torch.rand(2, 3, 16, 16)).shape == (2, 3, 16, 16)
    with pytest.raises(ImageShapeError, match="sides must be 16"):
        network(torch.rand(1, 3, 16, 18))


def test_an_untrained_network_shows_the_picture_as_it_is() -> None:
    face_u8 = draw_face(3, 37)
    for pictures in (1, 2):
        shown_u8 = reveal(face_u8, Reveal(width=8, pictures=pictures))
        assert np.array_equal(shown_u8, face_u8)


def test_the_residual_is_seen_beside_the_picture() -> None:
    flat = torch.full((1, 3, 16, 16), 0.4)
    seen = see(flat, 2)
    assert torch.equal(seen[:, :3], flat)
    assert torch.allclose(seen[:, 3:], torch.tensor(0.5), atol=1e-5)
    flat[..., 8, 8] += 0.01
    assert see(flat, 2)[0, 3, 8, 8].item() == pytest.approx(0.5 + 0.1 * 24 / 25, abs=1e-4)


def test_only_an_attackers_network_is_loaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    point_zoo_at(monkeypatch, write_models(tmp_path))
    try:
        with pytest.raises(MethodError, match="got a Embedder"):
            load_reveal("proface-s-rand.v1", "cpu")
    finally:
        forget()
    with pytest.raises(WeightsMissingError, match=r"config\.json"):
        load_reveal(tmp_path)
    Reveal(width=8).save_pretrained(tmp_path / "net")
    config = tmp_path / "net" / "config.json"
    config.write_text(config.read_text().replace('"width": 8', '"width": 16'))
    with pytest.raises(WeightsHashError):
        zoo.read_network(tmp_path / "net", "Reveal")
