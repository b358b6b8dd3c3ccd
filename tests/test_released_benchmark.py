"""The released benchmark holds what its own command gives: ten figures are made again."""

import ast
import inspect
import json
import re
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest

from engine.benchmark import BenchmarkConfig
from engine.benchmark.plan import Subject
from engine.benchmark.units import Unit, measure_unit
from engine.cli.protect import protect
from engine.data import FaceSet
from engine.methods import DEFAULT_METHOD
from engine.options import ProtectOptions
from engine.results import Reader, Run, standings

ROOT = Path(__file__).resolve().parents[1]
RELEASED = ROOT / "assets" / "benchmark.db"
EVALUATION = ROOT / ".." / "shared" / "data" / "eval_112.zip"
COUNT = 10
METHODS = ("proface-s-rand", "proface-s-obfs")
PAIRS = ("mask:protected", "original:recovered", "original:wrong", "mask:wrong")

PROMISED = "assets/benchmark.db" in (ROOT / "README.md").read_text(encoding="utf-8")

# Once people are told of it, it must be there.
pytestmark = pytest.mark.skipif(
    not (RELEASED.is_file() or PROMISED), reason="assets/benchmark.db is not made"
)


def config_of(run: Run) -> BenchmarkConfig:
    known = {field.name for field in fields(BenchmarkConfig)}
    values = {key: value for key, value in json.loads(run.config).items() if key in known}
    lists = {key: tuple(value) for key, value in values.items() if isinstance(value, list)}
    return replace(BenchmarkConfig(**{**values, **lists}), metrics=("psnr_db",), parts=())


def test_it_is_small_and_holds_no_picture_without_a_licence() -> None:
    assert RELEASED.stat().st_size < 20e6
    with Reader(RELEASED) as reader:
        runs = reader.runs()
        assert runs
        assert {run.state for run in runs} == {"finished"}
        measured = [run for run in runs if run.kind != "train"]
        assert {run.dirty for run in measured} == {False}
        assert all(run.figures and run.commit_hash for run in measured)
        trained = [run.id for run in runs if run.kind == "train"]
        assert all(reader.losses(trained).values())
        assert reader.means(method=METHODS, pair=PAIRS)
        # Of no machine: what was typed is run again elsewhere.
        assert not [run.command for run in runs if re.search(r"(?<![^\s=,'\"])/\w", run.command)]
        assert all(picture.licence for picture in reader.artifacts())


def test_its_runs_would_be_found_again_by_the_same_command() -> None:
    """What a run is known by is a text: a field more, and every published run is another."""

    class Faces(FaceSet):
        def __init__(self, data: str) -> None:
            self.data = data

        def sha256(self) -> str:
            return self.data

    with Reader(RELEASED) as reader:
        runs = reader.runs("benchmark")
    assert runs
    for run in runs:
        told = json.loads(run.config)
        config = replace(config_of(run), methods=())
        described = json.loads(config.described(Faces(told["data"])))
        # Weights are of their time, and what was trained and tried lies on another machine.
        changed = {name: told[name] for name in ("weights", "methods", "metrics", "parts")}
        assert json.dumps(described | changed, sort_keys=True) == run.config


def test_a_fit_finds_nothing_in_byproducts_beyond_the_mask() -> None:
    """As the attack's docstring and the dashboard say."""
    with Reader(RELEASED) as reader:
        runs = [r for r in reader.runs("attack") if json.loads(r.config)["attack"] == "byproducts"]
        means = [m for m in reader.means([r.id for r in runs]) if m.metric == "fitted_psnr_db"]
    masks = {(m.run_id, m.method, m.mask, m.source): m.mean for m in means if "mask" in m.pair}
    leaks = [m for m in means if "byproduct" in m.pair]
    assert {m.pair for m in leaks} >= {"original:byproduct", "original:recovery_byproduct"}
    for m in leaks:
        mask = masks[m.run_id, m.method, m.mask, m.source]
        assert m.mean is not None and mask is not None
        assert m.mean < mask + 0.05, (m.method, m.pair)


def test_the_default_method_holds() -> None:
    """What who chooses nothing gets, in the engine, at the command line and in the demo."""
    command = inspect.signature(protect).parameters["method"].default
    assert (ProtectOptions().method, command) == (DEFAULT_METHOD, DEFAULT_METHOD)
    pages = [file.read_text(encoding="utf-8") for file in (ROOT / "demo" / "tabs").glob("*.py")]
    calls = [
        node for page in pages for node in ast.walk(ast.parse(page)) if isinstance(node, ast.Call)
    ]
    settings = [{one.arg: ast.unparse(one.value) for one in call.keywords} for call in calls]
    (chosen,) = [one for one in settings if one.get("elem_id") == "'protect-method'"]
    assert chosen["value"] == "DEFAULT_METHOD"
    attacked = standings(RELEASED)[DEFAULT_METHOD].attacked
    assert attacked is not None
    assert attacked.sense == "holds"


@pytest.mark.slow
@pytest.mark.shared
@pytest.mark.skipif(not EVALUATION.is_file(), reason="needs the evaluation faces")
def test_ten_of_its_figures_are_made_again(tmp_path: Path) -> None:
    faces = FaceSet(EVALUATION)
    numbers = {record.file: index for index, record in enumerate(faces.records)}
    draw = np.random.default_rng(0)
    with Reader(RELEASED) as reader:
        runs = {run.id: run for run in reader.runs("benchmark") if run.data_hash == faces.sha256()}
        means = reader.means(metric="psnr_db", method=METHODS, pair=PAIRS)
        own = [mean for mean in means if mean.run_id in runs]
        assert len(own) >= COUNT
        for place in draw.choice(len(own), COUNT, replace=False):
            mean = own[place]
            stored = reader.distribution(mean.series_id)
            image, value = stored[draw.integers(len(stored))]
            unit = Unit(Subject(mean.method), mean.mask, (numbers[image],))
            config = config_of(runs[mean.run_id])
            scores = measure_unit(faces, unit, config, tmp_path, "cpu").scores
            (found,) = [s.value for s in scores if (s.pair, s.metric) == (mean.pair, "psnr_db")]
            assert found == pytest.approx(value, abs=0.1), (
                mean.method,
                mean.mask,
                image,
                mean.pair,
            )
