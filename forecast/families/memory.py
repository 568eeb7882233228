"""What a unit's past leaves behind for a model: lagged counts and exponentially weighted means."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from forecast.families.formula import DynamicName
from forecast.families.recent import panel_level
from forecast.panel.neighbours import Neighbours
from forecast.panel.panel import Panel

Floats = NDArray[np.float64]

START_WEEKS = 4.0
"""The pooled level from which means start counts as so many weeks, which are forgotten as others are."""
NO_EVENT = 0.1
"""Events in a span that stand for none, so that there is a logarithm."""


@dataclass(frozen=True)
class MemoryKind:
    """Which lags and means are kept.

    Parameters
    ----------
    names : tuple of DynamicName
    """

    names: tuple[DynamicName, ...]

    @property
    def lags(self) -> int:
        """The longest lag."""
        return max((item.weeks for item in self.names if not item.smoothed), default=0)

    @property
    def spans(self) -> list[int]:
        """Every span of a mean, ascending."""
        return sorted({item.weeks for item in self.names if item.smoothed})

    def start(self, level: Floats) -> Memory:
        """Return the memory before the first week: lags and means at `level`, shape (units,)."""
        full = np.array([[(span + 1) / 2] for span in self.spans]).reshape(-1, 1)
        return Memory(
            np.tile(level, (self.lags, 1)),
            np.tile(level, (len(self.spans), 1)),
            np.tile(np.minimum(full, START_WEEKS), (1, len(level))),
        )

    def follow(self, memory: Memory, counts: NDArray[np.integer], observed: NDArray[np.bool_] | None = None) -> Memory:
        """Return the memory after one more week; a missing week changes nothing.

        Parameters
        ----------
        memory : Memory
        counts : ndarray of int, shape (..., units)
        observed : ndarray of bool, shape (units,), optional
            All if not given.
        """
        count = counts.astype(np.float64)
        kept = np.array([1 - 2 / (span + 1) for span in self.spans]).reshape(-1, *[1] * count.ndim)
        weeks = 1 + kept * memory.weeks
        means = memory.means + (count - memory.means) / weeks
        lags = np.concatenate([count[None], memory.lags[:-1]]) if self.lags else memory.lags
        if observed is not None and not observed.all():
            lags, means = np.where(observed, lags, memory.lags), np.where(observed, means, memory.means)
            weeks = np.where(observed, weeks, memory.weeks)
        return Memory(lags, means, weeks)

    def covariates(self, memory: Memory, mean_weights: Floats) -> Floats:
        """Return the covariates of the week that follows, shape (names, ..., units).

        Parameters
        ----------
        memory : Memory
        mean_weights : ndarray, shape (units, units)
            Rows sum to 1; from `neighbour_mean`.
        """
        out = np.empty((len(self.names), *(memory.lags if self.lags else memory.means).shape[1:]))
        for at, item in enumerate(self.names):
            value = memory.means[self.spans.index(item.weeks)] if item.smoothed else memory.lags[item.weeks - 1]
            if item.neighbour:
                value = value @ mean_weights.T
            out[at] = transformed(value, item)
        return out

    def history(self, panel: Panel) -> tuple[Floats, Memory]:
        """Return the covariates of every week of a panel, and the memory after its last one.

        Returns
        -------
        covariates : ndarray, shape (names, weeks, units)
            Those of week t come from the weeks before t.
        memory : Memory
        """
        weights = neighbour_mean(panel.neighbours)
        memory = self.start(panel_level(panel))
        out = np.empty((len(self.names), *panel.counts.shape))
        for week, (counts, observed) in enumerate(zip(panel.counts, panel.observed, strict=True)):
            out[:, week] = self.covariates(memory, weights) if self.names else 0.0
            memory = self.follow(memory, counts, observed)
        return out, memory


@dataclass(frozen=True, eq=False)
class Memory:
    """State of one or many paths.

    Parameters
    ----------
    lags : ndarray, shape (lags, ..., units)
        The last observed counts, newest first.
    means : ndarray, shape (spans, ..., units)
        Exponentially weighted means.
    weeks : ndarray, shape (spans, units) or (spans, 1, units)
        Sum of the weights behind each mean, 1 for the newest week; grows to (span + 1) / 2.
    """

    lags: Floats
    means: Floats
    weeks: Floats

    def repeat(self, draws: int) -> Memory:
        """Return the same memory for each of many paths, arrays of shape (..., draws, units)."""

        def spread(array: Floats) -> Floats:
            return np.broadcast_to(array[:, None], (len(array), draws, array.shape[1]))

        return Memory(spread(self.lags), spread(self.means), self.weeks[:, None])


def transformed(value: Floats, item: DynamicName) -> Floats:
    """Return a lag as ``log(1 + y)``, a mean of span s as ``log(mean + 1 / (10 s))``.

    A mean is far below 1 where violence is rare, where ``log(1 + mean)`` could not tell 1 event a year from 10.
    ``1 / (10 s)`` stands for a tenth of an event in s weeks; with it the fitted powers of the mean come out near 1.

    Examples
    --------
    >>> item = DynamicName("own_ewm_5", False, True, 5)
    >>> transformed(np.array([0.98]), item)
    array([0.])
    """
    return np.log(value + NO_EVENT / item.weeks) if item.smoothed else np.log1p(value)


def neighbour_mean(neighbours: Neighbours) -> Floats:
    """Return weights that average over neighbours, shape (units, units); over all units where there are none."""
    weights: Floats = neighbours.mean_weights().toarray()
    alone = weights.sum(axis=1) == 0
    weights[alone] = 1.0 / len(weights)
    return weights
