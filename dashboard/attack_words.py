"""The words of the attack lab: what an attacker has, and which of its figures say how it went."""

import math
import re
from dataclasses import dataclass
from typing import Final

from dashboard import words
from engine.results import GATE_DB, GATE_MATCH


@dataclass(frozen=True)
class Headline:
    """A figure that says how an attack went.

    Attributes:
        pair: a pattern of its pairs.
        metric: a pattern of its metrics.
        title: what it is, ``{}`` for what the pattern's group caught.
        wanted: what a method that holds has there.
    """

    pair: str
    metric: str
    title: str
    wanted: str = ""


@dataclass(frozen=True)
class Known:
    """An attack whose name we know.

    Attributes:
        title: a few words.
        knowledge: what the attacker has.
        headlines: which figures say how it went; all of them where none is found.
        charted: its figures have a chart or table of their own, and no headlines beside it.
    """

    title: str
    knowledge: str = ""
    headlines: tuple[Headline, ...] = ()
    charted: bool = False


GATES: Final = {"psnr_db": GATE_DB, "identity_match": GATE_MATCH}

OUTLINE: Final = 0.05
"""How much more of the original's outline than of a control's a residual may show."""

SAME: Final = 0.01
"""Above this p value, two samples count as of one distribution."""

GUESSING: Final = 0.5
"""The AUC of an oracle that cannot tell the right key."""

_SEARCHED: Final = (
    Headline(r"(\w+):prior", "gain_psnr_db", "{}: PSNR over the control", "≤ 0.3 dB"),
    Headline(r"(\w+):prior", "gain_identity_match", "{}: identity match over the control"),
    # Of runs before there was a control.
    Headline(r"(\w+):protected", "gain_psnr_db", "{}: PSNR over the protected picture, no control"),
)

_GAINS: Final = (
    Headline(r"(\w+):\w+", "gain_psnr_db", "{}: PSNR over the control", "≤ 0.3 dB"),
    Headline(
        r"(\w+):\w+",
        "gain_identity_match",
        "{}: identity match over the control",
        "≤ 1 point over all masks",
    ),
)

_GUESSING: Final = f"{GUESSING:g} is guessing"

ATTACKS: Final[dict[str, Known]] = {
    "keyless": Known(
        "Keyless network", "program, weights, other people's faces to learn from; no key", _GAINS
    ),
    "microscope": Known(
        "Residual microscope",
        "one protected file and the program",
        (
            Headline(
                "original:estimate",
                "outline_over_control",
                "outline seen, over control",
                f"≤ {OUTLINE:g}",
            ),
        ),
    ),
    "wrong-keys": Known(
        "Wrong keys",
        "one protected file, program, weights; no idea of the key",
        (
            Headline(r"keys:(\w+)", "tries", "keys tried: {}"),
            Headline(r"keys:(\w+)", "opened", "of them opened: {}", "0"),
            Headline(r"original:(\w+)_nearest", "psnr_db", "nearest picture shown: {}"),
            Headline(
                r"original:(random|one_char)",
                "identity_match",
                "shown pictures taken for the person: {}",
            ),
            Headline(
                "random:one_char",
                "ks_p_corrected",
                "one character off looks like random: p, corrected for all tests",
                f"> {SAME:g}",
            ),
        ),
    ),
    "dictionary": Known(
        "Dictionary and oracles",
        "one protected file, program, weights, a list with the passphrase on it",
        (
            Headline(
                r"oracle:(\w+)_decoy", "auc", "right key told by {} from decoys: AUC", _GUESSING
            ),
            Headline(
                r"oracle:(\w+)_obfs", "auc", "right key told by {} from the mask: AUC", _GUESSING
            ),
            Headline(r"oracle:(\w+)", "auc", "right key told by {}: AUC", _GUESSING),
            Headline("keys:dictionary", "found", "share of listed passphrases found"),
        ),
    ),
    "map-search": Known("White-box map search", "one protected file, program, weights", _SEARCHED),
    "known-plaintext": Known(
        "Known plaintext",
        "originals with their protected pictures under one passphrase",
        charted=True,
    ),
    "tamper": Known(
        "Tamper and spoof",
        "a protected file that may be changed, another one, the program",
        (
            Headline(r"protected:(\w+)", "noticed", "noticed, with a tag: {}", "100 %"),
            Headline(r"untagged:(\w+)", "noticed", "noticed, without a tag: {}"),
            Headline("protected:untouched", "false_alarm", "false alarms", "0 %"),
        ),
    ),
    "byproducts": Known(
        "Byproducts",
        "a network's second output, which never leaves the program",
        (Headline(r"original:(\w+)", "fitted_psnr_db", "likeness after the best fit: {}"),),
    ),
    "deblur": Known(
        "The mask alone", "the mask, and other people's faces to learn from", charted=True
    ),
    "restore": Known("The mask and an enhancer", "the mask, and the released enhancer"),
    "world": Known(
        "The world", "the right passphrase, and a file that has changed on its way", charted=True
    ),
    "multiset": Known(
        "Multiset of coefficients", "what scrambling does not hide, and a gallery of faces"
    ),
}

VARIANTS: Final = {
    "large": "larger net", "stacked": "sees the residual too",
    "residual": "sees the residual alone", "same-key": "one key for every face",
}  # fmt: skip

COSTS: Final = {
    "find_s": "a listed passphrase found, here",
    "find_gpu_s": "a listed passphrase found, modelled card",
    "find_paper_s": "found by the paper's derivation alone, no picture looked at, here",
    "find_paper_gpu_s": "found by the paper's derivation alone, modelled card",
    "find_paper_look_s": "found by the paper's derivation and a look at each key's picture, here",
    "look_s": "one look at what a key shows, on one core",
}

KDFS: Final = {"argon2id": "ours, Argon2id", "pbkdf2-10": "PRO-Face S, PBKDF2 × 10"}

SPACES: Final = {
    "2_16": "2¹⁶ keys",
    "1e6": "a million",
    "14.34e6": "14 million (RockYou)",
    "6_words": "6 random words",
    "10_words": "10 random words",
}

_DISTORTIONS: Final = (
    (r"jpeg_(\d+)", "JPEG {}"),
    (r"jpeg_(\d+)_420", "JPEG {}, 4:2:0"),
    (r"webp_(\d+)", "WebP {}"),
    (r"webp_lossless", "WebP without loss"),
    (r"png_rewritten", "PNG written anew"),
    (r"crop_(\d+)px", "cropped by {} px"),
    (r"noise_([\d.]+)", "noise, sigma {}"),
    (r"brightness_([-+]?[\d.]+)", "brightness {} %"),
    (r"gamma_([\d.]+)", "gamma {}"),
)
_WORLD: Final = re.compile(r"(jpeg|webp|png|resize|screenshot|crop|noise|brightness|gamma)_\S+")


def attack(name: str) -> Known:
    """An attack in words; a new one under its own name."""
    return ATTACKS.get(name) or Known(name.replace("-", " ").capitalize() or "An attack")


def variant(text: str) -> str:
    """``large+same-key`` in words."""
    return ", ".join(VARIANTS.get(one, one) for one in text.split("+") if one)


def is_distortion(name: str) -> bool:
    """Whether a name is of what the world does to pictures."""
    return _WORLD.fullmatch(name) is not None


def distortion(name: str) -> str:
    """``jpeg_90`` as JPEG 90."""
    for pattern, title in _DISTORTIONS:
        found = re.fullmatch(pattern, name)
        if found:
            return title.format(*found.groups()).replace("-", "−")
    for start, title in (
        ("resize_", "resized to {} and back"), ("screenshot_", "shown at {}"),
        ("crop_", "cropped by {}"),
    ):  # fmt: skip
        if name.startswith(start):
            return title.format(words.share(name.removeprefix(start)))
    return name.replace("_", " ")


def kdf(name: str) -> str:
    """A key derivation, and the machine where it is a modelled one."""
    own, _, where = name.partition(" (")
    title = KDFS.get(own, own)
    return f"{title}; {where.removesuffix(')')}" if where else title


def duration(seconds: float) -> str:
    """Seconds in the largest fitting unit; ages as powers of ten."""
    if seconds < 1:
        return "under 1 ms" if seconds < 1e-3 else f"{1000 * seconds:.0f} ms"
    for limit, size, unit in (
        (120, 1, "s"), (7200, 60, "min"), (172_800, 3600, "h"), (6.3e7, 86_400, "days"),
    ):  # fmt: skip
        if seconds < limit:
            return f"{seconds / size:.0f} {unit}"
    years = seconds / 31_557_600
    return f"{years:,.0f} years" if years < 1e5 else f"{power(years)} years"


_RAISED: Final = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")


def power(value: float) -> str:
    """A great number as a power of ten, rounded down."""
    return f"10{str(math.floor(math.log10(value))).translate(_RAISED)}"


def price(dollars: float) -> str:
    """Dollars as somebody reads them."""
    if dollars < 0.01:
        return "under $0.01"
    return f"${dollars:,.2f}" if dollars < 100 else _large(dollars)


def _large(dollars: float) -> str:
    return f"${dollars:,.0f}" if dollars < 1e7 else f"${power(dollars)}"
