"""Loads LPIPS without ever downloading; apart from the metrics because training descends it too."""

import importlib.util
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from engine._compat import ensure_torchvision
from engine.errors import MetricError


@dataclass(frozen=True)
class Backbone:
    """A network that LPIPS compares features of.

    Attributes:
        file: what torchvision calls its weights, in ``hub/checkpoints`` of torch's home.
        least_side: smallest side of a picture that it takes, in pixels.
    """

    file: str
    least_side: int


BACKBONES = {
    "squeeze": Backbone("squeezenet1_1-b8a52dc0.pth", 17),
    "alex": Backbone("alexnet-owt-7be5be79.pth", 31),
    "vgg": Backbone("vgg16-397923af.pth", 16),
}


def missing(net: str) -> str | None:
    """Tell what LPIPS lacks to run with this net, or None where it lacks nothing.

    Args:
        net: of :data:`BACKBONES`.

    Raises:
        MetricError: no such net.
    """
    file = _weights_file(net)
    for package in ("lpips", "torchvision"):
        if importlib.util.find_spec(package) is None:
            return f"the package {package} is not installed"
    return None if file.is_file() else f"its backbone {file.name} is not in torch's hub folder"


def perceptual_distance(
    net: str = "squeeze", device: str | torch.device = "cpu"
) -> Callable[[Tensor, Tensor], Tensor]:
    """Make LPIPS a distance to train with.

    The network's weights are frozen, and it is shared between calls with the same arguments. The
    images are scaled to the [-1, 1] that it expects; nothing is clamped or checked, so that
    gradients pass outside [0, 1] as well. Source: Zhang et al. 2018, version 0.1 of the heads.

    Args:
        net: ``"squeeze"``, ``"alex"`` or ``"vgg"``.
        device: where it runs.

    Returns:
        (B, 3, H, W), (B, 3, H, W) -> (B,) float32, differentiable in both, symmetric; H and W at
        least the backbone's ``least_side``.

    Raises:
        MetricError: no such net, or its backbone is not there; nothing is ever downloaded.
    """
    network = _find(net, device)

    def distance(first: Tensor, second: Tensor) -> Tensor:
        values: Tensor = network(2 * first - 1, 2 * second - 1)
        return values.flatten()

    return distance


def perceptual_features(
    net: str = "squeeze", device: str | torch.device = "cpu"
) -> Callable[[Tensor], list[Tensor]]:
    """What LPIPS compares, at three depths: the maps that its backbone sees in pictures.

    Args:
        net: as :func:`perceptual_distance` takes it.
        device: where it runs.

    Returns:
        (B, 3, H, W) in [0, 1] -> maps of (B, C, H', W') each, from fine to coarse, differentiable;
        H and W as :func:`perceptual_distance` needs them.

    Raises:
        MetricError: as :func:`perceptual_distance`.
    """
    network = _find(net, device)

    def features(pictures: Tensor) -> list[Tensor]:
        scaled = network.scaling_layer(2 * pictures - 1)
        found = network.net.forward(scaled)
        return [found[1], found[2], found[-1]]

    return features


def _find(net: str, device: str | torch.device) -> Any:
    reason = missing(net)
    if reason is not None:
        raise MetricError(
            f"lpips_{net} is unavailable: {reason}",
            hint=f"put {BACKBONES[net].file} into hub/checkpoints of the folder TORCH_HOME names",
        )
    return _load(net, str(torch.device(device)), _weights_file(net))


def _weights_file(net: str) -> Path:
    if net not in BACKBONES:
        raise MetricError(
            f"no LPIPS with a net called {net!r}", hint=f"known: {', '.join(BACKBONES)}"
        )
    return Path(torch.hub.get_dir()) / "checkpoints" / BACKBONES[net].file


@lru_cache(maxsize=4)
def _load(net: str, device: str, weights: Path) -> nn.Module:
    """Build the network; ``weights`` is there to be part of the key, as TORCH_HOME may change."""
    ensure_torchvision()
    import lpips

    with warnings.catch_warnings():
        # lpips still asks torchvision for weights by an argument that torchvision deprecates.
        warnings.filterwarnings("ignore", category=UserWarning, module="torchvision")
        network: nn.Module = lpips.LPIPS(net=net, verbose=False)
    return network.eval().requires_grad_(False).to(device)
