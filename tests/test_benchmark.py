import csv
import json
import shlex
import signal
import sqlite3
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from sample_photos import Photo, group, portrait
from tiny_zoo import (
    forget,
    grey_embedder,
    point_zoo_at,
    random_embedder,
    random_recognizer,
    write_models,
)
from torch import Tensor
from typer.testing import CliRunner

from engine.benchmark import (
    BenchmarkConfig,
    BenchmarkOptions,
    benchmark,
    choose,
    cost,
    embedders,
    photographs,
)
from engine.benchmark.cost import measure_costs
from engine.benchmark.embedders import fitted_psnr_db
from engine.benchmark.judge import Exhibit, judge
from engine.benchmark.plan import Subject, passphrase
from engine.benchmark.rig import Keys, network_of
from engine.cli import app
from engine.crops import crop
from engine.data import FaceFile, FaceSet
from engine.errors import MaskError, MethodError, MetricError, ResultsError
from engine.faces import detect
from engine.images import write_png
from engine.keys import KdfParams, Key, key_map_tensor
from engine.masking import Masked, lay_masks
from engine.masks import MASKS
from engine.methods import find_method
from engine.provenance import command_line
from engine.results import Artifact, Reader, Results, Score
from engine.zoo import load_model

ROOT = Path(__file__).resolve().parents[1]
EVALUATION = ROOT / ".." / "shared" / "data" / "eval_112.zip"
PLACED = ("ksame", "sticker")
QUICK = BenchmarkConfig(("sealed",), ("pixelate",), ("psnr_db", "ssim"))
RAND = replace(QUICK, methods=("proface-s-rand",))


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two sets of two faces; one has odd sides and another size than the others."""
    folder = tmp_path_factory.mktemp("faces")
    photo_u8 = group()
    boxes = {
        "one/a.png": (48, 48),
        "one/b.png": (48, 48),
        "two/c.png": (48, 48),
        "two/d.png": (47, 41),
    }
    for number, (name, (height, width)) in enumerate(boxes.items()):
        (folder / name).parent.mkdir(exist_ok=True)
        left = 60 + 90 * number
        Image.fromarray(photo_u8[100 : 100 + height, left : left + width]).save(folder / name)
    return folder


@pytest.fixture
def results(tmp_path: Path) -> Iterator[Results]:
    database = Results(tmp_path / "results.db")
    yield database
    database.close()


def rows(path: Path) -> list[tuple[object, ...]]:
    """Every figure, without the numbers that rows happen to have."""
    connection = sqlite3.connect(path)
    found = connection.execute(
        """SELECT method, mask, protocol, image, face.source, pair, metric, round(value, 4)
        FROM score JOIN series ON series.id = series_id JOIN face ON face.id = face_id ORDER BY 1,
        2, 3, 4, 5, 6, 7"""
    ).fetchall()
    connection.close()
    return found


# --- what is measured -----------------------------------------------------------------------------


def test_every_face_has_every_figure(folder: Path, results: Results) -> None:
    config = replace(RAND, methods=("proface-s-rand", "proface-s-obfs", "sealed"))
    run_id = benchmark(FaceSet(folder), config, results)
    means = results.mean_scores(run_id)
    assert {mean.images for mean in means} == {2}
    for method, aim in (
        ("proface-s-rand", "original"),
        ("proface-s-obfs", "mask"),
        ("sealed", "original"),
    ):
        found = {(m.pair, m.metric) for m in means if m.method == method}
        pairs = ("mask:protected", "original:recovered", f"{aim}:wrong")
        assert found == {(pair, metric) for pair in pairs for metric in ("psnr_db", "ssim")} | {
            ("wrong", "clipped")
        }
    known = {(m.method, m.source, m.pair): m for m in means if m.metric == "psnr_db"}
    for source in ("one", "two"):
        assert known["proface-s-rand", source, "original:recovered"].greatest > 30
        assert known["proface-s-rand", source, "original:wrong"].greatest < 15
        assert known["proface-s-obfs", source, "mask:wrong"].least > 20
        assert known["sealed", source, "original:wrong"].greatest < 15


@pytest.mark.parametrize("method", ["proface-s-rand", "proface-s-obfs"])
@pytest.mark.parametrize("mask", ["gaussian", "pixelate"])
def test_batches_show_what_the_pipeline_shows(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, method: str, mask: str
) -> None:
    """The law of the benchmark: what is measured is what the program gives to a person."""
    assert_batches_show_the_pipelines(folder, tmp_path, monkeypatch, method, mask)


def test_batches_scramble_as_the_pipeline_does(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_models(tmp_path / "models")
    point_zoo_at(monkeypatch, tmp_path / "models")
    assert_batches_show_the_pipelines(folder, tmp_path, monkeypatch, "proface-k", "pixelate")
    forget()


def assert_batches_show_the_pipelines(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, method: str, mask: str
) -> None:
    faces, config = FaceSet(folder), replace(QUICK, masks=(mask,), parts=("keys", "spoof"))
    salts = iter(embedders.drawn(0, faces.records[i].file, "salt")[:16] for i in range(4))
    monkeypatch.setattr("engine.pipeline.new_salt", lambda: next(salts))
    subject = Subject(method)
    batched = embedders.show(faces, [0, 1, 2], subject, mask, config, tmp_path, "cpu")
    batched += embedders.show(faces, [3], subject, mask, config, tmp_path, "cpu")
    for index, exhibit in enumerate(batched):
        alone = photographs.show(faces, index, subject, mask, config, tmp_path, "cpu")
        assert alone.shown.keys() == exhibit.shown.keys()
        assert alone.pairs == exhibit.pairs
        for name, picture in exhibit.shown.items():
            levels = 255 * (picture - alone.shown[name]).abs()
            # Sums in another order may tip a rounding here and there, and with it the cell of four
            # pixels that is rounded as one; lowering detail again spreads that over the picture.
            spread = name != "mask" and method == "proface-s-rand"
            assert levels.max() < (8.5 if spread else 1.5), name
            assert (levels > 0.5).float().mean() < (0.05 if spread else 0.001), name


def test_figures_are_made_again_to_the_last_digit(folder: Path, tmp_path: Path) -> None:
    config = replace(RAND, masks=("sticker", "noise"), parts=("keys", "sweep"))
    for name in ("first.db", "second.db"):
        results = Results(tmp_path / name)
        benchmark(FaceSet(folder), config, results)
        results.close()
    assert rows(tmp_path / "first.db") == rows(tmp_path / "second.db") != []


def test_the_size_of_batches_and_processes_changes_nothing(folder: Path, tmp_path: Path) -> None:
    config = replace(RAND, methods=("proface-s-rand", "sealed"))
    for name, options in (
        ("one.db", BenchmarkOptions(batch=1)),
        ("all.db", BenchmarkOptions(batch=16)),
        ("two.db", BenchmarkOptions(batch=2, jobs=2)),
    ):
        results = Results(tmp_path / name)
        benchmark(FaceSet(folder), config, results, options)
        results.close()
    own = [row for row in rows(tmp_path / "one.db") if row[0] != "sealed"]  # its salts are random
    for other in ("all.db", "two.db"):
        found = [row for row in rows(tmp_path / other) if row[0] != "sealed"]
        assert [row[:7] for row in found] == [row[:7] for row in own]
        assert [row[7] for row in found] == pytest.approx([row[7] for row in own], abs=0.02)
    assert len(rows(tmp_path / "two.db")) == len(rows(tmp_path / "one.db"))


def test_parts_of_a_network(folder: Path, results: Results) -> None:
    config = replace(RAND, limit=1, parts=("keys", "spoof", "sweep", "byproducts"))
    run_id = benchmark(FaceSet(folder), config, results)
    means = {(m.pair, m.metric): m for m in results.mean_scores(run_id) if m.source == "one"}
    psnr = {pair: mean.mean for (pair, metric), mean in means.items() if metric == "psnr_db"}
    for pair in ("original:one_char", "original:one_bit", "original:spoofed", "original:wrong"):
        assert psnr[pair] is not None and psnr[pair] < 15
    sweep = [psnr[f"original:flipped_{share:g}"] for share in (0.01, 0.05, 0.2, 0.5)]
    assert sweep[:3] == sorted(sweep[:3], reverse=True)
    assert sweep[0] > sweep[-1] + 5
    assert max(sweep[2:]) < 15, "a fifth of the bits is noise already, and half of them no worse"
    for name in ("byproduct", "recovery_byproduct", "wrong_byproduct", "mask"):
        assert 5 < means[f"original:{name}", "fitted_psnr_db"].least < 60


def test_byproducts_are_the_networks_own_and_are_not_shown(folder: Path, tmp_path: Path) -> None:
    faces, config = FaceSet(folder), replace(RAND, parts=("byproducts",))
    (exhibit,) = embedders.show(
        faces, [0], Subject("proface-s-rand"), "pixelate", config, tmp_path, "cpu"
    )
    assert not [name for name in exhibit.shown if "byproduct" in name]
    network = network_of(Subject("proface-s-rand"), "cpu")
    keys = Keys(Subject("proface-s-rand"), "pixelate", config, "one/a.png", (48, 48))
    right = key_map_tensor(keys.map("right"))
    protected = exhibit.shown["protected"]
    with torch.inference_mode():
        recovered, _ = network.inverse(protected, right.expand(-1, 3, -1, -1), right)
    # The same way back as recover(), which leaves its second output unmade.
    assert torch.allclose(recovered.clamp(0, 1), exhibit.shown["recovered"], atol=0.5 / 255 + 1e-4)


def test_fitted_psnr_sees_through_contrast_and_brightness() -> None:
    generator = torch.Generator().manual_seed(0)
    original = torch.rand(3, 3, 16, 16, generator=generator)
    noise = torch.rand(3, 3, 16, 16, generator=generator)
    hidden = original * torch.tensor([-40.0, 0.01, 3.0]).view(1, 3, 1, 1) + 7
    assert min(fitted_psnr_db(original, hidden)) > 60
    spread = -10 * torch.log10(original.var((2, 3), correction=0).mean(1))
    assert fitted_psnr_db(original, noise) == pytest.approx(spread.tolist(), abs=0.2)
    assert fitted_psnr_db(original, torch.ones_like(original)) == pytest.approx(spread.tolist())


def test_identity_is_compared_with_what_is_shared_too(
    folder: Path, results: Results, tmp_path: Path
) -> None:
    random_recognizer(0, threshold=0.5).save_pretrained(tmp_path / "one")
    names = tuple(f"{name}@{tmp_path / 'one'}" for name in ("identity_cosine", "identity_match"))
    config = replace(RAND, methods=("proface-s-rand", "sealed"), metrics=("psnr_db", *names))
    means = results.mean_scores(benchmark(FaceSet(folder), config, results))
    for method in config.methods:
        pairs = {"mask:protected", "original:recovered", "original:wrong"}
        found = {(m.pair, m.metric) for m in means if m.method == method and m.metric != "clipped"}
        assert found == {(pair, "psnr_db") for pair in pairs} | {
            (pair, f"{name}@one")
            for pair in pairs | {"original:protected"}
            for name in ("identity_cosine", "identity_match")
        }


def test_sealed_refuses_the_mask_for_the_picture(folder: Path, results: Results) -> None:
    run_id = benchmark(FaceSet(folder), replace(QUICK, limit=1, parts=("keys", "spoof")), results)
    means = {(m.pair, m.metric): m for m in results.mean_scores(run_id) if m.source == "one"}
    assert means["spoofed", "refused"].mean == 1
    for name in ("one_char", "one_bit"):
        assert means[f"original:{name}", "psnr_db"].greatest < 15


def test_papers_protocol_has_its_own_rows(folder: Path, results: Results) -> None:
    faces = FaceSet(folder)
    png = benchmark(faces, RAND, results)
    paper = benchmark(faces, replace(RAND, protocol="paper"), results)
    assert png != paper
    known = {}
    for run_id, protocol in ((png, "png"), (paper, "paper")):
        means = results.mean_scores(run_id)
        assert {mean.protocol for mean in means} == {protocol}
        known[protocol] = {(m.source, m.pair): m.mean for m in means if m.metric == "psnr_db"}
    for source in ("one", "two"):
        # Eight bits cost something in both directions, and stretched noise is closer to anything.
        assert known["paper"][source, "mask:protected"] > known["png"][source, "mask:protected"]
        assert (
            known["paper"][source, "original:recovered"]
            > known["png"][source, "original:recovered"]
        )
        assert known["paper"][source, "original:wrong"] != known["png"][source, "original:wrong"]


def test_lpips_of_the_papers_protocol_is_fed_as_their_code_does(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fed: list[Tensor] = []

    def measure(
        names: list[str], first: Tensor, second: Tensor, landmarks: object
    ) -> dict[str, Tensor]:
        fed.append(2 * first - 1)  # what engine.perceptual hands to the network
        return {names[0]: torch.zeros(len(first))}

    monkeypatch.setattr("engine.benchmark.judge.measure", measure)
    picture = torch.rand(1, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    exhibit = Exhibit(FaceFile("a", "", "", None), "", {"x": picture, "y": picture})
    exhibit.compare(["lpips_squeeze"], "x:y")
    judge([exhibit], "m", "k", "paper")
    judge([exhibit], "m", "k", "png")
    assert torch.allclose(fed[0], picture, atol=1e-6)
    assert torch.allclose(fed[1], 2 * picture - 1)


def test_a_face_that_the_network_cannot_hide_is_counted_not_dropped(
    folder: Path, tmp_path: Path, results: Results
) -> None:
    loud = random_embedder(0)
    with torch.no_grad():
        for weight in loud.parameters():
            weight.mul_(60)
    loud.save_pretrained(tmp_path / "loud")
    config = replace(QUICK, methods=(f"loud={tmp_path / 'loud'}",))
    run_id = benchmark(FaceSet(folder), config, results)
    found = {(m.method, m.pair, m.metric): m.mean for m in results.mean_scores(run_id)}
    assert found == {("loud", "photograph", "refused"): 1.0}


def test_faces_that_cannot_carry_a_mask_are_counted_and_told(tmp_path: Path) -> None:
    """Of two, one has all its landmarks in one place: it is blurred, whoever hides it."""
    (face,) = detect(portrait())
    assert face.landmarks is not None
    points = {"a.png": face.landmarks - np.array(face.box[:2]), "b.png": np.full((5, 2), 60.0)}
    with zipfile.ZipFile(tmp_path / "set.zip", "w") as archive:
        archive.writestr("a.png", write_png(None, crop(portrait(), face.box), None))
        archive.writestr("b.png", write_png(None, portrait()[:120, :120], None))
    with (tmp_path / "set.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["file", "source", "identity", *(f"{a}{i}" for i in range(5) for a in "xy")])
        table.writerows([name, "lab", "", *own.ravel()] for name, own in points.items())
    random_embedder(1).save_pretrained(tmp_path / "model")
    code, _, said = invoke(
        "--data", str(tmp_path / "set.zip"), "--db", str(tmp_path / "results.db"), "--methods",
        f"sealed,ours={tmp_path / 'model'}", "--masks", "ksame,sticker,gaussian", "--preset",
        "scaled", "--device", "cpu", "--threads", "1",
    )  # fmt: skip
    assert code == 0, said
    with Reader(tmp_path / "results.db") as reader:
        means = reader.means()
    noted = {(m.method, m.mask): m for m in means if m.metric == "mask_noted"}
    assert set(noted) == {(name, mask) for name in ("sealed", "ours") for mask in PLACED}
    assert {(m.images, m.mean, m.pair) for m in noted.values()} == {(1, 1.0, "photograph")}
    hidden = {(m.method, m.mask): m.images for m in means if m.pair == "mask:protected"}
    assert {*hidden.values()} == {2}, "hidden all the same"
    for method, mask in noted:
        assert f"{mask}: could not be laid, blurred instead: 1 of lab under {method}\n" in said
    assert "gaussian: could not be laid" not in said


def test_a_trained_folder_is_measured_under_its_own_name(
    folder: Path, tmp_path: Path, results: Results
) -> None:
    random_embedder(1).save_pretrained(tmp_path / "model")
    config = replace(QUICK, methods=(f"proface-s-obfs-n1={tmp_path / 'model'}",))
    run_id = benchmark(FaceSet(folder), config, results)
    pairs = {(m.method, m.pair) for m in results.mean_scores(run_id) if m.metric == "psnr_db"}
    names = ("mask:protected", "original:recovered", "mask:wrong")
    assert pairs == {("proface-s-obfs-n1", pair) for pair in names}
    with Reader(tmp_path / "results.db") as reader:
        run = reader.run(run_id)
        assert {blocks for blocks, _ in reader.blocks()} == {1}
    assert run.model == "proface-s-obfs-n1"
    assert len(run.weights_hash) == 64


def test_a_scrambling_folder_is_known_by_its_run_or_its_name(
    folder: Path, tmp_path: Path, results: Results
) -> None:
    grey_embedder().save_pretrained(tmp_path / "k" / "model")
    model = tmp_path / "k" / "model"
    named, other = Subject("proface-k-long", model), Subject("mine", model)
    assert (named.scrambled, other.scrambled) == (True, False)
    (tmp_path / "k" / "checkpoint").mkdir()
    for recipe, scrambled in (({"scrambled": True}, True), ({"scrambled": False}, False)):
        state = tmp_path / "k" / "checkpoint" / "state.json"
        state.write_text(json.dumps({"recipe": recipe}))
        assert Subject(f"proface-k-{scrambled}", model).scrambled is scrambled
    state.write_text(json.dumps({"recipe": {"scrambled": True}}))
    parts = ("keys", "spoof", "sweep", "byproducts")
    config = replace(QUICK, methods=(f"ours={model}",), masks=("box",), parts=parts)
    run_id = benchmark(FaceSet(folder), config, results)
    means = {m.pair: m for m in results.mean_scores(run_id) if m.metric == "psnr_db"}
    for pair in ("original:wrong", "original:one_char", "original:one_bit", "original:spoofed"):
        assert means[pair].greatest < 15
    assert not [pair for pair in means if "flipped" in pair]


def test_photographs(tmp_path: Path, results: Results) -> None:
    (tmp_path / "photos").mkdir()
    Image.fromarray(portrait()).save(tmp_path / "photos" / "portrait.png")
    Image.fromarray(np.full((64, 64, 3), 200, np.uint8)).save(tmp_path / "photos" / "empty.png")
    config = replace(QUICK, preset="scaled", photographs=True)
    run_id = benchmark(FaceSet(tmp_path / "photos"), config, results)
    means = {(m.pair, m.metric): m for m in results.mean_scores(run_id)}
    missed = means.pop(("photograph", "no_face"))
    assert (missed.source, missed.mean, missed.images) == ("faces not found", 1.0, 1)
    assert {mean.source for mean in means.values()} == {"faces over a tenth"}
    assert {mean.images for mean in means.values()} == {1}
    assert means["original:recovered faces", "psnr_db"].least > 40
    assert means["mask:protected faces", "psnr_db"].least > 20
    images = results.scored_images(run_id, "sealed", "pixelate")
    assert images == {"portrait.png", "empty.png"}  # neither is looked at again


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a second device")
def test_the_pipelines_network_is_where_it_shall_be() -> None:
    for device in ("cpu", "cuda"):
        photographs.settle(Subject("proface-s-rand"), device)
        network = load_model(find_method("proface-s-rand").model)  # type: ignore[attr-defined]
        assert network.device.type == device


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_costs_are_measured_once(folder: Path, tmp_path: Path, results: Results) -> None:
    config = replace(RAND, limit=1, masks=("pixelate", "gaussian"), parts=("cost",))
    run_id = benchmark(FaceSet(folder), config, results)
    with Reader(tmp_path / "results.db") as reader:
        costs = {(c.mask, c.name): c for _, c in reader.costs([run_id])}
        benchmark(FaceSet(folder), config, results)
        assert costs == {(c.mask, c.name): c for _, c in reader.costs()}
    assert {name for mask, name in costs if mask == "gaussian"} == {
        "parameters", "protect_batch_s", "recover_batch_s",
    }  # fmt: skip
    assert {"protect_photo_s", "recover_photo_s"} < {
        name for mask, name in costs if mask == "pixelate"
    }
    assert costs["gaussian", "parameters"].median == 1_073_040


def test_costs_have_quartiles_and_count_parameters(tmp_path: Path) -> None:
    network = random_embedder(1)
    network.save_pretrained(tmp_path / "model")
    subject = Subject("proface-s-rand-n1", tmp_path / "model")
    costs = {
        cost.name: cost for cost in measure_costs(subject, "pixelate", QUICK, "cpu", repeats=2)
    }
    assert set(costs) == {"parameters", "protect_batch_s", "recover_batch_s"}
    assert costs["parameters"].median == sum(p.numel() for p in network.parameters())
    for each in costs.values():
        assert 0 < each.low <= each.median <= each.high
    assert (costs["protect_batch_s"].batch, costs["protect_batch_s"].unit) == (16, "s")


@pytest.mark.parametrize(
    "mask", [name for name, entry in MASKS.items() if entry.replaces and not entry.takes_model]
)
def test_the_cost_of_another_face_is_not_that_of_the_blur(
    mask: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    random_embedder(1).save_pretrained(tmp_path / "model")
    subject = Subject("proface-s-rand-n1", tmp_path / "model")
    monkeypatch.setattr(cost, "BATCH", 3)
    hide, _ = cost._batch_calls(subject, mask, QUICK, "cpu")
    faces: list[tuple[Photo, Masked]] = []

    def lay(face_u8: Photo, *rest: Any, **more: Any) -> Masked:
        faces.append((face_u8, lay_masks(face_u8, *rest, **more)))
        return faces[-1][1]

    monkeypatch.setattr(cost, "lay_masks", lay)
    hide()
    assert len(faces) == 3
    for face_u8, made in faces:
        assert made.notes == ()
        changed = (made.photo_u8 != face_u8).any(axis=2)
        assert 0.2 < changed.mean() < 0.7, "the inner face alone, where a blur changes everything"
    far = cost._sitter(112)[0], np.zeros((5, 2), np.float32)
    monkeypatch.setattr(cost, "_sitter", lambda side: far)
    with pytest.raises(MetricError, match=f"the cost of the mask {mask} cannot be measured"):
        cost._batch_calls(subject, mask, QUICK, "cpu")[0]()


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"methods": ("seeled",)}, MethodError),
        ({"masks": ("blurr",)}, MaskError),
        ({"metrics": ("psnr",)}, MetricError),
        ({"parts": ("key",)}, MethodError),
        ({"protocol": "paper"}, MethodError),
        ({"photographs": True, "parts": ("keys",)}, MethodError),
    ],
)
def test_what_cannot_be_measured_is_refused_first(
    folder: Path, results: Results, change: dict[str, object], error: type[Exception]
) -> None:
    with pytest.raises(error):
        benchmark(FaceSet(folder), replace(QUICK, **change), results)
    assert results._db["run"].count == 0


# --- runs -----------------------------------------------------------------------------------------


def test_a_run_says_what_it_was(folder: Path, tmp_path: Path, results: Results) -> None:
    options = BenchmarkOptions(command="python -m engine benchmark ...")
    run_id = benchmark(FaceSet(folder), replace(RAND, limit=1, seed=5), results, options)
    with Reader(tmp_path / "results.db") as reader:
        run = reader.run(run_id)
    assert (run.kind, run.model, run.state) == ("benchmark", "proface-s-rand", "finished")
    assert (run.seed, run.device, run.threads, run.command) == (5, "cpu", 1, options.command)
    assert run.data_hash == FaceSet(folder).sha256()
    assert run.weights_hash == Subject("proface-s-rand").weights_hash()
    config = json.loads(run.config)
    assert (config["limit"], config["protocol"], config["masks"]) == (1, "png", ["pixelate"])


def ended(results: Results) -> list[tuple[object, ...]]:
    query = "SELECT state, finished_at, heartbeat_at FROM run"
    return results._db.conn.execute(query).fetchall()


def test_the_same_again_measures_nothing(folder: Path, results: Results) -> None:
    faces = FaceSet(folder)
    first = benchmark(faces, QUICK, results)
    before = ended(results)
    seen: list[tuple[int, int, str]] = []
    assert benchmark(faces, QUICK, results, report=lambda *at: seen.append(at)) == first
    assert seen == [(4, 4, "")]
    assert ended(results) == before
    assert benchmark(faces, replace(QUICK, seed=1), results) != first


def test_changed_code_starts_afresh_unless_it_is_told_to_go_on(
    folder: Path, results: Results
) -> None:
    faces = FaceSet(folder)
    first = benchmark(faces, QUICK, results)
    results._db.conn.execute("UPDATE run SET versions = '{}'")
    results._db.conn.execute("UPDATE run SET dirty = 0")
    assert benchmark(faces, QUICK, results, BenchmarkOptions(resume=True)) == first
    dirty = "SELECT dirty FROM run WHERE id = ?"
    assert results._db.conn.execute(dirty, [first]).fetchone() == (0,)  # nothing was left to do
    results._db.conn.execute("DELETE FROM score")
    assert benchmark(faces, QUICK, results, BenchmarkOptions(resume=True)) == first
    assert results._db.conn.execute(dirty, [first]).fetchone() == (1,)
    assert benchmark(faces, QUICK, results) != first


@pytest.mark.parametrize("jobs", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_stopped_and_gone_on_with_it_has_the_same_rows(
    folder: Path, tmp_path: Path, jobs: int
) -> None:
    config = replace(RAND, masks=("pixelate", "gaussian"))
    whole = Results(tmp_path / "whole.db")
    benchmark(FaceSet(folder), config, whole)
    whole.close()
    stopped = Results(tmp_path / "stopped.db")

    def stop(done: int, total: int, what: str) -> None:
        if done == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        benchmark(FaceSet(folder), config, stopped, BenchmarkOptions(batch=1, jobs=jobs), stop)
    with Reader(tmp_path / "stopped.db") as reader:
        assert [run.state for run in reader.runs()] == ["stopped"]
    assert 0 < len(rows(tmp_path / "stopped.db")) < len(rows(tmp_path / "whole.db"))
    benchmark(FaceSet(folder), config, stopped, BenchmarkOptions(batch=1))
    stopped.close()
    found, wanted = rows(tmp_path / "stopped.db"), rows(tmp_path / "whole.db")
    assert [row[:7] for row in found] == [row[:7] for row in wanted]
    assert [row[7] for row in found] == pytest.approx([row[7] for row in wanted], abs=0.02)
    with Reader(tmp_path / "stopped.db") as reader:
        assert [run.state for run in reader.runs()] == ["finished"]


def start(folder: Path, db: Path, *words: str) -> subprocess.Popen[str]:
    command = [
        sys.executable, "-m", "engine", "benchmark", "--data", str(folder), "--db", str(db),
        "--methods", "proface-s-rand", "--masks", "pixelate,gaussian,median,sticker",
        "--batch", "1", "--metrics", "psnr_db,ssim", "--threads", "1", "--device", "cpu", *words,
    ]  # fmt: skip
    return subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def finished(db: Path) -> int:
    if not db.exists():
        return 0
    connection = sqlite3.connect(f"file:{db}?mode=ro", uri=True)
    try:
        return int(connection.execute("SELECT count(*) FROM score").fetchone()[0])
    except sqlite3.OperationalError:
        return 0
    finally:
        connection.close()


def children(parent: int) -> list[int]:
    stats = [path.read_text() for path in Path("/proc").glob("[0-9]*/stat") if path.exists()]
    fields = [(int(stat.split()[0]), stat.rpartition(")")[2].split()) for stat in stats]
    return [number for number, rest in fields if int(rest[1]) == parent and rest[0] != "Z"]


def is_alive(process: int) -> bool:
    stat = Path(f"/proc/{process}/stat")
    return stat.exists() and stat.read_text().rpartition(")")[2].split()[0] != "Z"


@pytest.mark.slow
@pytest.mark.parametrize("jobs", ["1", "2"])
@pytest.mark.parametrize("sign", [signal.SIGKILL, signal.SIGINT])
def test_killed_and_gone_on_with_it_has_the_same_rows(
    folder: Path, tmp_path: Path, sign: signal.Signals, jobs: str
) -> None:
    db = tmp_path / "killed.db"
    with start(folder, db, "--jobs", jobs) as process:
        while not finished(db) and process.poll() is None:
            time.sleep(0.02)
        workers = children(process.pid)
        process.send_signal(sign)
        process.communicate()
    # One that is still starting sees only then that nobody is left to work for.
    deadline = time.monotonic() + 60
    while any(map(is_alive, workers)) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not [worker for worker in workers if is_alive(worker)]
    done = finished(db)
    with start(folder, db) as process:
        output, _ = process.communicate()
    assert process.returncode == 0
    assert "| proface-s-rand original:recovered | sticker |" in output
    whole = tmp_path / "whole.db"
    with start(folder, whole) as process:
        process.communicate()
    assert 0 < done < finished(whole)
    found, wanted = rows(db), rows(whole)
    assert [row[:7] for row in found] == [row[:7] for row in wanted]
    assert [row[7] for row in found] == pytest.approx([row[7] for row in wanted], abs=0.02)
    with Reader(db) as reader:
        assert [run.state for run in reader.runs()] == ["finished"]


# --- on the command line --------------------------------------------------------------------------


def invoke(*words: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, ["benchmark", *words])
    return result.exit_code, result.stdout, result.stderr


def test_attacks_follow_on_the_same_faces(folder: Path, tmp_path: Path) -> None:
    db = tmp_path / "results.db"
    words = ("--data", str(folder), "--db", str(db), "--methods", "sealed", "--masks", "gaussian",
             "--limit", "1", "--device", "cpu", "--threads", "1", "--attacks")  # fmt: skip
    code, _, said = invoke(*words, "microscope,nothing")
    assert code == 1 and "nothing" in said
    assert not db.is_file(), "refused before anything was measured"
    code, output, said = invoke(*words, "microscope")
    assert code == 0, said
    assert "| sealed mask:protected | gaussian |" in output
    with Reader(db) as reader:
        assert sorted(run.kind for run in reader.runs()) == ["attack", "benchmark"]
        assert {run.state for run in reader.runs()} == {"finished"}


def test_tables_are_printed_beside_the_papers(folder: Path, tmp_path: Path) -> None:
    db = str(tmp_path / "results.db")
    code, output, _ = invoke(
        "--data", str(folder), "--db", db, "--methods", "proface-s-rand", "--masks", "gaussian",
        "--device", "cpu", "--threads", "1",
    )  # fmt: skip
    assert code == 0
    assert "| proface-s-rand mask:protected | gaussian |" in output
    code, output, _ = invoke("--table", "1", "--db", db)
    assert code == 0
    assert "| PRO-Face S RandWR | gaussian | mask:protected | 46.64 / missing |" in output
    assert "| PRO-Face | average | mask:protected | 34.77 / - |" in output
    # Faces of a set that the paper does not have stand below its own rows.
    assert re_search(r"\| proface-s-rand \| gaussian \| mask:protected \|.* - / \d\d\.\d\d", output)
    assert "Each cell: the paper / ours." in output
    for style, mark in (
        ("--latex", r"\begin{tabular}{lll"),
        ("--csv", "method,mask,pair,lfw PSNR"),
    ):
        code, output, _ = invoke("--table", "table_2_recover", style, "--db", db)
        assert code == 0
        assert output.startswith(mark)
    released = tmp_path / "released.db"
    assert invoke("--db", db, "--snapshot", str(released))[0] == 0
    assert invoke("--table", "1", "--db", str(released))[1] == invoke("--table", "1", "--db", db)[1]
    code, _, error = invoke("--db", db, "--snapshot", str(released))
    assert (code, "released.db cannot be written" in error) == (1, True)
    code, _, error = invoke("--table", "9", "--db", db)
    assert code == 1
    assert "no table is called '9'" in error


def re_search(pattern: str, text: str) -> bool:
    import re

    return re.search(pattern, text) is not None


@pytest.mark.parametrize(
    "words",
    [
        (), ("--data", ".", "--protocol", "float"), ("--table", "1", "--latex", "--csv"),
        ("--data", ".", "--thumbnails", "3"), ("--data", ".", "--batch", "0"),
        ("--data", ".", "--jobs", "0"),
    ],
)  # fmt: skip
def test_wrong_usage(words: tuple[str, ...]) -> None:
    assert invoke(*words)[0] == 2


def test_the_command_is_kept_for_a_shell_and_names_no_folder_of_the_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = tmp_path / "clone"
    here.mkdir()
    monkeypatch.chdir(here)
    kept = command_line([
        "benchmark", "--data", str(tmp_path / "set of faces.zip"), f"--db={here / 'runs' / 'a.db'}",
        "--methods", f"one={here / 'runs' / 'one'},two=/elsewhere/two,sealed", "--licence",
        "drawn; free", "--snapshot", "/elsewhere/b.db", "--metrics",
        f"ssim,identity_cosine@{here / 'runs@me'},identity_cosine@insightface:/elsewhere/pack",
    ])  # fmt: skip
    assert shlex.split(kept) == [
        "python", "-m", "engine", "benchmark", "--data", "../set of faces.zip", "--db=runs/a.db",
        "--methods", "one=runs/one,two=two,sealed", "--licence", "drawn; free", "--snapshot",
        "b.db", "--metrics", "ssim,identity_cosine@runs@me,identity_cosine@insightface:pack",
    ]  # fmt: skip
    assert command_line(["benchmark", "--data", "../faces"]) == (
        "python -m engine benchmark --data ../faces"
    )


def test_pictures_and_figures_are_stored_together(results: Results) -> None:
    run_id = results.start_run("benchmark", "m", "", "{}")
    figure = Score("a.png", "lfw", "sealed", "box", "mask:protected", "ssim", 1.0)
    with pytest.raises(ResultsError, match="licence"):
        results.add_scores(run_id, [figure], [Artifact("a.png", "sealed", "box", "mask", "", b"")])
    assert results.scored_images(run_id, "sealed", "box") == set()


def test_pictures_are_kept_with_their_licence_only(folder: Path, tmp_path: Path) -> None:
    results = Results(tmp_path / "kept.db")
    faces, config = FaceSet(folder), replace(RAND, methods=("proface-s-rand", "sealed"))
    options = BenchmarkOptions(thumbnails=1, licence="public domain")
    run_id = benchmark(faces, config, results, options)
    results.close()
    with Reader(tmp_path / "kept.db") as reader:
        kept = reader.artifacts(run_id)
        assert {one.licence for one in kept} == {"public domain"}
        assert {(one.image, one.method) for one in kept} == {
            ("one/a.png", "proface-s-rand"),
            ("one/a.png", "sealed"),
        }
        assert sorted({one.name for one in kept}) == [
            "mask",
            "original",
            "protected",
            "recovered",
            "wrong",
        ]
        assert all(one.data.startswith(b"\x89PNG") for one in kept)
    other = Results(tmp_path / "none.db")
    run_id = benchmark(faces, config, other, replace(options, licence=""))
    other.close()
    with Reader(tmp_path / "none.db") as reader:
        assert reader.artifacts(run_id) == []


def test_no_passphrase_or_key_is_stored(folder: Path, tmp_path: Path) -> None:
    results = Results(tmp_path / "results.db")
    benchmark(FaceSet(folder), replace(RAND, parts=("keys",), limit=1), results)
    results.close()
    stored = (tmp_path / "results.db").read_bytes()
    for file in ("one/a.png", "two/c.png"):
        for word in ("right", "wrong"):
            secret = passphrase(0, file, word)
            salt = embedders.drawn(0, file, "salt")[:16]
            key = Key.from_passphrase(secret, salt, KdfParams.cheapest())
            assert secret.encode() not in stored
            assert key.fingerprint.encode() not in stored


# --- on the fixed set -----------------------------------------------------------------------------


@pytest.mark.shared
@pytest.mark.skipif(not EVALUATION.is_file(), reason="needs the evaluation faces")
def test_choice_of_the_fixed_set_is_fixed() -> None:
    faces = FaceSet(EVALUATION)
    chosen = choose(faces, replace(QUICK, limit=3))
    assert len(chosen) == 9
    assert chosen == choose(faces, replace(QUICK, limit=3))
    assert chosen != choose(faces, replace(QUICK, limit=3, seed=1))
    assert [faces.records[i].source for i in chosen] == ["celeba"] * 3 + ["ffhq"] * 3 + ["lfw"] * 3
    assert len(choose(faces, QUICK)) == 1500
