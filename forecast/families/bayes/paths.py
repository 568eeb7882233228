"""Paths of levels and counts, each with one draw of the parameters."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from forecast.families.bayes.density import Density, waves
from forecast.predictive import negbin
from forecast.predictive.negbin import mixture_pmf

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Paths:
    """Counts, and what each was drawn from.

    Parameters
    ----------
    counts : ndarray of int32, shape (draws, weeks, units)
    mean : ndarray, shape (draws, weeks, units)
    size, zeros : ndarray, shape (draws,)
        Size of the negative binomial, and share of weeks without events whatever the rate.
    """

    counts: NDArray[np.int32]
    mean: Floats
    size: Floats
    zeros: Floats

    def pmf(self) -> Floats:
        """Return the mixture of the conditional distributions of all paths, shape (weeks, units, k)."""
        size = np.broadcast_to(self.size[:, None, None], self.mean.shape)
        weight = np.broadcast_to(((1 - self.zeros) / len(self.zeros))[:, None, None], self.mean.shape)
        out = mixture_pmf(self.mean, size, weight)
        out[..., 0] += self.zeros.mean()
        return out


def paths_after(
    density: Density,
    theta: Floats,
    level: Floats,
    memory: Floats,
    weeks: pd.DatetimeIndex,
    position: int,
    rng: np.random.Generator,
    *,
    largest_mean: float = np.inf,
) -> Paths:
    """Simulate levels and counts week by week.

    Parameters
    ----------
    density : Density
        For its units, calendar and excitation; its counts are not read.
    theta : ndarray, shape (draws, parameters)
    level : ndarray, shape (draws, units)
        Deviation of each unit from its country's level in the block before or of the first week.
    memory : ndarray, shape (draws, units)
        Of the excitation before the first week.
    weeks : DatetimeIndex
        Weeks to simulate.
    position : int
        Weeks between the start of the panel and the first of them; a block that starts moves the level.
    rng : Generator
    largest_mean : float
        No mean exceeds it.
    """
    layout = density.layout
    log_level = density.log_level(theta, waves(weeks))[:, :, density.column]
    spread = np.exp(theta[:, layout.at("spread"), None])
    size = np.exp(theta[:, layout.at("size")])
    zeros = 1 / (1 + np.exp(-theta[:, layout.at("zeros")])) if density.inflated else np.zeros(len(theta))
    kept = np.exp([-density.block_time(one) for one in theta])[:, None]
    counts, mean = np.empty(log_level.shape, dtype=np.int32), np.empty(log_level.shape)
    for ahead in range(len(weeks)):
        if (position + ahead) % density.block_weeks == 0 and position + ahead > 0:
            level = kept * level + np.sqrt(1 - kept**2) * rng.standard_normal(level.shape)
        expected = np.exp(np.minimum(log_level[:, ahead] + spread * level, 30.0))
        if density.excitation is not None:
            expected = expected + density.excitation.of_memory(theta, memory)
        mean[:, ahead] = np.minimum(expected, largest_mean)
        drawn = np.minimum(negbin.sample(mean[:, ahead], size[:, None], rng), 2**31 - 1)
        if density.inflated:
            drawn = np.where(rng.random(drawn.shape) < zeros[:, None], 0, drawn)
        counts[:, ahead] = drawn
        if density.excitation is not None:
            memory = density.excitation.follow(theta, memory, drawn.astype(np.float64))
    return Paths(counts, mean, size, zeros)
