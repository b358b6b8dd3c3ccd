"""Recognisers: ours, trained ones, insightface's packs, TorchScript; ONNX; figures of identity."""

import json
import warnings
from pathlib import Path

import numpy as np
import pytest
import skimage.data
import torch
from insightface.app import FaceAnalysis
from insightface.model_zoo import get_model
from laws import assert_batch_equals_items, assert_keeps_inputs
from PIL import Image
from tiny_pack import write_pack
from tiny_zoo import forget, random_recognizer, write_model
from torch import Tensor

from engine import metrics, recognition, zoo
from engine.benchmark.judge import Exhibit, judge
from engine.benchmark.plan import BenchmarkConfig
from engine.data import FaceFile, FaceSet
from engine.errors import MetricError, ModelError, UnknownModelError, WeightsMissingError
from engine.faces import crop, detect
from engine.images import from_u8, to_u8
from engine.networks.embedder import Embedder
from engine.networks.recognizer import Recognizer
from engine.recognition import (
    ONNX_FILE,
    RECOGNIZER,
    align_batch,
    embed,
    export_onnx,
    find_recognizer,
)


def faces(count: int = 3, side: int = 112) -> Tensor:
    return torch.rand(count, 3, side, side, generator=torch.Generator().manual_seed(5))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("trained") / "model"
    random_recognizer(0, threshold=0.5).save_pretrained(path)
    return path


@pytest.fixture(scope="module")
def pack(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_pack(tmp_path_factory.mktemp("home") / "models" / "tiny")


@pytest.fixture(scope="module")
def astronaut() -> tuple[np.ndarray, np.ndarray]:
    """The photograph and the landmarks of its face."""
    photo_u8 = np.ascontiguousarray(skimage.data.astronaut())
    (face,) = detect(photo_u8)
    assert face.landmarks is not None
    return photo_u8, face.landmarks


# --- the network ----------------------------------------------------------------------------------


def test_embeddings_have_length_one_and_items_equal_their_batch() -> None:
    network = random_recognizer(0)
    with torch.inference_mode():
        found = network(faces())
        assert found.shape == (3, 16)
        assert torch.allclose(found.norm(dim=1), torch.ones(3), atol=1e-5)
        assert torch.equal(network.embed(2 * faces() - 1), found)
        assert_batch_equals_items(network, faces(), tolerance=1e-5)
        assert_keeps_inputs(network, faces())


def test_widths_that_torch_cannot_train_are_refused() -> None:
    with pytest.raises(ModelError, match="multiples of 8") as caught:
        Recognizer(widths=(8, 12, 16))
    assert caught.value.hint


def test_the_trained_size_is_mobilefacenets() -> None:
    assert sum(p.numel() for p in Recognizer().parameters()) == 978_848


# --- finding one ----------------------------------------------------------------------------------


def test_a_trained_folder_is_found_with_its_threshold(folder: Path) -> None:
    judge = find_recognizer(str(folder))
    assert (judge.name, judge.threshold) == (folder.parent.name, 0.5)
    with torch.inference_mode():
        assert torch.equal(judge.embed(faces()), random_recognizer(0)(faces()))


def test_a_torchscript_file_is_found(tmp_path: Path) -> None:
    file = tmp_path / "teacher.ts"
    traced = torch.jit.trace(random_recognizer(0), faces(1))
    traced.save(str(file))
    judge = find_recognizer(str(file))
    assert (judge.name, judge.threshold) == ("teacher.ts", None)
    with torch.inference_mode():
        expected = random_recognizer(0)(faces())
    assert torch.allclose(judge.embed(faces()), expected, atol=1e-5)
    file.write_bytes(b"no zip")
    recognition._of_file.cache_clear()
    with pytest.raises(ModelError, match="cannot be loaded"):
        find_recognizer(str(file))
    with pytest.raises(WeightsMissingError, match=r"found no gone\.ts"):
        find_recognizer(str(tmp_path / "gone.ts"))


@pytest.mark.parametrize("name", ["", "recogniser", "/nowhere/model"])
def test_an_unknown_name_is_told(name: str) -> None:
    with pytest.raises(UnknownModelError, match="no recogniser is called") as caught:
        find_recognizer(name)
    assert "insightface:PACK" in caught.value.hint


def test_what_is_released_is_meant_where_none_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(zoo, "RELEASED", {})
    for name in metrics.METRICS:
        if name.startswith("identity_"):
            assert metrics.available(name) == "no recogniser is released yet"
            with pytest.raises(UnknownModelError, match="no recogniser is released") as caught:
                metrics.measure([name], faces(1), faces(1))
            assert "python -m engine train recognizer" in caught.value.hint
    write_model(tmp_path / RECOGNIZER, random_recognizer(2, threshold=0.4), RECOGNIZER)
    monkeypatch.setattr(zoo, "MODELS_FOLDER", tmp_path)
    monkeypatch.setattr(zoo, "RELEASED", {RECOGNIZER: zoo.hash_model(tmp_path / RECOGNIZER)})
    forget()
    judge = find_recognizer()
    forget()
    assert (judge.name, judge.threshold) == (RECOGNIZER, 0.4)
    assert judge.sha256 == zoo.RELEASED[RECOGNIZER]
    assert metrics.label("identity_cosine") == "identity_cosine"


def test_another_network_is_no_recogniser(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="must be a Recognizer, got a Embedder"):
        find_recognizer(next(iter(zoo.RELEASED)))
    Embedder(blocks=1).save_pretrained(tmp_path)
    with pytest.raises(ModelError, match="holds another network"):
        find_recognizer(str(tmp_path))


# --- an insightface pack --------------------------------------------------------------------------


def test_a_pack_embeds_as_insightface_itself_does(
    pack: Path, astronaut: tuple[np.ndarray, np.ndarray], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INSIGHTFACE_HOME", str(pack.parents[1]))
    judge = find_recognizer("insightface:tiny")
    assert (judge.name, judge.threshold) == ("insightface:tiny", None)
    assert find_recognizer(f"insightface:{pack}").name == "insightface:tiny"
    photo_u8, landmarks = astronaut
    aligned = align_batch(from_u8(photo_u8), [landmarks])
    found = judge.embed(aligned)
    assert torch.allclose(found.norm(dim=1), torch.ones(1), atol=1e-6)
    analysis = FaceAnalysis(str(pack), providers=["CPUExecutionProvider"])
    aligned_bgr_u8 = np.ascontiguousarray(to_u8(aligned.clamp(0, 1))[..., ::-1])
    expected = analysis.models["recognition"].get_feat(aligned_bgr_u8)[0]
    assert np.allclose(found[0], expected / np.linalg.norm(expected), atol=1e-6)


def test_a_pack_is_not_downloaded_and_must_recognise(tmp_path: Path) -> None:
    with pytest.raises(WeightsMissingError, match="expected an insightface pack"):
        find_recognizer(f"insightface:{tmp_path}")
    write_pack(tmp_path)
    (tmp_path / "rec.onnx").unlink()
    with pytest.raises(WeightsMissingError, match="found none in"):
        find_recognizer(f"insightface:{tmp_path}")


@pytest.mark.parametrize(
    ("file", "error"), [("det.onnx", WeightsMissingError), ("rec.onnx", ModelError)]
)
def test_a_broken_pack_is_told(tmp_path: Path, file: str, error: type[ModelError]) -> None:
    write_pack(tmp_path)
    if error is WeightsMissingError:
        (tmp_path / file).unlink()
    else:
        (tmp_path / file).write_bytes(b"broken")
    with pytest.raises(error) as caught:
        find_recognizer(f"insightface:{tmp_path}")
    assert caught.value.hint


# --- ONNX -----------------------------------------------------------------------------------------


def assert_insightface_agrees(
    network: Recognizer, file: Path, photo_u8: np.ndarray, landmarks: np.ndarray
) -> None:
    """The exported file, through insightface's own loading, alignment and normalisation."""
    export_onnx(network, file)
    model = get_model(str(file), providers=["CPUExecutionProvider"])
    assert (model.taskname, model.input_size) == ("recognition", (112, 112))
    assert (model.input_mean, model.input_std) == (127.5, 127.5)
    face = type("Face", (), {"kps": landmarks, "embedding": None})()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # scikit-image's, of insightface's call
        found = model.get(np.ascontiguousarray(photo_u8[..., ::-1]), face)
    with torch.inference_mode():
        expected = network(align_batch(from_u8(photo_u8), [landmarks]))[0].numpy()
    assert np.abs(found - expected).max() < 1e-3
    assert float(found @ expected) > 0.9999
    several = model.get_feat([np.zeros((112, 112, 3), np.uint8)] * 2)
    assert several.shape == (2, network.config.dimensions)


def test_insightface_loads_the_exported_network(
    tmp_path: Path, astronaut: tuple[np.ndarray, np.ndarray]
) -> None:
    assert_insightface_agrees(random_recognizer(0), tmp_path / "small.onnx", *astronaut)


@pytest.mark.skipif(RECOGNIZER not in zoo.RELEASED, reason=f"{RECOGNIZER} is not released")
def test_the_released_onnx_is_the_released_network() -> None:
    card, judge = zoo.find_card(RECOGNIZER), find_recognizer()
    model = get_model(str(card.folder / ONNX_FILE), providers=["CPUExecutionProvider"])
    assert (model.taskname, model.input_mean, model.input_std) == ("recognition", 127.5, 127.5)
    pictures = (faces(2) * 255).round() / 255
    found = judge.embed(pictures).numpy()
    bgr_u8 = [np.ascontiguousarray(to_u8(one[None])[..., ::-1]) for one in pictures]
    assert np.abs(model.get_feat(bgr_u8) - found).max() < 1e-3
    assert judge.threshold is not None and 0 < judge.threshold < 1


# --- figures of identity --------------------------------------------------------------------------


def test_a_face_is_itself_and_order_does_not_matter(folder: Path) -> None:
    first, second = faces(2), faces(4)[2:]
    found = metrics.identity_cosine(first, second, recognizer=str(folder))
    assert found.dtype == torch.float64
    assert torch.allclose(found, metrics.identity_cosine(second, first, recognizer=str(folder)))
    same = metrics.identity_cosine(first, first, recognizer=str(folder))
    assert torch.allclose(same, torch.ones(2, dtype=torch.float64), atol=1e-6)
    assert metrics.identity_match(first, first, recognizer=str(folder)).tolist() == [1.0, 1.0]


def test_a_match_is_a_cosine_at_the_threshold_or_above(folder: Path, tmp_path: Path) -> None:
    first, second = faces(6), faces(12)[6:]
    cosines = metrics.identity_cosine(first, second, recognizer=str(folder))
    middle = float(cosines.sort().values[3])
    random_recognizer(0, threshold=middle - 1e-9).save_pretrained(tmp_path / "model")
    found = metrics.identity_match(first, second, recognizer=str(tmp_path / "model"))
    assert found.tolist() == (cosines >= middle).double().tolist()
    assert found.sum() == 3


def test_landmarks_decide_what_is_looked_at(
    folder: Path, astronaut: tuple[np.ndarray, np.ndarray]
) -> None:
    photo_u8, landmarks = astronaut
    (face,) = detect(photo_u8)
    x0, y0, _, _ = face.box
    whole, cut = from_u8(photo_u8), from_u8(crop(photo_u8, face.box))
    first = embed(whole, [landmarks], str(folder))
    moved = landmarks - np.array((x0, y0), np.float32)
    assert torch.allclose(first, embed(cut, [moved], str(folder)), atol=1e-4)
    assert not torch.allclose(first, embed(cut, None, str(folder)), atol=1e-3)


def test_the_table_takes_another_recogniser_by_name(
    pack: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INSIGHTFACE_HOME", str(pack.parents[1]))
    name = "identity_cosine@insightface:tiny"
    assert metrics.available(name) is None
    found = metrics.measure([name, "psnr_db"], faces(2), faces(4)[2:], [None, None])
    assert list(found) == [name, "psnr_db"]
    assert bool((found[name].abs() <= 1).all())
    reason = metrics.available("identity_match@insightface:tiny")
    assert reason is not None and "has no threshold" in reason
    with pytest.raises(MetricError, match="has no threshold"):
        metrics.measure(["identity_match@insightface:tiny"], faces(2), faces(2))


def test_the_benchmark_aligns_by_the_landmarks_of_the_set(
    pack: Path, astronaut: tuple[np.ndarray, np.ndarray], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INSIGHTFACE_HOME", str(pack.parents[1]))
    photo_u8, landmarks = astronaut
    original = from_u8(photo_u8)
    shown = {"original": original, "recovered": original.flip(-1)}
    exhibit = Exhibit(FaceFile("a", "s", "", landmarks), "s", shown)
    name = "identity_cosine@insightface:tiny"
    exhibit.compare([name], "original:recovered")
    (score,) = judge([exhibit], "sealed", "gaussian", "png")
    assert score.metric == name
    known, guessed = (
        metrics.measure([name], original, original.flip(-1), points)[name].item()
        for points in ([landmarks], None)
    )
    assert score.value == pytest.approx(known)
    assert abs(known - guessed) > 1e-3
    config = BenchmarkConfig(("sealed",), ("gaussian",), metrics=(name,), photographs=True)
    with pytest.raises(MetricError, match="single faces, not photographs"):
        config.check()


def test_results_name_a_recogniser_and_its_weights_but_no_folder_of_the_machine(
    folder: Path, tmp_path: Path
) -> None:
    name = f"identity_cosine@{folder}"
    shown = {"original": faces(1), "recovered": faces(2)[1:]}
    exhibit = Exhibit(FaceFile("a", "s", "", None), "s", shown)
    exhibit.compare([name], "original:recovered")
    (score,) = judge([exhibit], "sealed", "gaussian", "png")
    assert score.metric == metrics.label(name) == f"identity_cosine@{folder.parent.name}"
    Image.fromarray(to_u8(faces(1))).save(tmp_path / "a.png")
    config = BenchmarkConfig(("sealed",), ("gaussian",), metrics=("psnr_db", name))
    config.check()
    described = json.loads(config.described(FaceSet(tmp_path)))
    assert described["metrics"] == ["psnr_db", score.metric]
    assert described["weights"][folder.parent.name] == zoo.hash_model(folder)
    with pytest.raises(MetricError, match="under one name"):
        BenchmarkConfig(("sealed",), ("gaussian",), metrics=(name, f"{name}/.")).check()


def test_why_a_figure_cannot_be_had(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("INSIGHTFACE_HOME", str(tmp_path))
    reason = metrics.available("identity_cosine@insightface:gone")
    assert reason is not None and "expected an insightface pack" in reason
    for name in ("psnr_db@insightface:gone", "identity_cosine@"):
        with pytest.raises(MetricError, match="unknown metric"):
            metrics.available(name)
