"""All filters side by side: their sums after each week, and how well each has predicted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from forecast.families.dynamic_poisson_gamma.country import CountryBelief, CountrySettings, outlook, waves
from forecast.families.dynamic_poisson_gamma.levels import look_around, score, take_in
from forecast.panel.panel import Panel

Floats = NDArray[np.float64]

PLAIN, CYCLIC = 0, 1
"""The two outlooks: without and with the season and the slope of the country."""
OUTLOOKS = 2


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
    horizons : ndarray of int, shape (scored,)
        Weeks ahead at which the components are scored, ascending.
    half_life_weeks : float
        Of these scores.
    country : CountrySettings
    """

    settings: Floats
    speeds: Floats
    excesses: Floats
    horizons: NDArray[np.int64]
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

    def scored_at(self, horizon: int) -> NDArray[np.intp]:
        """Return for 1, .., `horizon` weeks ahead the position of the nearest horizon that is scored, by its ratio."""
        ahead = np.log(np.arange(1, horizon + 1))
        return np.asarray(np.abs(ahead[:, None] - np.log(self.horizons)).argmin(axis=1))


@dataclass(frozen=True, eq=False)
class Filtered:
    """What the weeks of a panel leave: the last weeks' sums, from which forecasts are scored as they come true.

    Parameters
    ----------
    weeks : int
        How many have been filtered; week t is at position ``t % depth`` of the arrays with an axis `depth`, which is
        the longest horizon that is scored.
    sums : ndarray, shape (depth, outlooks, speeds, 2, units)
        Discounted counts, and what would have been expected of them at level 1.
    around : ndarray, shape (depth, outlooks, 3, units)
        Slow level around each unit; factors of its country and of its adjacent units.
    countries : ndarray, shape (depth, countries, 2 + 2 * harmonics)
        Level, slope and season.
    belief : CountryBelief
        After the last week.
    evidence : ndarray, shape (scored, units, components)
        Discounted log scores.
    """

    weeks: int
    sums: Floats
    around: Floats
    countries: Floats
    belief: CountryBelief
    evidence: Floats

    @classmethod
    def start(cls, filters: Filters, panel: Panel) -> Self:
        """Return what is known before the first week."""
        units, depth = len(panel.units), int(filters.horizons.max())
        belief = CountryBelief.start(filters.country, int(panel.units.group_codes().max()) + 1)
        return cls(
            0,
            np.zeros((depth, OUTLOOKS, len(filters.speeds), 2, units)),
            np.ones((depth, OUTLOOKS, 3, units)),
            np.tile(belief.mean, (depth, 1, 1)),
            belief,
            np.zeros((len(filters.horizons), units, filters.components)),
        )

    def follow(self, filters: Filters, panel: Panel) -> Filtered:
        """Return the same after all weeks of a panel, of which the first are those filtered already."""
        first, depth = self.weeks, len(self.sums)
        weeks = len(panel.weeks)
        if weeks == first:
            return self
        states, belief = self._countries(filters, panel)
        group = panel.units.group_codes().astype(np.int64)
        exposure = relative_exposure(panel)
        adjacent = panel.neighbours.border_km
        start, neighbour = adjacent.indptr.astype(np.int64), adjacent.indices.astype(np.int64)
        wave = waves(panel.weeks[first:], filters.country.harmonics)
        now = self._scales(states, wave, filters, 0, depth)[:, :, group] * exposure
        then = [self._scales(states, wave, filters, int(h), depth)[:, :, group] * exposure for h in filters.horizons]
        sums, around, evidence = self.sums.copy(), self.around.copy(), self.evidence.copy()
        kept = 0.5 ** (1 / filters.half_life_weeks)
        for t in range(first, weeks):
            counts, observed = panel.counts[t], panel.observed[t]
            for at, h in enumerate(filters.horizons):
                if t >= h:
                    past = (t - h) % depth
                    score(
                        counts, observed, then[at][:, t - first], int(h), sums[past], around[past], filters.settings,
                        filters.speeds, filters.slow_at, filters.excesses, kept, evidence[at],
                    )  # fmt: skip
            here = t % depth
            take_in(counts, observed, now[:, t - first], filters.speeds, sums[(t - 1) % depth], sums[here])
            for o in range(OUTLOOKS):
                look_around(sums[here, o, filters.slow_at], sums[here, o, -1], group, start, neighbour, around[here, o])
        last = np.zeros_like(self.countries)
        last[np.arange(weeks - depth, weeks) % depth] = states[-depth:]
        return Filtered(weeks, sums, around, last, belief, evidence)

    def ahead(self, filters: Filters, panel: Panel, weeks: pd.DatetimeIndex) -> Floats:
        """Return what multiplies the levels in the weeks after the last, shape (outlooks, horizon, units)."""
        wave = waves(weeks, filters.country.harmonics)
        mean = self.belief.mean[None]
        found = outlook(mean, wave, filters.country, np.arange(1.0, len(weeks) + 1))
        factors = np.stack([np.ones_like(found[0]), found[0] * found[1]])
        return np.ascontiguousarray(factors[:, :, panel.units.group_codes()] * relative_exposure(panel))

    @property
    def last(self) -> int:
        """Position of the last week."""
        return (self.weeks - 1) % len(self.sums)

    def _countries(self, filters: Filters, panel: Panel) -> tuple[Floats, CountryBelief]:
        """Return the states of the countries after the last `depth` weeks known and each new one, and the belief."""
        depth = len(self.countries)
        group = panel.units.group_codes()
        one_of = (group[:, None] == np.arange(len(self.belief.mean))).astype(np.float64)
        new = slice(self.weeks, None)
        counts = np.where(panel.observed[new], panel.counts[new], 0) @ one_of
        exposure = (panel.observed[new] * relative_exposure(panel)) @ one_of
        wave = waves(panel.weeks[new], filters.country.harmonics)
        belief = self.belief
        states = [self.countries[(self.weeks - depth + i) % depth] for i in range(depth)]
        for t in range(len(wave)):
            belief = belief.follow(filters.country, counts[t], exposure[t], wave[t])
            states.append(belief.mean)
        return np.stack(states), belief

    @staticmethod
    def _scales(states: Floats, wave: Floats, filters: Filters, ahead: int, depth: int) -> Floats:
        """Return what multiplies the levels as it was foreseen so many weeks before, (outlooks, weeks, countries)."""
        from_states = states[depth - ahead : len(states) - ahead]
        season, growth = outlook(from_states, wave, filters.country, np.full(len(wave), float(ahead)))
        return np.stack([np.ones_like(season), season * growth])


def relative_exposure(panel: Panel) -> Floats:
    """Return the exposure of each unit in units of their mean, shape (units,)."""
    return np.asarray(panel.exposure / panel.exposure.mean())
