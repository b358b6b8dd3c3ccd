"""The laws that every reversible part answers to, as free functions for any test to call."""

import copy
from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

Outputs = Tensor | Sequence[Tensor]
Function = Callable[..., Outputs]


def assert_close(found: Outputs, expected: Outputs, tolerance: float) -> None:
    """Hold two results, each a tensor or several, to the same shapes and nearly the same values."""
    pairs = list(zip(_several(found), _several(expected), strict=True))
    assert pairs, "nothing to compare"
    for a, b in pairs:
        assert a.shape == b.shape
        assert a.dtype == b.dtype
        distance = (a.double() - b.double()).abs().max().item()
        assert distance <= tolerance, f"{distance:.3g} apart, {tolerance:g} allowed"


def assert_inverts(forward: Function, inverse: Function, *inputs: Tensor, tolerance: float) -> None:
    """``inverse(*forward(*inputs))`` gives the inputs back."""
    outputs = _several(forward(*inputs))
    assert all(bool(output.isfinite().all()) for output in outputs)
    assert_close(inverse(*outputs), inputs, tolerance)


def assert_keeps_inputs(function: Function, *inputs: Tensor) -> None:
    """The function leaves its caller's tensors as they are, and hands out none of their memory."""
    before = [tensor.clone() for tensor in inputs]
    outputs = _several(function(*inputs))
    for output in outputs:
        output.detach().fill_(123)
    for tensor, copy_of_it in zip(inputs, before, strict=True):
        assert torch.equal(tensor, copy_of_it)


def assert_batch_equals_items(function: Function, *inputs: Tensor, tolerance: float) -> None:
    """A batch gives what its items give one by one."""
    together = _several(function(*inputs))
    assert len(inputs[0]) > 1, "a batch of one proves nothing"
    for i in range(len(inputs[0])):
        alone = function(*(tensor[i : i + 1] for tensor in inputs))
        assert_close([output[i : i + 1] for output in together], _several(alone), tolerance)


def assert_same_on(
    device: str,
    module: nn.Module,
    call: Callable[..., Outputs],
    *inputs: Tensor,
    tolerance: float,
) -> None:
    """``call(module, *inputs)`` gives the same on ``device`` as on the CPU, where inputs are."""
    here = call(module, *inputs)
    moved = copy.deepcopy(module).to(device)
    with torch.backends.cudnn.flags(enabled=True, allow_tf32=False):
        there = _several(call(moved, *(tensor.to(device) for tensor in inputs)))
    assert all(output.device.type == torch.device(device).type for output in there)
    assert_close([output.cpu() for output in there], here, tolerance)


def _several(outputs: Outputs) -> list[Tensor]:
    return [outputs] if isinstance(outputs, Tensor) else list(outputs)
