"""Why here: whether two faces are one person's, as figures; apart from the metrics' table."""

from torch import Tensor

from engine.errors import MetricError, ModelError
from engine.recognition import Landmarks, cosines, find_recognizer
from engine.similarity import check_pair
from engine.zoo import RECOGNIZER


def identity_cosine(
    first: Tensor,
    second: Tensor,
    landmarks: Landmarks | None = None,
    recognizer: str = RECOGNIZER,
) -> Tensor:
    """How much two faces look like one person to a recogniser: its embeddings' cosine; symmetric.

    The faces are brought to the recogniser's 112 x 112 pixels: by their landmarks where these are
    given, the same for both pictures of a pair, else as crops of the usual margin in which the
    landmarks lie where they lie on average (see :mod:`engine.alignment`).

    Args:
        first: (B, 3, H, W), RGB in [0, 1], one face each.
        second: the same shape and range.
        landmarks: (5, 2) of each pair in pixels, ArcFace order, or None where they are not known.
        recognizer: as :func:`engine.recognition.find_recognizer` takes it.

    Returns:
        (B,) float64 in [-1, 1]; 1 where the two are equal.

    Raises:
        ImageShapeError, ImageRangeError: as :func:`engine.metrics.psnr_db`.
        ModelError: as :func:`engine.recognition.find_recognizer`.
    """
    first, second = check_pair(first, second)
    return cosines(first, second, landmarks, recognizer)


def identity_match(
    first: Tensor,
    second: Tensor,
    landmarks: Landmarks | None = None,
    recognizer: str = RECOGNIZER,
) -> Tensor:
    """Whether a recogniser takes two faces for one person: 1 or 0; the mean is the match rate.

    It does from the threshold on that a thousandth of the pairs of different people among the
    training faces reaches, which is kept with the model.

    Args:
        first: (B, 3, H, W), RGB in [0, 1], one face each.
        second: the same shape and range.
        landmarks: as :func:`identity_cosine` takes them.
        recognizer: likewise, one that has a threshold.

    Returns:
        (B,) float64.

    Raises:
        ImageShapeError, ImageRangeError: as :func:`engine.metrics.psnr_db`.
        MetricError: the recogniser has no threshold, as insightface's packs have none.
        ModelError: as :func:`engine.recognition.find_recognizer`.
    """
    first, second = check_pair(first, second)
    threshold = find_recognizer(recognizer, first.device).threshold
    if threshold is None:
        raise MetricError(
            f"identity_match is unavailable: {recognizer} has no threshold",
            hint="measure identity_cosine, or find one with python -m engine verify",
        )
    return (cosines(first, second, landmarks, recognizer) >= threshold).double()


def why_not(name: str, recognizer: str = RECOGNIZER) -> str | None:
    """Tell why a figure of identity cannot be had on this machine, or None where it can.

    Args:
        name: ``"identity_cosine"`` or ``"identity_match"``.
        recognizer: as :func:`engine.recognition.find_recognizer` takes it.
    """
    try:
        judge = find_recognizer(recognizer)
    except ModelError as error:
        return str(error)
    if name == "identity_match" and judge.threshold is None:
        return f"{recognizer} has no threshold"
    return None
