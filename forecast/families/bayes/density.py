"""The posterior of a model's parameters given a panel, the latent levels summed out."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from forecast.families.bayes.chain import Chain
from forecast.families.bayes.excitation import Excitation
from forecast.families.bayes.filtering import Observations, Rates, filtered, log_likelihood
from forecast.families.bayes.layout import Layout
from forecast.panel.panel import Panel

Floats = NDArray[np.float64]

YEAR_DAYS = 365.25
LARGEST_LOG = 30.0
"""Of a log rate; beyond it lies no count."""


@dataclass(frozen=True, eq=False)
class Density:
    """Parameters, panel and how one gives the likelihood of the other.

    Parameters
    ----------
    panel : Panel
    layout : Layout
    chain : Chain
    block_weeks : int
    inflated : bool
        Whether there are more zeros than the negative binomial has.
    excitation : Excitation, optional
        None: past counts add nothing.
    """

    panel: Panel
    layout: Layout
    chain: Chain
    block_weeks: int
    inflated: bool
    excitation: Excitation | None

    @cached_property
    def _columns(self) -> tuple[NDArray[np.int64], NDArray[np.int64], Floats]:
        """Return the column of each unit, and the country (-1: one without parameters) and log exposure of each column.

        Without excitation, units of one country and exposure have the same mean at each point of the grid.
        """
        groups = self.panel.units.groups
        country = np.array([self.layout.countries.index(g) if g in self.layout.countries else -1 for g in groups])
        offset = np.log(self.panel.exposure)
        offset = offset - offset.mean()
        if self.excitation is not None:
            return np.arange(len(groups)), country, offset
        profiles = np.column_stack([country, offset])
        _, first, column = np.unique(profiles, axis=0, return_index=True, return_inverse=True)
        return column.ravel().astype(np.int64), country[first], offset[first]

    @property
    def column(self) -> NDArray[np.int64]:
        """Column of each unit in the tables, shape (units,)."""
        return self._columns[0]

    @property
    def country(self) -> NDArray[np.int64]:
        """Place of each column's country in the layout; -1 for a country without parameters."""
        return self._columns[1]

    @property
    def offset(self) -> Floats:
        """Log of each column's relative exposure."""
        return self._columns[2]

    @cached_property
    def wave(self) -> Floats:
        """Sine and cosine of the year at each week of the panel, shape (weeks, 2)."""
        return waves(self.panel.weeks)

    def log_level(self, theta: Floats, wave: Floats) -> Floats:
        """Return the log rate of a unit at its country's level, shape (..., weeks, columns).

        Parameters
        ----------
        theta : ndarray, shape (..., parameters)
        wave : ndarray, shape (weeks, 2)
            Of the weeks, from `waves`.
        """
        layout = self.layout
        level = np.broadcast_to(theta[..., layout.at("level"), None], (*theta.shape[:-1], len(self.offset)))
        level = level + self.offset
        own = self._own(theta, "level")
        if own is not None:
            level = level + np.exp(theta[..., layout.at("country_spread"), None]) * own
        out = level[..., None, :]
        for at, name in enumerate(("season_sin", "season_cos")):
            if name in layout.names:
                size = theta[..., layout.at(name), None]
                own = self._own(theta, name)
                size = np.broadcast_to(size, level.shape) if own is None else size + own
                out = out + wave[:, at, None] * size[..., None, :]
        return np.clip(np.broadcast_to(out, (*theta.shape[:-1], len(wave), len(self.offset))), -LARGEST_LOG, None)

    def _own(self, theta: Floats, name: str) -> Floats | None:
        """Return the countries' values of a parameter by column; 0 for a country that has none."""
        if not self.layout.countries:
            return None
        values = theta[..., self.layout.country(name)]
        return np.where(self.country >= 0, values[..., self.country], 0.0)

    def rates(self, theta: Floats, first: int = 0) -> Rates:
        """Return what the weeks of the panel from position `first` on depend on, for one parameter vector."""
        layout = self.layout
        log_level = self.log_level(theta, self.wave[first:])
        added = None if self.excitation is None else self.excitation.history(theta, first)[:-1]
        return Rates(
            np.minimum(log_level, LARGEST_LOG),
            math.exp(theta[layout.at("spread")]),
            np.zeros_like(log_level) if added is None else added,
            math.exp(theta[layout.at("size")]),
            1 / (1 + math.exp(-theta[layout.at("zeros")])) if self.inflated else 0.0,
            self.block_time(theta),
        )

    def block_time(self, theta: Floats) -> float:
        """Return how far the chain moves from block to block."""
        return float(self.block_weeks * math.log(2) * math.exp(-theta[self.layout.at("half_life")]))

    def observations(self, first: int = 0) -> Observations:
        """Return the counts from position `first` on, which starts a block."""
        if first not in self._seen:
            counts, observed = self.panel.counts[first:], self.panel.observed[first:]
            self._seen[first] = Observations(counts, observed, self.column, self.block_weeks)
        return self._seen[first]

    @cached_property
    def _seen(self) -> dict[int, Observations]:
        """Observations by their first position: what is read off them once serves all draws of the parameters."""
        return {}

    def log_posterior(self, z: Floats) -> tuple[float, Floats]:
        """Return the log density at standardised parameters, up to a constant, and its gradient, (parameters,)."""
        theta = self.layout.natural(z)
        value, gradient = self.log_likelihood(theta)
        return value - 0.5 * float(z @ z), gradient * self.layout.sd - z

    def log_density(self, z: Floats) -> float:
        """Return the value of `log_posterior` alone, at a third of its cost."""
        with np.errstate(over="ignore", invalid="ignore"):
            _, _, evidence = self.follow(self.layout.natural(z), self.start(), 0)
        value = float(evidence.sum() - 0.5 * (z @ z))
        return value if math.isfinite(value) else -math.inf

    def start(self) -> Floats:
        """Return the probabilities of the points before the first week, shape (units, points)."""
        return np.tile(self.chain.stationary, (len(self.panel.units), 1))

    def log_likelihood(self, theta: Floats) -> tuple[float, Floats]:
        """Return the log likelihood at one parameter vector and its gradient, shape (parameters,)."""
        layout, rates = self.layout, self.rates(theta)
        step, slope = self.chain.transition(rates.block_time), self.chain.slope(rates.block_time)
        value, slopes = log_likelihood(self.observations(), rates, self.chain.grid, self.chain.stationary, step, slope)
        out = np.zeros(len(layout))
        wave = self.wave
        by_column = {"level": slopes.log_level.sum(axis=0)}
        by_column |= {"season_sin": wave[:, 0] @ slopes.log_level, "season_cos": wave[:, 1] @ slopes.log_level}
        for name, values in by_column.items():
            if name not in layout.names:
                continue
            out[layout.at(name)] = values.sum()
            if layout.countries:
                places = layout.country(name)
                own: Floats = np.asarray(
                    np.bincount(self.country, values, minlength=places.stop - places.start), np.float64
                )
                if name == "level":
                    scale = math.exp(theta[layout.at("country_spread")])
                    out[layout.at("country_spread")] = scale * (own @ theta[places])
                    own = own * scale
                out[places] = own
        out[layout.at("spread")] = rates.spread * slopes.spread
        out[layout.at("half_life")] = -rates.block_time * slopes.block_time
        out[layout.at("size")] = slopes.log_size
        if self.inflated:
            out[layout.at("zeros")] = slopes.logit_zeros
        if self.excitation is not None:
            out += self.excitation.gradient(theta, slopes.excitation)
        return value, out

    def follow(self, theta: Floats, before: Floats, first: int) -> tuple[Floats, Floats, Floats]:
        """Filter the panel from position `first` on at one parameter vector.

        Parameters
        ----------
        theta : ndarray, shape (parameters,)
        before : ndarray, shape (units, points)
            Probabilities before the block that starts at `first`.
        first : int

        Returns
        -------
        predicted, state : ndarray, shape (units, points)
            Before and after the counts of the last block.
        evidence : ndarray, shape (blocks,)
            Log probability of each block's counts.
        """
        rates = self.rates(theta, first)
        step = self.chain.transition(rates.block_time)
        return filtered(self.observations(first), rates, self.chain.grid, step, before)


def waves(weeks: pd.DatetimeIndex) -> Floats:
    """Return sine and cosine of the year at each week, shape (weeks, 2)."""
    days = np.asarray((weeks - pd.Timestamp("2000-01-01")) / pd.Timedelta(days=1), dtype=np.float64)
    angle = 2 * np.pi * days / YEAR_DAYS
    return np.column_stack([np.sin(angle), np.cos(angle)])
