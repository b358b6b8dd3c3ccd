"""The papers' own figures, to stand beside ours; numbers as printed, each with its table.

Sources: Yang et al., "Invertible Mask Network for Face Privacy Preservation" (IMN); Yuan et al.,
"PRO-Face S: Privacy-preserving Reversible Obfuscation of Face Images via Secure Flow"; Gu et al.,
"Password-conditioned Anonymization and Deanonymization with Face Identity Transformers" (FIT); the
outline of SDN. Figure 6 of PRO-Face S is a drawing without numbers, so it has none here. What each
paper's protocol does otherwise than ours stands in ``note``.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

__all__ = ["PAPER_MASKS", "REFERENCES", "Reference"]

Better = Literal["higher", "lower"]

PROFACE_S, IMN, FIT, SDN = "PRO-Face S", "IMN", "FIT", "SDN"
PAPER_MASKS = ("gaussian", "pixelate", "median", "faceshifter", "simswap", "sticker")
"""The six masks that PRO-Face S averages over, by our names; two of them are not made here."""


@dataclass(frozen=True)
class Reference:
    """One printed number.

    Attributes:
        paper: short name.
        table: as the paper counts them, such as ``"I"``.
        method: the row's name in the paper.
        ours: our method that stands beside it; empty where none is meant to.
        mask: our name of the mask; ``"average"`` over :data:`PAPER_MASKS`; empty for none.
        source: the set of faces, such as ``"lfw"``; empty for none.
        pair: the two images that are compared, ``"cost"`` for what something takes.
        metric: our name where ours is the same; ``"lpips"`` of a net that the paper does not name.
        value: as printed.
        better: which way is better here; for the wrong key of RandWR a low PSNR.
        note: what to know before comparing.
    """

    paper: str
    table: str
    method: str
    ours: str
    mask: str
    source: str
    pair: str
    metric: str
    value: float
    better: Better
    note: str = ""


_LPIPS = "VGG net that also trained it, fed [0, 1] where [-1, 1] is expected"
_SHARED = "from the float tensor, not from a file"
_STRETCHED = "wrong-key image stretched from its least to its greatest value before scoring"
_MSE = "printed as RMSE; below the MAE it can only be the mean squared error"
_MASKS = {
    "GB": "gaussian", "PL": "pixelate", "MB": "median", "FS": "faceshifter", "SS": "simswap",
    "MS": "sticker", "Avg": "average",
}  # fmt: skip
_OURS = {"RandWR": "proface-s-rand", "ObfsWR": "proface-s-obfs", "IMN": "imn", "Gu": "fit"}

# One row for each method and mask; PSNR, SSIM and LPIPS on LFW, then on CelebA, then on FFHQ.
_PROTECT = """
PRO-Face Avg  34.77 0.973 0.0261  34.95 0.969 0.0206  34.68 0.966 0.0253
IMN      SS   48.79 0.989 0.0079  48.57 0.988 0.0081  48.97 0.991 0.0068
RandWR   Avg  44.92 0.990 0.0001  43.81 0.989 0.0001  43.17 0.988 0.0001
ObfsWR   Avg  39.14 0.975 0.0005  38.20 0.971 0.0006  38.08 0.970 0.0007
RandWR   GB   46.64 0.991 0.0     45.25 0.987 0.0001  45.11 0.986 0.0001
RandWR   PL   44.1  0.992 0.0001  43.23 0.99  0.0001  42.82 0.989 0.0001
RandWR   MB   44.81 0.991 0.0001  43.85 0.988 0.0001  43.52 0.987 0.0001
RandWR   FS   47.87 0.996 0.0     46.4  0.996 0.0     45.04 0.994 0.0001
RandWR   SS   47.97 0.997 0.0     46.31 0.996 0.0     44.89 0.995 0.0001
RandWR   MS   38.11 0.975 0.0002  37.8  0.973 0.0002  37.66 0.973 0.0002
ObfsWR   GB   42.1  0.974 0.0003  41.14 0.968 0.0004  41.11 0.967 0.0005
ObfsWR   PL   38.92 0.979 0.0006  38.15 0.975 0.0007  38.13 0.974 0.0007
ObfsWR   MB   40.3  0.976 0.0005  39.47 0.97  0.0006  39.51 0.969 0.0007
ObfsWR   FS   40.99 0.986 0.0003  39.72 0.984 0.0004  39.42 0.982 0.0005
ObfsWR   SS   40.83 0.986 0.0003  39.27 0.985 0.0004  39.01 0.983 0.0004
ObfsWR   MS   31.69 0.947 0.001   31.43 0.943 0.0011  31.32 0.943 0.0012
"""
_RECOVER = """
Gu              -    30.8  0.938 0.0632  30.52 0.932 0.0682  28.16 0.921 0.0875
Cao             -    -     -     -       27.5  0.902 0.062   -     -     -
RAPP            -    -     -     -       29.06 0.809 0.057   -     -     -
RiDDLE(e2e)     -    21.65 0.789 0.2213  19.19 0.714 0.2285  20.56 0.749 0.2591
RiDDLE(latent)  -    27.14 0.921 0.0941  26.2  0.9   0.089   27.14 0.921 0.0941
IMN             SS   49.1  0.995 0.0210  49.14 0.995 0.0175  48.83 0.995 0.0172
RandWR          Avg  46.87 0.998 0.0044  44.76 0.997 0.0043  41.14 0.990 0.0061
ObfsWR          Avg  37.95 0.985 0.0170  36.76 0.981 0.0176  35.86 0.977 0.0194
RandWR          GB   49.18 0.998 0.0009  46.37 0.997 0.0014  42.03 0.992 0.0031
RandWR          PL   46.91 0.997 0.0021  44.9  0.996 0.0024  41.19 0.991 0.0044
RandWR          MB   44.36 0.998 0.0079  42.98 0.996 0.0067  40.3  0.992 0.0073
RandWR          FS   49.49 0.998 0.0009  46.77 0.997 0.0013  42.25 0.993 0.0031
RandWR          SS   49.05 0.998 0.001   46.27 0.997 0.0015  41.87 0.992 0.0034
RandWR          MS   42.2  0.987 0.0139  41.26 0.986 0.0127  39.22 0.981 0.0153
ObfsWR          GB   37.7  0.984 0.0167  36.06 0.977 0.0191  35.3  0.975 0.022
ObfsWR          PL   38.82 0.985 0.0149  37.52 0.982 0.016   36.43 0.978 0.0178
ObfsWR          MB   37.5  0.984 0.0191  35.95 0.978 0.0215  35.18 0.975 0.0238
ObfsWR          FS   38.13 0.986 0.017   37.33 0.984 0.0163  36.31 0.98  0.0166
ObfsWR          SS   38.13 0.988 0.018   37.08 0.985 0.0177  36.12 0.981 0.0196
ObfsWR          MS   37.41 0.98  0.0159  36.64 0.978 0.0152  35.8  0.975 0.0165
"""
_WRONG_RAND = """
RandWR Avg  10.45 0.183 0.9454  9.86 0.164 0.9616  10.53 0.186 0.9988
RandWR GB   10.44 0.179 0.9494  9.86 0.16  0.9680  10.54 0.183 1.0037
RandWR PL   10.46 0.183 0.9454  9.89 0.165 0.9603  10.53 0.184 0.9997
RandWR MB   10.45 0.179 0.9489  9.86 0.161 0.9650  10.51 0.183 1.0027
RandWR FS   10.47 0.182 0.9465  9.87 0.163 0.9617  10.56 0.186 0.9993
RandWR SS   10.47 0.182 0.9467  9.86 0.163 0.9628  10.53 0.184 1.0011
RandWR MS   10.39 0.192 0.9355  9.8  0.171 0.952   10.54 0.198 0.9864
"""
_WRONG_OBFS = """
ObfsWR Avg  28.97 0.968 0.0147  30.03 0.965 0.0122  28.76 0.971 0.0153
ObfsWR GB   24.57 0.966 0.0281  27.03 0.969 0.0212  25.49 0.969 0.0291
ObfsWR PL   28.57 0.963 0.0102  29.73 0.959 0.0085  28.36 0.969 0.0103
ObfsWR MB   25.39 0.96  0.021   27.65 0.960 0.0168  25.9  0.965 0.0212
ObfsWR FS   33.64 0.977 0.0095  34.10 0.970 0.0082  32.48 0.982 0.0104
ObfsWR SS   34.55 0.985 0.0097  34.82 0.982 0.0088  33.3  0.986 0.0094
ObfsWR MS   27.12 0.955 0.0098  26.83 0.949 0.01    27.02 0.957 0.0115
"""
# On CelebA, mean of the masks: protection, correct recovery, wrong key of RandWR, of ObfsWR.
_ABLATION = """
no-triplet-l1          41.70 0.985 0.0004  43.34 0.992 0.0045  10.68 0.284 0.7866  - - -
no-triplet-lpips       39.76 0.934 0.0021  41.01 0.946 0.0137  - - -  28.61 0.923 0.0201
no-key-in-recovery     42.36 0.984 0.0001  42.03 0.990 0.0084  10.12 0.252 0.828  29.68 0.961 0.0131
full                   43.81 0.989 0.0001  44.76 0.995 0.0043  9.86 0.164 0.9616  30.03 0.965 0.0122
"""
# Parameters, seconds for a batch of 16 faces of 112 px; the mask where the paper names one.
_COST = """
PRO-Face-S proface-s-rand gaussian  1.07e6   0.014
PRO-Face-S proface-s-rand simswap   1.07e6   0.595
IMN        imn            simswap   4.05e6   1.84
Gu         fit            -         11.43e6  1.229
RiDDLE     -              -         40.03e6  2.49
"""
# Loss weights; PSNR, SSIM, RMSE, MAE of 20 faces of AGE_ADULTS.
_IMN_2 = """
1:1:1  38.42 0.943 9.945 2.108
1:2:1  46.35 0.988 1.579 0.905
1:3:1  47.09 0.991 1.437 0.829
1:4:1  46.15 0.988 1.706 0.930
"""
# The six pairs of Figure 4: PSNR and SSIM of the recovery, then of the masked face.
_IMN_3 = """
1  45.37 0.993  50.16 0.997
2  49.46 0.997  47.01 0.990
3  40.32 0.990  43.72 0.992
4  47.38 0.996  47.59 0.996
5  42.53 0.991  45.21 0.992
6  47.51 0.995  49.27 0.996
"""
_IMN_4 = """
You  36.67 0.988 14.72 2.74
IMN  52.02 0.997 0.441 0.45
"""
# LPIPS, DSSIM, L1, L2 of the recovery on CASIA, then on LFW.
_FIT_2 = """
Ren         0.08 0.07 0.06 0.009  0.08 0.07 0.06 0.010
Superpixel  0.09 0.10 0.06 0.01   0.10 0.11 0.07 0.02
Edge        0.25 0.24 0.25 0.24   0.28 0.26 0.29 0.18
Blur        0.30 0.21 0.12 0.04   0.34 0.24 0.14 0.05
Noise       0.12 0.12 0.07 0.01   0.13 0.12 0.08 0.01
Masked      0.10 0.09 0.07 0.02   0.16 0.13 0.10 0.05
FIT         0.03 0.03 0.04 0.004  0.04 0.03 0.04 0.004
"""
_FIT_FFHQ = "FIT  0.0602 0.0471 0.0509 0.0057"
# How far MTCNN's boxes and key points move, in pixels, on CASIA, LFW and FFHQ.
_FIT_3 = """
boxes      1.81 1.62 1.91
keypoints  0.94 0.76 0.89
"""
# Original to anonymised: LPIPS, FID, SSIM.
_SDN_1 = """
Gu          0.17 28  0.95
MfM         0.35 27  0.83
FaceBERT    0.15 123 0.83
Yang        0.12 144 0.81
A3GAN       0.29 93  0.87
Khorzooghi  0.28 101 0.86
Xue         0.16 127 0.83
CIAGAN      0.28 108 0.85
Cao         0.29 43  0.93
SDN         0.15 28  0.96
"""
# Original to recovered: LPIPS, PSNR, SSIM, PieAPP.
_SDN_2 = """
Gu   0.038 28.11 0.809 0.532
MfM  0.069 27.52 0.823 0.581
Cao  0.072 27.10 0.85  0.63
SDN  0.034 28.91 0.872 0.451
"""


def _better(metric: str) -> Better:
    return "higher" if metric.startswith(("psnr", "ssim")) else "lower"


def _rows(text: str, names: int) -> Iterator[tuple[list[str], list[str]]]:
    for line in text.strip().splitlines():
        words = line.split()
        yield words[:names], words[names:]


def _three_sets(table: str, text: str, pair: str, note: str = "") -> Iterator[Reference]:
    for (method, mask), values in _rows(text, 2):
        name = f"PRO-Face S {method}" if method.endswith("WR") else method
        cells = [(s, m) for s in ("lfw", "celeba", "ffhq") for m in ("psnr_db", "ssim", "lpips")]
        for (source, metric), value in zip(cells, values, strict=True):
            if value != "-":
                yield Reference(
                    PROFACE_S, table, name, _OURS.get(method, ""), _MASKS.get(mask, ""), source,
                    pair, metric, float(value), _better(metric),
                    "; ".join(filter(None, (note, _LPIPS if metric == "lpips" else _SHARED))),
                )  # fmt: skip


def _lower_is_better(references: Iterator[Reference]) -> Iterator[Reference]:
    """A wrong key of RandWR shall show as little as can be."""
    for one in references:
        yield replace(one, better="higher" if one.metric == "lpips" else "lower")


def _ablation() -> Iterator[Reference]:
    columns = (
        ("mask:protected", "rand"), ("original:recovered", "rand"), ("original:wrong", "rand"),
        ("mask:wrong", "obfs"),
    )  # fmt: skip
    for (name,), values in _rows(_ABLATION, 1):
        cells = [(*column, m) for column in columns for m in ("psnr_db", "ssim", "lpips")]
        for (pair, wrong, metric), value in zip(cells, values, strict=True):
            ours = f"proface-s-{wrong}-{name}"
            one = Reference(
                PROFACE_S, "IV", name, ours, "average", "celeba", pair, metric,
                0.0 if value == "-" else float(value), _better(metric),
                _LPIPS if metric == "lpips" else _SHARED,
            )  # fmt: skip
            if value != "-":
                yield from _lower_is_better(iter([one])) if pair == "original:wrong" else [one]


def _cost() -> Iterator[Reference]:
    for (method, ours, mask), values in _rows(_COST, 3):
        for metric, value in zip(("parameters", "protect_batch_s"), values, strict=True):
            yield Reference(
                PROFACE_S, "V", method, ours.strip("-"), mask.strip("-"), "", "cost", metric,
                float(value), "lower", "" if metric == "parameters" else "on an RTX 3090",
            )  # fmt: skip


def _plain(
    paper: str, table: str, text: str, cells: list[tuple[str, str, str]], own: str = ""
) -> Iterator[Reference]:
    """Rows of a name and its values; ``cells`` are the source, pair and metric of each column."""
    for (method,), values in _rows(text, 1):
        for (source, pair, metric), value in zip(cells, values, strict=True):
            ours = own.lower() if own and method == own else ""
            note = _MSE if metric == "rmse" else ""
            yield Reference(
                paper, table, method, ours, "", source, pair, metric, float(value),
                _better(metric), note,
            )  # fmt: skip


def _all() -> Iterator[Reference]:
    rec, hid = "original:recovered", "mask:protected"
    yield from _three_sets("I", _PROTECT, hid)
    yield from _three_sets("II", _RECOVER, rec)
    yield from _lower_is_better(_three_sets("III", _WRONG_RAND, "original:wrong", _STRETCHED))
    yield from _three_sets("III", _WRONG_OBFS, "mask:wrong", _STRETCHED)
    yield from _ablation()
    yield from _cost()
    imn = ["psnr_y_db", "ssim_y", "rmse", "mae"]
    yield from _plain(IMN, "2", _IMN_2, [("age_adults", rec, m) for m in imn])
    yield from _plain(
        IMN, "3", _IMN_3, [("age_adults", p, m) for p in (rec, hid) for m in imn[:2]]
    )  # fmt: skip
    yield from _plain(IMN, "4", _IMN_4, [("age_adults", rec, m) for m in imn], "IMN")
    fit = ["lpips", "dssim", "l1", "l2"]
    yield from _plain(FIT, "2", _FIT_2, [(s, rec, m) for s in ("casia", "lfw") for m in fit], "FIT")
    yield from _plain(FIT, "2", _FIT_FFHQ, [("ffhq", rec, m) for m in fit], "FIT")
    drift = [(s, "original:protected", "drift_px") for s in ("casia", "lfw", "ffhq")]
    yield from _plain(FIT, "3", _FIT_3, drift)
    sdn = [("", "original:protected", m) for m in ("lpips", "fid", "ssim")]
    yield from _plain(SDN, "anonymise", _SDN_1, sdn, "SDN")
    sdn = [("", rec, m) for m in ("lpips", "psnr_db", "ssim", "pieapp")]
    yield from _plain(SDN, "recover", _SDN_2, sdn, "SDN")


REFERENCES: tuple[Reference, ...] = tuple(_all())
