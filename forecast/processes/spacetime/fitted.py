"""A fitted process: its parameters with their uncertainty, and what it says of the events that were seen."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from forecast.processes.spacetime.background import Background
from forecast.processes.spacetime.catalogue import Catalogue
from forecast.processes.spacetime.level import DAYS_A_YEAR
from forecast.processes.spacetime.likelihood import Likelihood, Parameters

Floats = NDArray[np.float64]

TRIES = 100
"""Draws of the parameters until one does not explode."""


@dataclass(frozen=True, eq=False)
class FittedSpaceTime:
    """A background and self-excitation fitted to a catalogue.

    Parameters
    ----------
    likelihood : Likelihood
        Of which the parameters are the maximum, given the density of the background.
    parameters : Parameters
    background : tuple of Background
        One a kind.
    density : array, shape (events that count,)
        Of the background at the events, each left out of it.
    probability : array, shape (events that count,)
        That each event belongs to the background: nothing that was seen triggered it.
    loglik : float
    level_sd : float
        Standard deviation over a year of the random walk of the levels.
    free : array of bool, shape (levels + shapes,)
        Which of the levels (kind by kind) and `Parameters.shape` are not on a bound.
    covariance : array, shape (levels + shapes, levels + shapes)
        The inverse of the observed information of all of these together, the levels' penalty included; 0 on a bound.
        Given the density of the background, whose own uncertainty is not in it.
    remarks : tuple of str
        What a reader of the fit should know.
    """

    likelihood: Likelihood
    parameters: Parameters
    background: tuple[Background, ...]
    density: Floats
    probability: Floats
    loglik: float
    level_sd: float
    free: NDArray[np.bool_]
    covariance: Floats
    remarks: tuple[str, ...]

    @classmethod
    def of(
        cls,
        likelihood: Likelihood,
        at: Parameters,
        background: tuple[Background, ...],
        density: Floats,
        probability: Floats,
        sd: float,
        remarks: tuple[str, ...],
    ) -> Self:
        """Add uncertainty and remarks to a maximum."""
        x, limits = at.shape, at.bounds()
        on_bound = (x <= limits[:, 0] + 1e-6) | (x >= limits[:, 1] - 1e-6)
        matrix = likelihood.curvature(at, density, sd)
        free = np.concatenate([np.ones(at.levels.size, dtype=bool), ~on_bound])
        covariance = np.zeros(matrix.shape)
        values, axes = np.linalg.eigh(matrix[np.ix_(free, free)])
        flat = values < 1e-9 * values.max()
        inverse = np.where(flat, 0.0, 1.0 / np.where(flat, 1.0, values))
        covariance[np.ix_(free, free)] = (axes * inverse) @ axes.T
        told = list(remarks)
        if at.radius >= 1:
            told.append(f"explosive: spectral radius {at.radius:.3g}, forecasts over long horizons grow without bound")
        if on_bound.any():
            told.append(f"{np.count_nonzero(on_bound)} of {len(x)} parameters lie on a bound: no interval for them")
        if flat.any():
            told.append("the likelihood is flat in some direction: intervals are too narrow there")
        loglik = likelihood.value(at, density)
        return cls(
            likelihood, at, background, density, probability, loglik, sd, free, covariance, tuple(told)
        )  # fmt: skip

    @property
    def catalogue(self) -> Catalogue:
        """All events, those before `Likelihood.since` too."""
        return self.likelihood.catalogue

    @property
    def triggered_share(self) -> float:
        """Expected share of the events that others triggered."""
        return float(1.0 - self.probability.mean())

    @cached_property
    def _root(self) -> Floats:
        values, axes = np.linalg.eigh(self.covariance)
        return np.asarray(axes * np.sqrt(np.maximum(values, 0.0)))

    def draw(self, rng: np.random.Generator) -> Parameters:
        """Draw parameters around the estimate: normal in their logarithms, levels and shapes jointly.

        Draws that explode, a spectral radius at or above 1, are left out unless the estimate does: few events leave the
        logarithm of the branching so open that it would reach them though nothing seen speaks for it.
        """
        count, limit = self.parameters.levels.size, max(self.parameters.radius, 1.0)
        for _ in range(TRIES):
            move = self._root @ rng.normal(size=len(self._root))
            x = np.clip(self.parameters.shape + move[count:], *self.parameters.bounds().T)
            levels = self.parameters.levels + move[:count].reshape(self.parameters.levels.shape)
            drawn = self.parameters.with_shape(x, levels)
            if drawn.radius < limit:
                return drawn
        return self.parameters

    def summary(self, level: float = 0.95) -> pd.DataFrame:
        """Return all parameters but the levels before the last, with intervals (normal in logarithms).

        Returns
        -------
        DataFrame
            parameter, target, source, estimate, low, high. Branching: offspring of kind target of an event of kind
            source; in time in days; in space in km (the scale or sigma of the kernel).
        """
        z = float(stats.norm.ppf((1 + level) / 2))
        at, names = self.parameters, self.catalogue.names
        error = np.sqrt(np.diag(self.covariance))
        error[~self.free] = np.nan
        rows: list[tuple[str, str, str, float, float, float]] = []
        steps = at.levels.shape[1]
        for k, name in enumerate(names):
            last = (k + 1) * steps - 1
            rows.append(("background a day", name, "", *_interval(float(at.levels[k, -1]), z * error[last])))
        pairs = [("branching", target, source, 1.0) for target in names for source in names]
        time = [(f"{name} in time", "", "", 1.0) for name in at.in_time.table()]
        space = [_in_km(name) for name in at.in_space.table()]
        labels = pairs + time + [(name, "", "", power) for name, power in space]
        for (label, target, source, power), x, wide in zip(labels, at.shape, error[at.levels.size :], strict=True):
            shift = -0.5 * np.log(2.0) if label == "sigma in space" else 0.0
            low_high = _interval(power * float(x) + shift, z * wide * power)
            rows.append((label, target, source, *low_high))
        rows.append(("walk of the level a year", "", "", self.level_sd, np.nan, np.nan))
        rows.append(("triggered share", "", "", self.triggered_share, np.nan, np.nan))
        return pd.DataFrame(rows, columns=["parameter", "target", "source", "estimate", "low", "high"])

    def events(self) -> pd.DataFrame:
        """Return the events that count, with the probability that each belongs to the background.

        Returns
        -------
        DataFrame
            time, latitude, longitude, kind, background.
        """
        of, seen = self.likelihood.counted, self.catalogue
        return pd.DataFrame(
            {
                "time": seen.times[of],
                "latitude": seen.latitude[of],
                "longitude": seen.longitude[of],
                "kind": np.asarray(seen.names, dtype=object)[seen.kinds[of]],
                "background": self.probability,
            }
        )

    def ahead(self, at: Parameters, days: float, rng: np.random.Generator | None) -> Floats:
        """Return the levels over the days after the end, events a day of each kind; drifted if there is a generator."""
        last = at.levels[:, -1]
        if rng is None:
            return np.exp(last)
        years = (self.likelihood.steps.lengths[-1] + days) / 2 / DAYS_A_YEAR
        walks = len(self.likelihood.steps) > 1
        return np.asarray(np.exp(last + walks * self.level_sd * np.sqrt(years) * rng.normal(size=len(last))))


def _interval(x: float, wide: float) -> tuple[float, float, float]:
    return float(np.exp(x)), float(np.exp(x - wide)), float(np.exp(x + wide))


def _in_km(name: str) -> tuple[str, float]:
    """Return what a parameter of the kernel in space is called in km, and the power that makes it so."""
    return {"mean": ("sigma in space", 0.5), "scale": ("scale in space", 0.5)}.get(name, (f"{name} in space", 1.0))


def pooled_summary(fits: list[FittedSpaceTime]) -> pd.DataFrame:
    """Return the summary over fits to differently jittered catalogues, by Rubin's rules in logarithms.

    The variance is that within fits plus ``1 + 1 / fits`` times that between them (Rubin 1987,
    https://doi.org/10.1002/9780470316696).

    Returns
    -------
    DataFrame
        As `FittedSpaceTime.summary`, and `between`: the share of the variance that comes from the jitter.
    """
    tables = [found.summary() for found in fits]
    logs = np.log(np.array([table["estimate"].to_numpy() for table in tables]))
    z = float(stats.norm.ppf(0.975))
    within = np.array([(np.log(table["high"] / table["estimate"]) / z) ** 2 for table in tables]).mean(axis=0)
    spread = (1 + 1 / len(fits)) * (logs.var(axis=0, ddof=1) if len(fits) > 1 else np.zeros(logs.shape[1]))
    wide, middle = z * np.sqrt(within + spread), logs.mean(axis=0)
    return (
        tables[0][["parameter", "target", "source"]]
        .assign(estimate=np.exp(middle), low=np.exp(middle - wide), high=np.exp(middle + wide))
        .assign(between=spread / (within + spread))
    )
