"""Names of regions matched across spellings, accents and languages; what does not match is said, never guessed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from forecast.errors import InputError, nearest_names
from forecast.panel.other_names import OtherNames, country_key, normalised, packaged_names

How = Literal["exact", "normalised", "alias", "near", "none"]
HOWS: tuple[How, ...] = ("exact", "normalised", "alias", "near", "none")

SIDES = frozenset(
    ["north", "south", "east", "west", "northern", "southern", "eastern", "western", "northeast", "northwest",
     "southeast", "southwest", "central", "center", "centre", "middle", "upper", "lower", "greater", "far", "inner",
     "outer", "new", "old", "nord", "sud", "est", "ouest", "oriental", "occidental", "haut", "haute", "hauts", "bas",
     "basse", "moyen", "grand", "petit", "extreme", "nouveau", "nouvelle"]
)  # fmt: skip
"""Words that tell neighbouring regions apart: names that differ in one of them are never near."""


@dataclass(frozen=True)
class Match:
    """One name and what it was found to mean.

    Parameters
    ----------
    country, name : str
        As they were written; the country is empty where it is not known.
    position : int
        Of the known name, -1 for none.
    known : str
        Empty for none.
    how : {"exact", "normalised", "alias", "near", "none"}
        The same text; the same but for case, accents, punctuation and words such as "region"; another name of it; one
        or two letters apart from it and from no other; not found.
    candidates : tuple of str
        For a name that was not found: the known names most like it, best first; for that of a newer region, the
        older ones that it was part of.
    note : str
        What is known about a name that was not found.
    """

    country: str
    name: str
    position: int
    known: str
    how: How
    candidates: tuple[str, ...] = ()
    note: str = ""


@dataclass(frozen=True, eq=False)
class NameMatches:
    """The matches of many names.

    Parameters
    ----------
    matches : tuple of Match
        One for each distinct country and name, in order of appearance.
    position : ndarray of int, shape (names,)
        Position of the known name for each name that was given, -1 for none.
    """

    matches: tuple[Match, ...]
    position: NDArray[np.intp]

    def unmatched(self) -> tuple[Match, ...]:
        """Return the names that were not found."""
        return tuple(match for match in self.matches if match.how == "none")

    def near(self) -> tuple[Match, ...]:
        """Return the names that were taken for one that is spelled otherwise, for people to look over."""
        return tuple(match for match in self.matches if match.how == "near")

    def table(self) -> pd.DataFrame:
        """Return one row a distinct name: country, name, known, how, candidates, note."""
        rows = [(m.country, m.name, m.known, m.how, ", ".join(m.candidates), m.note) for m in self.matches]
        return pd.DataFrame(rows, columns=["country", "name", "known", "how", "candidates", "note"])


def match_names(
    names: Iterable[str | None],
    known: Sequence[str],
    *,
    countries: Iterable[str | None] | None = None,
    known_countries: Sequence[str] | None = None,
    others: OtherNames | None = None,
) -> NameMatches:
    """Match names to known ones: exactly, then up to spelling, then by other names, then by one or two letters.

    A name that could mean several known ones means none. Near names have at most one letter more, fewer, other or
    exchanged if they have 5 to 9 letters, two if they have more; they must be the nearest of each other, differ in no
    word of `SIDES` and no digit, and the known one must not be taken by a better match.

    Parameters
    ----------
    names : iterable of str
        Missing or empty ones get no match and no entry.
    known : sequence of str
        "Mopti", or "Mali/Mopti" with its country.
    countries : iterable of str, optional
        The country of each name, if it is known: only names of that country are considered.
    known_countries : sequence of str, optional
        The country of each known name; by default what stands before its slash.
    others : OtherNames, optional
        By default the packaged ones.

    Returns
    -------
    NameMatches

    Raises
    ------
    InputError
        For lengths that do not fit.

    Examples
    --------
    >>> found = match_names(["Segou region", "Timbuktu", "Menaka"], ["Mali/Ségou", "Mali/Tombouctou"])
    >>> [(match.name, match.known, match.how) for match in found.matches]
    [('Segou region', 'Mali/Ségou', 'normalised'), ('Timbuktu', 'Mali/Tombouctou', 'alias'), ('Menaka', '', 'none')]
    """
    written = [_text(name) for name in names]
    of = [_text(country) for country in countries] if countries is not None else [""] * len(written)
    if len(of) != len(written):
        raise InputError(f"{len(of)} countries for {len(written)} names")
    if known_countries is not None and len(known_countries) != len(known):
        raise InputError(f"{len(known_countries)} countries for {len(known)} known names")
    gazetteer = _Gazetteer(known, known_countries, others if others is not None else packaged_names())
    pairs = list(dict.fromkeys((country, name) for country, name in zip(of, written, strict=True) if name))
    found: dict[tuple[str, str], tuple[int, How]] = {}
    for pair in pairs:
        position, how = gazetteer.sure(*pair)
        if position >= 0:
            found[pair] = position, how
    taken = {position for position, _ in found.values()}
    rest = [pair for pair in pairs if pair not in found]
    for pair, position in gazetteer.near(rest, taken).items():
        found[pair] = position, "near"
    matches = tuple(gazetteer.match(*pair, *found.get(pair, (-1, "none"))) for pair in pairs)
    position_of = {(match.country, match.name): match.position for match in matches}
    at = [position_of.get(pair, -1) for pair in zip(of, written, strict=True)]
    return NameMatches(matches, np.array(at, dtype=np.intp))


class _Gazetteer:
    """The known names, ready to be looked up."""

    def __init__(self, known: Sequence[str], countries: Sequence[str] | None, others: OtherNames) -> None:
        self.known, self.others = known, others
        if countries is None:
            countries = [name.partition("/")[0] if "/" in name else "" for name in known]
            self.labels = [name.partition("/")[2] or name for name in known]
        else:
            self.labels = [name.removeprefix(f"{country}/") for name, country in zip(known, countries, strict=True)]
        self.countries = [country_key(country) for country in countries]
        self.keys = [normalised(label) for label in self.labels]
        self.chiefs = [others.chief(*pair) for pair in zip(self.countries, self.keys, strict=True)]

    def within(self, country: str) -> list[int]:
        """Return the positions of the known names that a name of this country can mean."""
        key = country_key(country)
        return [at for at, of in enumerate(self.countries) if not key or not of or of == key]

    def sure(self, country: str, name: str) -> tuple[int, How]:
        """Return the one known name that this is, up to spelling and other names; -1 for none or several."""
        key, within = normalised(name), self.within(country)
        tests: tuple[tuple[How, list[int]], ...] = (
            ("exact", [at for at in within if name in {self.labels[at], self.known[at]}]),
            ("normalised", [at for at in within if key and self.keys[at] == key]),
            ("alias", [at for at in within if key and self.chiefs[at] == self._chief(country, at, key)]),
        )
        for how, found in tests:
            if found:
                return (found[0], how) if len(found) == 1 else (-1, "none")
        return -1, "none"

    def _chief(self, country: str, at: int, key: str) -> str:
        """Return the chief name of `key` in its own country, or else in that of the known name at `at`."""
        return self.others.chief(country_key(country) or self.countries[at], key)

    def near(self, pairs: list[tuple[str, str]], taken: set[int]) -> dict[tuple[str, str], int]:
        """Return the known name of each pair that is nearest, where each is the only nearest one of the other."""
        distances: dict[tuple[tuple[str, str], int], int] = {}
        for pair in pairs:
            key = normalised(pair[1])
            if (country_key(pair[0]), key) in self.others.successors:
                continue  # a region that is known to be another one
            for at in self.within(pair[0]):
                distance = _distance(key, self.keys[at]) if at not in taken else None
                if distance is not None:
                    distances[pair, at] = distance
        chosen = {}
        for (pair, at), distance in distances.items():
            rivals = [other for other in distances if (other[0] == pair) != (other[1] == at)]
            if all(distances[rival] > distance for rival in rivals):
                chosen[pair] = at
        return chosen

    def match(self, country: str, name: str, position: int, how: How) -> Match:
        """Return the match with what helps a person where there is none."""
        if position >= 0:
            return Match(country, name, position, self.known[position], how)
        within = self.within(country)
        key = normalised(name)
        meant: dict[str, list[str]] = {}  # several regions, where countries have a name in common
        for at in within:
            for spelling in (self.labels[at], *self.others.spellings(self.countries[at], self.chiefs[at])):
                meant.setdefault(spelling, []).append(self.known[at])
        near = dict.fromkeys(known for spelling in nearest_names(key, meant) for known in meant[spelling])
        note = ""
        keys = {country_key(country)} if country else set(self.countries)
        successor = next(
            (self.others.successors[of, key] for of in sorted(keys) if (of, key) in self.others.successors), None
        )
        if successor is not None:
            note = f"a region since {successor.since}; part of {' and '.join(successor.before)} before"
            before = [self.sure(country, older)[0] for older in successor.before]
            near = dict.fromkeys(self.known[at] for at in before if at >= 0) or near
        elif not within:
            note = "no known name is of this country"
        return Match(country, name, -1, "", "none", tuple(near), note)


def _text(value: object) -> str:
    return "" if value is None or value is pd.NA or value != value else str(value).strip()  # noqa: PLR0124 - NaN


def _distance(a: str, b: str) -> int | None:
    """Return the edit distance of two normalised names, or None if they are not near."""
    limit = 0 if min(len(a), len(b)) < 5 else 1 if min(len(a), len(b)) < 10 else 2
    if not limit or abs(len(a) - len(b)) > limit or _marks(a) != _marks(b):
        return None
    distance = edit_distance(a, b)
    return distance if distance <= limit else None


def _marks(name: str) -> list[str]:
    """Return the words and digits in which near names may not differ."""
    return [word for word in name.split() if word in SIDES or any(letter.isdigit() for letter in word)]


def edit_distance(a: str, b: str) -> int:
    """Return how many letters must be added, left out, replaced or exchanged with the next one to make `b` of `a`.

    The restricted Damerau-Levenshtein distance: Damerau (1964), doi:10.1145/363958.363994.

    Examples
    --------
    >>> edit_distance("nasarawa", "nassarawa"), edit_distance("gao", "goa"), edit_distance("kano", "kogi")
    (1, 1, 3)
    """
    before: list[int] = []
    last = list(range(len(b) + 1))
    for i, x in enumerate(a, start=1):
        row = [i]
        for j, y in enumerate(b, start=1):
            cost = min(last[j] + 1, row[j - 1] + 1, last[j - 1] + (x != y))
            if i > 1 and j > 1 and x == b[j - 2] and a[i - 2] == y:
                cost = min(cost, before[j - 2] + 1)
            row.append(cost)
        before, last = last, row
    return last[-1]
