"""Delays from an event to those that it triggers: densities on the positive half-line that integrate to one."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import digamma, gammaln

from forecast.errors import InputError

Floats = NDArray[np.float64]


class Mixture(NamedTuple):
    r"""A kernel as :math:`\phi(u) = \sum_m w_m \beta_m e^{-\beta_m u}`, with derivatives in its Q shape parameters.

    Parameters
    ----------
    decays, weights : array, shape (terms,)
    d_log_decays, d_weights : array, shape (Q, terms)
    """

    decays: Floats
    weights: Floats
    d_log_decays: Floats
    d_weights: Floats


class Kernel(ABC):
    """A density of delays."""

    @abstractmethod
    def density(self, lag: ArrayLike) -> Floats:
        """Return the density at each lag, 0 at and before lag 0 (the rate is that just before an event)."""

    @abstractmethod
    def cumulative(self, lag: ArrayLike) -> Floats:
        """Return the share of direct offspring that comes within each lag."""

    @abstractmethod
    def draw_after(self, age: Floats, rng: np.random.Generator, within: float = np.inf) -> Floats:
        """Draw a lag for each age, shape (ages,), given that it exceeds the age by at most `within`.

        With ages of 0 and no limit that is a draw from the kernel.
        """


class MixtureKernel(Kernel):
    """A mixture of exponentials: its sums over past events are recursions, so that a likelihood costs O(events).

    Subclasses say which mixture, as a function of shape parameters that may be any real numbers.
    """

    @property
    @abstractmethod
    def shape(self) -> Floats:
        """Unconstrained parameters, shape (Q,)."""

    @abstractmethod
    def with_shape(self, shape: Floats) -> Self:
        """Return the kernel with other parameters."""

    @abstractmethod
    def mixture(self) -> Mixture:
        """Return the terms."""

    @abstractmethod
    def stretched(self, factor: float) -> Self:
        """Return the kernel with all lags longer by a factor."""

    @abstractmethod
    def bounds(self, shortest: float, longest: float) -> Floats:
        """Return the range of each shape parameter, shape (Q, 2), for mean lags between two lengths of time."""

    @abstractmethod
    def natural(self) -> dict[str, float]:
        """Return the parameters in units of time, by name."""

    def density(self, lag: ArrayLike) -> Floats:
        """Return the density at each lag."""
        u, terms = np.asarray(lag, dtype=np.float64), self.mixture()
        value = np.exp(-np.multiply.outer(np.maximum(u, 0.0), terms.decays)) @ (terms.weights * terms.decays)
        return np.asarray(np.where(u > 0, value, 0.0))

    def cumulative(self, lag: ArrayLike) -> Floats:
        """Return the share of direct offspring that comes within each lag."""
        u, terms = np.maximum(np.asarray(lag, dtype=np.float64), 0.0), self.mixture()
        return np.asarray(-np.expm1(-np.multiply.outer(u, terms.decays)) @ terms.weights)

    def draw_after(self, age: Floats, rng: np.random.Generator, within: float = np.inf) -> Floats:
        """Draw a lag that exceeds each age by at most `within`.

        What is left of a mixture of exponentials is one with the weights of those terms that last. If weights sum to
        less than one, the rest of the offspring comes after an infinite lag.
        """
        terms = self.mixture()
        late = 1.0 - terms.weights.sum() if np.isinf(within) else 0.0
        soon = -np.expm1(-terms.decays * within)
        upto = np.cumsum(terms.weights * soon * np.exp(-np.multiply.outer(age, terms.decays)), axis=-1)
        total = upto[:, -1] + (late if late > 1e-9 else 0.0)
        term = (upto < (rng.random(len(upto)) * total)[:, None]).sum(axis=1)
        known = np.minimum(term, len(terms.decays) - 1)
        lag = age - np.log1p(-rng.random(len(upto)) * soon[known]) / terms.decays[known]
        return np.where((term == known) | (late <= 1e-9), lag, np.inf)


@dataclass(frozen=True)
class ExponentialKernel(MixtureKernel):
    r""":math:`\phi(u) = \beta e^{-\beta u}`.

    Parameters
    ----------
    decay : float
        :math:`\beta`, one over the mean delay.

    Examples
    --------
    >>> ExponentialKernel(decay=0.5).cumulative([0.0, 2.0]).round(3)
    array([0.   , 0.632])
    """

    decay: float

    def __post_init__(self) -> None:
        _positive("decay", self.decay)

    @property
    def shape(self) -> Floats:
        """Log decay."""
        return np.array([math.log(self.decay)])

    def with_shape(self, shape: Floats) -> ExponentialKernel:
        """Return the kernel of another log decay."""
        return ExponentialKernel(float(np.exp(shape[0])))

    def mixture(self) -> Mixture:
        """Return the one term."""
        return Mixture(np.array([self.decay]), np.ones(1), np.ones((1, 1)), np.zeros((1, 1)))

    def stretched(self, factor: float) -> ExponentialKernel:
        """Return a slower kernel."""
        return ExponentialKernel(self.decay / factor)

    def bounds(self, shortest: float, longest: float) -> Floats:
        """Return the range of the log decay."""
        return -np.log([[longest, shortest]])

    def natural(self) -> dict[str, float]:
        """Return the decay."""
        return {"decay": self.decay}


@dataclass(frozen=True)
class SumOfExponentials(MixtureKernel):
    r""":math:`\phi(u) = \sum_m w_m \beta_m e^{-\beta_m u}` with weights that sum to one.

    Parameters
    ----------
    decays, weights : tuple of float
        As many of each; weights are scaled to sum to one.

    Examples
    --------
    >>> SumOfExponentials(decays=(0.1, 2.0), weights=(1.0, 3.0)).weights
    (0.25, 0.75)
    """

    decays: tuple[float, ...]
    weights: tuple[float, ...]

    def __post_init__(self) -> None:
        if not self.decays or len(self.decays) != len(self.weights):
            raise InputError(f"{len(self.decays)} decays and {len(self.weights)} weights", where="SumOfExponentials")
        for decay, weight in zip(self.decays, self.weights, strict=True):
            _positive("decay", decay)
            _positive("weight", weight)
        total = sum(self.weights)
        object.__setattr__(self, "weights", tuple(weight / total for weight in self.weights))

    @property
    def shape(self) -> Floats:
        """Log decays, then the logarithms of the weights over the first one."""
        weights = np.array(self.weights)
        return np.concatenate([np.log(self.decays), np.log(weights[1:] / weights[0])])

    def with_shape(self, shape: Floats) -> SumOfExponentials:
        """Return the kernel of other log decays and log ratios of weights."""
        terms = len(self.decays)
        weights = np.exp(np.concatenate([[0.0], shape[terms:]]))
        decays = np.exp(np.asarray(shape[:terms], dtype=np.float64))
        return SumOfExponentials(tuple(decays.tolist()), tuple((weights / weights.sum()).tolist()))

    def mixture(self) -> Mixture:
        """Return the terms; the derivative of a weight is that of a softmax."""
        weights, terms = np.array(self.weights), len(self.decays)
        d_weights = np.vstack([np.zeros((terms, terms)), (np.diag(weights) - np.outer(weights, weights))[1:]])
        d_log_decays = np.vstack([np.eye(terms), np.zeros((terms - 1, terms))])
        return Mixture(np.array(self.decays), weights, d_log_decays, d_weights)

    def stretched(self, factor: float) -> SumOfExponentials:
        """Return a slower kernel."""
        return SumOfExponentials(tuple(decay / factor for decay in self.decays), self.weights)

    def bounds(self, shortest: float, longest: float) -> Floats:
        """Return the ranges of log decays and log ratios of weights."""
        terms = len(self.decays)
        decays = np.tile(-np.log([[longest, shortest]]), (terms, 1))
        return np.vstack([decays, np.tile([[-15.0, 15.0]], (terms - 1, 1))])

    def natural(self) -> dict[str, float]:
        """Return all decays and weights."""
        values = {f"decay {m + 1}": decay for m, decay in enumerate(self.decays)}
        return values | {f"weight {m + 1}": weight for m, weight in enumerate(self.weights)}


@dataclass(frozen=True)
class PowerLaw(MixtureKernel):
    r"""Omori-Utsu: :math:`\phi(u) = \frac{p - 1}{c} (1 + u / c)^{-p}`, as a sum of exponentials.

    With :math:`(1 + u / c)^{-p} = \frac{1}{\Gamma(p)} \int_0^\infty x^{p-1} e^{-x} e^{-x u / c} dx` and the trapezoidal
    rule in :math:`\log x` the kernel is a mixture of exponentials with geometric decays. The density is within 1e-6 of
    itself up to the lag `longest`, and falls exponentially after about ten times that; a likelihood costs O(events)
    instead of O(events^2). Utsu, Ogata & Matsu'ura (1995), https://doi.org/10.4294/jpe1952.43.1; the sum of
    exponentials: Beylkin & Monzon (2005), https://doi.org/10.1016/j.acha.2005.01.003.

    Parameters
    ----------
    scale : float
        :math:`c`, the lag from which on the rate falls.
    exponent : float
        :math:`p`, above 1.
    longest : float
        The longest lag that matters, such as the length of the window.

    Examples
    --------
    >>> kernel = PowerLaw(scale=2.0, exponent=1.5, longest=1000.0)
    >>> kernel.density(2.0).round(6), (0.5 / 2 * 2**-1.5)
    (np.float64(0.088388), 0.08838834764831845)
    """

    scale: float
    exponent: float
    longest: float

    def __post_init__(self) -> None:
        for name in ("scale", "longest"):
            _positive(name, getattr(self, name))
        if not 1.0 < self.exponent < math.inf:
            raise InputError(f"exponent is {self.exponent}", where="PowerLaw", expected="above 1")

    @property
    def shape(self) -> Floats:
        """Log scale, and log of the exponent less 1."""
        return np.array([math.log(self.scale), math.log(self.exponent - 1.0)])

    def with_shape(self, shape: Floats) -> PowerLaw:
        """Return the kernel of other parameters, the longest lag as before."""
        return PowerLaw(float(np.exp(shape[0])), 1.0 + float(np.exp(shape[1])), self.longest)

    def mixture(self) -> Mixture:
        """Return terms of geometric decays.

        Their spacing h makes the relative error of the rule, 2 |Gamma(p + 2 pi i / h)| / Gamma(p), about 1e-7; below
        the lowest term is less than 1e-6 of the density at the longest lag. The weights sum to less than one by the
        offspring that comes later than the longest lag.
        """
        c, p = self.scale, self.exponent
        angle = 12.0  # 2 pi / h, by Stirling's formula
        for _ in range(12):
            angle = 2.0 / math.pi * (math.log(5.0 / 1e-7) + (p - 0.5) * math.log(angle) - float(gammaln(p)))
        lowest = math.log(1e-7) / p - math.log1p(self.longest / c)
        highest = math.log(40.0 + 4.0 * p)
        log_x = np.linspace(lowest, highest, math.ceil((highest - lowest) * angle / (2.0 * math.pi)) + 1)
        raw = np.exp((p - 1.0) * log_x - np.exp(log_x) - gammaln(p - 1.0)) * (log_x[1] - log_x[0])
        by_p = raw * (log_x - digamma(p - 1.0))
        d_weights = np.vstack([np.zeros_like(raw), (p - 1.0) * by_p])
        d_log_decays = np.vstack([-np.ones_like(raw), np.zeros_like(raw)])
        return Mixture(np.exp(log_x) / c, raw, d_log_decays, d_weights)

    def stretched(self, factor: float) -> PowerLaw:
        """Return a slower kernel; the longest lag stays."""
        return PowerLaw(self.scale * factor, self.exponent, self.longest)

    def bounds(self, shortest: float, longest: float) -> Floats:
        """Return the ranges of the log scale, and of the log of the exponent less 1 (0.02 to 20)."""
        return np.log([[shortest, longest], [0.02, 20.0]])

    def natural(self) -> dict[str, float]:
        """Return scale and exponent."""
        return {"scale": self.scale, "exponent": self.exponent}


def _positive(name: str, value: float) -> None:
    if not (math.isfinite(value) and value > 0):
        raise InputError(f"{name} is {value}", where="kernel", expected="a positive number")
