"""Names on the map: each stands only where it has room beside those before it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

Position = Literal["middle center", "bottom center", "top center", "middle right", "middle left"]

LINE = 15.0
"""Height of a line of text in pixels."""
GAP = 8.0
"""Pixels between a town's dot and its name."""


@dataclass(frozen=True)
class Spot:
    """Where a name could stand.

    Parameters
    ----------
    longitude, latitude : float
    position : str
        Of the text beside the point, as Plotly calls it.
    """

    longitude: float
    latitude: float
    position: Position = "middle center"


@dataclass(frozen=True)
class Label:
    """A name, and where it could stand, the best first.

    Parameters
    ----------
    kind, text : str
    letter : float
        Pixels of a letter.
    spots : tuple of Spot
    """

    kind: str
    text: str
    letter: float
    spots: tuple[Spot, ...]


@dataclass(frozen=True)
class Sheet:
    """The drawing that names are put on.

    Parameters
    ----------
    west, south, east, north : float
        Degrees.
    width, height : float
        Pixels.
    """

    west: float
    south: float
    east: float
    north: float
    width: float
    height: float

    def pixel(self, longitude: float, latitude: float) -> tuple[float, float]:
        """Return where a point is, from the lower left corner."""
        return (
            (longitude - self.west) / (self.east - self.west) * self.width,
            (latitude - self.south) / (self.north - self.south) * self.height,
        )


Box = tuple[float, float, float, float]
"""left, low, right, high in pixels."""


def arrange(labels: Iterable[Label], sheet: Sheet, dots: Sequence[tuple[float, float]] = ()) -> list[Spot | None]:
    """Return where each label stands: at the first spot with room, or nowhere.

    Parameters
    ----------
    labels : iterable of Label
        The most important first.
    sheet : Sheet
    dots : sequence of (longitude, latitude)
        Marks that no name may cover.

    Examples
    --------
    >>> sheet = Sheet(0, 0, 10, 10, 100, 100)
    >>> labels = [Label("town", "Gao", 7, (Spot(5, 5),)), Label("town", "Ansongo", 7, (Spot(5, 5.5),))]
    >>> [spot is not None for spot in arrange(labels, sheet)]
    [True, False]
    """
    taken = [(x - 3, y - 3, x + 3, y + 3) for x, y in (sheet.pixel(*dot) for dot in dots)]
    found: list[Spot | None] = []
    for label in labels:
        for spot in label.spots:
            box = _box(label, spot, sheet)
            inside = box[0] >= 0 and box[1] >= 0 and box[2] <= sheet.width and box[3] <= sheet.height
            if inside and not any(_overlap(box, other) for other in taken):
                taken.append(box)
                found.append(spot)
                break
        else:
            found.append(None)
    return found


def _box(label: Label, spot: Spot, sheet: Sheet) -> Box:
    x, y = sheet.pixel(spot.longitude, spot.latitude)
    half = label.letter * len(label.text) / 2
    x += {"middle right": half + GAP, "middle left": -half - GAP}.get(spot.position, 0.0)
    y += {"bottom center": -LINE / 2 - GAP / 2, "top center": LINE / 2 + GAP / 2}.get(spot.position, 0.0)
    return x - half, y - LINE / 2, x + half, y + LINE / 2


def _overlap(one: Box, other: Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]
