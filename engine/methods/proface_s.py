"""PRO-Face S: the original hidden in the mask by a key-conditioned invertible network.

Source: Yuan et al., "PRO-Face S: Privacy-preserving Reversible Obfuscation of Face Images via
Secure Flow". Departures: the key map comes from Argon2id and SHAKE-256 with a salt per picture
instead of PBKDF2 with a fixed one, and the networks are trained through 8-bit rounding.
"""

from engine.methods.networked import Networked


class ProfaceS(Networked):
    """One released key-conditioned embedder; arguments as :class:`Networked`'s."""
