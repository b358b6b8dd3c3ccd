"""The mask that a diffusion model of the user's choice paints, with a pipeline written here."""

import importlib.util
import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from skimage.data import astronaut

from engine._compat import ensure_torchvision
from engine.errors import LandmarksError, MaskError, ModelError, WeightsMissingError
from engine.masks import make_mask
from engine.masks.diffusion import load_inpainting
from engine.masks.portrait import lay_back, to_portrait

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
