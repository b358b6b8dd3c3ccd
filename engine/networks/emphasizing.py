"""What the networks that hide a picture have in common, before and after their couplings."""

from typing import Any

from torch import Tensor

from engine.emphasis import deemphasize, emphasize
from engine.rounding import round_by


class Emphasizing:
    """A network whose config says how much it emphasizes and how what it makes is to be rounded.

    See :mod:`engine.emphasis` and :mod:`engine.rounding`.

    Pre-emphasis takes in all of a picture at once, and the couplings what is near each pixel: who
    cuts a picture in tiles calls these before and after them.
    """

    config: Any

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
        return round_by(protected, tuple(self.config.sensitivity))
