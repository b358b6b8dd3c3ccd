import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import skimage.color
import skimage.data
import skimage.metrics
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from laws import assert_batch_equals_items, assert_keeps_inputs
from noisy_faces import faces, noise
from torch import Tensor
from torch.nn import functional

from engine.errors import ImageRangeError, ImageShapeError, MetricError
from engine.metrics import (
    METRICS,
    available,
    mae,
    mean_psnr,
    measure,
    perceptual_distance,
    psnr_db,
    psnr_y_db,
    rmse,
    ssim,
    ssim_y,
)

FEW = settings(max_examples=25, deadline=None, database=None)
PLAIN = ("psnr_db", "ssim", "mae", "rmse", "psnr_y_db", "ssim_y")
LPIPS = ("lpips_squeeze", "lpips_alex", "lpips_vgg")
IDENTITY = ("identity_cosine", "identity_match")  # tests/test_recognition.py has their laws


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def flat(*values: float, side: int = 4) -> Tensor:
    return torch.tensor(values, dtype=torch.float64).view(-1, 1, 1, 1).expand(-1, 3, side, side)


def of_last_channel(image: Tensor) -> np.ndarray:
    return np.moveaxis(image.double().numpy(), 0, -1)


# --- the table ------------------------------------------------------------------------------------


def test_table() -> None:
    assert tuple(METRICS) == (*PLAIN, *LPIPS, *IDENTITY)
    for name, metric in METRICS.items():
        assert metric.name == name
        assert metric.better == ("lower" if name.startswith(("mae", "rmse", "lpips")) else "higher")
        assert (metric.unit == "dB") == name.endswith("_db")
        assert metric.description
    assert [name for name in METRICS if METRICS[name].of_faces] == list(IDENTITY)
    assert METRICS["mae"].unit == METRICS["rmse"].unit == "levels"


def test_a_record_cannot_be_changed() -> None:
    with pytest.raises(AttributeError):
        METRICS["mae"].unit = "dB"  # type: ignore[misc]


# --- by hand --------------------------------------------------------------------------------------


def test_psnr_by_hand() -> None:
    found = psnr_db(flat(0.5, 0.0, 0.0), flat(0.6, 1.0, 0.5))
    assert found.tolist() == pytest.approx([20.0, 0.0, 20 * math.log10(2)])


def test_psnr_of_half_a_level_in_one_channel() -> None:
    second = flat(0.5).clone()
    second[0, 1] += 1 / 255
    found = psnr_db(flat(0.5), second).item()
    assert found == pytest.approx(20 * math.log10(255) + 10 * math.log10(3))


def test_psnr_does_not_take_the_peak_from_the_picture() -> None:
    assert psnr_db(flat(0.1), flat(0.2)).item() == pytest.approx(20.0)


def test_mae_and_rmse_by_hand() -> None:
    first, second = flat(0.0), flat(0.0).clone()
    second[0, :, 0, 0] = 0.4  # one pixel of sixteen, 102 levels
    assert mae(first, second).item() == pytest.approx(102 / 16)
    assert rmse(first, second).item() == pytest.approx(102 / 4)


def test_rmse_agrees_with_psnr() -> None:
    first, second = faces()
    assert torch.allclose(psnr_db(first, second), 20 * torch.log10(255 / rmse(first, second)))


def test_ssim_of_flat_pictures_by_hand() -> None:
    a, b, c1 = 0.3, 0.6, 0.01**2
    expected = (2 * a * b + c1) / (a * a + b * b + c1)
    assert ssim(flat(a, side=11), flat(b, side=11)).item() == pytest.approx(expected, abs=1e-9)


def test_luma_by_hand() -> None:
    second = torch.zeros(3, 3, 2, 2)
    for colour in range(3):
        second[colour, colour] = 1
    expected = [-20 * math.log10(219 / 255 * share) for share in (0.299, 0.587, 0.114)]
    found = psnr_y_db(torch.zeros(3, 3, 2, 2), second)
    assert found.tolist() == pytest.approx(expected, abs=2e-4)


# --- against others -------------------------------------------------------------------------------


def test_psnr_equals_skimage() -> None:
    first, second = faces()
    expected = [
        skimage.metrics.peak_signal_noise_ratio(
            a.double().numpy(), b.double().numpy(), data_range=1
        )
        for a, b in zip(first, second, strict=True)
    ]
    assert psnr_db(first, second).tolist() == pytest.approx(expected, rel=1e-12)


def test_luma_equals_skimage() -> None:
    first, second = faces()
    lumas = [
        [skimage.color.rgb2ycbcr(of_last_channel(image))[..., 0] for image in batch]
        for batch in (first, second)
    ]
    expected = [
        skimage.metrics.peak_signal_noise_ratio(a, b, data_range=255)
        for a, b in zip(*lumas, strict=True)
    ]
    assert psnr_y_db(first, second).tolist() == pytest.approx(expected, abs=1e-6)


def test_ssim_equals_skimage() -> None:
    first, second = faces()
    expected = [
        skimage.metrics.structural_similarity(
            of_last_channel(a),
            of_last_channel(b),
            channel_axis=-1,
            data_range=1.0,
            gaussian_weights=True,
            sigma=1.5,
            use_sample_covariance=False,
        )
        for a, b in zip(first, second, strict=True)
    ]
    assert ssim(first, second).tolist() == pytest.approx(expected, abs=1e-12)


def test_ssim_of_the_luma_equals_skimage() -> None:
    first, second = faces()
    lumas = [
        [skimage.color.rgb2ycbcr(of_last_channel(image))[..., 0] for image in batch]
        for batch in (first, second)
    ]
    expected = [
        skimage.metrics.structural_similarity(
            a, b, data_range=255, gaussian_weights=True, sigma=1.5, use_sample_covariance=False
        )
        for a, b in zip(*lumas, strict=True)
    ]
    assert ssim_y(first, second).tolist() == pytest.approx(expected, abs=1e-6)


def test_ssim_equals_the_formula_on_whole_windows() -> None:
    first, second = (image.double() for image in faces())
    offsets = torch.arange(-5, 6, dtype=torch.float64)
    line = torch.exp(-offsets.square() / (2 * 1.5**2))
    window = torch.outer(line, line) / line.sum() ** 2

    def mean(image: Tensor) -> Tensor:
        return functional.conv2d(image, window.expand(3, 1, 11, 11), groups=3)

    mu_a, mu_b = mean(first), mean(second)
    variances = mean(first**2) - mu_a**2 + mean(second**2) - mu_b**2
    covariance = mean(first * second) - mu_a * mu_b
    c1, c2 = 0.01**2, 0.03**2
    luminance = (2 * mu_a * mu_b + c1) / (mu_a**2 + mu_b**2 + c1)
    expected = (luminance * (2 * covariance + c2) / (variances + c2)).flatten(1).mean(1)
    assert torch.allclose(ssim(first, second), expected, rtol=0, atol=1e-10)


# --- laws -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", PLAIN)
def test_perfect_on_equal_images(name: str) -> None:
    image = noise(2, 3, 12, 14)
    best = math.inf if name.endswith("_db") else 1.0 if "ssim" in name else 0.0
    assert METRICS[name].function(image, image.clone()).tolist() == [best, best]


@pytest.mark.parametrize("name", PLAIN)
@FEW
@given(seed=st.integers(0, 2**31), batch=st.integers(1, 3), height=st.integers(11, 20))
def test_symmetric_finite_and_float64(name: str, seed: int, batch: int, height: int) -> None:
    first, second = (
        noise(batch, 3, height, 13, seed=seed),
        noise(batch, 3, height, 13, seed=seed + 1),
    )
    there = METRICS[name].function(first, second)
    assert there.shape == (batch,)
    assert there.dtype == torch.float64
    assert bool(there.isfinite().all())
    assert torch.allclose(there, METRICS[name].function(second, first), rtol=1e-12)
    assert there.max() < (1 if "ssim" in name else 255)


@FEW
@given(seed=st.integers(0, 2**31))
def test_mae_is_at_most_rmse(seed: int) -> None:
    first, second = noise(2, 3, 5, 7, seed=seed), noise(2, 3, 5, 7, seed=seed + 1)
    assert bool((mae(first, second) <= rmse(first, second)).all())


@pytest.mark.parametrize("name", PLAIN)
def test_batch_equals_items_and_inputs_are_kept(name: str) -> None:
    first, second = faces()
    assert_batch_equals_items(METRICS[name].function, first, second, tolerance=1e-12)
    assert_keeps_inputs(METRICS[name].function, first, second)


@pytest.mark.parametrize("name", PLAIN)
def test_worse_pictures_score_worse(name: str) -> None:
    values = METRICS[name].function(*faces()).tolist()
    assert values == sorted(values, reverse=METRICS[name].better == "higher")
    assert len(set(values)) == 3


def test_measure_keeps_order_and_values() -> None:
    first, second = faces()
    found = measure(["rmse", "psnr_db"], first, second)
    assert list(found) == ["rmse", "psnr_db"]
    assert torch.equal(found["psnr_db"], psnr_db(first, second))


# --- refusals -------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [*PLAIN, *LPIPS, *IDENTITY])
@pytest.mark.parametrize("bad", [-0.01, 1.01, math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("which", [0, 1])
def test_range_is_checked_first_of_all(name: str, bad: float, which: int) -> None:
    pair = [noise(2, 3, 12, 12), noise(2, 3, 12, 12)]
    pair[which][1, 2, 3, 4] = bad
    with pytest.raises(ImageRangeError, match=("first", "second")[which]):
        measure([name], *pair)


@pytest.mark.parametrize("name", [*PLAIN, *LPIPS, *IDENTITY])
@pytest.mark.parametrize("shape", [(1, 3, 12, 12), (2, 3, 12, 13), (2, 1, 12, 12), (3, 12, 12)])
def test_shape_is_checked(name: str, shape: tuple[int, ...]) -> None:
    with pytest.raises(ImageShapeError):
        measure([name], noise(2, 3, 12, 12), noise(*shape))


def test_eight_bit_integers_are_refused() -> None:
    image_u8 = torch.zeros(1, 3, 12, 12, dtype=torch.uint8)
    with pytest.raises(ImageShapeError, match="float"):
        psnr_db(image_u8, image_u8)


@pytest.mark.parametrize("size", [(10, 40), (40, 10), (1, 1)])
def test_ssim_of_a_picture_below_its_window(size: tuple[int, int]) -> None:
    with pytest.raises(MetricError, match="at least 11 pixels, got"):
        ssim(noise(1, 3, *size), noise(1, 3, *size))


def test_unknown_metric() -> None:
    with pytest.raises(MetricError, match="unknown metric 'psnr'") as caught:
        measure(["psnr"], noise(1, 3, 12, 12), noise(1, 3, 12, 12))
    assert "psnr_db" in caught.value.hint
    with pytest.raises(MetricError, match="unknown metric"):
        available("lpips_resnet")
    with pytest.raises(MetricError, match="no LPIPS with a net called 'resnet'"):
        perceptual_distance("resnet")


def test_plain_metrics_are_always_available(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    assert [available(name) for name in PLAIN] == [None] * len(PLAIN)


# --- averages -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([40.0, 50.0], (45.0, 0)),
        ([40.0, math.inf, 50.0, math.inf], (45.0, 2)),
        ([math.inf], (math.inf, 1)),
        ([0.0, -10.0], (-5.0, 0)),
    ],
)
def test_mean_psnr(values: list[float], expected: tuple[float, int]) -> None:
    assert mean_psnr(values) == expected
    assert mean_psnr(torch.tensor(values, dtype=torch.float64)) == expected


@pytest.mark.parametrize("values", [[], [math.nan], [40.0, math.nan], [-math.inf]])
def test_mean_psnr_refuses(values: list[float]) -> None:
    with pytest.raises(MetricError, match="one or more PSNRs"):
        mean_psnr(values)


# --- devices --------------------------------------------------------------------------------------


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
@pytest.mark.parametrize("name", PLAIN)
def test_same_on_the_gpu(name: str) -> None:
    first, second = faces()
    there = METRICS[name].function(first.cuda(), second.cuda())
    assert there.device.type == "cuda"
    assert torch.allclose(there.cpu(), METRICS[name].function(first, second), rtol=1e-9)
