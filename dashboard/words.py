"""The words of the dashboard: plain names, units and senses of what the database abbreviates."""

import math
import re
from dataclasses import dataclass
from typing import Final

METHODS: Final[dict[str, str]] = {
    "proface-s-rand": "RandWR",
    "proface-s-obfs": "ObfsWR",
    "proface-k": "ProFace-K",
    "sealed": "Sealed",
    "imn": "IMN",
    "fit": "FIT",
    "PRO-Face-S": "PRO-Face S",
    "mask": "no method",
}

MASKS: Final[dict[str, str]] = {
    "gaussian": "blur",
    "pixelate": "pixels",
    "median": "median",
    "sticker": "sticker",
    "faceshifter": "FaceShifter",
    "simswap": "SimSwap",
    "average": "mean of masks",
    "superpixel": "superpixels",
    "edge": "edges",
    "extreme_blur": "8 x 8 pixels",
    "noise": "noise",
    "box": "grey box",
    "ksame": "average face",
    "diffusion": "painted face",
    "": "no mask",
}

SETS: Final[dict[str, str]] = {
    "lfw": "LFW",
    "celeba": "CelebA",
    "ffhq": "FFHQ",
    "age_adults": "AGE_ADULTS",
    "casia": "CASIA",
    "": "one set",
}

PROTOCOLS: Final[dict[str, str]] = {"png": "From the PNG file", "paper": "As the papers measure"}

PROTOCOL_HELP: Final = (
    "From the PNG file: measured on the 8-bit picture read back from disk, as anybody gets it. "
    "As the papers measure: float tensors, stretched wrong-key pictures, their channel habits."
)

PAIRS: Final[dict[str, str]] = {
    "mask:protected": "protected beside mask",
    "original:recovered": "recovered beside original",
    "original:wrong": "wrong key beside original",
    "mask:wrong": "wrong key beside mask",
    "original:mask": "mask beside original",
    "original:protected": "protected beside original",
    "original:one_char": "one character wrong",
    "mask:one_char": "one character wrong, beside mask",
    "original:one_bit": "one bit of the key wrong",
    "mask:one_bit": "one bit of the key wrong, beside mask",
    "original:spoofed": "mask put in place of protected",
    "original:recovered faces": "recovered faces alone, beside original",
    "mask:protected faces": "protected faces alone, beside mask",
    "original:byproduct": "byproduct of protection",
    "original:recovery_byproduct": "byproduct of recovery",
    "original:wrong_byproduct": "byproduct under a wrong key",
    "wrong": "wrong-key picture alone",
    "photograph": "photographs that gave no picture",
    "spoofed": "spoofs that the method refused",
    "aim:wrong": "wrong key beside what it shall show",
    "cost": "cost",
}


@dataclass(frozen=True)
class Metric:
    """How a figure is written: its name, unit and decimals; whether more is better."""

    title: str
    unit: str = ""
    decimals: int = 3
    higher: bool = True


METRICS: Final[dict[str, Metric]] = {
    "psnr_db": Metric("PSNR", "dB", 2),
    "psnr_y_db": Metric("PSNR of Y", "dB", 2),
    "ssim": Metric("SSIM"),
    "ssim_y": Metric("SSIM of Y"),
    "lpips": Metric("LPIPS", "", 4, higher=False),
    "lpips_squeeze": Metric("LPIPS (squeeze)", "", 4, higher=False),
    "lpips_vgg": Metric("LPIPS (vgg)", "", 4, higher=False),
    "lpips_alex": Metric("LPIPS (alex)", "", 4, higher=False),
    "rmse": Metric("RMSE", "", 3, higher=False),
    "mae": Metric("MAE", "", 3, higher=False),
    "dssim": Metric("DSSIM", "", 3, higher=False),
    "l1": Metric("L1", "", 3, higher=False),
    "l2": Metric("L2", "", 4, higher=False),
    "fid": Metric("FID", "", 1, higher=False),
    "pieapp": Metric("PieAPP", "", 3, higher=False),
    "drift_px": Metric("drift", "px", 2, higher=False),
    "clipped": Metric("share clipped", "", 3, higher=False),
    "fitted_psnr_db": Metric("PSNR after the best fit", "dB", 2),
    "refused": Metric("share refused", "", 3, higher=False),
    "mask_noted": Metric("share blurred instead of masked", "", 3, higher=False),
    "no_face": Metric("share without a found face", "", 3, higher=False),
    "identity_cosine": Metric("identity cosine"),
    "identity_match": Metric("identity match"),
    "told": Metric("told: re-encoded, or not ours"),
    "told_with_sidecar": Metric("the same, header kept apart"),
    "told_reencoded": Metric("told that this file was re-encoded"),
    "told_reencoded_with_sidecar": Metric("the same of this file, header kept apart"),
    "parameters": Metric("parameters", "", 0, higher=False),
    "protect_batch_s": Metric("protect 16 faces", "s", 3, higher=False),
    "recover_batch_s": Metric("recover 16 faces", "s", 3, higher=False),
    "protect_photo_s": Metric("protect a photograph", "s", 3, higher=False),
    "recover_photo_s": Metric("recover a photograph", "s", 3, higher=False),
}

STATES: Final[dict[str, str]] = {
    "running": "▶ running",
    "finished": "✓ finished",
    "stopped": "■ stopped",
    "crashed": "✕ crashed",
    "unknown": "? unknown",
}

_MEASURE: Final = (
    "python -m engine benchmark --data FOLDER --db runs/results.db --metrics all --methods "
)
_NETWORKS: Final = "proface-s-rand,proface-s-obfs"
BENCHMARK: Final = f"{_MEASURE}{_NETWORKS},sealed"
PAPER_BENCHMARK: Final = f"{_MEASURE}{_NETWORKS} --protocol paper"
KEY_ATTACKS: Final = f"{BENCHMARK} --parts keys,spoof,sweep,byproducts"
ATTACK: Final = "python -m engine attack NAME --data FOLDER --db runs/results.db"
LIST_ATTACKS: Final = "python -m engine attack --list"
COST: Final = f"{BENCHMARK} --parts cost"
TRAIN: Final = "python -m engine train proface-s-rand --data FOLDER --resume runs/rand"


def benchmark(protocol: str) -> str:
    """The command that measures in this way."""
    return PAPER_BENCHMARK if protocol == "paper" else BENCHMARK


def method(name: str) -> str:
    """A method as people call it: ``proface-s-rand`` is RandWR; others keep their name."""
    return METHODS.get(name, name)


def mask(name: str) -> str:
    """A mask in plain words, with its strengths where they are written behind its name."""
    kind, _, strengths = name.partition(":")
    title = MASKS.get(kind, kind)
    return f"{title}, {strengths.replace(',', ', ')}" if strengths else title


def source(name: str) -> str:
    """A set of faces as it is written in papers."""
    return SETS.get(name, name)


def pair(name: str) -> str:
    """Which two pictures are compared, in plain words."""
    if name in PAIRS:
        return PAIRS[name]
    _, _, second = name.partition(":")
    kind, _, amount = second.rpartition("_")
    if kind == "flipped":
        return f"{share(amount)} of the key map flipped"
    if kind == "tile":
        return f"{share(amount)} of the key map flipped, as a tile"
    return name.replace(":", " beside ").replace("_", " ")


def share(amount: str) -> str:
    """``"0.05"`` as 5 %."""
    try:
        return f"{float(amount) * 100:g} %"
    except ValueError:
        return amount


def metric(name: str) -> Metric:
    """How a metric is written; unknown ones under their own name."""
    if name in METRICS:
        return METRICS[name]
    unit = next((u for u in ("db", "px", "ms", "s", "mib") if name.endswith(f"_{u}")), "")
    names = {"db": "dB", "mib": "MiB"}
    higher = not name.startswith(("lpips", "l1", "l2", "rmse", "mae")) and unit in ("", "db")
    return Metric(name.replace("_", " "), names.get(unit, unit), 3, higher)


def number(value: float | None, name: str, *, sign: bool = False, unit: bool = False) -> str:
    """A figure with the decimals of its metric; infinite ones are exact recoveries."""
    if value is None:
        return "–"
    if math.isinf(value):
        return "exact"
    kind = metric(name)
    spec = f"{'+' if sign else ''},.{kind.decimals}f"
    # Adding 0 takes the sign off what rounds to nothing.
    text = format(round(value, kind.decimals) + 0.0, spec).replace("-", "−")
    return f"{text} {kind.unit}" if unit and kind.unit else text


def axis(name: str) -> str:
    """The title of an axis: name and unit."""
    kind = metric(name)
    return f"{kind.title} ({kind.unit})" if kind.unit else kind.title


def figure(pair_name: str, metric_name: str) -> str:
    """A figure in one line: PSNR, recovered beside original."""
    return f"{metric(metric_name).title}, {pair(pair_name)}"


def moment(text: str | None) -> str:
    """An ISO 8601 time of the database to the minute, UTC."""
    return "–" if not text else text[:16].replace("T", " ")


_MARKS: Final = re.compile(r"[\\`*_{}\[\]()<>#!|$:~^&]|^[-+]|-(?=[->])")


def plain(text: str) -> str:
    """Text of a database for Streamlit's Markdown, which shall show it and not obey it."""
    return _MARKS.sub(lambda mark: f"\\{mark[0]}", " ".join(text.split()))


def counted(number: int, noun: str) -> str:
    """``1 run``, ``2 runs``."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
