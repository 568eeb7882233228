r"""The distribution of the reporting delay, estimated from a triangle that the present cuts off.

Only delays that could have been seen count. With :math:`n_{td}` events of week :math:`t` that were added to the record
at delay :math:`d`, and :math:`c_{td}` that it then held, the reverse-time hazard and the distribution are

.. math::

    h_d = P(D = d \mid D \le d) = \frac{\sum_t n_{td}}{\sum_t c_{td}}, \qquad F(d) = \prod_{j > d} (1 - h_j),

the sums over weeks whose delay :math:`d` is in the past (Lawless 1994, doi:10.2307/3315826.n1). Without deletions it is
the non-parametric maximum of the right-truncated likelihood, and the chain ladder: :math:`1 / (1 - h_d)` is the
development factor, and the distribution is the one that baselinenowcast reads from its filled triangle. The hazards'
likelihoods factor into binomials, so that Beta distributions carry their uncertainty: the generalised Dirichlet
distribution of Höhle & an der Heiden (2014), doi:10.1111/biom.12194.

Deletions are the mirror image: the chance that an event in the record at delay :math:`d - 1` is still there at
:math:`d` is :math:`\sum_t \min(c_{t,d-1}, c_{td}) / \sum_t c_{t,d-1}`. Counts show the net change of a week only; by
construction of the two, what the record is expected to grow or shrink to is right all the same.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import betaincinv, betaln

from forecast.errors import InputError
from forecast.panel.reporting_triangle import ReportingTriangle

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]

POOLING_GRID = np.geomspace(1, 1e4, 41)
"""Strengths of pooling, in events, among which the data choose."""
LEAST_SHAPE = 1e-6
"""Smallest parameter of a Beta distribution that is drawn from."""


@dataclass(frozen=True, eq=False)
class Proportions:
    """Chances of each class at each delay, with Beta distributions for what is not known of them.

    Parameters
    ----------
    estimate, alpha, beta : ndarray, shape (classes + 1, delays)
        The last row is that of all classes pooled. A `beta` of 0 says that the chance is 1 and certain.
    """

    estimate: Floats
    alpha: Floats
    beta: Floats

    def draw(self, draws: int, rng: np.random.Generator) -> Floats:
        """Return draws of the chances, shape (draws, classes + 1, delays)."""
        alpha, beta = np.maximum(self.alpha, LEAST_SHAPE), np.maximum(self.beta, LEAST_SHAPE)
        drawn = rng.beta(alpha, beta, (draws, *alpha.shape))
        return np.where(self.beta > 0, drawn, 1.0)


@dataclass(frozen=True, eq=False)
class ReportingDelay:
    """How late events become known, and how likely a known one is to last.

    Parameters
    ----------
    classes : tuple of str
    hazard : Proportions
        Chance that an event known by delay d became known at d and not before; that of delay 0 is 1.
    lasting : Proportions
        Chance that an event in the record at delay d - 1 is not deleted by d; that of delay 0 is 1.
    scatter : float
        Correlation of the delays of a unit's events of one week: 0 if each is reported by itself, more where reports
        come in batches. The delays of such a week are Dirichlet-multinomial of concentration ``1 / scatter - 1``.
    class_of : mapping of str to str
        Class of each unit; other units are taken for the pooled class.
    pooling : float
        Events that the pooled hazards weigh in those of each class.
    """

    classes: tuple[str, ...]
    hazard: Proportions
    lasting: Proportions
    scatter: float
    class_of: Mapping[str, str]
    pooling: float

    @property
    def max_delay(self) -> int:
        """The largest delay, weeks."""
        return int(self.hazard.estimate.shape[1]) - 1

    def cdf(self) -> Floats:
        """Return the chance that a lasting event is known by each delay, shape (classes + 1, delays)."""
        return later_product(1 - self.hazard.estimate)

    def pmf(self) -> Floats:
        """Return the chance of each delay, shape (classes + 1, delays)."""
        return np.diff(self.cdf(), axis=1, prepend=0)

    def kept(self) -> Floats:
        """Return the chance that an event in the record at each delay is not deleted by the largest one."""
        return later_product(self.lasting.estimate)

    def interval(self, level: float = 0.9) -> tuple[Floats, Floats]:
        """Return lower and upper bound of the cdf, each of shape (classes + 1, delays).

        Quantiles of the Beta distribution with the exact mean and variance of the product of the hazards'
        distributions.

        Raises
        ------
        InputError
            If the level is not between 0 and 1.
        """
        if not 0 < level < 1:
            raise InputError(f"interval level {level}", expected="a number between 0 and 1")
        a, b = self.hazard.alpha[:, 1:], self.hazard.beta[:, 1:]
        total = a + b
        factor = {1: b / total, 2: b * (b + 1) / (total * (total + 1))}
        mean, square = (np.cumprod(factor[power][:, ::-1], axis=1)[:, ::-1] for power in (1, 2))
        size = np.maximum(mean * (1 - mean) / np.maximum(square - mean**2, 1e-300) - 1, LEAST_SHAPE)
        tails = ((1 - level) / 2, (1 + level) / 2)
        low, high = (betaincinv(mean * size, (1 - mean) * size, tail) for tail in tails)
        one = np.ones((len(a), 1))
        return np.hstack([low, one]), np.hstack([high, one])

    def rows(self, units: Sequence[str]) -> NDArray[np.intp]:
        """Return the row of each unit's class; that of a unit without one is the pooled row."""
        at = {name: row for row, name in enumerate(self.classes)}
        return np.array([at.get(self.class_of.get(unit, ""), len(self.classes)) for unit in units], dtype=np.intp)

    def to_frame(self, level: float = 0.9) -> pd.DataFrame:
        """Return one row a class and delay: class, delay, probability, cdf, lower, upper, kept."""
        names = [*self.classes, "all"]
        low, high = self.interval(level)
        columns = {"probability": self.pmf(), "cdf": self.cdf(), "lower": low, "upper": high, "kept": self.kept()}
        index = pd.MultiIndex.from_product([names, range(self.max_delay + 1)], names=["class", "delay"])
        return pd.DataFrame({name: values.ravel() for name, values in columns.items()}, index=index).reset_index()


def later_product(chance: Floats) -> Floats:
    """Return the product of the chances of all later delays, along the last axis; 1 at the last.

    Examples
    --------
    >>> later_product(np.array([1.0, 0.5, 0.8]))
    array([0.4, 0.8, 1. ])
    """
    behind = np.cumprod(chance[..., :0:-1], axis=-1)[..., ::-1]
    return np.concatenate([behind, np.ones_like(chance[..., :1])], axis=-1)


def estimate_delay(triangle: ReportingTriangle, *, pooling: float | None = None) -> ReportingDelay:
    """Estimate the delay distribution of each class from what the origin lets be seen.

    The hazard of a class is ``(n / phi + k h) / (N / phi + k)``: its own late events n of N, deflated by the
    design effect phi of reports that come in batches, and k events of the pooled hazard h. Where events are
    deleted again, the chance of lasting from one delay to the next is estimated in the same way.

    Parameters
    ----------
    triangle : ReportingTriangle
    pooling : float, optional
        k: 0 for none, infinite for one distribution for all. If not given, the one that makes the classes' counts
        most likely (beta-binomial empirical Bayes), 0 if there is only one class.

    Returns
    -------
    ReportingDelay

    Raises
    ------
    InputError
        If no later delay was ever seen, or `pooling` is negative.

    Examples
    --------
    >>> weeks = pd.date_range("2026-01-03", periods=3, freq="7D", unit="s")
    >>> shown = np.array([[4, 7, 8], [3, 8, 0], [5, 0, 0]])[..., None]
    >>> seen = np.array([[1, 1, 1], [1, 1, 0], [1, 0, 0]], dtype=bool)[..., None]
    >>> delay = estimate_delay(ReportingTriangle(shown, seen, weeks, ("Gao",), ("Gao",)))
    >>> delay.cdf()[0].round(4)  # 7/15 * 7/8, 7/8, 1
    array([0.4083, 0.875 , 1.    ])
    """
    if pooling is not None and not pooling >= 0:
        raise InputError(f"pooling {pooling}", expected="a number >= 0, inf for full pooling")
    names = tuple(sorted(set(triangle.classes)))
    member = (np.asarray(triangle.classes)[:, None] == np.asarray(names)).astype(np.float64)
    pair = triangle.seen & triangle.seen_before()
    pair[:, 0] = False  # the first delay has nothing before it
    if not pair.any():
        raise InputError("no week of the triangle was seen twice", expected="two delays or more in the past")
    before, now = (np.where(pair, counts, 0) for counts in (np.roll(triangle.shown, 1, axis=1), triangle.shown))
    stayed = np.minimum(before, now)
    scatter = _scatter(now - stayed, now, member)
    hazard, strength = _proportions(now - stayed, now, member, pooling, scatter, _one_event(now.shape[1]))
    if (before == stayed).all():
        certain = np.ones_like(hazard.estimate)
        lasting = Proportions(certain, certain, np.zeros_like(certain))
    else:
        share = np.full(now.shape[1], 1 / now.shape[1])
        lasting, _ = _proportions(stayed, before, member, pooling, 0.0, (1 - share, share))
    class_of = dict(zip(triangle.columns, triangle.classes, strict=True))
    return ReportingDelay(names, hazard, lasting, scatter, class_of, strength)


def _ratio(hits: Floats, trials: Floats) -> Floats:
    """Hits in trials, 0 where there was none."""
    return np.divide(hits, trials, out=np.zeros_like(trials), where=trials > 0)


def _scatter(added: Counts, held: Counts, member: Floats) -> float:
    """Moment estimate of the correlation within a week and column, from all of them.

    Under a Dirichlet-multinomial of concentration kappa, ``E (n - c h_d)^2 = c h_d (1 - h_d) (1 + (c - 1) rho_d)`` with
    ``rho_d = 1 / (1 + kappa F(d))``; each estimated hazard takes a degree of freedom.
    """
    total = held.sum(axis=0) @ member  # (delays, classes)
    h = _ratio(added.sum(axis=0) @ member, total)
    cdf = later_product(1 - h.T).T @ member.T
    share = _ratio(held.astype(np.float64), np.broadcast_to(total @ member.T, held.shape))
    h = h @ member.T  # (delays, columns)
    spread = held * h * (1 - h) * (1 - share)
    excess = ((added - held * h) ** 2 - spread).sum()
    pairs = (spread * np.maximum(held - 1, 0)).sum(axis=0)
    if excess <= 0 or not pairs.any():
        return 0.0

    def too_much(log_concentration: float) -> float:
        return float((pairs / (1 + np.exp(log_concentration) * cdf)).sum() - excess)

    low, high = np.log(0.1), np.log(1e6)
    if too_much(high) >= 0:
        return 0.0
    concentration = float(np.exp(brentq(too_much, low, high))) if too_much(low) > 0 else 0.1
    return 1 / (1 + concentration)


def _one_event(delays: int) -> tuple[Floats, Floats]:
    """Beta parameters, before any data, of the hazards if the delays are Dirichlet of one event spread over them all.

    Half an event for each hazard, as Jeffreys has it, would outweigh the data of a thin class at many delays.
    """
    return np.full(delays, 1 / delays), np.maximum(np.arange(delays), 1) / delays


def _proportions(
    hits: Counts,
    trials: Counts,
    member: Floats,
    pooling: float | None,
    scatter: float,
    prior: tuple[Floats, Floats],
) -> tuple[Proportions, float]:
    """Chances by class and delay from hits in trials of each week, delay and column, and the pooling that was used."""
    number = trials.sum(axis=0) @ member
    inflated = (trials * (1 + np.maximum(trials - 1, 0) * scatter)).sum(axis=0) @ member
    design = np.where(number > 0, _ratio(inflated, number), 1.0)
    n, size = ((hits.sum(axis=0) @ member) / design).T, (number / design).T  # (classes, delays)
    # Batches are those of columns, so that the pooled size is the sum of the effective sizes.
    overall = _ratio(hits.sum(axis=(0, 2)).astype(np.float64), trials.sum(axis=(0, 2)).astype(np.float64))
    all_size = size.sum(axis=0)
    pooled = overall * all_size + prior[0], (1 - overall) * all_size + prior[1]
    smooth = pooled[0] / (pooled[0] + pooled[1])
    strength = _best_pooling(n, size, smooth) if pooling is None else float(pooling)
    # The pooled chances tell a class no more than the events of the others do.
    k = np.minimum(strength, all_size - size + prior[0] + prior[1])
    own_prior = prior if strength == 0 else (0.0, 0.0)
    alpha = np.vstack([n + k * smooth + own_prior[0], pooled[0]])
    beta = np.vstack([size - n + k * (1 - smooth) + own_prior[1], pooled[1]])
    own = np.where(size + k > 0, _ratio(n + k * overall, size + k), overall)
    if np.isinf(strength):
        alpha[:], beta[:], own = alpha[-1], beta[-1], np.broadcast_to(overall, n.shape)
    estimate = np.vstack([own, overall])
    estimate[:, 0], beta[:, 0] = 1.0, 0.0
    return Proportions(estimate, alpha, beta), strength


def _best_pooling(n: Floats, size: Floats, centre: Floats) -> float:
    """Return the pooling of the largest beta-binomial likelihood of the classes' chances around the pooled ones."""
    some = size > 0
    if len(n) < 2 or np.count_nonzero(some.any(axis=1)) < 2:
        return 0.0
    a, b = POOLING_GRID[:, None, None] * centre, POOLING_GRID[:, None, None] * (1 - centre)
    value = np.where(some, betaln(n + a, size - n + b) - betaln(a, b), 0.0).sum(axis=(1, 2))
    return float(POOLING_GRID[int(np.argmax(value))])
