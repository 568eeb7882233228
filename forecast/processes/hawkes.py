"""A Hawkes process with given parameters: its rate, compensator and likelihood, for any number of nodes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from forecast.errors import InputError
from forecast.processes.baseline import Baseline, Constant
from forecast.processes.excitation import offspring_of, rates_of
from forecast.processes.history import History
from forecast.processes.kernels import ExponentialKernel, Kernel

Floats = NDArray[np.float64]
Kernels = tuple[tuple[Kernel, ...], ...]


@dataclass(frozen=True, eq=False)
class Hawkes:
    r"""Events of K nodes that make further events likely.

    .. math:: \lambda_k(t) = \mu_k(t) + \sum_{t_l < t} n_{k j_l}\, g(m_l)\, \phi_{k j_l}(t - t_l), \quad
              g(m) = (1 + m)^\gamma / z

    with a baseline log-linear in features, kernels that integrate to one, and marks m whose effect has a mean of 1
    over the events of the fit. Hawkes (1971), https://doi.org/10.1093/biomet/58.1.83.

    Parameters
    ----------
    baseline : Baseline
        The form of all nodes' baselines.
    coefficients : array, shape (nodes, features)
    branching : array, shape (nodes, nodes)
        ``branching[k, j]``: events of node k that an event of node j triggers directly, on average.
    kernels : tuple of tuple of Kernel
        ``kernels[k][j]``: when they come.
    mark_exponent : float, default 0
        :math:`\gamma`; 0 ignores marks.
    mark_scale : float, default 1
        :math:`z`.

    Raises
    ------
    InputError
        If shapes do not fit or a branching ratio is negative: with inhibition the rate would fall below zero.
    """

    baseline: Baseline
    coefficients: Floats
    branching: Floats
    kernels: Kernels
    mark_exponent: float = 0.0
    mark_scale: float = 1.0

    def __post_init__(self) -> None:
        nodes = len(self.branching)
        if self.branching.shape != (nodes, nodes) or self.coefficients.shape != (nodes, len(self.baseline.names)):
            raise InputError(
                f"branching of shape {self.branching.shape}, coefficients of shape {self.coefficients.shape}",
                where="Hawkes",
                expected=f"({nodes}, {nodes}) and ({nodes}, {len(self.baseline.names)})",
            )
        if [len(row) for row in self.kernels] != [nodes] * nodes:
            raise InputError("kernels do not fit", where="Hawkes", expected=f"{nodes} rows of {nodes}")
        if not (np.isfinite(self.branching).all() and np.isfinite(self.coefficients).all()):
            raise InputError("parameters that are missing or infinite", where="Hawkes")
        if self.branching.min() < 0:
            k, j = np.unravel_index(int(self.branching.argmin()), self.branching.shape)
            raise InputError(
                f"branching[{k}, {j}] is {self.branching[k, j]:g}: events would inhibit, and the rate fall below zero",
                where="Hawkes",
                expected="0 or more",
                hint="forecast.processes.softplus, whose rate stays positive",
            )

    @classmethod
    def exponential(cls, baseline: ArrayLike, branching: ArrayLike, decay: ArrayLike) -> Hawkes:
        """Return a process with constant baselines and exponential kernels.

        Parameters
        ----------
        baseline : array, shape (nodes,), or a number
        branching : array, shape (nodes, nodes), or a number
        decay : array, shape (nodes, nodes), or a number for all

        Examples
        --------
        >>> model = Hawkes.exponential([0.2, 0.1], [[0.3, 0.1], [0.0, 0.5]], decay=1.0)
        >>> round(model.radius, 3)
        0.5
        """
        n = np.atleast_2d(np.asarray(branching, dtype=np.float64))
        mu = np.atleast_1d(np.asarray(baseline, dtype=np.float64))
        if not (np.isfinite(mu).all() and (mu > 0).all()):
            raise InputError(f"baseline {mu}", where="Hawkes", expected="positive numbers")
        beta = np.broadcast_to(np.asarray(decay, dtype=np.float64), n.shape)
        kernels = tuple(tuple(ExponentialKernel(float(value)) for value in row) for row in beta)
        return cls(Constant(), np.log(mu)[:, None], n, kernels)

    @property
    def nodes(self) -> int:
        """Number of nodes."""
        return len(self.branching)

    @property
    def radius(self) -> float:
        """Spectral radius of the branching matrix: below 1, every cluster of events ends."""
        return float(np.abs(np.linalg.eigvals(self.branching)).max())

    def effect(self, marks: ArrayLike) -> Floats:
        """Return how many times the average offspring events of these marks have."""
        return mark_effect(np.asarray(marks, dtype=np.float64), self.mark_exponent, self.mark_scale)

    def intensity(self, history: History, at: ArrayLike) -> Floats:
        """Return the rate just before each time, given the events before it.

        Parameters
        ----------
        history : History
        at : array, shape (times,)
            Ascending; times after the window take it that nothing has happened since.

        Returns
        -------
        array, shape (nodes, times)

        Examples
        --------
        >>> model = Hawkes.exponential(0.5, 0.6, 1.0)
        >>> model.intensity(History.of([1.0], end=4.0), [1.0, 2.0]).round(4)
        array([[0.5   , 0.7207]])
        """
        t = self._checked(history, at)
        out = self._baseline_rates(history, t)
        for k, j in np.argwhere(self.branching > 0).tolist():
            events, effect = self._sources(history, j)
            out[k] += self.branching[k, j] * rates_of(self.kernels[k][j], events, effect, t)
        return out

    def compensator(self, history: History, at: ArrayLike) -> Floats:
        """Return the integral of the rate from the start to each time, along the observed path.

        Parameters and shapes are those of `intensity`.

        Examples
        --------
        >>> Hawkes.exponential(0.5, 0.6, 1.0).compensator(History.of([1.0], end=4.0), [1.0, 2.0]).round(4)
        array([[0.5   , 1.3793]])
        """
        t = self._checked(history, at)
        steps = self.baseline.over(history.start, max(history.end, float(t[-1])))
        out = steps.integral(steps.rates(self.coefficients), t)
        for k, j in np.argwhere(self.branching > 0).tolist():
            events, effect = self._sources(history, j)
            out[k] += self.branching[k, j] * offspring_of(self.kernels[k][j], events, effect, t)
        return out

    def loglik(self, history: History) -> float:
        r"""Return the log-likelihood, :math:`\sum_i \log \lambda_{k_i}(t_i) - \sum_k \int \lambda_k`, in nats.

        Examples
        --------
        >>> round(Hawkes.exponential(0.5, 0.6, 1.0).loglik(History.of([1.0, 2.0, 2.5], end=4.0)), 6)
        -4.577896
        """
        at_events = self.rate_at_events(history)
        with np.errstate(divide="ignore"):
            return float(np.log(at_events).sum() - self.compensator(history, [history.end]).sum())

    def rate_at_events(self, history: History) -> Floats:
        """Return the rate of each event's own node just before it, shape (events,)."""
        out = self.baseline_at_events(history)
        for k in range(self.nodes):
            mine = history.nodes == k
            for j in np.flatnonzero(self.branching[k]).tolist():
                events, effect = self._sources(history, j)
                out[mine] += self.branching[k, j] * rates_of(self.kernels[k][j], events, effect, history.of_node(k))
        return out

    def baseline_at_events(self, history: History) -> Floats:
        """Return the baseline of each event's own node at its time, shape (events,)."""
        steps = self.baseline.over(history.start, history.end)
        return steps.rates(self.coefficients)[history.nodes, steps.step_of(history.times)]

    def background(self, history: History) -> Floats:
        """Return the probability that each event was triggered by no other, shape (events,).

        Zhuang, Ogata & Vere-Jones (2002), https://doi.org/10.1198/016214502760046925.
        """
        return np.asarray(self.baseline_at_events(history) / self.rate_at_events(history))

    def endogenous_share(self, history: History) -> float:
        """Return the share of the events of a history that others triggered, as expected given their times."""
        return 1.0 - float(self.background(history).mean())

    def _baseline_rates(self, history: History, t: Floats) -> Floats:
        steps = self.baseline.over(history.start, max(history.end, float(t[-1])))
        return steps.rates(self.coefficients)[:, steps.step_of(t)]

    def _sources(self, history: History, node: int) -> tuple[Floats, Floats]:
        """Return times and mark effects of one node's events."""
        mine = history.nodes == node
        return history.times[mine], self.effect(history.marks[mine])

    def _checked(self, history: History, at: ArrayLike) -> Floats:
        if len(history.names) != self.nodes:
            raise InputError(f"{len(history.names)} nodes", where="history", expected=f"{self.nodes}, as in the model")
        t = np.atleast_1d(np.asarray(at, dtype=np.float64))
        if not len(t) or not np.isfinite(t).all() or (np.diff(t) < 0).any() or t[0] < history.start:
            raise InputError("times that are not finite, ascending and in the window", where="at")
        return t


def mark_effect(marks: Floats, exponent: float, scale: float) -> Floats:
    """Return ``(1 + mark) ** exponent / scale``, the offspring in units of the average.

    Examples
    --------
    >>> mark_effect(np.array([0.0, 3.0]), exponent=0.5, scale=1.5).round(3)
    array([0.667, 1.333])
    """
    return np.asarray(np.exp(exponent * np.log1p(marks)) / scale)
