"""IMN: the original put under its mask by an invertible network that knows no key.

Source: Yang et al., "Invertible Mask Network for Face Privacy-Preserving". It is here as what the
keyed methods are to be compared with: whoever has this program recovers the faces, with any
passphrase and with none. A passphrase is asked for where all methods ask for one; here it does no
more than to prove afterwards, by the header's tag, that the picture is the one that was made.
"""

from engine.methods.networked import Networked


class InvertibleMask(Networked):
    """One released keyless network; arguments as :class:`Networked`'s."""

    keyless = True
