"""The mask that a diffusion model of the user's choice paints, with a pipeline written here."""

import csv
import importlib.util
import json
import re
import shutil
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from skimage.data import astronaut
from tiny_zoo import random_embedder
from typer.testing import CliRunner, Result

from engine._compat import ensure_torchvision
from engine.benchmark import BenchmarkConfig, cost, embedders
from engine.benchmark.plan import Subject
from engine.cli import app
from engine.data import FaceSet
from engine.errors import LandmarksError, MaskError, ModelError, WeightsMissingError
from engine.images import open_photo, write_png
from engine.masks import make_mask, models_of
from engine.masks.diffusion import hash_pipeline, load_inpainting
from engine.masks.portrait import lay_back, to_portrait
from engine.results import Reader

needs_transformers = pytest.mark.skipif(
    importlib.util.find_spec("transformers") is None,
    reason="diffusers' inpainting pipelines need the package transformers",
)
LANDMARKS = np.array(
    [[48.2, 61.7], [92.0, 64.5], [68.3, 85.1], [48.4, 102.3], [86.3, 104.4]], np.float32
)
FEW = {"steps": 2, "guidance": 2.0}

Photo = npt.NDArray[np.uint8]


@pytest.fixture(scope="module")
def face_u8() -> Photo:
    return np.ascontiguousarray(astronaut()[40:180, 155:295])


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    ensure_torchvision()
    from tiny_inpainting import write_pipeline

    yield str(write_pipeline(tmp_path_factory.mktemp("tiny")))
    load_inpainting.cache_clear()


def paint(face_u8: Photo, model: str, seed: int = 3) -> Photo:
    return make_mask(
        "diffusion", face_u8, landmarks=LANDMARKS, seed=seed, strength=FEW, model=model
    )


@needs_transformers
def test_only_the_inner_face_is_painted_and_equal_seeds_paint_equal(
    face_u8: Photo, pipeline: str
) -> None:
    before_u8 = face_u8.copy()
    made_u8 = paint(face_u8, pipeline)
    assert np.array_equal(face_u8, before_u8)
    assert np.array_equal(paint(face_u8, pipeline), made_u8)
    assert not np.array_equal(paint(face_u8, pipeline, seed=2**128 - 1), made_u8)
    portrait = to_portrait(face_u8, LANDMARKS, side=32)
    white_u8 = np.full_like(portrait.picture_u8, 255)
    inner = lay_back(np.zeros_like(face_u8), white_u8, portrait)[..., 0] > 0
    assert np.array_equal(made_u8[~inner], face_u8[~inner])
    assert (made_u8[inner] != face_u8[inner]).mean() > 0.9


@needs_transformers
def test_what_is_painted_does_not_depend_on_the_face_that_was_there(
    face_u8: Photo, pipeline: str
) -> None:
    portrait = to_portrait(face_u8, LANDMARKS, side=32)
    black_u8 = np.zeros_like(portrait.picture_u8)
    inner = lay_back(np.zeros_like(face_u8), black_u8 + 255, portrait)[..., 0] == 255
    other_u8 = face_u8.copy()
    other_u8[inner] = 255 - other_u8[inner]
    first_u8, second_u8 = (paint(one_u8, pipeline) for one_u8 in (face_u8, other_u8))
    # The seam blends with what was there, and where the portrait is small it blurs a little.
    middle = (slice(80, 90), slice(65, 75))
    difference = np.abs(first_u8[middle].astype(int) - second_u8[middle])
    assert difference.mean() < 3


@needs_transformers
def test_what_is_no_pipeline_is_a_named_error(tmp_path: Path, face_u8: Photo) -> None:
    (tmp_path / "model_index.json").write_text(json.dumps({"_class_name": "DDPMPipeline"}))
    with pytest.raises(ModelError, match="inpainting pipeline") as caught:
        paint(face_u8, str(tmp_path))
    assert caught.value.hint
    with pytest.raises(WeightsMissingError, match="not on this machine"):
        paint(face_u8, str(tmp_path / "nowhere"))


DAMAGES: dict[str, Callable[[bytes], bytes | None]] = {
    "gone": lambda data: None,
    "truncated": lambda data: data[: len(data) // 2],
    "empty": lambda data: b"",
    "a list": lambda data: b"[]",
}


@needs_transformers
@pytest.mark.parametrize(
    ("name", "damage"),
    [
        ("model_index.json", "gone"),
        ("model_index.json", "truncated"),
        ("model_index.json", "a list"),
        ("text_encoder/config.json", "gone"),
        ("text_encoder/config.json", "a list"),
        ("text_encoder/model.safetensors", "gone"),
        ("text_encoder/model.safetensors", "truncated"),
        ("text_encoder/model.safetensors", "empty"),
        ("tokenizer/tokenizer.json", "gone"),
        ("tokenizer/tokenizer.json", "truncated"),
        ("tokenizer/tokenizer_config.json", "gone"),
        ("unet/config.json", "truncated"),
        ("unet/diffusion_pytorch_model.safetensors", "gone"),
        ("unet/diffusion_pytorch_model.safetensors", "truncated"),
        ("vae", "gone"),
    ],
)
def test_a_damaged_pipeline_is_a_named_error(
    face_u8: Photo, pipeline: str, tmp_path: Path, name: str, damage: str
) -> None:
    shutil.copytree(pipeline, tmp_path / "copy")
    file = tmp_path / "copy" / name
    if file.is_dir():
        shutil.rmtree(file)
    else:
        left = DAMAGES[damage](file.read_bytes())
        file.unlink() if left is None else file.write_bytes(left)
    with pytest.raises(ModelError, match="diffusion model must") as caught:
        paint(face_u8, str(tmp_path / "copy"))
    assert caught.value.hint
    assert str(tmp_path) not in f"{caught.value} {caught.value.hint}"


@needs_transformers
def test_landmarks_are_needed(face_u8: Photo, pipeline: str) -> None:
    with pytest.raises(LandmarksError, match="none were found"):
        make_mask("diffusion", face_u8, model=pipeline, strength=FEW)


def test_without_transformers_it_says_what_is_missing(
    face_u8: Photo, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    load_inpainting.cache_clear()
    with pytest.raises(WeightsMissingError, match="transformers") as caught:
        paint(face_u8, "any")
    assert "pip install transformers" in caught.value.hint


def test_strengths_and_the_missing_name_are_told(face_u8: Photo) -> None:
    with pytest.raises(MaskError, match="none is named"):
        make_mask("diffusion", face_u8, landmarks=LANDMARKS)
    with pytest.raises(MaskError, match="steps must be whole"):
        make_mask("diffusion", face_u8, landmarks=LANDMARKS, model="any", strength={"steps": 0.5})


def test_of_several_masks_those_that_take_a_model_get_it() -> None:
    assert models_of(["gaussian"], "") == {"gaussian": ""}
    assert models_of(["gaussian", "diffusion"], "any") == {"gaussian": "", "diffusion": "any"}
    with pytest.raises(MaskError, match="none is named"):
        models_of(["gaussian", "diffusion"], "")
    with pytest.raises(
        MaskError, match="expected a mask that takes a model, got gaussian, ksame"
    ) as caught:
        models_of(["gaussian", "ksame"], "any")
    assert "diffusion" in caught.value.hint


# --- on the command line --------------------------------------------------------------------------


def run(*words: str | Path) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words])


def told(result: Result) -> str:
    """What is said of work that was done, without line breaks."""
    assert result.exit_code == 0, result.stderr
    return " ".join((result.stdout + result.stderr).split())


def refused(result: Result, about: str, verb: str) -> str:
    """The hint of a refusal; every option that it names is one of the verb's."""
    assert result.exit_code == 1, result.output
    error, hint = result.stderr.splitlines()[-2:]
    assert re.search(about, error), error
    known = CliRunner().invoke(app, [verb, "--help"], env={"COLUMNS": "200"}).stdout
    assert all(option in known for option in re.findall(r"--[a-z-]+", hint)), hint
    return hint


@pytest.fixture
def faces(tmp_path: Path, face_u8: Photo) -> Path:
    """A zip of one face, with a csv that knows its landmarks."""
    write_png(tmp_path / "one.png", face_u8, None)
    with zipfile.ZipFile(tmp_path / "set.zip", "w") as archive:
        archive.write(tmp_path / "one.png", "one.png")
    points = {f"{axis}{i}": LANDMARKS[i, k] for i in range(5) for k, axis in enumerate("xy")}
    with (tmp_path / "set.csv").open("w", newline="") as file:
        table = csv.DictWriter(file, ["file", "source", "identity", *points])
        table.writeheader()
        table.writerow({"file": "one.png", "source": "lab", "identity": "", **points})
    return tmp_path / "set.zip"


@needs_transformers
def test_a_painted_photograph_is_brought_back(tmp_path: Path, pipeline: str) -> None:
    photo, shared, back = (tmp_path / f"{name}.png" for name in ("photo", "shared", "back"))
    write_png(photo, astronaut(), None)
    (tmp_path / "words").write_text("correct horse battery staple")
    key = ("--passphrase-file", tmp_path / "words")
    drawn = ("--mask", "diffusion", "--diffusion-model", pipeline, "--mask-seed", "3", "--json")
    made = run("protect", photo, "-o", shared, *key, *drawn, "--mask-strength", "steps=2")
    assert made.exit_code == 0, made.stderr
    described = json.loads(made.stdout)
    (face,) = described["faces"]
    assert face["notes"] == [], "painted, and not blurred instead"
    assert face["recovery_is_exact"]
    assert described["mask"].startswith("diffusion:")
    assert pipeline not in made.stdout
    x0, y0, x1, y1 = face["box"]
    original_u8, shared_u8 = open_photo(photo), open_photo(shared)
    changed = np.abs(original_u8.astype(int) - shared_u8)[y0:y1, x0:x1].max(axis=2) > 20
    assert 0.2 < changed.mean() < 0.8, "the inner face, and not the whole box"
    told(run("recover", shared, "-o", back, *key))
    assert np.array_equal(open_photo(back)[y0:y1, x0:x1], original_u8[y0:y1, x0:x1])


@needs_transformers
def test_a_benchmark_of_painted_faces_is_another_for_another_pipeline(
    tmp_path: Path, pipeline: str, faces: Path
) -> None:
    random_embedder(1).save_pretrained(tmp_path / "model")
    words = ("benchmark", "--data", faces, "--db", tmp_path / "results.db", "--limit", "1",
             "--methods", f"sealed,ours={tmp_path / 'model'}", "--masks", "diffusion,gaussian",
             "--device", "cpu", "--threads", "1", "--diffusion-model")  # fmt: skip

    def measured(model: Path | str) -> list[str]:
        said = told(run(*words, model))
        assert "could not be laid" not in said
        assert "| ours mask:protected | diffusion |" in said
        with Reader(tmp_path / "results.db") as reader:
            return [one.config for one in reader.runs("benchmark")]

    (config,) = measured(pipeline)
    assert json.loads(config)["weights"]["diffusion model"] == hash_pipeline(pipeline)
    assert pipeline not in config and "model" not in json.loads(config)
    shutil.copytree(pipeline, tmp_path / "copy")
    assert measured(tmp_path / "copy") == [config], "the same pipeline in another folder"
    other = tmp_path / "copy" / "scheduler" / "scheduler_config.json"
    other.write_text(json.dumps(json.loads(other.read_text()) | {"beta_end": 0.03}))
    load_inpainting.cache_clear()
    assert len({*measured(tmp_path / "copy")}) == 2


@needs_transformers
def test_costs_are_those_of_the_pipeline(
    pipeline: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cost, "BATCH", 1)
    config = BenchmarkConfig(("sealed",), ("diffusion",), parts=("cost",), model=pipeline)
    cost.check_costs("diffusion", config)
    hide, _ = cost._photo_calls(Subject("sealed"), "diffusion", pipeline, tmp_path)
    hide()
    assert (tmp_path / "photo.png").is_file()
    with pytest.raises(MaskError, match="none is named"):
        cost.check_costs("diffusion", replace(config, model=""))


@needs_transformers
def test_a_batch_is_laid_by_the_pipeline_that_is_named(pipeline: str, faces: Path) -> None:
    config = BenchmarkConfig(("sealed",), ("diffusion",), model=pipeline)
    one = FaceSet(faces)
    made = embedders._masked(one, 0, "diffusion", config)
    assert (made.notes, made.laid) == ((), 1)
    assert not np.array_equal(made.photo_u8, one.load(0))


@needs_transformers
def test_a_pipeline_is_known_by_its_files_in_a_folder_and_from_the_hub(
    pipeline: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    known, fetched = hash_pipeline(pipeline), tmp_path / "models--tiny--painter"
    shutil.copytree(pipeline, fetched / "snapshots" / "0123abcd")
    (fetched / "refs").mkdir()
    (fetched / "refs" / "main").write_text("0123abcd")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    assert hash_pipeline("tiny/painter") == known
    own = fetched / "snapshots" / "0123abcd"
    (own / ".gitattributes").write_text("no part of the pipeline")
    assert hash_pipeline(str(own)) == known
    (own / "unet").rename(tmp_path / "unet")
    (own / "unet").symlink_to(tmp_path / "unet")
    assert hash_pipeline(str(own)) == known
    (tmp_path / "unet" / "config.json").write_text("another")
    assert hash_pipeline(str(own)) != known
    shutil.copy(Path(pipeline) / "unet" / "config.json", tmp_path / "unet" / "config.json")
    (own / "model_index.json").rename(own / "renamed.json")
    assert hash_pipeline(str(own)) != known
    with pytest.raises(WeightsMissingError, match="cache of the Hub"):
        hash_pipeline("tiny/painter")


def test_a_benchmark_without_its_pipeline_is_refused_and_leaves_no_database(
    tmp_path: Path, faces: Path
) -> None:
    words = ("benchmark", "--data", faces, "--db", tmp_path / "results.db", "--masks")
    hint = refused(run(*words, "diffusion"), "none is named", "benchmark")
    assert "--diffusion-model" in hint
    idle = (*words, "gaussian,ksame", "--diffusion-model", "any")
    assert "--diffusion-model" in refused(
        run(*idle), "expected a mask that takes a model", "benchmark"
    )
    nowhere = run(*words, "diffusion", "--diffusion-model", tmp_path / "nowhere")
    refused(nowhere, "not on this machine|needs the package transformers", "benchmark")
    assert not (tmp_path / "results.db").exists()


def test_an_attack_says_that_it_takes_no_pipeline(tmp_path: Path, faces: Path) -> None:
    db = tmp_path / "results.db"
    attack = run("attack", "tamper", "--data", faces, "--masks", "diffusion", "--db", db)
    assert "simswap" in refused(attack, "expected a mask of our own", "attack")
    words = ("benchmark", "--data", faces, "--db", db, "--masks", "diffusion")
    both = run(*words, "--diffusion-model", "any", "--attacks", "tamper")
    refused(both, "expected a mask of our own", "benchmark")
    assert not db.exists()


def test_the_verb_masks_refuses_before_it_measures(faces: Path) -> None:
    words = ("masks", "--data", faces, "--threshold", "0.4", "--masks")
    missing = run(*words, "gaussian,diffusion")
    assert "--diffusion-model" in refused(missing, "none is named", "masks")
    assert missing.stdout == ""
    idle = run(*words, "gaussian", "--diffusion-model", "any")
    refused(idle, "expected a mask that takes a model", "masks")
