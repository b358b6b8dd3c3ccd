"""Asks for the GPU where it is lent call by call, and does nothing everywhere else."""

import importlib
import importlib.util
from collections.abc import Callable
from typing import Any, Final, ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")

# Imported first of all where it is there: it must come before the first use of CUDA.
_SPACES: Final[Any] = (
    importlib.import_module("spaces") if importlib.util.find_spec("spaces") else None
)


def gpu(duration: int) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Mark a function that runs a network: on ZeroGPU hardware it is lent a GPU while it runs.

    There the function runs in a process of its own: what it takes and gives is pickled, so it
    derives keys itself, from passphrases, and does not take them.

    Args:
        duration: seconds that it needs at most.
    """
    if _SPACES is None:
        return _as_it_is
    lend: Callable[[Callable[P, R]], Callable[P, R]] = _SPACES.GPU(duration=duration)
    return lend


def _as_it_is(function: Callable[P, R]) -> Callable[P, R]:
    return function
