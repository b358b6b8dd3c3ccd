"""The released attackers: chosen by method, newest first, and only against what is released now."""

import json
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch
from load_script import load_script
from sample_photos import portrait
from tiny_zoo import forget, random_embedder, write_model
from weak_targets import write_faces

import engine
from engine import zoo
from engine.attacks import keyless, run_attack
from engine.attacks.attack import AttackConfig
from engine.attacks.pairs import PairConfig
from engine.data import FaceSet
from engine.errors import ImageShapeError, MethodError, UnknownModelError
from engine.methods import METHODS
from engine.networks.reveal import Reveal
from engine.results import Results
from engine.training import reveal as reveal_training

MODEL_K = METHODS["proface-k"].model

ROOT = Path(__file__).resolve().parents[1]
FACE_U8 = np.ascontiguousarray(portrait()[60:172, 70:182])


def painter(level: float) -> Reveal:
    """An attacker that adds the same to every picture."""
    network: Reveal = Reveal(width=8)
    with torch.no_grad():
        network.leave.bias[:3] = 2 * level  # of the averages of 2 x 2 pixels
    return network.eval()


@pytest.fixture
def attackers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A zoo with a control and two tags against sealed, of which the newer one counts."""
    released = {}
    for name, level in (
        ("reveal-mask.v1", 0.0), ("reveal-sealed.v10", 0.2), ("reveal-sealed.v9", 0.1),
    ):  # fmt: skip
        write_model(tmp_path / name, painter(level), name)
        released[name] = zoo.hash_model(tmp_path / name)
    write_model(tmp_path / MODEL_K, random_embedder(1), MODEL_K)
    released[MODEL_K] = zoo.hash_model(tmp_path / MODEL_K)
    monkeypatch.setattr(zoo, "MODELS_FOLDER", tmp_path)
    monkeypatch.setattr(zoo, "RELEASED", released)
    forget()
    yield tmp_path
    forget()


def test_the_newest_attacker_shows_what_it_makes_of_a_face(attackers: Path) -> None:
    assert engine.revealed_methods() == ("sealed",)
    brighter_u8 = engine.reveal(FACE_U8, "sealed")
    change = brighter_u8.astype(int) - FACE_U8
    assert np.abs(change[FACE_U8 < 200] - 51).max() <= 1
    for control in (None, "mask"):
        np.testing.assert_array_equal(engine.reveal(FACE_U8, control), FACE_U8)


def test_the_masks_that_an_attacker_learned_are_those_of_its_card() -> None:
    for method in (None, *engine.revealed_methods()):
        family = f"reveal-{method or 'mask'}.v"
        (card,) = [c for c in zoo.list_models() if c.name.startswith(family)][-1:]
        asked = card.figures_command.partition("--masks ")[2].split()[0]
        assert set(engine.learned_masks(method)) == set(asked.split(","))
    with pytest.raises(MethodError):
        engine.learned_masks("enigma")
    with pytest.raises(UnknownModelError):
        engine.learned_masks("imn")


def test_a_face_of_any_size_comes_back_at_its_size(attackers: Path) -> None:
    face_u8 = np.ascontiguousarray(portrait()[:200, :150])
    shown_u8 = engine.reveal(face_u8, "sealed")
    assert shown_u8.shape == face_u8.shape
    assert 40 < (shown_u8.astype(float) - face_u8)[face_u8 < 150].mean() < 60
    with pytest.raises(ImageShapeError):
        engine.reveal(face_u8[..., 0], "sealed")


def test_an_attacker_of_older_weights_does_not_count(attackers: Path) -> None:
    name, method = "reveal-proface-k.v9", "proface-k"
    network = painter(0.1)
    write_model(attackers / name, network, name, attacked="0" * 64)
    zoo.RELEASED[name] = zoo.hash_model(attackers / name)
    forget()
    assert engine.revealed_methods() == ("sealed",)
    write_model(attackers / name, network, name, zoo.RELEASED[MODEL_K])
    forget()
    assert engine.revealed_methods() == ("sealed", method)


def test_without_an_attacker_that_is_said(attackers: Path) -> None:
    with pytest.raises(UnknownModelError, match="no attacker of proface-k") as caught:
        engine.reveal(FACE_U8, "proface-k")
    assert caught.value.hint == "methods with one: sealed"
    with pytest.raises(MethodError, match="nonsense"):
        engine.reveal(FACE_U8, "nonsense")
    del zoo.RELEASED["reveal-mask.v1"]
    assert engine.revealed_methods() == ()
    with pytest.raises(UnknownModelError, match="mask") as caught:
        engine.reveal(FACE_U8)
    assert "none yet" in caught.value.hint


# --- releasing ------------------------------------------------------------------------------------


@pytest.fixture
def release(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> ModuleType:
    """The script, which writes a zoo of the test's own."""
    script = load_script("release")
    table = tmp_path / "zoo.py"
    table.write_text("RELEASED: dict[str, str] = {\n}\n")
    monkeypatch.setattr(zoo, "__file__", str(table))
    monkeypatch.setattr(zoo, "RELEASED", {})
    monkeypatch.setattr(script, "RELEASED", {})
    monkeypatch.setattr(zoo, "MODELS_FOLDER", tmp_path / "models")
    monkeypatch.setattr(script, "MODELS_FOLDER", tmp_path / "models")
    return script


def test_what_an_attack_kept_is_released_with_its_figures(
    release: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(reveal_training.WIDTHS, "small", 8)
    monkeypatch.setattr(keyless, "PairConfig", lambda *args: PairConfig(*args, batch=2, crop=32))
    kept, db = tmp_path / "kept", tmp_path / "results.db"
    config = AttackConfig(
        ("sealed",), ("gaussian",), limit=2, tries=1, training=write_faces(tmp_path, 4, 1),
        keep=kept,
    )  # fmt: skip
    results = Results(db)
    run_id = run_attack("keyless", FaceSet(write_faces(tmp_path, 2, 2)), config, results)
    results.close()

    def call(name: str, run: str) -> None:
        words = ["release", name, "--run", str(kept / run), "--device", "a test", "--db", str(db)]
        command = "python -m engine attack keyless"
        monkeypatch.setattr("sys.argv", [*words, "--run-id", str(run_id), "--command", command])
        release.main()

    call("reveal-sealed.v1", "sealed-w8-1-0")
    call("reveal-mask.v1", "control-w8-1-0")
    cards = [
        json.loads((tmp_path / "models" / name / "card.json").read_text())
        for name in ("reveal-sealed.v1", "reveal-mask.v1")
    ]
    attacker, control = (card["figures"] for card in cards)
    assert (attacker["faces"], attacker["steps"], control["steps"]) == (2, 1, 1)
    assert {"gaussian gain_psnr_db", "gaussian gain_psnr_db_margin"} < set(attacker)
    assert any(name.startswith("gaussian original:control psnr_db") for name in control)
    assert [card["network"] for card in cards] == ["Reveal", "Reveal"]
    network = zoo.read_network(tmp_path / "models" / "reveal-sealed.v1", "Reveal")
    assert network.dtype == torch.float32 and network.config.width == 8
    written: dict[str, object] = {}
    exec((tmp_path / "zoo.py").read_text(), written)
    assert list(written["RELEASED"]) == ["reveal-sealed.v1", "reveal-mask.v1"]  # type: ignore[call-overload]
    with pytest.raises(SystemExit, match="learned from mask, got a training of sealed"):
        call("reveal-mask.v1", "sealed-w8-1-0")


def test_a_release_keeps_every_part_of_a_config(release: ModuleType, tmp_path: Path) -> None:
    from engine.networks.embedder import Embedder

    Embedder(blocks=2, growth=4, keyed_recovery=False).save_pretrained(tmp_path / "trained")
    release.write_network(tmp_path / "trained", tmp_path / "out", "Embedder", {})
    config = json.loads((tmp_path / "out" / "config.json").read_text())
    assert (config["blocks"], config["growth"], config["keyed_recovery"]) == (2, 4, False)
    assert "_name_or_path" not in config


def test_a_released_tag_released_again_keeps_its_hash(release: ModuleType, tmp_path: Path) -> None:
    trained, out = tmp_path / "trained", tmp_path / "out"
    Reveal(width=8, depth=1).save_pretrained(trained)
    release.write_network(trained, out, "Reveal", {})
    # As released before the network had this setting.
    config = json.loads((out / "config.json").read_text())
    del config["residual"]
    (out / "config.json").write_text(json.dumps(config))
    released = zoo.hash_model(out)
    release.write_network(trained, out, "Reveal", {})
    assert zoo.hash_model(out) == released
    for other in (Reveal(width=8, depth=1), Reveal(width=8, depth=1, residual=True)):
        other.save_pretrained(trained)
        release.write_network(trained, out, "Reveal", {})
        assert zoo.hash_model(out) != released
