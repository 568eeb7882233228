"""What regions and places are called on the site, and their folders: safe in every file system, the same for ever."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterable

from forecast.language import say

_LONGEST = 60
_RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)", re.ASCII)
"""Names that Windows keeps for itself."""


def unit_title(kind: str, name: str) -> str:
    """Return what a unit of the ledger is called in running text, as `forecast.reporting.words.titles` has it.

    Examples
    --------
    >>> unit_title("region", "Mali/Gao"), unit_title("place", "Bamako 100 km")
    ('Gao (Mali)', 'Bamako and 100 km around')
    """
    if kind == "place":
        town = re.fullmatch(r"(.+) (\d+) km", name, re.ASCII | re.DOTALL)
        return say("{town} and {radius} km around", town=town[1], radius=town[2]) if town else name
    country, _, region = name.partition("/")
    return f"{region} ({country})" if region and country else name


def slugs(names: Iterable[str]) -> dict[str, str]:
    """Return the name of a folder for each name.

    Letters lose their accents, and whatever is no letter or digit of ASCII becomes a hyphen. Where that leaves nothing,
    is too long, is what a name before it has got, or is a name that Windows keeps for itself, digits of the hash of
    the name follow.

    Parameters
    ----------
    names : iterable of str
        In the order in which they first appeared: a name that comes later changes none before it.

    Examples
    --------
    >>> slugs(["Mali/Ségou", "Mali/Segou", "con", "../غاو"])
    {'Mali/Ségou': 'mali-segou', 'Mali/Segou': 'mali-segou-a61c114a', 'con': 'con-1143da2b', '../غاو': 'x-4ad901fe'}
    """
    found: dict[str, str] = {}
    taken: set[str] = set()
    for name in names:
        if name in found:
            continue
        plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
        slug = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")
        if not slug or len(slug) > _LONGEST or slug in taken or _RESERVED.fullmatch(slug):
            stem = slug[:_LONGEST].rstrip("-") or "x"
            digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()
            slug = next(longer for digits in (8, 64) if (longer := f"{stem}-{digest[:digits]}") not in taken)
        found[name] = slug
        taken.add(slug)
    return found
