"""Countries as UCDP numbers them: Gleditsch and Ward's numbers, by name."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable
from pathlib import Path

from forecast.config import read_toml
from forecast.errors import InputError, plain_name, unknown_name

_TABLE = Path(__file__).with_name("ucdp_countries.toml")


def country_numbers(countries: Iterable[str | int], *, where: str = "") -> list[int]:
    """Return Gleditsch and Ward's numbers of countries, as in UCDP's column country_id.

    Parameters
    ----------
    countries : iterable of str or int
        Names as UCDP, ACLED or people write them, in any case, or numbers. A name may have two: those of a state
        before and after a partition, as Serbia.
    where : str, optional
        Where the names stand, for the message.

    Returns
    -------
    list of int
        Ascending, each once.

    Raises
    ------
    InputError
        For a name or number that is not known: UCDP would answer that there are no events. Names offer the nearest.

    Examples
    --------
    >>> country_numbers(["Mali", "439", "Cote d'Ivoire", "DR Congo"])
    [432, 437, 439, 490]
    """
    numbers = _numbers_by_name()
    found: set[int] = set()
    for country in countries:
        text = str(country).strip()
        if text.isascii() and text.isdigit():
            if int(text) not in _table():
                raise InputError(
                    f"no country has the number {text}",
                    where=where,
                    expected="a number of Gleditsch and Ward, such as 432 for Mali, or a name",
                )
            found.add(int(text))
        elif (key := _key(text)) in numbers:
            found |= numbers[key]
        else:
            raise unknown_name("country", text, [name for names in _table().values() for name in names], where=where)
    return sorted(found)


@functools.cache
def _table() -> dict[int, tuple[str, ...]]:
    """Return the names of each number, UCDP's own first."""
    return {int(number): tuple(names) for number, names in read_toml(_TABLE).items()}


@functools.cache
def _numbers_by_name() -> dict[str, frozenset[int]]:
    found: dict[str, frozenset[int]] = {}
    for number, names in _table().items():
        for name in names:
            found[_key(name)] = found.get(_key(name), frozenset()) | {number}
    return found


def _key(name: str) -> str:
    """Return what is compared of a name: its letters, without case, accents, punctuation and a leading "the"."""
    return " ".join(re.findall(r"\w+", plain_name(name))).removeprefix("the ")
