"""What the networks that hide a picture have in common, before and after their couplings."""

from typing import Any, cast

import torch
from torch import Tensor, nn

from engine.emphasis import deemphasize, emphasize
from engine.rounding import COLOURS, round_by


class Emphasizing:
    """A network that knows how much it emphasizes and how what it makes is to be rounded.

    See :mod:`engine.emphasis` and :mod:`engine.rounding`. Its config says the one, and of the other
    the side of the cells.

    Pre-emphasis takes in all of a picture at once, and the couplings what is near each pixel: who
    cuts a picture in tiles calls these before and after them.
    """

    config: Any
    sensitivity: Tensor | None

    def _feel_cells(self, cell: int) -> None:
        """Make room for how recovery feels errors of 8 bits, none at first, by cells of a side."""
        samples = COLOURS * cell**2
        felt = torch.zeros(samples, samples) if cell else None
        cast(nn.Module, self).register_buffer("sensitivity", felt)

    def emphasized(self, original: Tensor) -> Tensor:
        """What of an original is hidden, the same shape."""
        exponent = self.config.emphasis
        return emphasize(original, exponent) if exponent else original

    def deemphasized(self, extracted: Tensor) -> Tensor:
        """Undo :meth:`emphasized`."""
        exponent = self.config.emphasis
        return deemphasize(extracted, exponent) if exponent else extracted

    def rounded(self, protected: Tensor) -> Tensor:
        """What is shared of a protected picture, (B, 3, H, W): 8 bits, as recovery likes them."""
        return round_by(protected, self.sensitivity)
