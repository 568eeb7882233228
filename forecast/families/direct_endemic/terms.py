"""What recent events say about the weeks to come: exponentially weighted means of a unit and of those around it."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field
from scipy import sparse
from scipy.spatial import cKDTree

from forecast.compiled import compiled
from forecast.families.recent import panel_level
from forecast.panel.panel import Panel
from forecast.panel.units import EARTH_RADIUS_KM

Floats = NDArray[np.float64]

START_WEEKS, START_EVENTS = 4.0, 0.2
"""The pooled level from which means start counts as so many weeks, or as the fewer that hold so many events, which are
forgotten as others are: a unit at a level far from it is soon at its own."""
REACH = 5.0
"""Nothing comes from farther away than so many lengths of the spatial kernel: less than 1 % of its weight."""

_OfNewest = Annotated[float, Field(gt=0, lt=1)]
_OfNewestOrNone = Annotated[float, Field(ge=0, lt=1)]


class TermSettings(BaseModel):
    """Which means are taken. Each has the weight a on the newest week: ``m <- m + a (rate - m)``.

    Parameters
    ----------
    own : tuple of float
        Weights of the means of the unit itself; beside them goes the mean of all its weeks.
    adjacent : float
        Of the mean over adjacent units; 0 leaves it out, here and below.
    country : float
        Of the mean over all units of the country.
    near : float
        Of the sum over all other units, each times ``exp(-distance / near_km)``.
    near_km : float
        Distance at which a unit counts 1/e of one next to it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    own: Annotated[tuple[_OfNewest, ...], Field(min_length=1)] = (0.25, 0.03)
    adjacent: _OfNewestOrNone = 0.3
    country: _OfNewestOrNone = 0.15
    near: _OfNewestOrNone = 0.3
    near_km: Annotated[float, Field(gt=0)] = 80.0

    @property
    def names(self) -> tuple[str, ...]:
        """Name of each term, the constant first.

        Examples
        --------
        >>> TermSettings(near=0).names
        ('constant', 'own 0.25', 'own 0.03', 'own mean', 'adjacent', 'country')
        """
        around = {"adjacent": self.adjacent, "country": self.country, "near": self.near}
        own = [f"own {a:g}" for a in self.own]
        return ("constant", *own, "own mean", *(name for name, a in around.items() if a))


def epidemic_terms(settings: TermSettings, panel: Panel, scale: Floats) -> Floats:
    """Return the terms at the end of each week, from counts divided by `scale`.

    Parameters
    ----------
    settings : TermSettings
    panel : Panel
    scale : ndarray, shape (weeks, units)
        Season times exposure.

    Returns
    -------
    ndarray, shape (weeks, units, terms)
        In the order of ``settings.names``; the first is 1. A week that is not observed leaves the unit's means as
        they were. A unit without neighbours gets 0 from them.

    Examples
    --------
    >>> import pandas as pd
    >>> from forecast.panel.units import Units
    >>> weeks = pd.date_range("2026-01-03", periods=3, freq="7D")
    >>> panel = Panel.of(np.array([[2], [0], [4]]), weeks, Units.of(["Gao"]))
    >>> settings = TermSettings(own=(0.5,), adjacent=0, country=0, near=0)
    >>> epidemic_terms(settings, panel, np.ones((3, 1)))[:, 0, 1].round(2)
    array([2.  , 0.69, 2.57])
    """
    around = _around(settings, panel)
    weights = np.array([*settings.own, 0.0, *(a for a, _ in around)])
    level = panel_level(panel) / scale.mean(axis=0)
    start = np.minimum(START_WEEKS, START_EVENTS / level)
    out = np.empty((len(panel.weeks), len(panel.units), 1 + len(weights)))
    out[:, :, 0] = 1.0
    _weighted_means(panel.counts, panel.observed, scale, level, start, weights, out)
    for at, (_, matrices) in enumerate(around, start=len(settings.own) + 2):
        values = out[:, :, at].T
        for matrix in matrices:
            values = matrix @ values
        out[:, :, at] = values.T
    return out


def distance_kernel(panel: Panel, length_km: float) -> sparse.csr_array:
    """Return ``exp(-distance / length_km)`` between different units, 0 beyond `REACH` lengths.

    Where no unit has coordinates, distances are those of adjacent units only, as far as they are known.

    Returns
    -------
    csr_array, shape (units, units)
    """
    units = panel.units
    known = np.flatnonzero(np.isfinite(units.latitude) & np.isfinite(units.longitude))
    if not len(known):
        kernel = panel.neighbours.distance_km.copy()
        kernel.data = np.where(np.isfinite(kernel.data), np.exp(-kernel.data / length_km), 0.0)
        return kernel
    phi, lam = np.radians(units.latitude[known]), np.radians(units.longitude[known])
    points = np.column_stack([np.cos(phi) * np.cos(lam), np.cos(phi) * np.sin(lam), np.sin(phi)])
    reach = 2 * np.sin(min(REACH * length_km / EARTH_RADIUS_KM, np.pi) / 2)
    first, second = cKDTree(points).query_pairs(reach, output_type="ndarray").T
    chord = np.linalg.norm(points[first] - points[second], axis=1)
    value = np.exp(-2 * EARTH_RADIUS_KM * np.arcsin(np.minimum(chord / 2, 1.0)) / length_km)
    rows, columns = np.r_[known[first], known[second]], np.r_[known[second], known[first]]
    return sparse.csr_array(sparse.coo_array((np.r_[value, value], (rows, columns)), shape=(len(units), len(units))))


def _around(settings: TermSettings, panel: Panel) -> list[tuple[float, tuple[sparse.csr_array, ...]]]:
    """Return the weight of each mean over other units, and the matrices that take it, the first one first."""
    out: list[tuple[float, tuple[sparse.csr_array, ...]]] = []
    if settings.adjacent:
        out.append((settings.adjacent, (panel.neighbours.mean_weights(),)))
    if settings.country:
        code = panel.units.group_codes()
        share = 1 / np.bincount(code)[code]
        units = np.arange(len(code))
        # Down to one row a country and up again: in one matrix it would not be sparse.
        down = sparse.csr_array((share, (code, units)))
        up = sparse.csr_array((np.ones(len(code)), (units, code)))
        out.append((settings.country, (down, up)))
    if settings.near:
        out.append((settings.near, (distance_kernel(panel, settings.near_km),)))
    return out


@compiled
def _weighted_means(
    counts: NDArray[np.int64],
    observed: NDArray[np.bool_],
    scale: Floats,
    level: Floats,
    start: Floats,
    weights: Floats,
    out: Floats,
) -> None:
    """Write the means after each week into ``out[:, :, 1:]``; a weight of 0 is the mean of all weeks alike."""
    weeks, units = counts.shape
    for i in range(len(weights)):
        a = weights[i]
        for u in range(units):
            mean = level[u]
            # How many newest weeks the mean is worth; grows to 1 / a, so that early weeks are averaged evenly.
            known = start[u] if a == 0.0 else min(start[u], 1.0 / a)
            for t in range(weeks):
                if observed[t, u]:
                    known = 1.0 + (1.0 - a) * known
                    mean += (counts[t, u] / scale[t, u] - mean) / known
                out[t, u, 1 + i] = mean
