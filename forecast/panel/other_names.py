"""Other names of regions and countries, from a small table that comes with the package or one of the user's own."""

from __future__ import annotations

import functools
import unicodedata
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from forecast.config import parse, read_toml
from forecast.errors import InputError, plain_name

_KINDS = frozenset(
    ["area", "cercle", "circle", "city", "county", "departement", "department", "district", "governorate", "lga",
     "prefecture", "province", "region", "state", "ville", "wilaya", "wilayah"]
)  # fmt: skip
_LINKS = frozenset(["d", "de", "des", "du", "of", "la", "le", "les", "the"])
_LETTERS = str.maketrans("øđłɓɗŋɔɛƙ", "odlbdnoek")
_APOSTROPHES = "'`\u00b4\u2018\u2019\u02bc\u02bf\u02be"


class Successor(BaseModel):
    """A region that redistricting made: since which year, and of which older regions it was part."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    since: int
    before: tuple[str, ...]


class _Names(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    countries: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    aliases: dict[str, dict[str, tuple[str, ...]]] = Field(default_factory=dict)
    successors: dict[str, dict[str, Successor]] = Field(default_factory=dict)


@dataclass(frozen=True)
class OtherNames:
    """Names that mean the same, by country; all in the form of `normalised`, countries in that of `country_key`.

    Parameters
    ----------
    names : dict of (country, name) to str
        The name that a set of aliases is called by.
    successors : dict of (country, name) to Successor
    """

    names: dict[tuple[str, str], str]
    successors: dict[tuple[str, str], Successor]

    def chief(self, country: str, name: str) -> str:
        """Return what the aliases of a normalised name are called by: itself if it has none."""
        return self.names.get((country, name), name)

    def spellings(self, country: str, chief: str) -> list[str]:
        """Return all names that have this chief name."""
        return [name for (of, name), its_chief in self.names.items() if of == country and its_chief == chief]


def normalised(name: str) -> str:
    """Return a name without case, accents, punctuation, and words for the kind of region at its ends.

    Examples
    --------
    >>> [normalised(name) for name in ("Ségou", "Segou region", "Région de Ségou", "Ville de N'Djamena")]
    ['segou', 'segou', 'segou', 'ndjamena']
    """
    plain = plain_name(name).translate(_LETTERS)
    plain = "".join(letter for letter in plain if letter not in _APOSTROPHES)
    words = "".join(letter if unicodedata.category(letter)[0] in "LN" else " " for letter in plain).split()
    kept = list(words)
    while len(kept) > 1 and kept[-1] in _KINDS:
        kept.pop()
    if len(kept) > 1 and kept[0] in _KINDS:
        kept = kept[1:]
        while len(kept) > 1 and kept[0] in _LINKS:
            kept = kept[1:]
    return " ".join(kept)


def country_key(country: str) -> str:
    """Return a country's name for comparison: without case and accents, other known names brought to one.

    Examples
    --------
    >>> country_key("Côte d'Ivoire") == country_key("Ivory Coast")
    True
    """
    plain = normalised(country)
    return _countries().get(plain, plain)


def read_other_names(path: Path) -> OtherNames:
    """Read a table of other names, in the form of ``place_names.toml`` in this folder.

    Raises
    ------
    InputError
        If it is missing or no such table, or one name of a country belongs to two sets of aliases.
    """
    table = parse(_Names, read_toml(path), where=path.name)
    names: dict[tuple[str, str], str] = {}
    for country, regions in table.aliases.items():
        for chief, others in regions.items():
            for name in (chief, *others):
                known = names.setdefault((country_key(country), normalised(name)), normalised(chief))
                if known != normalised(chief):
                    raise InputError(f"{name!r} of {country} stands for {known!r} and {chief!r}", where=path.name)
    successors = {
        (country_key(country), normalised(name)): successor
        for country, regions in table.successors.items()
        for name, successor in regions.items()
    }
    return OtherNames(names, successors)


@functools.cache
def packaged_names() -> OtherNames:
    """Return the names that come with the package: 18 countries of West Africa, the Sahel and neighbours."""
    return read_other_names(_packaged())


@functools.cache
def _countries() -> dict[str, str]:
    table = parse(_Names, read_toml(_packaged()), where="place_names.toml")
    return {normalised(name): normalised(chief) for chief, others in table.countries.items() for name in others}


def _packaged() -> Path:
    return Path(__file__).with_name("place_names.toml")
