"""The released models: each is what its card says; anything else is a named error."""

import dataclasses
import hashlib
import importlib.util
import json
import shutil
from collections.abc import Iterator
from importlib.machinery import SourceFileLoader
from pathlib import Path

import numpy as np
import pytest
import torch
from golden_models import GOLDEN, outputs_of
from tiny_zoo import forget, point_zoo_at, random_embedder, write_model

from engine import zoo
from engine.errors import UnknownModelError, WeightsHashError, WeightsMissingError
from engine.methods import METHODS
from engine.recognition import ONNX_FILE

ROOT = Path(__file__).resolve().parents[1]
NAME, OTHER, *_ = zoo.RELEASED
ONNX = {"recognizer.v2": "f48c7724d3eba69a01d6eb9f3431d0105a17b5ae2142af7d6aff4be5c231005d"}
"""SHA-256 of what ``scripts/release`` exported beside a recogniser; a name has one for good."""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A zoo of the test's own, with a random embedder under the first released name."""
    write_model(tmp_path / NAME, random_embedder(7), NAME)
    point_zoo_at(monkeypatch, tmp_path)
    yield tmp_path
    forget()


# --- as released ----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", zoo.RELEASED)
def test_a_released_model_is_what_its_card_says(name: str) -> None:
    card = zoo.find_card(name)
    weights = (card.folder / zoo.WEIGHTS_FILE).read_bytes()
    network = zoo.load_model(name, "cpu")
    assert card.name == name
    assert type(network).__name__ == card.network and card.network in zoo.NETWORKS
    assert (card.network == "Reveal") == name.startswith("reveal-")
    config = (card.folder / "config.json").read_bytes()
    found = hashlib.sha256(config + b"\0" + weights).hexdigest()
    assert found == card.sha256 == zoo.RELEASED[name], "run scripts/release"
    assert card.parameters == sum(p.numel() for p in network.parameters())
    assert not network.training
    assert not any(p.requires_grad for p in network.parameters())
    assert all(bool(p.isfinite().all()) for p in network.parameters())
    assert card.licence
    assert card.trained_on
    assert card.minutes > 0
    assert card.device
    assert card.figures, "a released model says what it reaches"
    made_by = {"Reveal": " attack keyless", "Embedder": " benchmark", "Imn": " benchmark"}.get(
        card.network, ""
    )
    assert card.figures_command.startswith(f"python -m engine{made_by} ")


@pytest.mark.parametrize("name", zoo.RELEASED)
def test_a_released_folder_holds_config_weights_and_card(name: str) -> None:
    card = zoo.find_card(name)
    files = {path.name for path in card.folder.iterdir()}
    besides = {ONNX_FILE} if name == zoo.RECOGNIZER else set()
    assert files == {"config.json", zoo.WEIGHTS_FILE, "card.json"} | besides


def test_the_released_onnx_is_the_file_that_was_exported() -> None:
    onnx = (zoo.find_card(zoo.RECOGNIZER).folder / ONNX_FILE).read_bytes()
    assert hashlib.sha256(onnx).hexdigest() == ONNX[zoo.RECOGNIZER], "of another name"


@pytest.mark.parametrize("name", zoo.RELEASED)
def test_a_released_model_gives_its_golden_picture(name: str) -> None:
    expected = json.loads(GOLDEN.read_text(encoding="utf-8"))[name]
    assert expected["sha256"] == zoo.find_card(name).sha256, "run tests/golden_models.py"
    for kind, found in outputs_of(zoo.load_model(name, "cpu")).items():
        difference = found - np.array(expected[kind])
        assert np.abs(difference).max() <= 1, kind


def test_released_models_are_listed_in_order() -> None:
    assert [card.name for card in zoo.list_models()] == list(zoo.RELEASED)


def test_a_release_writes_its_hash_into_the_table() -> None:
    loader = SourceFileLoader("release", str(ROOT / "scripts" / "release"))
    release = importlib.util.module_from_spec(importlib.util.spec_from_loader("release", loader))
    loader.exec_module(release)
    source = (ROOT / "engine" / "zoo.py").read_text(encoding="utf-8")
    for name, expected in (
        (NAME, zoo.RELEASED | {NAME: "a" * 64}),
        ("proface-s-rand.v99", zoo.RELEASED | {"proface-s-rand.v99": "a" * 64}),
    ):
        written: dict[str, object] = {"__file__": zoo.__file__, "__name__": "written"}
        exec(release.pinned(source, name, "a" * 64), written)
        assert list(written["RELEASED"].items()) == list(expected.items())


# --- loading --------------------------------------------------------------------------------------


def test_a_model_is_loaded_once_and_for_inference(folder: Path) -> None:
    network = zoo.load_model(NAME, "cpu")
    assert zoo.load_model(NAME, "cpu") is network
    assert not network.training
    assert not any(p.requires_grad for p in network.parameters())
    saved = random_embedder(7).state_dict()
    assert all(torch.equal(value, saved[name]) for name, value in network.state_dict().items())


def test_a_model_is_found_by_the_hash_of_its_weights(folder: Path) -> None:
    sha256 = zoo.hash_model(folder / NAME)
    assert zoo.find_by_hash(bytes.fromhex(sha256)).name == NAME
    with pytest.raises(UnknownModelError, match="000000000000") as caught:
        zoo.find_by_hash(bytes(32))
    assert caught.value.hint
    with pytest.raises(WeightsMissingError, match=OTHER):
        zoo.find_by_hash(bytes.fromhex(zoo.RELEASED[OTHER]))


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("proface-s-rnd.v1", "did you mean 'proface-s-rand.v1'?"),
        ("proface-s-rand", f"did you mean '{METHODS['proface-s-rand'].model}'?"),
        ("swapper", "released: proface-s-rand.v1"),
        ("../secret", "released: proface-s-rand.v1"),
        ("", "released: proface-s-rand.v1"),
    ],
)
def test_an_unknown_name_is_told_with_the_nearest_one(name: str, hint: str) -> None:
    for call in (zoo.find_card, zoo.load_model):
        with pytest.raises(UnknownModelError) as caught:
            call(name)
        assert caught.value.hint.startswith(hint)


@pytest.mark.parametrize("gone", ["", "card.json", zoo.WEIGHTS_FILE])
def test_missing_files_are_told(folder: Path, gone: str) -> None:
    if gone:
        (folder / NAME / gone).unlink()
    else:
        shutil.rmtree(folder / NAME)
    with pytest.raises(WeightsMissingError, match=NAME) as caught:
        zoo.load_model(NAME, "cpu")
    assert "clone" in caught.value.hint


@pytest.mark.parametrize("at", [0, 100, -1])
def test_one_changed_byte_is_not_the_released_file(folder: Path, at: int) -> None:
    weights = folder / NAME / zoo.WEIGHTS_FILE
    content = bytearray(weights.read_bytes())
    content[at] ^= 1
    weights.write_bytes(content)
    with pytest.raises(WeightsHashError, match=f"network of {NAME} must have sha256") as caught:
        zoo.load_model(NAME, "cpu")
    assert caught.value.hint


def test_other_weights_with_a_card_of_their_own_are_not_the_released_ones(folder: Path) -> None:
    write_model(folder / NAME, random_embedder(8), NAME)
    forget()
    for call in (zoo.find_card, zoo.load_model):
        with pytest.raises(WeightsHashError, match=f"card of {NAME} must have sha256") as caught:
            call(NAME)
        assert caught.value.hint


@pytest.mark.parametrize("change", [{"blocks": 2}, {"growth": 16}])
def test_no_part_of_a_network_stays_untrained(
    folder: Path, change: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    config = folder / NAME / "config.json"
    config.write_text(json.dumps(json.loads(config.read_text()) | change))
    with pytest.raises(WeightsHashError, match="must have sha256"):
        zoo.load_model(NAME, "cpu")
    card = folder / NAME / "card.json"
    signed = json.loads(card.read_text()) | {"sha256": zoo.hash_model(folder / NAME)}
    card.write_text(json.dumps(signed))
    point_zoo_at(monkeypatch, folder)
    with pytest.raises(WeightsHashError, match=r"config\.json") as caught:
        zoo.load_model(NAME, "cpu")
    assert caught.value.hint


def test_a_card_with_a_field_too_many_is_not_read(folder: Path) -> None:
    file = folder / NAME / "card.json"
    card = dataclasses.asdict(zoo.find_card(NAME))
    file.write_text(json.dumps(card | {"extra": 1}))
    forget()
    with pytest.raises(TypeError, match="extra"):
        zoo.find_card(NAME)
