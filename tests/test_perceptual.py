import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from laws import assert_batch_equals_items, assert_keeps_inputs
from noisy_faces import faces, noise

from engine.errors import MetricError
from engine.metrics import METRICS, available, measure, perceptual_distance
from engine.perceptual import perceptual_features

TORCH_HOME = Path(__file__).parents[1] / ".." / "shared" / "torch_home"
LPIPS = ("lpips_squeeze", "lpips_alex", "lpips_vgg")


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture
def torch_home(monkeypatch: pytest.MonkeyPatch) -> None:
    if not TORCH_HOME.is_dir():
        pytest.skip("the LPIPS backbone of ../shared is not here")
    monkeypatch.setenv("TORCH_HOME", str(TORCH_HOME))


@pytest.fixture
def empty_torch_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    return tmp_path


@pytest.mark.parametrize("name", LPIPS)
def test_without_its_backbone_lpips_is_unavailable(
    name: str, empty_torch_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("tried to download")

    monkeypatch.setattr("torch.hub.download_url_to_file", refuse)
    reason = available(name)
    assert reason is not None
    assert "backbone" in reason
    with pytest.raises(MetricError, match=f"{name} is unavailable: its backbone .*pth") as caught:
        measure([name], noise(1, 3, 40, 40), noise(1, 3, 40, 40))
    assert "TORCH_HOME" in caught.value.hint
    assert list(empty_torch_home.rglob("*.pth")) == []


@pytest.mark.shared
def test_what_a_backbone_sees_is_frozen_and_ever_coarser(torch_home: None) -> None:
    net = "squeeze"
    pictures = noise(2, 3, 64, 64).requires_grad_()
    maps = perceptual_features(net)(pictures)
    sides = [one.shape[-1] for one in maps]
    assert len(sides) == 3 and sides == sorted({*sides}, reverse=True)
    assert not any(one.requires_grad for one in perceptual_features(net)(pictures.detach()))
    for one in maps:
        (gradient,) = torch.autograd.grad(one.sum(), pictures, retain_graph=True)
        assert gradient.abs().sum() > 0


@pytest.mark.shared
def test_lpips_is_there_with_the_shared_backbone(torch_home: None) -> None:
    assert available("lpips_squeeze") is None


@pytest.mark.shared
def test_lpips_of_equal_and_unequal_pictures(torch_home: None) -> None:
    first, second = faces()
    found = measure(["lpips_squeeze"], first, second)["lpips_squeeze"]
    assert found.shape == (3,)
    assert found.dtype == torch.float64
    assert bool((found > 0).all())
    assert found.tolist() == sorted(found)
    equal = measure(["lpips_squeeze"], first, first)["lpips_squeeze"]
    assert equal.tolist() == [0, 0, 0]


@pytest.mark.shared
def test_lpips_laws(torch_home: None) -> None:
    first, second = faces()
    function = METRICS["lpips_squeeze"].function
    assert_batch_equals_items(function, first, second, tolerance=1e-5)
    assert_keeps_inputs(function, first, second)
    assert torch.allclose(function(first, second), function(second, first), atol=1e-6)


@pytest.mark.shared
def test_lpips_is_fed_minus_one_to_one(torch_home: None) -> None:
    import lpips

    first, second = faces()
    found = METRICS["lpips_squeeze"].function(first, second)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # lpips calls torchvision in its old way
        network = lpips.LPIPS(net="squeeze", verbose=False)
    with torch.no_grad():
        right = network(first, second, normalize=True).flatten().double()
        unscaled = network(first, second).flatten().double()
    assert torch.allclose(found, right, atol=1e-7)
    assert not torch.allclose(found, unscaled, rtol=0.05)


@pytest.mark.shared
def test_lpips_of_a_picture_that_is_too_small(torch_home: None) -> None:
    function = METRICS["lpips_squeeze"].function
    assert function(noise(1, 3, 17, 17), noise(1, 3, 17, 17, seed=1)).item() > 0
    with pytest.raises(MetricError, match="at least 17 pixels, got 16 x 40"):
        function(noise(1, 3, 16, 40), noise(1, 3, 16, 40))


@pytest.mark.shared
def test_perceptual_distance_can_be_descended(torch_home: None) -> None:
    distance = perceptual_distance("squeeze")
    first, second = faces()
    image = second.clone().requires_grad_()
    before = distance(first, image)
    assert before.shape == (3,)
    before.sum().backward()
    assert image.grad is not None
    assert bool((image.grad.flatten(1).norm(dim=1) > 0).all())
    after = distance(first, (image - 0.05 * image.grad).detach())
    assert bool((after < before).all())


@pytest.mark.shared
def test_perceptual_distance_has_no_weights_to_train(torch_home: None) -> None:
    first, second = faces()
    assert not perceptual_distance("squeeze")(first, second).requires_grad
