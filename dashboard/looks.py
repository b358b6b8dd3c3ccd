"""Which figure stands for each attack, and the line it is read beside."""

from dataclasses import dataclass
from typing import Final, Literal

from dashboard import attack_words
from engine.results import GATE_DB, GATE_KNOWN


@dataclass(frozen=True)
class Look:
    """Which of an attack's figures stands for it, and where its line is drawn.

    Attributes:
        what: it is, in few words.
        pair: a pattern of its pairs; for a gain, of the attacker's pictures.
        metrics: the names that are wanted.
        line: what a method that holds has at the most or the least, or the control's own figure.
        wanted: the same in words.
        control: the picture over which a gain is taken, with groups of ``pair``; empty where the
            figure stands as it is stored.
        stored: under which pair a run keeps a gain's margin, where that is not the two pictures.
        bad: on which side of the line it is bad for who is protected; ``off`` is either.
    """

    what: str
    pair: str
    metrics: tuple[str, ...]
    line: float
    wanted: str
    control: str = ""
    stored: str = ""
    bad: Literal["above", "below", "off"] = "above"

    @property
    def share(self) -> bool:
        """Whether the figures are shares, to be read in per cent."""
        return self.metrics[0] in _SHARES


_SHARES: Final = ("noticed", "told_reencoded", "identity_match", "same_person", "same_photo")
_DECIBELS: Final = (("psnr_db",), GATE_DB, f"≤ {GATE_DB:g} dB")

LOOKS: Final[dict[str, Look]] = {
    "keyless": Look("PSNR over the control", "revealed", *_DECIBELS, control="control"),
    "microscope": Look(
        "outline seen, over control", "original:estimate", ("outline_over_control",),
        attack_words.OUTLINE, f"≤ {attack_words.OUTLINE:g}",
    ),
    "wrong-keys": Look("wrong keys that opened", r"keys:(\w+)", ("opened",), 0, "0"),
    "dictionary": Look(
        "AUC of who tells the right key", r"oracle:(\w+)", ("auc",), attack_words.GUESSING,
        f"{attack_words.GUESSING:g} is guessing", bad="off",
    ),
    "map-search": Look(  # not over the protected picture, as runs without a control had it
        "PSNR over the control", "(climbed|searched|searched_signs)", *_DECIBELS,
        control="prior", stored=r"\1:prior",
    ),
    "known-plaintext": Look(
        "PSNR over the control, a salt each", r"(revealed|fitted)(_\d+_salted)", *_DECIBELS,
        control=r"control\2", stored=r"\1:control\2",
    ),
    "tamper": Look(
        "noticed, with a tag", r"protected:(\w+)", ("noticed",), 1, "100 %", bad="below"
    ),
    "byproducts": Look(
        "PSNR over the mask's, best fit", r"(\w*byproduct)", ("fitted_psnr_db",), 0,
        "0, as the mask", control="mask",
    ),
    "deblur": Look(
        "known again, mask as in the papers", "original:control", ("identity_match",),
        GATE_KNOWN, f"≤ {GATE_KNOWN:.0%}".replace("%", " %"),
    ),
    "restore": Look(
        "known again, points over the mask's", "restored", ("identity_match",), 0,
        "0, as the mask", control="mask",
    ),
    "world": Look(  # not the lenient figure, which takes "nothing of ours" for an answer too
        "told that this file was re-encoded", r"protected:(\S+)",
        ("told_reencoded",), 1, "100 %", bad="below",
    ),
    "multiset": Look(
        "found in a gallery, points over the mask's", "multiset", ("same_person", "same_photo"), 0,
        "0, as the mask", control="mask_multiset",
    ),
}  # fmt: skip
"""The lines are the gates of the engine, those that the list of attacks names, and the controls."""
