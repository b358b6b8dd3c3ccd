"""Proface-k: what the network hides is scrambled by the key first, so the network cannot leak it.

The network is PRO-Face S's and has no secret: whoever has its weights gets the scrambled picture
back, coloured noise with the spectrum of a face. The key alone undoes the scrambling
(:mod:`engine.scramble`), so a wrong key needs no training to show noise.
"""

from engine.methods.proface_s import ProfaceS


class ProfaceK(ProfaceS):
    """One released embedder behind a keyed scrambling."""

    scrambled = True
