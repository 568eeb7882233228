"""All filters side by side: their sums after the last week, and how well each has predicted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from forecast.families.dynamic_poisson_gamma.country import OUTLOOKS, CountryBelief, CountrySettings, waves
from forecast.families.dynamic_poisson_gamma.levels import look_around, score, take_in
from forecast.panel.panel import Panel

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Filters:
    """The filters as arrays.

    Parameters
    ----------
    settings : ndarray, shape (filters, 6)
        Position of the discount in `speeds`, shape of the prior around the base, shape of the base's prior around the
        level of the units around, exponents of the factors of country and adjacent units, outlook.
    speeds : ndarray, shape (discounts + 2,)
        The discounts, then that of the slow level and that of the factors.
    excesses : ndarray, shape (excesses,)
        How counts may scatter; each filter with each of them is a component.
    half_life_weeks : float
        Of the log scores by which the components are weighted.
    country : CountrySettings
    """

    settings: Floats
    speeds: Floats
    excesses: Floats
    half_life_weeks: float
    country: CountrySettings

    @property
    def components(self) -> int:
        """How many there are."""
        return len(self.settings) * len(self.excesses)

    @property
    def slow_at(self) -> int:
        """Position of the slow level's discount."""
        return len(self.speeds) - 2


@dataclass(frozen=True, eq=False)
class Filtered:
    """What the weeks of a panel leave.

    Parameters
    ----------
    weeks : int
        How many have been filtered.
    sums : ndarray, shape (outlooks, speeds, 2, units)
        Discounted counts, and what would have been expected of them at level 1.
    around : ndarray, shape (outlooks, 3, units)
        Slow level around each unit; factors of its country and of its adjacent units.
    belief : CountryBelief
        Level, slope and season of the countries.
    evidence : ndarray, shape (units, components)
        Discounted log scores of what was forecast one week ahead.
    """

    weeks: int
    sums: Floats
    around: Floats
    belief: CountryBelief
    evidence: Floats

    @classmethod
    def start(cls, filters: Filters, panel: Panel) -> Self:
        """Return what is known before the first week."""
        units = len(panel.units)
        return cls(
            0,
            np.zeros((OUTLOOKS, len(filters.speeds), 2, units)),
            np.ones((OUTLOOKS, 3, units)),
            CountryBelief.start(filters.country, int(panel.units.group_codes().max()) + 1),
            np.zeros((units, filters.components)),
        )

    def follow(self, filters: Filters, panel: Panel) -> Filtered:
        """Return the same after all weeks of a panel, of which the first are those filtered already."""
        new = slice(self.weeks, None)
        group = panel.units.group_codes().astype(np.int64)
        exposure = relative_exposure(panel)
        one_of = (group[:, None] == np.arange(len(self.belief.mean))).astype(np.float64)
        totals = np.where(panel.observed[new], panel.counts[new], 0) @ one_of
        exposures = (panel.observed[new] * exposure) @ one_of
        wave = waves(panel.weeks[new], filters.country.harmonics)
        adjacent = panel.neighbours.border_km
        start, neighbour = adjacent.indptr.astype(np.int64), adjacent.indices.astype(np.int64)
        belief, sums, around, evidence = self.belief, self.sums.copy(), self.around.copy(), self.evidence.copy()
        kept = 0.5 ** (1 / filters.half_life_weeks)
        for at, t in enumerate(range(self.weeks, len(panel.weeks))):
            counts, observed = panel.counts[t], panel.observed[t]
            if t > 0:
                foreseen = belief.scales(filters.country, wave[at], 1)[:, group] * exposure
                score(
                    counts, observed, foreseen, sums, around, filters.settings, filters.speeds, filters.slow_at,
                    filters.excesses, kept, evidence,
                )  # fmt: skip
            belief = belief.follow(filters.country, totals[at], exposures[at], wave[at])
            now = belief.scales(filters.country, wave[at], 0)[:, group] * exposure
            take_in(counts, observed, now, filters.speeds, sums)
            for outlook in range(OUTLOOKS):
                look_around(sums[outlook, filters.slow_at], sums[outlook, -1], group, start, neighbour, around[outlook])
        return Filtered(len(panel.weeks), sums, around, belief, evidence)

    def ahead(self, filters: Filters, panel: Panel, weeks: pd.DatetimeIndex) -> Floats:
        """Return what multiplies the levels in the weeks after the last, shape (outlooks, horizon, units)."""
        wave = waves(weeks, filters.country.harmonics)
        scales = [self.belief.scales(filters.country, wave[h], h + 1) for h in range(len(weeks))]
        return np.ascontiguousarray(
            np.stack(scales, axis=1)[:, :, panel.units.group_codes()] * relative_exposure(panel)
        )


def relative_exposure(panel: Panel) -> Floats:
    """Return the exposure of each unit in units of their mean, shape (units,)."""
    return np.asarray(panel.exposure / panel.exposure.mean())
