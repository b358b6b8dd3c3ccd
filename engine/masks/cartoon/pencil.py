"""Smooth shapes on an empty canvas, so that a cartoon is a list of parts and not of pixels."""

from functools import lru_cache

import cv2
import numpy as np
import numpy.typing as npt

from engine.masks.inner_face import FloatArray

Colour = tuple[int, int, int]
"""RGB, each 0..255."""

CANVAS = 180.0
"""Side of the square canvas in units of the canonical frame of :mod:`engine.masks.inner_face`."""

ORIGIN: FloatArray = np.array([-34.0, -42.0])
"""Where the canvas begins in the canonical frame (x, y)."""

_OVERSAMPLING = 4
_SUBPIXEL_BITS = 4
_BORDER = 3.4  # white rim of the sticker, in units
_SOFTNESS = 0.9  # standard deviation of the rim's edge: about 3 % of a face from clear to opaque


def mix(colour: Colour, other: Colour, share: float) -> Colour:
    """Blend two colours.

    Args:
        colour: where ``share`` is 0.
        other: where ``share`` is 1.
        share: 0 to 1.

    Returns:
        The colour between them.
    """
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(colour, other, strict=True))
    return red, green, blue


def ink(colour: Colour) -> Colour:
    """Darken a colour to that of its outline.

    Args:
        colour: the fill.

    Returns:
        A dark shade of the same hue.
    """
    return mix(colour, (38, 26, 40), 0.74)


def oval(
    x: float,
    y: float,
    a: float,
    b: float,
    *,
    power: float = 2.0,
    tilt: float = 0.0,
    arc: tuple[float, float] = (0.0, 360.0),
) -> FloatArray:
    """Trace a superellipse, from an ellipse (power 2) towards a rectangle (power 5).

    Args:
        x: middle, in units.
        y: middle, in units.
        a: half width.
        b: half height.
        power: exponent, 2 or more.
        tilt: turn in degrees, clockwise.
        arc: first and last angle in degrees; 0 points right, 90 down.

    Returns:
        ``(65, 2)`` points.
    """
    local = _unit_oval(power, arc) * (a, b)
    if not tilt:
        return np.asarray(np.add(local, (x, y)))
    turn = np.radians(tilt)
    spin = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    return np.asarray(np.add(local @ spin.T, (x, y)))


@lru_cache(maxsize=64)
def _unit_oval(power: float, arc: tuple[float, float]) -> FloatArray:
    angle = np.radians(np.linspace(*arc, 65))
    cos, sin = np.cos(angle), np.sin(angle)
    points = np.stack([np.abs(cos) ** (2 / power), np.abs(sin) ** (2 / power)], axis=1)
    return np.asarray(points * np.sign(np.stack([cos, sin], axis=1)))


def curve(*points: tuple[float, float], closed: bool = False) -> FloatArray:
    """Run a smooth line (Catmull-Rom) through points.

    Args:
        points: two or more x, y in units.
        closed: whether the last point leads back to the first.

    Returns:
        ``(n, 2)`` points, eight for each stretch.
    """
    knots = np.array(points)
    if closed:
        knots = np.vstack([knots[-1:], knots, knots[:2]])
    else:
        knots = np.vstack([2 * knots[:1] - knots[1:2], knots, 2 * knots[-1:] - knots[-2:-1]])
    t = np.linspace(0, 1, 9)[:-1, None, None]
    p0, p1, p2, p3 = knots[:-3], knots[1:-2], knots[2:-1], knots[3:]
    line = 0.5 * (
        2 * p1
        + (p2 - p0) * t
        + (2 * p0 - 5 * p1 + 4 * p2 - p3) * t**2
        + (3 * p1 - p0 - 3 * p2 + p3) * t**3
    )
    return np.vstack([line.transpose(1, 0, 2).reshape(-1, 2), knots[-2:-1]])


def mirrored(points: FloatArray) -> FloatArray:
    """Reflect points at the middle line of the face.

    Args:
        points: ``(n, 2)`` x, y in units.

    Returns:
        The same points on the other side.
    """
    return np.asarray(points * (-1.0, 1.0) + (112.0, 0.0))


def heart(x: float, y: float, size: float) -> FloatArray:
    """Trace a heart.

    Args:
        x: middle, in units.
        y: middle, in units.
        size: half width.

    Returns:
        ``(n, 2)`` points.
    """
    t = np.linspace(0, 2 * np.pi, 49)
    across = 16 * np.sin(t) ** 3
    down = -(13 * np.cos(t) - 5 * np.cos(2 * t) - 2 * np.cos(3 * t) - np.cos(4 * t))
    return np.stack([across, down + 2], axis=1) * size / 16 + (x, y)


def star(x: float, y: float, size: float, *, points: int = 5) -> FloatArray:
    """Trace a star, one point upwards.

    Args:
        x: middle, in units.
        y: middle, in units.
        size: half width.
        points: how many.

    Returns:
        ``(2 * points, 2)`` points.
    """
    angle = np.arange(2 * points) * np.pi / points - np.pi / 2
    radius = np.where(np.arange(2 * points) % 2, 0.5, 1.0) * size
    return np.stack([np.cos(angle) * radius + x, np.sin(angle) * radius + y], axis=1)


class Pencil:
    """A canvas four times too large, in the units of the canonical face frame.

    Args:
        side: height and width of the finished picture in pixels.
    """

    def __init__(self, side: int) -> None:
        self._side = side
        self._unit = side * _OVERSAMPLING / CANVAS
        self._canvas = np.zeros((side * _OVERSAMPLING, side * _OVERSAMPLING, 4), np.uint8)

    def fill(self, points: FloatArray, colour: Colour, *, outline: float = 0.0) -> None:
        """Fill a closed shape, and go round it in its own dark shade.

        Args:
            points: ``(n, 2)`` x, y in units.
            colour: RGB.
            outline: width of the outline in units; 0 draws none.
        """
        cv2.fillPoly(self._canvas, [self._pixels(points)], (*colour, 255), shift=_SUBPIXEL_BITS)
        if outline > 0:
            self.line(np.vstack([points, points[:1]]), ink(colour), outline)

    def line(self, points: FloatArray, colour: Colour, width: float) -> None:
        """Draw along points with round ends.

        Args:
            points: ``(n, 2)`` x, y in units.
            colour: RGB.
            width: in units.
        """
        cv2.polylines(
            self._canvas,
            [self._pixels(points)],
            False,
            (*colour, 255),
            max(1, round(width * self._unit)),
            shift=_SUBPIXEL_BITS,
        )

    def finish(self) -> npt.NDArray[np.uint8]:
        """Reduce the canvas to its size and cut it out with a white rim and a soft edge.

        Returns:
            RGBA with colours multiplied by alpha, ``(side, side, 4)``.
        """
        size = (self._side, self._side)
        art = cv2.resize(self._canvas, size, interpolation=cv2.INTER_AREA)
        unit = self._side / CANVAS
        reach = 2 * max(1, round(_BORDER * unit)) + 1
        brush = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (reach, reach))
        rim = cv2.GaussianBlur(cv2.dilate(art[:, :, 3], brush), (0, 0), _SOFTNESS * unit)
        clear = (255 - art[:, :, 3:]).astype(np.uint16)
        added = (clear * rim[:, :, None] + 127) // 255
        return np.asarray(np.minimum(art + added, 255), dtype=np.uint8)

    def _pixels(self, points: FloatArray) -> npt.NDArray[np.int32]:
        # OpenCV counts from the middle of the first pixel, the frame from its corner.
        pixels = (points - ORIGIN) * self._unit - 0.5
        return np.rint(pixels * (1 << _SUBPIXEL_BITS)).astype(np.int32)
