"""The frame of the attack lab: what an attack is given, and what becomes of what it finds."""

import dataclasses
import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import attack_scenes
import numpy as np
import pytest
from attack_scenes import faces_folder, quick
from typer.testing import CliRunner
from weak_methods import Glass, Shy

import engine.attacks.byproducts
from engine.attacks import ATTACKS, find_attack, run_attack
from engine.attacks.attack import Attack, AttackConfig, Outcome, Scene
from engine.cli import app
from engine.data import FaceSet
from engine.errors import DataError, MaskError, MethodError
from engine.images import open_protected
from engine.keys import Key
from engine.methods import METHODS
from engine.pipeline import recover
from engine.results import Cost, Reader, Results

ROOT = Path(__file__).resolve().parents[1]
SUITED = {"byproducts": "proface-s-rand", "map-search": "proface-s-rand", "multiset": "proface-k"}
"""Attacks that cannot be made on every method, and one that each can."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return faces_folder(tmp_path_factory.mktemp("faces"))


@pytest.fixture(autouse=True)
def weak(monkeypatch: pytest.MonkeyPatch) -> None:
    for method in (Glass(), Shy()):
        monkeypatch.setitem(METHODS, method.name, method)


def test_the_table_calls_every_attack_by_its_name() -> None:
    assert len(ATTACKS) >= 6
    for name, attack in ATTACKS.items():
        assert isinstance(attack, Attack) and attack.name == name
        assert " wants " in (attack.run.__doc__ or ""), "who has what, and wants what"
        for sentence in (attack.title, attack.knowledge, attack.goal, attack.budget(quick())):
            assert sentence and not sentence.endswith("."), name


def test_an_unknown_attack_is_refused_with_the_nearest() -> None:
    with pytest.raises(MethodError, match="unknown attack 'microscop'") as caught:
        find_attack("microscop")
    assert caught.value.hint == "did you mean 'microscope'?"


def test_looking_at_keys_loads_no_torch() -> None:
    program = "import sys, engine.attacks.keys, engine.attacks; print('torch' in sys.modules)"
    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert run.stdout.strip() == "False"


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"methods": ("glas",)}, MethodError),
        ({"masks": ("gausian",)}, MaskError),
        ({"tries": 0}, MethodError),
        ({"minutes": 0.0}, MethodError),
        ({"minutes": float("nan")}, MethodError),
        ({"variant": "large"}, MethodError),
        ({"variant": "nonsense"}, MethodError),
    ],
)
def test_what_would_fail_later_is_refused_at_once(
    change: dict[str, object], error: type[Exception], folder: Path, tmp_path: Path
) -> None:
    config = dataclasses.replace(quick(), **change)
    results = Results(tmp_path / "results.db")
    with pytest.raises(error):
        run_attack("microscope", FaceSet(folder), config, results)
    with Reader(tmp_path / "results.db") as reader:
        assert reader.runs() == []


@pytest.mark.parametrize("name", [*ATTACKS])
def test_an_attack_takes_the_variants_that_it_names_and_no_others(
    name: str, tmp_path: Path
) -> None:
    attack = ATTACKS[name]
    quick = partial(attack_scenes.quick, SUITED.get(name, "glass"), training=tmp_path)
    assert bool(attack.variants) == (name in ("keyless", "deblur"))
    for word in attack.variants:
        attack.check(quick(variant=word))
    attack.check(quick(variant="+".join(attack.variants)))
    for wrong in ("nonsense", "+".join([*attack.variants, "nonsense"])):
        with pytest.raises(MethodError, match=f"{name} has no variant 'nonsense'") as caught:
            attack.check(quick(variant=wrong))
        assert all(word in caught.value.hint for word in attack.variants or ("leave it out",))


@pytest.mark.parametrize("name", [*SUITED])
def test_a_method_that_does_not_suit_is_left_out_where_nobody_named_it(
    name: str, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    attacked: list[str] = []

    def noted(scene: Scene) -> Iterator[Outcome]:
        attacked.extend(scene.config.methods)
        yield Outcome((scene.whole_run(attacked[0], "pixelate", "right:wrong", "auc", 0.5),))

    attack = ATTACKS[name]
    home = f"engine.attacks.{name.replace('-', '_')}.ATTACK"
    monkeypatch.setattr(home, dataclasses.replace(attack, run=noted))
    db = tmp_path / "results.db"
    words = ("--data", str(folder), "--masks", "pixelate", "--db", str(db))
    fit, unfit = attack.part(["sealed", "proface-k", "proface-s-rand", "proface-s-obfs"])
    for named in (f"{SUITED[name]},sealed", "sealed"):
        code, _, err = run_cli(name, *words, "--methods", named)
        assert code == 1 and f"{name} needs {attack.needs}, got sealed\n" in err
        assert SUITED[name] in err.splitlines()[-1]
        assert not db.exists()
    code, _, err = run_cli(name, *words)
    assert (code, attacked) == (0, fit)
    (line,) = [line for line in err.splitlines() if "left out" in line]
    assert line.endswith(f"needs {attack.needs}: {', '.join(unfit)}")


@pytest.mark.parametrize("name", ["keyless", "deblur"])
def test_who_names_nothing_to_learn_from_gets_no_run(
    name: str, folder: Path, tmp_path: Path
) -> None:
    results, nowhere = Results(tmp_path / "results.db"), tmp_path / "nowhere"
    for training, told in ((None, "learn from$"), (nowhere, "learn from, .*no nowhere$")):
        with pytest.raises(DataError, match=told):
            run_attack(name, FaceSet(folder), quick(training=training), results)
    with Reader(tmp_path / "results.db") as reader:
        assert reader.runs() == []


def test_a_target_is_the_file_as_it_lies_on_disk(folder: Path) -> None:
    scene = Scene(FaceSet(folder), quick("sealed"))
    target = scene.protect(1, "sealed", "pixelate")
    assert target.record is scene.faces.records[1]
    np.testing.assert_array_equal(target.original_u8, scene.faces.load(1))
    np.testing.assert_array_equal(target.protected_u8, open_protected(target.png).photo_u8)
    found = recover(open_protected(target.png), [target.passphrase])
    assert found.verified
    assert target.key == Key.from_passphrase(
        target.passphrase, target.header.salt, target.header.kdf
    )
    again = scene.protect(1, "sealed", "pixelate")
    assert again.passphrase == target.passphrase
    assert again.png == target.png, "the same face is the same file in every run"
    other = scene.protect(1, "sealed", "gaussian")
    assert other.passphrase == target.passphrase and other.header.salt != target.header.salt
    assert target.passphrase not in repr(target)
    named = scene.protect(1, "sealed", "pixelate", secret="chosen", check_value=False)
    assert named.passphrase == "chosen" and named.header.faces[0].tag is None


def test_a_run_is_stored_with_its_budget_and_without_its_secrets(
    folder: Path, tmp_path: Path
) -> None:
    path, faces = tmp_path / "results.db", FaceSet(folder)
    config = dataclasses.replace(quick(), training=tmp_path)
    run_id = run_attack("microscope", faces, config, Results(path), "python -m engine attack")
    with Reader(path) as reader:
        run = reader.run(run_id)
    assert (run.kind, run.state, run.model) == ("attack", "finished", "glass")
    assert (run.data_hash, run.seed, run.command) == (faces.sha256(), 0, "python -m engine attack")
    stored = json.loads(run.config)
    assert stored["attack"] == "microscope"
    assert stored["budget"] == ATTACKS["microscope"].budget(config)
    assert stored["training"] == tmp_path.name
    scene = Scene(faces, config)
    raw = path.read_bytes()
    for index in scene.chosen:
        assert scene.protect(index, "glass", "pixelate").passphrase.encode() not in raw
    assert str(tmp_path).encode() not in raw


def test_faces_that_a_method_refuses_are_counted(folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "results.db"
    run_id = run_attack("microscope", FaceSet(folder), quick("shy"), Results(path))
    with Reader(path) as reader:
        means = reader.means([run_id])
    assert [(m.pair, m.metric, m.images, m.mean) for m in means] == [
        ("photograph", "refused", 2, 1.0)
    ]


def test_who_stops_an_attack_keeps_what_came(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(scene: Scene) -> Iterator[Outcome]:
        cost = Cost("glass", "pixelate", "keys_per_second", 1, 2.0, 1.0, 3.0, "1/s")
        yield Outcome((scene.whole_run("glass", "pixelate", "right:wrong", "auc", 0.5),), (cost,))
        raise KeyboardInterrupt

    attack = dataclasses.replace(
        engine.attacks.byproducts.ATTACK, run=interrupted, suits=lambda name: True
    )
    monkeypatch.setattr(engine.attacks.byproducts, "ATTACK", attack)
    path = tmp_path / "results.db"
    with pytest.raises(KeyboardInterrupt):
        run_attack("byproducts", FaceSet(folder), quick(), Results(path))
    with Reader(path) as reader:
        (run,) = reader.runs("attack")
        (mean,) = reader.means([run.id])
        ((_, cost),) = reader.costs([run.id])
    assert run.state == "stopped"
    assert (mean.source, mean.pair, mean.metric, mean.mean) == ("all", "right:wrong", "auc", 0.5)
    assert (cost.name, cost.median) == ("keys_per_second", 2.0)


def run_cli(*words: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, ["attack", *words], env={"COLUMNS": "200"})
    return result.exit_code, result.stdout, result.stderr


def test_an_attack_that_is_asked_to_end_stops_as_by_ctrl_c(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def ended(scene: Scene) -> Iterator[Outcome]:
        record = scene.faces.records[0]
        scene.refuse(record, "glass", "pixelate")
        yield Outcome((scene.whole_run("glass", "pixelate", "right:wrong", "auc", 0.5),))
        scene.refuse(scene.faces.records[1], "glass", "pixelate")
        signal.raise_signal(signal.SIGTERM)

    attack = dataclasses.replace(
        engine.attacks.byproducts.ATTACK, run=ended, suits=lambda name: True
    )
    monkeypatch.setattr(engine.attacks.byproducts, "ATTACK", attack)
    db, before = tmp_path / "results.db", signal.getsignal(signal.SIGTERM)
    words = ("--data", str(folder), "--methods", "glass", "--masks", "pixelate", "--db", str(db))
    try:
        code, _, err = run_cli("byproducts", *words)
    finally:
        signal.signal(signal.SIGTERM, before)
    assert (code, "error: stopped" in err) == (1, True)
    with Reader(db) as reader:
        (run,) = reader.runs("attack")
        refused = next(m for m in reader.means([run.id]) if m.metric == "refused")
    assert (run.state, refused.images) == ("stopped", 2)


@pytest.mark.parametrize("words", [(), ("--list",)])
def test_the_command_lists_the_attacks(words: tuple[str, ...]) -> None:
    code, out, _ = run_cli(*words)
    assert code == 0
    for name in ATTACKS:
        assert name in out


def test_the_command_says_what_it_spends_and_prints_the_means(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    db = tmp_path / "results.db"
    words = [
        "microscope", "--data", str(folder), "--methods", "glass", "--masks", "pixelate,sticker",
        "--limit", "1", "--db", str(db),
    ]  # fmt: skip
    monkeypatch.setattr(sys, "argv", ["engine", "attack", *words])
    code, out, err = run_cli(*words)
    assert code == 0
    attack = ATTACKS["microscope"]
    assert attack.knowledge in err and attack.goal in err
    assert f"budget: {attack.budget(AttackConfig(('glass',), ()))}" in err
    lines = out.splitlines()
    assert lines[0] == "| method and pair | metric | pixelate | sticker |"
    assert any(line.startswith("| glass original:residual_x10 | outline_gain") for line in lines)
    with Reader(db) as reader:
        (run,) = reader.runs("attack")
    assert run.state == "finished" and "--methods glass" in run.command
    assert str(tmp_path) not in run.command


def test_the_command_refuses_a_foreign_variant_before_any_work(
    folder: Path, tmp_path: Path
) -> None:
    db = tmp_path / "results.db"
    words = ("--data", str(folder), "--methods", "glass", "--masks", "pixelate", "--db", str(db))
    code, _, err = run_cli("known-plaintext", *words, "--variant", "large")
    assert (code, "known-plaintext has no variant 'large'" in err) == (1, True)
    assert "budget:" not in err and not db.exists()


def test_what_training_asks_for_is_passed_to_what_trains(tmp_path: Path) -> None:
    nothing = str(tmp_path / "nowhere")
    words = ("--minutes", "1", "--training", str(tmp_path), "--keep", nothing, "--data", nothing)
    code, _, err = run_cli("keyless", *words, "--methods", "glass", "--masks", "pixelate")
    assert code == 1 and "changes nothing" not in err
    assert "1 minutes of training for all networks" in err


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (("microscop",), 1, "unknown attack"),
        (("microscope",), 2, "--data"),
        (("microscope", "--data", "nowhere"), 1, "error:"),
        (("microscope", "--preset", "strong"), 2, "--preset"),
        (("microscope", "--minutes", "2"), 1, "--minutes changes nothing in microscope"),
        (("tamper", "--training", "faces"), 1, "--training changes nothing in tamper"),
        (("dictionary", "--keep", "runs"), 1, "--keep changes nothing in dictionary"),
        (("known-plaintext", "--minutes", "2"), 1, "known-plaintext takes --keep"),
    ],
)
def test_the_command_refuses_in_words(words: tuple[str, ...], code: int, told: str) -> None:
    found, _, err = run_cli(*words)
    assert found == code
    assert told in err
