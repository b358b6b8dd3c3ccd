"""The invertible building blocks: a dense block, couplings of three or four, chains of those."""

import math
from typing import ClassVar, cast

import torch
from torch import Tensor, nn
from torch.nn import functional

SLOPE = 0.2
"""Negative slope of every leaky ReLU (the papers' code; the papers do not state it)."""


_NEARLY = 0.95
"""Share of its clamp that the log-scale of a magnifying block has."""


class DenseBlock(nn.Module):
    """Five densely connected 3 x 3 convolutions, regrouped by source.

    In the plain form each layer convolves the concatenation of the input and all features so far::

        x ──┬──► conv1 ─► f1 ──┬──► conv2 ─► f2 ── ... ──► conv5 ─► out
            └──────────────────┴──────► (everything goes to every later layer)

    A convolution of a concatenation is the sum of convolutions of its parts. Summed by *source*
    instead of by layer, the input is convolved once for all five layers, f1 once for the four
    after it, and so on: the same numbers and parameters in five large convolutions, with no
    concatenation.

    Source: IMN (ESRGAN's block); PRO-Face S, Sec. IV-B.

    Args:
        channels_in: channels of the input, key included.
        channels_out: channels of the output.
        growth: features that each of the first four layers adds.
    """

    def __init__(self, channels_in: int, channels_out: int, growth: int = 32) -> None:
        super().__init__()
        self.growth = growth
        sources = [channels_in] + [growth] * 4
        self.convolutions = nn.ModuleList(
            nn.Conv2d(source, growth * (4 - i) + channels_out, 3, padding=1, bias=i == 0)
            for i, source in enumerate(sources)
        )
        self.reset_parameters(channels_out)

    def reset_parameters(self, channels_out: int) -> None:
        """Start as the zero function: small weights, and none at all in the last layer."""
        with torch.no_grad():
            for convolution in self._layers():
                nn.init.kaiming_normal_(convolution.weight, a=SLOPE)
                convolution.weight *= 0.5
                convolution.weight[-channels_out:] = 0
                if convolution.bias is not None:
                    convolution.bias.zero_()

    def forward(self, features: Tensor) -> Tensor:
        """Map (B, channels_in, H, W) to (B, channels_out, H, W)."""
        first, *others = self._layers()
        pending: Tensor = first(features)
        for convolution in others:
            grown = functional.leaky_relu(pending[:, : self.growth], SLOPE)
            # In place: a sum of this size costs as much in fresh memory as in adding.
            pending = convolution(grown).add_(pending[:, self.growth :])
        return pending

    def _layers(self) -> list[nn.Conv2d]:
        return cast(list[nn.Conv2d], list(self.convolutions))


class AffineCoupling(nn.Module):
    r"""One block of IMN: original and carrier change each other, the carrier by a sum alone.

    .. math::
        y' &= y + \varphi(x) \\
        x' &= x \odot \exp(\alpha(\rho(y'))) + \eta(y')

    ::

        x ──┬───────(× exp α(ρ), + η)──► x'
            │               ▲
            ▼               │
        y ──(+ φ)───────────┴──────────► y'

    Source: IMN, Sec. 2.3. With a key, its sub-bands are appended to what each sub-network sees.

    Args:
        channels: channels of x and of y.
        key_channels: channels of the key's sub-bands k; none in IMN.
        growth: see :class:`DenseBlock`.
        clamp: bound of the log-scale; :math:`\alpha(s) = clamp (2 sigmoid(s) - 1)`.
    """

    phi: DenseBlock
    rho: DenseBlock
    eta: DenseBlock
    # In the order of an optimizer's moments: another would mix up those of a resumed training.
    names: ClassVar[tuple[str, ...]] = ("phi", "rho", "eta")

    def __init__(
        self, channels: int = 12, key_channels: int = 0, growth: int = 32, clamp: float = 2.0
    ) -> None:
        super().__init__()
        self.channels = channels
        self.clamp = clamp
        for name in self.names:
            self.add_module(name, DenseBlock(channels + key_channels, channels, growth))

    def log_scale(self, raw: Tensor) -> Tensor:
        """Bound a sub-network's output to [-clamp, clamp]; the papers' alpha, a shifted sigmoid."""
        return self.clamp * torch.tanh(raw * 0.5)

    @torch.no_grad()
    def magnify(self, before: int) -> None:
        """When fresh, scale x up nearly as far as the clamp lets it, after others that did."""
        raw, taken = cast(nn.Conv2d, self.rho.convolutions[0]), self.phi.convolutions[0]
        cast(Tensor, raw.bias)[-self.channels :] = 2 * math.atanh(_NEARLY)
        # Or it would see how large x has become, and nothing else.
        cast(nn.Conv2d, taken).weight *= math.exp(-before * _NEARLY * self.clamp)

    def forward(self, x: Tensor, y: Tensor, *key: Tensor) -> tuple[Tensor, Tensor]:
        """Map (x, y), each (B, channels, H, W), to (x', y') under key (B, key_channels, H, W)."""
        y = self.change_carrier(x, y, *key)
        seen = _seen(y, *key)
        return x * self.log_scale(self.rho(seen)).exp() + self.eta(seen), y

    def change_carrier(self, x: Tensor, y: Tensor, *key: Tensor) -> Tensor:
        """The first half of :meth:`forward`: y' alone."""
        changed: Tensor = y + self.phi(_seen(x, *key))
        return changed

    def inverse(self, x: Tensor, y: Tensor, *key: Tensor) -> tuple[Tensor, Tensor]:
        """Undo :meth:`forward` with the same key."""
        x = self.restore_original(x, y, *key)
        return x, self.restore_carrier(x, y, *key)

    def restore_original(self, x: Tensor, y: Tensor, *key: Tensor) -> Tensor:
        """The first half of :meth:`inverse`: x alone."""
        seen = _seen(y, *key)
        shift: Tensor = self.eta(seen)
        return (x - shift) * (-self.log_scale(self.rho(seen))).exp()

    def restore_carrier(self, x: Tensor, y: Tensor, *key: Tensor) -> Tensor:
        """The second half of :meth:`inverse`: y, from the x that is restored and y'."""
        restored: Tensor = y - self.phi(_seen(x, *key))
        return restored


class SecureAffineCoupling(AffineCoupling):
    r"""One secure affine coupling block: both change each other under the key, both affinely.

    .. math::
        y' &= y \odot \exp(\alpha(\omega([x, k]))) + \varphi([x, k]) \\
        x' &= x \odot \exp(\alpha(\rho([y', k]))) + \eta([y', k])

    ::

        x ──┬──────────────────────(× exp α(ρ), + η)──► x'
            │[x,k]                        ▲ [y',k]
            ▼                             │
        y ──(× exp α(ω), + φ)─────────────┴───────────► y'

    Source: PRO-Face S, Eqs. (10), (11) and their inverses (14), (15).

    Args:
        channels: channels of x and of y.
        key_channels: channels of the key's sub-bands k.
        growth: see :class:`DenseBlock`.
        clamp: see :class:`AffineCoupling`.
    """

    omega: DenseBlock
    names = ("omega", *AffineCoupling.names)

    def __init__(
        self, channels: int = 12, key_channels: int = 4, growth: int = 32, clamp: float = 2.0
    ) -> None:
        super().__init__(channels, key_channels, growth, clamp)

    def change_carrier(self, x: Tensor, y: Tensor, *key: Tensor) -> Tensor:
        """The first half of :meth:`forward`: y' alone."""
        seen = _seen(x, *key)
        changed: Tensor = y * self.log_scale(self.omega(seen)).exp() + self.phi(seen)
        return changed

    def restore_carrier(self, x: Tensor, y: Tensor, *key: Tensor) -> Tensor:
        """The second half of :meth:`inverse`: y, from the x that is restored and y'."""
        seen = _seen(x, *key)
        shift: Tensor = self.phi(seen)
        return (y - shift) * (-self.log_scale(self.omega(seen))).exp()


class CouplingChain(nn.ModuleList):
    """Blocks one after the other; its methods are those of one block, for all of them."""

    def forward(self, x: Tensor, y: Tensor, *key: Tensor) -> tuple[Tensor, Tensor]:
        """Both (B, channels, H, W) through every block."""
        for coupling in self._blocks():
            x, y = coupling(x, y, *key)
        return x, y

    def change_carrier(self, x: Tensor, y: Tensor, *key: Tensor) -> Tensor:
        """:meth:`forward`'s second output, without the work of the last block's first."""
        *others, last = self._blocks()
        for coupling in others:
            x, y = coupling(x, y, *key)
        return last.change_carrier(x, y, *key)

    def inverse(self, x: Tensor, y: Tensor, *key: Tensor) -> tuple[Tensor, Tensor]:
        """Undo :meth:`forward` with the same key."""
        for coupling in reversed(self._blocks()):
            x, y = coupling.inverse(x, y, *key)
        return x, y

    def restore_original(self, x: Tensor, y: Tensor, *key: Tensor) -> Tensor:
        """:meth:`inverse`'s first output, without the work of the first block's second."""
        first, *others = self._blocks()
        for coupling in reversed(others):
            x, y = coupling.inverse(x, y, *key)
        return first.restore_original(x, y, *key)

    def _blocks(self) -> list[AffineCoupling]:
        return cast(list[AffineCoupling], list(self))


def _seen(features: Tensor, *key: Tensor) -> Tensor:
    """What a sub-network is given: the features, and the key's sub-bands where there is one."""
    return torch.cat([features, *key], 1) if key else features
