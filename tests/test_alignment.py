"""Alignment puts landmarks where insightface puts them."""

import warnings

import cv2
import numpy as np
import pytest
import skimage.data
from insightface.utils import face_align

from engine.alignment import SIDE, TYPICAL, align, similarity, template, typical_landmarks
from engine.errors import ImageShapeError

POINTS = np.array([[200, 100], [250, 104], [226, 130], [205, 158], [244, 160]], np.float32)


def test_a_face_is_aligned_as_insightface_does_it() -> None:
    photo_u8 = np.ascontiguousarray(skimage.data.astronaut())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # scikit-image's, of insightface's call
        matrix = face_align.estimate_norm(POINTS)
        expected_u8 = face_align.norm_crop(photo_u8, POINTS)
    assert np.allclose(similarity(POINTS), matrix, atol=1e-4)
    found_u8 = align(photo_u8, POINTS)
    assert found_u8.shape == (SIDE, SIDE, 3)
    assert np.abs(found_u8.astype(int) - expected_u8).max() <= 1


def test_landmarks_come_to_lie_on_the_template() -> None:
    turned = template() @ np.array([[1.5, -0.4], [0.4, 1.5]]) + np.array([40, 7])
    matrix = similarity(turned)
    assert np.allclose(turned @ matrix[:, :2].T + matrix[:, 2], template(), atol=1e-3)


def test_a_float_face_gives_the_same_as_one_in_8_bits() -> None:
    photo_u8 = np.ascontiguousarray(skimage.data.astronaut())
    found = align(photo_u8.astype(np.float32), POINTS)
    assert found.dtype == np.float32
    assert np.abs(found - align(photo_u8, POINTS)).max() <= 1


@pytest.mark.parametrize(("height", "width"), [(112, 112), (60, 80)])
def test_without_landmarks_a_crop_has_them_where_they_are_on_average(
    height: int, width: int
) -> None:
    face_u8 = cv2.resize(skimage.data.astronaut(), (width, height))
    points = typical_landmarks(height, width)
    assert np.allclose(points, np.array(TYPICAL) * (width, height))
    assert np.array_equal(align(face_u8), align(face_u8, points))


@pytest.mark.parametrize(
    "landmarks",
    [np.zeros((5, 2)), np.ones((4, 2)), np.full((5, 2), np.nan), [[1, 2, 3, 4, 5]]],
)
def test_landmarks_that_are_none_are_refused(landmarks: object) -> None:
    with pytest.raises(ImageShapeError, match="five different points") as caught:
        align(np.zeros((9, 9, 3), np.uint8), landmarks)  # type: ignore[arg-type]
    assert caught.value.hint


@pytest.mark.parametrize("shape", [(9, 9), (9, 9, 4), (0, 9, 3)])
def test_a_face_that_is_none_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ImageShapeError, match="face must be"):
        align(np.zeros(shape, np.uint8))
