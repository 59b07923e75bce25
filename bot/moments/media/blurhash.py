"""The blur that stands where a photo will be: a few cosines in some thirty characters."""

from collections.abc import Sequence
from math import cos, pi

from PIL import Image

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz#$%*+,-.:;=?@[]^_{|}~"
SIDE = 32  # more pixels change nothing that is seen
Colour = tuple[float, float, float]  # linear light


def encode(picture: Image.Image, across: int = 4, down: int = 3) -> str:
    """28 characters for an RGB picture, with so many cosines each way."""
    small = picture.resize((SIDE, SIDE), Image.Resampling.BOX)
    light = [_to_linear(value) for value in small.tobytes()]
    rows = [list(zip(*[iter(light[y * SIDE * 3 : (y + 1) * SIDE * 3])] * 3, strict=True)) for y in range(SIDE)]
    waves = [[cos(pi * k * (x + 0.5) / SIDE) for x in range(SIDE)] for k in range(max(across, down))]
    # First along the rows, then down the columns: 32 times fewer products than both at once.
    along = [[_weighted(row, waves[i]) for row in rows] for i in range(across)]
    factors = [_weighted(along[i], waves[j]) for j in range(down) for i in range(across)]
    mean, rest = factors[0], [tuple(2 * value for value in factor) for factor in factors[1:]]
    greatest = max(abs(value) for factor in rest for value in factor)
    step = max(0, min(82, int(greatest * 166 - 0.5)))
    unit = (step + 1) / 166
    coded = [_digits(across - 1 + (down - 1) * 9, 1), _digits(step, 1), _digits(_packed(mean), 4)]
    for factor in rest:
        red, green, blue = (_quantised(value / unit) for value in factor)
        coded.append(_digits((red * 19 + green) * 19 + blue, 2))
    return "".join(coded)


def _weighted(colours: Sequence[Colour], weights: Sequence[float]) -> Colour:
    pairs = list(zip(colours, weights, strict=True))
    red, green, blue = (sum(colour[part] * weight for colour, weight in pairs) / len(pairs) for part in range(3))
    return red, green, blue


def _to_linear(value: int) -> float:
    part = value / 255
    return part / 12.92 if part <= 0.04045 else float(((part + 0.055) / 1.055) ** 2.4)


def _packed(colour: Colour) -> int:
    red, green, blue = (_to_srgb(value) for value in colour)
    return (red << 16) + (green << 8) + blue


def _to_srgb(value: float) -> int:
    part = min(max(value, 0.0), 1.0)
    return round(255 * (part * 12.92 if part <= 0.0031308 else 1.055 * part ** (1 / 2.4) - 0.055))


def _quantised(value: float) -> int:
    root = abs(value) ** 0.5
    return max(0, min(18, int((root if value >= 0 else -root) * 9 + 9.5)))


def _digits(value: int, length: int) -> str:
    return "".join(ALPHABET[value // 83 ** (length - place) % 83] for place in range(1, length + 1))
