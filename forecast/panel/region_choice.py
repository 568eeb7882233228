"""Regions chosen by country and name, as people write them; what is not known is said, with the nearest known ones."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from forecast.errors import InputError, nearest_names, unknown_name
from forecast.panel.other_names import country_key
from forecast.panel.place_names import Match, match_names


def choose_regions(
    known: Sequence[str],
    known_countries: Sequence[str],
    *,
    names: Sequence[str] = (),
    countries: Sequence[str] = (),
    where: str = "",
) -> NDArray[np.bool_]:
    """Return which regions are meant: all of some countries and any others by name, or all if neither is given.

    Spelling and language do not matter as far as `forecast.panel.place_names.match_names` is sure of what is meant:
    "Segou region" and "Mali/Segou" are "Mali/Ségou". Names that are merely near are not taken, but offered.

    Parameters
    ----------
    known : sequence of str, shape (regions,)
        Such as "Mali/Mopti", or "Mopti".
    known_countries : sequence of str, shape (regions,)
        The country of each, empty where it is not known.
    names, countries : sequence of str
        Those that are wanted.
    where : str
        Where they were named, for the message.

    Returns
    -------
    ndarray of bool, shape (regions,)

    Raises
    ------
    InputError
        For all names that are not known or could mean several, with the nearest known ones; for an unknown country.

    Examples
    --------
    >>> choose_regions(["Mali/Gao", "Mali/Tombouctou"], ["Mali", "Mali"], names=["Timbuktu"]).tolist()
    [False, True]
    """
    if not names and not countries:
        return np.ones(len(known), dtype=np.bool_)
    chosen = np.isin(np.arange(len(known)), _positions(names, known, known_countries, where))
    of = np.array(known_countries, dtype=object)
    for country in countries:
        same = of == country
        if not same.any():
            same = np.array([country_key(other) == country_key(country) for other in known_countries], dtype=np.bool_)
        if not same.any():
            raise unknown_name("country", country, sorted(set(known_countries) - {""}), where=where)
        chosen |= same
    return chosen


def _positions(names: Sequence[str], known: Sequence[str], countries: Sequence[str], where: str) -> list[int]:
    """Return the positions of the regions that are named."""
    exact = {name: at for at, name in enumerate(known)}
    others = [name for name in dict.fromkeys(names) if name not in exact]
    if not others:
        return [exact[name] for name in names]
    keys = {country_key(country) for country in countries} - {""}
    parts = [_parted(name, keys) for name in others]
    found = match_names(
        [name for _, name in parts], known, countries=[country for country, _ in parts], known_countries=countries
    )
    by_part = {(match.country, match.name): match for match in found.matches}
    matches = [by_part[part] if part in by_part else Match(*part, -1, "", "none") for part in parts]
    unsure = [(name, match) for name, match in zip(others, matches, strict=True) if match.how in {"near", "none"}]
    if unsure:
        raise _unknown(unsure, known, where)
    return [exact[name] for name in names if name in exact] + [match.position for match in matches]


def _parted(name: str, countries: set[str]) -> tuple[str, str]:
    """Return country and name of what a person wrote: "Mali/Segou" has the country, if Mali is one that is known."""
    country, slash, label = name.partition("/")
    if slash and country_key(country) in countries:
        return country.strip(), label.strip()
    return "", name.strip()


def _unknown(unsure: Sequence[tuple[str, Match]], known: Sequence[str], where: str) -> InputError:
    near = {
        name: (match.known,) if match.how == "near" else match.candidates or tuple(nearest_names(name, known))
        for name, match in unsure
    }
    offers = {name: ", ".join(map(repr, found)) for name, found in near.items() if found}
    notes = "; ".join(f"{name!r} is {match.note}" for name, match in unsure if match.note)
    if not offers:
        expected = unknown_name("region", "", known).expected  # which lists the first of them
    elif len(unsure) == 1:
        expected = f"one of the {len(known)} known names, such as {''.join(offers.values())}"
    else:
        such = "; ".join(f"{found} for {name!r}" for name, found in offers.items())
        expected = f"names of the {len(known)} known regions, such as {such}"
    what = f"unknown region{'s' if len(unsure) > 1 else ''} {', '.join(map(repr, near))}"
    return InputError(what, where=where, expected=expected, hint=notes)
