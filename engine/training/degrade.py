"""Makes good portraits poor: what blurs, coarsens, litters and averages, an enhancer undoes."""

import cv2
import numpy as np
import numpy.typing as npt
import torch

from engine.masks.enhance import hide
from engine.masks.ksame import DETAIL, Averages, mirrored, yaw_of
from engine.masks.matching import lit_as
from engine.masks.portrait import inner_matte
from engine.masks.thin_plate import bend

F32 = npt.NDArray[np.float32]
U8 = npt.NDArray[np.uint8]

_HEAVY = 0.15
"""Share of portraits that lose nearly everything: a face must then come from what is learned."""

_LOSSY = 0.5
_WAYS = (cv2.INTER_NEAREST_EXACT, cv2.INTER_LINEAR, cv2.INTER_CUBIC, cv2.INTER_AREA)


def degrade(portrait_u8: U8, side: int, rng: np.random.Generator) -> U8:
    """Blur, shrink, add noise and compress by chance, as photographs and masks do.

    The order is that of Real-ESRGAN's first pass (Wang et al., ICCVW 2021); a share of the
    portraits is blurred or pixelated as strongly as by a mask.

    Args:
        portrait_u8: (S, S, 3), RGB.
        side: of what comes out; at most S.
        rng: decides everything.

    Returns:
        (side, side, 3).
    """
    heavy, scale = rng.random() < _HEAVY, len(portrait_u8) / 112
    sigma = rng.uniform(3, 8) if heavy else rng.uniform(0, 3) * rng.random()
    poor_u8 = portrait_u8
    if sigma * scale > 0.2:
        poor_u8 = cv2.GaussianBlur(poor_u8, (0, 0), sigma * scale)
    small = round(side / (rng.uniform(4, 10) if heavy else 1 + rng.uniform(0, 2.5) * rng.random()))
    poor_u8 = cv2.resize(poor_u8, (small, small), interpolation=cv2.INTER_AREA)
    noise = rng.normal(0, rng.uniform(0, 12) * rng.random(), poor_u8.shape)
    poor_u8 = np.clip(poor_u8 + noise + 0.5, 0, 255).astype(np.uint8)
    poor_u8 = cv2.resize(poor_u8, (side, side), interpolation=int(rng.choice(_WAYS)))
    if rng.random() < _LOSSY:
        poor_u8 = _compressed(poor_u8, int(rng.integers(35, 96)))
    return np.asarray(poor_u8, np.uint8)


def _compressed(picture_u8: U8, quality: int) -> U8:
    # The channels' order matters to the compression little; that they come back in it, much.
    _, data = cv2.imencode(".jpg", picture_u8[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)[..., ::-1]


def as_average(portrait_u8: U8, landmarks: F32, averages: Averages, share: float = 1.0) -> U8:
    """Draw the inner face of a portrait as the average of others would be that is most like it.

    Its projection on the components of the averages, in its own pose and light: what k-Same lays,
    and a swapper changes, but of a face of which the detail that is gone is known.

    Args:
        portrait_u8: (112, 112, 3), RGB.
        landmarks: (5, 2), x and y in its pixels, ArcFace order.
        averages: the released ones.
        share: of what sets it apart from the mean of all.

    Returns:
        (112, 112, 3), what an enhancer is shown of it.
    """
    turned = yaw_of(landmarks) < 0  # the averages all look one way
    picture_u8, points = mirrored(portrait_u8, landmarks) if turned else (portrait_u8, landmarks)
    bent = torch.from_numpy(bend(picture_u8.astype(np.float32), points, averages.shape) / 255)
    with torch.inference_mode():
        nearest = averages.network.nearest(bent.permute(2, 0, 1)[None].float())
        drawn = averages.network.paint(share * nearest)[0].permute(1, 2, 0).numpy()
    other = bend(255 * np.ascontiguousarray(drawn), averages.shape, points)
    matte = inner_matte(len(picture_u8), points)
    laid_u8 = lit_as(np.clip(other, 0, 255), picture_u8, matte, DETAIL)
    poor_u8 = hide(picture_u8, matte, laid_u8)
    return np.ascontiguousarray(poor_u8[:, ::-1]) if turned else poor_u8
