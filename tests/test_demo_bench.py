"""The script that times the app: a photograph of the promised size, and a verdict that can fail."""

from types import ModuleType

import pytest
from load_script import load_script


@pytest.fixture(scope="module")
def bench() -> ModuleType:
    return load_script("bench_demo")


def test_the_median_is_held_to_the_target(bench: ModuleType) -> None:
    assert bench.row("start", [1.0, 9.0, 2.0], 2.0) == (
        "start: 2.00 s  (1.00, 9.00, 2.00)  target <= 2 s: met"
    )
    assert bench.row("start", [1.0, 9.0, 2.1], 2.0).endswith("missed")


@pytest.mark.parametrize("scale", [1.0, 1080 / 512])
def test_the_photograph_is_of_1080p_and_has_one_face(bench: ModuleType, scale: float) -> None:
    photo_u8 = bench.full_hd(scale)
    assert photo_u8.shape == (1080, 1920, 3)
    (face,) = bench.detect(photo_u8)
    assert face.box[2] - face.box[0] > 140 * scale


def test_a_call_is_timed_after_a_warm_up(bench: ModuleType) -> None:
    called = []
    assert len(bench.measure(lambda: called.append(1), 3)) == 3
    assert len(called) == 4
