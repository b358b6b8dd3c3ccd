"""What the networks that hide a picture have in common: its fine detail is raised before."""

from typing import Any

from torch import Tensor

from engine.emphasis import deemphasize, emphasize


class Emphasizing:
    """A network whose config says how much it emphasizes; see :mod:`engine.emphasis`.

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
