"""What a newcomer touches: the door's names, the verbs, the README's code, scripts, pins."""

import ast
import importlib.metadata
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import skimage.data
import typer
from PIL import Image
from typer.testing import CliRunner

import engine
from engine import images
from engine.cli import app

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
VERBS = sorted(command.callback.__name__ for command in app.registered_commands if command.callback)
SCRIPTS = sorted(path for path in (ROOT / "scripts").iterdir() if path.is_file())
PINS = [
    line
    for name in ("requirements.txt", "requirements-dev.txt")
    for line in (ROOT / name).read_text(encoding="utf-8").splitlines()
    if line and not line.startswith(("#", "-"))
]


def test_the_public_names_are_sorted_and_there() -> None:
    assert len(engine.__all__) == len(set(engine.__all__))  # ruff sorts it: constants first
    assert dir(engine) == sorted(engine.__all__)
    for name in engine.__all__:
        assert getattr(engine, name).__doc__, name


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'protekt'"):
        engine.__getattr__("protekt")


def test_type_checkers_see_the_same_names() -> None:
    tree = ast.parse((ROOT / "engine" / "__init__.py").read_text(encoding="utf-8"))
    homes = {
        alias.name: node.module
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("engine.")
        for alias in node.names
    }
    assert sorted(homes) == sorted(engine.__all__)
    assert {name: f"engine.{home}" for name, home in engine._HOMES.items()} == homes


@pytest.mark.parametrize("module", ["engine", "engine.results", "engine.header"])
def test_an_import_loads_no_torch(module: str) -> None:
    heavy = "{'torch', 'diffusers', 'gradio', 'streamlit'}"
    program = f"import sys, {module}; print(sorted({heavy} & set(sys.modules)))"
    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert run.stdout.strip() == "[]"


def test_the_verbs_are_those_of_the_readme() -> None:
    named = set(re.findall(r"python -m engine ([a-z]+)", README))
    assert named == set(VERBS)


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_explains_itself_and_its_options(verb: str) -> None:
    result = CliRunner().invoke(app, [verb, "--help"], env={"COLUMNS": "200"})
    assert result.exit_code == 0
    assert f"Usage: faceveil {verb}" in result.stdout
    command = typer.main.get_command(app).commands[verb]  # type: ignore[attr-defined]
    for parameter in command.params:
        assert parameter.help, f"{verb} does not explain {parameter.name}"


def test_every_option_that_the_readme_names_is_there() -> None:
    commands = typer.main.get_command(app).commands.values()  # type: ignore[attr-defined]
    known = {option for command in commands for p in command.params for option in p.opts}
    rows = [line for line in README.splitlines() if line.startswith("| `python -m engine")]
    assert len(rows) == len(VERBS)
    assert set(re.findall(r"--[a-z-]+", "\n".join(rows))) <= known


@pytest.fixture
def photo_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to work in, with a photograph in it."""
    Image.fromarray(skimage.data.astronaut()).save(tmp_path / "photo.jpg", quality=92)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_code_of_the_readme_runs_and_keeps_its_word(photo_folder: Path) -> None:
    blocks = re.findall(r"^```python\n(.*?)^```", README, re.DOTALL | re.MULTILINE)
    assert blocks
    names: dict[str, object] = {"__name__": "readme"}
    for block in blocks:
        exec(compile(block, "README.md", "exec"), names)
    photo_u8 = images.open_photo(photo_folder / "photo.jpg")
    recovered_u8 = images.open_photo(photo_folder / "recovered.png")
    faces = engine.detect(photo_u8)
    assert faces
    for x0, y0, x1, y1 in (face.box for face in faces):
        np.testing.assert_array_equal(recovered_u8[y0:y1, x0:x1], photo_u8[y0:y1, x0:x1])


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_a_script_can_be_run_and_says_what_for(script: Path) -> None:
    assert os.access(script, os.X_OK)
    first, second, *_ = script.read_text(encoding="utf-8").splitlines()
    assert first in ("#!/usr/bin/env bash", "#!/usr/bin/env python3")
    purpose = second.lstrip('#" ') if second.startswith(("# ", '"""')) else ""
    assert len(purpose.split()) >= 3, "the second line says what the script is for"


def test_every_script_is_named_where_people_look() -> None:
    sourced = {"environment"}
    named = README + (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    found = set(re.findall(r"scripts/([a-z_]+)", named))
    assert {script.name for script in SCRIPTS} - sourced == found


def test_the_pins_need_no_checkout_and_the_environment_installs_it_after_them() -> None:
    text = (ROOT / "requirements.txt").read_text(encoding="utf-8")
    assert not re.search(r"^ *-|[ @/]\.|file:", re.sub("#.*", "", text), re.MULTILINE)
    steps = re.findall(r"pip install (.*)", (ROOT / "scripts/environment").read_text("utf-8"))
    assert [step.split()[-2:] for step in steps] == [["-r", "requirements-dev.txt"], ["-e", "."]]
    assert "--no-deps" in steps[1]


@pytest.mark.parametrize("pin", PINS)
def test_a_pin_is_exact_and_what_runs_here(pin: str) -> None:
    matched = re.fullmatch(r"([A-Za-z0-9_.-]+)(\[[a-z,]+\])?==([0-9][A-Za-z0-9.]*)", pin)
    assert matched, pin
    # A local label, such as +cpu, tells builds of one version apart.
    assert importlib.metadata.version(matched[1]).split("+")[0] == matched[3]
