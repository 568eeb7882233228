"""The rate of events that no other event triggered: steps in time, log-linear in features."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from forecast.errors import InputError

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Steps:
    """A baseline over one window: ``mu(t) = exp(design[s] @ coefficients)`` in each step s.

    Its integral and its extremes are exact, and so are likelihood, simulation by thinning and change of time.

    Parameters
    ----------
    edges : array, shape (steps + 1,)
    design : array, shape (steps, features)
    """

    edges: Floats
    design: Floats

    @property
    def lengths(self) -> Floats:
        """Length of each step."""
        return np.diff(self.edges)

    def step_of(self, at: Floats) -> NDArray[np.int64]:
        """Return the step in which each time lies; an edge belongs to the step that it begins."""
        return np.clip(np.searchsorted(self.edges, at, side="right") - 1, 0, len(self.design) - 1)

    def rates(self, coefficients: Floats) -> Floats:
        """Return the rate of each node in each step, shape (nodes, steps), from coefficients (nodes, features)."""
        return np.exp(coefficients @ self.design.T)

    def integral(self, rates: Floats, at: Floats) -> Floats:
        """Return the integral from the first edge to each of the times, shape (nodes, times)."""
        upto = np.concatenate([np.zeros((len(rates), 1)), np.cumsum(rates * self.lengths, axis=1)], axis=1)
        step = self.step_of(at)
        return np.asarray(upto[:, step] + rates[:, step] * (at - self.edges[step]))


class Baseline(ABC):
    """How the baseline may vary; the coefficients belong to the model."""

    @property
    @abstractmethod
    def names(self) -> tuple[str, ...]:
        """Names of the features."""

    @abstractmethod
    def over(self, start: float, end: float) -> Steps:
        """Return the steps of a window."""

    def start(self, rate: float) -> Floats:
        """Return the coefficients, shape (features,), of the constant rate `rate`."""
        return np.concatenate([[np.log(rate)], np.zeros(len(self.names) - 1)])


@dataclass(frozen=True)
class Constant(Baseline):
    """The same rate at all times.

    Examples
    --------
    >>> Constant().over(0.0, 10.0).rates(np.array([[np.log(0.5)]]))
    array([[0.5]])
    """

    @property
    def names(self) -> tuple[str, ...]:
        """One feature, the level."""
        return ("level",)

    def over(self, start: float, end: float) -> Steps:
        """Return one step."""
        return Steps(np.array([start, end]), np.ones((1, 1)))


@dataclass(frozen=True)
class Piecewise(Baseline):
    """A level of its own between any two of some times; the first and the last go on outwards.

    Parameters
    ----------
    breaks : tuple of float
        Ascending times at which the level changes.

    Examples
    --------
    >>> Piecewise(breaks=(5.0,)).over(0.0, 10.0).edges
    array([ 0.,  5., 10.])
    """

    breaks: tuple[float, ...]

    def __post_init__(self) -> None:
        if not self.breaks or not np.isfinite(self.breaks).all() or (np.diff(self.breaks) <= 0).any():
            raise InputError(f"breaks {self.breaks}", where="Piecewise", expected="ascending times, at least one")

    @property
    def names(self) -> tuple[str, ...]:
        """One feature a level."""
        return tuple(f"level {k + 1}" for k in range(len(self.breaks) + 1))

    def over(self, start: float, end: float) -> Steps:
        """Return the levels that the window touches."""
        breaks = np.array(self.breaks)
        inside = (breaks > start) & (breaks < end)
        edges = np.concatenate([[start], breaks[inside], [end]])
        level = np.searchsorted(breaks, edges[:-1], side="right")
        return Steps(edges, np.eye(len(breaks) + 1)[level])

    def start(self, rate: float) -> Floats:
        """Return equal levels."""
        return np.full(len(self.names), np.log(rate))


@dataclass(frozen=True)
class Seasonal(Baseline):
    """Harmonics of a period, in steps: the logarithm of the rate is that of the harmonics in the middle of each step.

    Parameters
    ----------
    period : float
        Such as 365.25 with times in days.
    harmonics : int, default 1
    steps : int, default 52
        In a period.

    Examples
    --------
    >>> Seasonal(period=365.25, harmonics=2).names
    ('level', 'sin 1', 'cos 1', 'sin 2', 'cos 2')
    """

    period: float
    harmonics: int = 1
    steps: int = 52

    def __post_init__(self) -> None:
        if not (self.period > 0 and self.harmonics >= 1 and self.steps > 2 * self.harmonics):
            raise InputError(f"{self}", expected="period > 0, harmonics >= 1, more than two steps a harmonic")

    @property
    def names(self) -> tuple[str, ...]:
        """The level and a sine and cosine of each harmonic."""
        waves = (f"{wave} {k + 1}" for k in range(self.harmonics) for wave in ("sin", "cos"))
        return ("level", *waves)

    def over(self, start: float, end: float) -> Steps:
        """Return steps that lie at the same places in every period."""
        width = self.period / self.steps
        inner = width * np.arange(np.floor(start / width) + 1, np.ceil(end / width))
        edges = np.concatenate([[start], inner[(inner > start) & (inner < end)], [end]])
        middle = width * (np.floor((edges[:-1] + edges[1:]) / 2 / width) + 0.5)
        angle = 2 * np.pi * middle / self.period
        waves = [wave((k + 1) * angle) for k in range(self.harmonics) for wave in (np.sin, np.cos)]
        return Steps(edges, np.column_stack([np.ones(len(middle)), *waves]))


@dataclass(frozen=True, eq=False)
class Covariates(Baseline):
    """Log-linear in covariates that are constant between edges, such as weeks; made by `Covariates.of`.

    Parameters
    ----------
    edges : array, shape (steps + 1,)
    values : array, shape (steps, covariates)
    columns : tuple of str
    """

    edges: Floats
    values: Floats
    columns: tuple[str, ...]

    @classmethod
    def of(cls, edges: ArrayLike, values: ArrayLike, columns: Sequence[str]) -> Covariates:
        """Return the checked covariates.

        Examples
        --------
        >>> rain = Covariates.of([0.0, 7.0, 14.0], [[0.2], [1.3]], ["rain"])
        >>> rain.over(3.0, 10.0).edges
        array([ 3.,  7., 10.])
        """
        edge, value = np.asarray(edges, dtype=np.float64), np.asarray(values, dtype=np.float64)
        if value.shape != (len(edge) - 1, len(columns)) or not (np.diff(edge) > 0).all():
            raise InputError(
                f"covariates of shape {value.shape}",
                where="Covariates",
                expected=f"({len(edge) - 1}, {len(columns)}) as of ascending edges and names",
            )
        if not np.isfinite(value).all():
            raise InputError("covariates that are missing or infinite", where="Covariates")
        return cls(edge, value, tuple(columns))

    @property
    def names(self) -> tuple[str, ...]:
        """The level and the covariates."""
        return ("level", *self.columns)

    def over(self, start: float, end: float) -> Steps:
        """Return the steps of the window; covariates must be known throughout it."""
        if start < self.edges[0] or end > self.edges[-1]:
            raise InputError(
                f"no covariates from {start:g} to {end:g}",
                where="Covariates",
                expected=f"within {self.edges[0]:g} to {self.edges[-1]:g}",
                hint="give their future values as well",
            )
        inside = (self.edges > start) & (self.edges < end)
        edges = np.concatenate([[start], self.edges[inside], [end]])
        step = np.searchsorted(self.edges, edges[:-1], side="right") - 1
        return Steps(edges, np.column_stack([np.ones(len(step)), self.values[step]]))
