"""What checks of events may know beside the events: the day, outlines of regions, towns, types."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from forecast.errors import plain_name

LEVEL = 0.01
"""The most that a statistical check may raise a false alarm: in one of a hundred faultless sets of data."""

_KIND = re.compile(
    r"\b(region|province|state|governorate|department|departement|district|capital|federal|territory|county|of)\b"
)

KNOWN_TYPES: Mapping[str, frozenset[str]] = {
    "acled": frozenset(
        {
            "battles",
            "protests",
            "riots",
            "explosions remote violence",
            "violence against civilians",
            "strategic developments",
        }
    ),
    "ucdp": frozenset(
        f"{kind}{noun}"
        for kind in ("state based", "non state", "one sided")
        for noun in ("", " conflict", " violence", " armed conflict")
    )
    | {"1", "2", "3"},
}
"""Event types of the sources that publish a list of them, as `plain_type` writes them (ACLED codebook of 2024; UCDP GED
codebook 25.1, type_of_violence)."""


def plain_type(name: str) -> str:
    """Return an event type for comparison: no case, no signs.

    Examples
    --------
    >>> plain_type("Explosions/Remote violence")
    'explosions remote violence'
    """
    return re.sub(r"\W+", " ", plain_name(name)).strip()


def plain_region(name: str) -> str:
    """Return a region's name for comparison: no case, accents, signs, or words that only say what kind it is.

    Examples
    --------
    >>> plain_region("Ségou region") == plain_region("Segou"), plain_region("Plateau-Central")
    (True, 'plateau central')
    """
    words = re.sub(r"\W+", " ", plain_name(name))
    return " ".join(_KIND.sub(" ", words).split()) or words.strip()


@dataclass(frozen=True, eq=False)
class Outlines:
    """Regions with their countries, in degrees, WGS 84.

    Parameters
    ----------
    regions : tuple of str
        Names without the country.
    countries : tuple of str
        The country of each.
    shapes : tuple of shapely Polygon or MultiPolygon
    """

    regions: tuple[str, ...]
    countries: tuple[str, ...]
    shapes: tuple[BaseGeometry, ...]

    @classmethod
    def of_keys(cls, keys: Sequence[str], shapes: Sequence[BaseGeometry]) -> Outlines:
        """Take regions that are called ``"Mali/Mopti"``: country, slash, name.

        Examples
        --------
        >>> import shapely
        >>> Outlines.of_keys(["Mali/Gao"], [shapely.box(-1, 15, 2, 18)]).countries
        ('Mali',)
        """
        parts = [key.partition("/") for key in keys]
        return cls(tuple(p[2] or p[0] for p in parts), tuple(p[0] if p[2] else "" for p in parts), tuple(shapes))


@dataclass(frozen=True, eq=False)
class CheckContext:
    """What is known beside the events; a check that needs what is not given finds nothing.

    Parameters
    ----------
    known_at : Timestamp, optional
        The day on which the events were known; none can lie after it.
    outlines : Outlines, optional
        The frame of regions in which the events will be counted.
    towns : ndarray, shape (towns, 2), optional
        Latitude and longitude of populated places: many events there are nothing odd.
    types : mapping of source to set of str
        Event types that the source publishes, as `plain_type` writes them; others are not checked.
    level : float
        The most that each statistical check may raise a false alarm.
    covers_until : Timestamp, optional
        The last day of which the events claim to tell, `known_at` if not given: a release of August covers July.
    """

    known_at: pd.Timestamp | None = None
    outlines: Outlines | None = None
    towns: NDArray[np.float64] | None = None
    types: Mapping[str, frozenset[str]] = field(default_factory=lambda: KNOWN_TYPES)
    level: float = LEVEL
    covers_until: pd.Timestamp | None = None
