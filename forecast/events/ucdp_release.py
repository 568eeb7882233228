"""Versions of UCDP's event datasets: what they cover, and which one holds where they differ."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import total_ordering
from pathlib import Path
from typing import Literal

import pandas as pd

from forecast.errors import InputError
from forecast.events.record import Scope

Kind = Literal["yearly", "cumulative", "monthly"]

FIRST_DAY = pd.Timestamp("1989-01-01")
"""UCDP GED begins here."""
_RANK: dict[str, int] = {"monthly": 0, "cumulative": 1, "yearly": 2}

_BEFORE, _AFTER, _DOT = r"(?<!\d)", r"(?!\d)", r"[._-]"
_CUMULATIVE = re.compile(rf"{_BEFORE}(\d\d){_DOT}(\d\d){_DOT}(\d\d){_DOT}(\d\d){_AFTER}")
_MONTHLY = re.compile(rf"{_BEFORE}(\d\d){_DOT}0{_DOT}(\d\d?){_AFTER}")
_YEARLY = re.compile(rf"{_BEFORE}(1[7-9]|[2-9]\d){_DOT}?([12]){_AFTER}")


@total_ordering
@dataclass(frozen=True)
class Release:
    """A version of the Georeferenced Event Dataset or of the Candidate Events Dataset.

    Releases are in order of precedence: where two have the same event, the greater one holds. A yearly release (vetted)
    goes before a cumulative one, and that before a monthly one (preliminary); within a kind, the later one.

    Parameters
    ----------
    version : str
        As UCDP writes it: ``26.1``, ``26.01.26.06`` or ``26.0.7``.
    kind : {"yearly", "cumulative", "monthly"}
    first, last : Timestamp
        Days it covers, both included.
    number : int
        Of a yearly release within its year.

    Examples
    --------
    >>> release_of("26.1") > release_of("26.01.26.06") > release_of("26.0.7") > release_of("26.0.6")
    True
    """

    version: str
    kind: Kind
    first: pd.Timestamp
    last: pd.Timestamp
    number: int = 0

    def __lt__(self, other: Release) -> bool:
        return self._precedence < other._precedence

    @property
    def _precedence(self) -> tuple[int, pd.Timestamp, int, str]:
        return _RANK[self.kind], self.last, self.number, self.version

    def supersedes(self, other: Release) -> bool:
        """Return whether this one has precedence, and speaks for days of the other.

        Examples
        --------
        >>> release_of("25.1").supersedes(release_of("24.0.11")), release_of("25.1").supersedes(release_of("25.0.3"))
        (True, False)
        """
        return self > other and self.first <= other.last and other.first <= self.last


def release_of(name: str) -> Release:
    """Return the release that a version or a file name tells.

    Parameters
    ----------
    name : str
        ``26.1``, ``26.0.7``, ``26.01.26.06``, or a file name that has it as ``26_1``, ``26.1`` or ``ged261``.

    Raises
    ------
    InputError
        If there is none in it.

    Examples
    --------
    >>> release_of("ged261-csv.zip").version, release_of("GEDEvent_v23_0_10.csv").version
    ('26.1', '23.0.10')
    >>> release_of("GEDEvent_v26_01_26_06.csv").last
    Timestamp('2026-06-30 00:00:00')
    """
    release = _release_in(name)
    if release is None:
        raise InputError(
            f"no UCDP version in {name!r}",
            expected="YY.1 (yearly), YY.0.M (monthly) or YY.01.YY.MM (cumulative), such as GEDEvent_v26_0_7.csv",
            hint="name the release",
        )
    return release


def is_preliminary(versions: Iterable[str]) -> bool:
    """Return whether any of the events is of a candidate release, not of a yearly one, which is vetted.

    Parameters
    ----------
    versions : iterable of str
        Of each event the version of its release; one that is not known tells nothing.

    Examples
    --------
    >>> is_preliminary(["25.1", "26.0.7"]), is_preliminary(["25.1"])
    (True, False)
    """
    known = (_release_in(str(version)) for version in set(versions))
    return any(release is not None and release.kind != "yearly" for release in known)


def _release_in(name: str) -> Release | None:
    if found := _CUMULATIVE.search(name):
        year, month, last_year, last_month = (int(part) for part in found.groups())
        if 1 <= month <= 12 and 1 <= last_month <= 12 and (year, month) <= (last_year, last_month):
            version = f"{year:02}.{month:02}.{last_year:02}.{last_month:02}"
            return Release(version, "cumulative", _month(year, month)[0], _month(last_year, last_month)[1])
    if (found := _MONTHLY.search(name)) and 1 <= int(found[2]) <= 12:
        year, month = int(found[1]), int(found[2])
        return Release(f"{year:02}.0.{month}", "monthly", *_month(year, month))
    if found := _YEARLY.search(name):
        year, number = int(found[1]), int(found[2])
        return Release(f"{year:02}.{number}", "yearly", FIRST_DAY, pd.Timestamp(1999 + year, 12, 31), number)
    return None


def _month(year: int, month: int) -> tuple[pd.Timestamp, pd.Timestamp]:
    first = pd.Timestamp(2000 + year, month, 1)
    return first, (first + pd.offsets.MonthEnd(0)).normalize()


def ucdp_scope(
    path: Path, release: Release | None, *, complete: bool = True, countries: Sequence[str] = ()
) -> Scope | None:
    """Return what an import of a file speaks for as a whole: an event there that the file lacks is deleted.

    A yearly release speaks for all years up to the one before it, so that it replaces the candidate events of those
    years; a monthly one for its month; a cumulative one for its months. Events outside of these days, which candidate
    releases hold in small numbers, are added or changed, and delete nothing.

    Parameters
    ----------
    path : Path
        For messages.
    release : Release or None
    complete : bool
        Whether the file is the whole release as UCDP published it, or all of it for `countries`. False for a subset
        of unknown extent: nothing can be concluded from what it lacks.
    countries : sequence of str
        If the file was cut to these, in UCDP's spelling; empty for the world.

    Returns
    -------
    Scope or None
        None for a subset.

    Raises
    ------
    InputError
        If the file is said to be complete and its release is not known.

    Examples
    --------
    >>> ucdp_scope(Path("x.csv"), release_of("25.1"), countries=["Mali"]).last
    Timestamp('2024-12-31 00:00:00')
    """
    if not complete:
        return None
    if release is None:
        raise InputError(
            "of which release the file is all cannot be told from its name",
            where=Path(path).name,
            hint="name the release, or say that the file is a part",
        )
    return Scope(tuple(countries), release.first, release.last)
