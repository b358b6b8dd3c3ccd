"""The load script notices what it is there for: a client that fails, or gets another's picture."""

from types import ModuleType

import pytest
from load_script import load_script


@pytest.fixture(scope="module")
def load() -> ModuleType:
    return load_script("load")


@pytest.mark.parametrize(
    ("counts", "final", "code"),
    [
        ({"own picture": 20}, "own picture", 0),
        ({"own picture": 1, "busy": 19}, "own picture", 0),
        ({"busy": 20}, "own picture", 1),
        ({"own picture": 19, "another's picture": 1}, "own picture", 1),
        ({"own picture": 19, "refused: Sorry": 1}, "own picture", 1),
        ({"own picture": 19, "failed: ReadTimeout": 1}, "own picture", 1),
        ({"own picture": 20}, "busy", 1),
        ({"own picture": 20}, "failed: ConnectError", 1),
    ],
)
def test_only_own_pictures_and_polite_answers_pass(
    load: ModuleType, counts: dict[str, int], final: str, code: int
) -> None:
    assert load.exit_code(counts, final) == code


def test_a_picture_of_somebody_else_is_noticed(load: ModuleType) -> None:
    mine = load.marked(5)
    assert load.is_own(mine ^ 1, mine)
    for other in (4, 7, 13, 5 ^ 128, load.MOST - 1):
        assert not load.is_own(load.marked(other), mine)
    assert not load.is_own(mine[:-1], mine)
