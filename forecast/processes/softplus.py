"""Inhibition: a process whose events may also make others less likely, its rate kept positive by a link."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import optimize
from scipy.special import expit

from forecast.errors import InputError
from forecast.processes.excitation import rate_sums
from forecast.processes.history import History
from forecast.processes.kernels import ExponentialKernel

Floats = NDArray[np.float64]

MOST_POINTS = 5_000_000


@dataclass(frozen=True, eq=False)
class SoftplusHawkes:
    r"""Events of K nodes that excite or inhibit each other.

    .. math:: \lambda_k(t) = s \log\bigl(1 + e^{\eta_k(t) / s}\bigr), \quad
              \eta_k(t) = \mu_k + \sum_{t_l < t} w_{k j_l} \beta e^{-\beta (t - t_l)}

    Brémaud & Massoulié (1996), https://doi.org/10.1214/aop/1065725193; with this link Mei & Eisner (2017),
    https://doi.org/10.48550/arXiv.1612.09328. Where :math:`\eta` is well above s this is the linear process, and the
    weights are its branching ratios; they have no such meaning elsewhere.

    Parameters
    ----------
    level : array, shape (nodes,)
        :math:`\mu`, any sign.
    weights : array, shape (nodes, nodes)
        ``weights[k, j]``: of node j on node k, any sign.
    decay : float
        :math:`\beta`.
    softness : float
        :math:`s`, in events a unit of time: below it the link bends.
    """

    level: Floats
    weights: Floats
    decay: float
    softness: float

    def __post_init__(self) -> None:
        nodes = len(self.level)
        if self.weights.shape != (nodes, nodes):
            raise InputError(f"weights of shape {self.weights.shape}", expected=f"({nodes}, {nodes})")
        if not (np.isfinite(self.level).all() and np.isfinite(self.weights).all()):
            raise InputError("parameters that are missing or infinite", where="SoftplusHawkes")
        if not (np.isfinite(self.softness) and self.softness > 0):
            raise InputError(f"softness is {self.softness}", expected="a positive number")
        ExponentialKernel(self.decay)

    def intensity(self, history: History, at: ArrayLike) -> Floats:
        """Return the rate just before each of the ascending times, shape (nodes, times).

        Examples
        --------
        >>> model = SoftplusHawkes(np.array([0.5]), np.array([[-0.4]]), decay=1.0, softness=0.1)
        >>> model.intensity(History.of([1.0], end=4.0), [1.0, 1.1, 3.0]).round(3)
        array([[0.501, 0.16 , 0.447]])
        """
        t = np.atleast_1d(np.asarray(at, dtype=np.float64))
        if not np.isfinite(t).all() or (np.diff(t) < 0).any():
            raise InputError("times that are not finite and ascending", where="at")
        return _rate(self._eta(history, t), self.softness).T

    def loglik(self, history: History, *, points: int = 4) -> float:
        """Return the log-likelihood; the compensator by Gauss-Legendre between events.

        Parameters
        ----------
        history : History
        points : int, default 4
            In each part of a gap between events; parts start at half the mean delay and grow with the time since.

        Examples
        --------
        >>> model = SoftplusHawkes(np.array([0.5]), np.array([[0.6]]), decay=1.0, softness=0.001)
        >>> round(model.loglik(History.of([1.0, 2.0, 2.5], end=4.0)), 6)  # of the linear process
        -4.577896
        """
        grid = _Grid.of(history, self.decay, points)
        at_events = _rate(self._eta(history, history.times), self.softness)
        own = at_events[np.arange(len(history.times)), history.nodes]
        with np.errstate(divide="ignore"):
            value = np.log(own).sum() - grid.weight @ _rate(self._eta(history, grid.at), self.softness).sum(axis=1)
        return float(value)

    def _eta(self, history: History, at: Floats) -> Floats:
        return np.asarray(self.level + _sums(history, self.decay, at)[0] @ self.weights.T)


class SoftplusFit(NamedTuple):
    """The best maximum found; the likelihood is not concave.

    Parameters
    ----------
    model : SoftplusHawkes
    loglik : float
    remarks : tuple of str
    """

    model: SoftplusHawkes
    loglik: float
    remarks: tuple[str, ...]


def fit_softplus(history: History, *, softness: float | None = None) -> SoftplusFit:
    """Return the process of the highest likelihood found, from several starts, by its analytic gradient (L-BFGS-B).

    Parameters
    ----------
    history : History
    softness : float, optional
        Fixed; a tenth of the mean rate of a node by default.

    Raises
    ------
    InputError
        If there are fewer events than parameters.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> history = History.of(np.arange(1.0, 200.0) + rng.normal(0.0, 0.1, 199), end=201.0)  # never two close together
    >>> bool(fit_softplus(history).model.weights[0, 0] < 0)
    True
    """
    nodes, events = len(history.names), len(history.times)
    if events < nodes * (nodes + 1) + 1:
        raise InputError(f"{events} events", where="history", expected=f"at least {nodes * (nodes + 1) + 1}")
    rate = events / history.duration / nodes
    s = softness if softness is not None else 0.1 * rate
    SoftplusHawkes(np.ones(nodes), np.zeros((nodes, nodes)), 1.0, s)
    gap = history.duration / events
    flat = np.concatenate([np.full(nodes, rate), np.zeros(nodes**2)])
    starts = [np.append(flat, -np.log(gap * factor)) for factor in (0.3, 2.0, 15.0)]
    bounds = [(None, None)] * (nodes + nodes**2) + [(-np.log(gap * 1e3), -np.log(gap * 1e-2))]
    found = min(
        (optimize.minimize(_loss, start, (history, s), jac=True, method="L-BFGS-B", bounds=bounds) for start in starts),
        key=lambda one: one.fun,
    )
    remarks = list(history.remarks)
    if not found.success:
        remarks.append("the search stopped before the maximum")
    level, weights, decay = _parts(np.asarray(found.x), nodes)
    model = SoftplusHawkes(level, weights, decay, s)
    return SoftplusFit(model, model.loglik(history), tuple(remarks))


def _loss(x: Floats, history: History, s: float) -> tuple[float, Floats]:
    """Negative log-likelihood and its gradient in levels, weights and the log decay."""
    nodes = len(history.names)
    level, weights, decay = _parts(x, nodes)
    value, gradient = 0.0, np.zeros(len(x))
    grid = _Grid.of(history, decay)
    for at, on_grid in ((history.times, False), (grid.at, True)):
        sums, slopes = _sums(history, decay, at)
        eta = level + sums @ weights.T
        rate = _rate(eta, s)
        if on_grid:
            share = -grid.weight[:, None] * expit(eta / s)
            value -= float(grid.weight @ rate.sum(axis=1))
        else:
            own = np.zeros(rate.shape)
            own[np.arange(len(at)), history.nodes] = 1.0
            rate = np.maximum(rate, 1e-300)
            share = own * expit(eta / s) / rate
            value += float((own * np.log(rate)).sum())
        gradient[:nodes] += share.sum(axis=0)
        gradient[nodes:-1] += (share.T @ sums).ravel()
        gradient[-1] += float((share * (slopes @ weights.T)).sum())
    return -value, -gradient


def _parts(x: Floats, nodes: int) -> tuple[Floats, Floats, float]:
    return x[:nodes], x[nodes:-1].reshape(nodes, nodes), float(np.exp(x[-1]))


def _sums(history: History, decay: float, at: Floats) -> tuple[Floats, Floats]:
    """Return ``sum beta e^-beta u`` by node of the events before, and its slope in log beta, shape (times, nodes)."""
    ones = np.ones(len(history.times))
    found = rate_sums(ExponentialKernel(decay), history.times, ones, at, history.nodes, len(history.names))
    return found.value, found.gradient[0]


def _rate(eta: Floats, s: float) -> Floats:
    return np.asarray(s * np.logaddexp(0.0, eta / s))


class _Grid(NamedTuple):
    """Points and weights that integrate over the window."""

    at: Floats
    weight: Floats

    @classmethod
    def of(cls, history: History, decay: float, points: int = 4) -> _Grid:
        """Cut gaps into parts that start at half the mean delay and grow with the time since the last event."""
        corners = np.unique(np.concatenate([[history.start], history.times, [history.end]]))
        reach = np.concatenate([[0.0], np.geomspace(0.5, 32.0, 24)]) / decay  # beyond 32 delays nothing is left
        inner = (corners[:-1, None] + reach).ravel()
        after = np.repeat(corners[1:], len(reach))
        edges = np.unique(np.concatenate([inner[inner < after], corners]))
        if len(edges) * points > MOST_POINTS:
            raise InputError(f"{len(edges)} parts", where="softplus", expected=f"at most {MOST_POINTS // points}")
        node, weight = np.polynomial.legendre.leggauss(points)
        half = np.diff(edges) / 2
        middle = (edges[1:] + edges[:-1]) / 2
        return cls((middle[:, None] + half[:, None] * node).ravel(), (half[:, None] * weight).ravel())
