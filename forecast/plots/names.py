"""Names of units as a reader wants them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence


def called(name: str) -> str:
    """Return what a unit is called in a title: the region first, its country behind.

    Examples
    --------
    >>> called("Mali/Gao"), called("Bamako 100 km")
    ('Gao (Mali)', 'Bamako 100 km')
    """
    group, slash, own = name.partition("/")
    return f"{own} ({group})" if slash else name


def short_labels(names: Sequence[str]) -> dict[str, str]:
    """Return short labels of several units: without their country, unless two would be called the same.

    Examples
    --------
    >>> list(short_labels(["Mali/Gao", "Mali/Centre", "Niger/Centre", "Gao 100 km"]).values())
    ['Gao', 'Mali/Centre', 'Niger/Centre', 'Gao 100 km']
    """
    short = {name: name.rpartition("/")[2] for name in names}
    often = Counter(short.values())
    return {name: label if often[label] == 1 else name for name, label in short.items()}
