"""Counts of whole countries."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from forecast.panel.panel import Counts, Panel


def country_totals(panel: Panel) -> dict[str, tuple[Counts, NDArray[np.bool_]]]:
    """Return for each country its weekly counts and the weeks in which all its regions are observed.

    Returns
    -------
    dict of str to (ndarray of int64, shape (weeks,); ndarray of bool, shape (weeks,))
        In order of the names; the name is empty where the units have no country.
    """
    groups = np.asarray(panel.units.groups, dtype=object)
    totals = {}
    for country in sorted(set(panel.units.groups)):
        mine = groups == country
        observed: NDArray[np.bool_] = np.asarray(panel.observed[:, mine].all(axis=1))
        totals[country] = (np.asarray(panel.counts[:, mine].sum(axis=1)), observed)
    return totals
