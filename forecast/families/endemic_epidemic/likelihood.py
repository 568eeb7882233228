"""Log-likelihood of an endemic-epidemic model with its score and information, analytic throughout."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from forecast.errors import InputError
from forecast.families.endemic_epidemic.arrow import Arrow
from forecast.families.endemic_epidemic.design import Design
from forecast.families.endemic_epidemic.history import Data
from forecast.families.endemic_epidemic.kernels import accumulate, contract, spread
from forecast.families.endemic_epidemic.prior import Point, Prior

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Slope:
    """The likelihood around a point.

    Parameters
    ----------
    log_likelihood : float
        Weighted, without penalty.
    value : float
        With the penalty.
    score, own_score : ndarray, shape (shared,) and (units, block)
        Of `value`.
    information : Arrow
        Observed or expected, of the likelihood alone.
    penalised : Arrow
        Of `value`.
    """

    log_likelihood: float
    value: float
    score: Floats
    own_score: Floats
    information: Arrow
    penalised: Arrow


@dataclass(frozen=True, eq=False)
class Likelihood:
    r"""Log-likelihood of counts under a design.

    .. math:: \mu_{ti} = o^{(1)}_i e^{\eta^{(1)}_{ti}} \sum_d u_d\, y_{t-d,i}
        + o^{(2)}_i e^{\eta^{(2)}_{ti}} \sum_j w_{ji} \sum_d u_d\, y_{t-d,j} + o^{(3)}_i e^{\eta^{(3)}_{ti}},
        \qquad y_{ti} \sim NB(\mu_{ti}, r_i).

    Parameters
    ----------
    data : Data
    design : Design

    Raises
    ------
    InputError
        If weeks or units of the two differ, or the first week has not enough weeks before it.

    Examples
    --------
    >>> from forecast.families.endemic_epidemic.design import Component
    >>> counts = np.array([[2], [1], [3], [0]])
    >>> one = Component(np.ones((4, 1)), ("intercept",))
    >>> design = Design.of(4, 1, endemic=one, sizes=None)
    >>> point = Point(np.zeros(1), np.zeros((1, 0)))
    >>> round(Likelihood(Data.of(counts), design).at(point).log_likelihood, 6)  # -3 - log(3!), Poisson with mean 1
    -4.791759
    """

    data: Data
    design: Design

    def __post_init__(self) -> None:
        units, weeks = self.data.counts.shape
        design = self.design
        if len(design.regressors) != weeks or design.offset.shape[1] != units:
            raise InputError(
                f"a design of {len(design.regressors)} weeks and {design.offset.shape[1]} units",
                expected=f"{weeks} and {units}, as the counts",
            )
        if design.present[:2].any() and self.data.first < design.lags.order:
            raise InputError(
                f"the first week of the likelihood has {self.data.first} weeks before it",
                expected=f"at least {design.lags.order}, the order of the lags",
            )

    @cached_property
    def _fixed_neighbours(self) -> Floats:
        """`neighbours` for weights without parameters."""
        return self._spread(np.empty(0))

    def neighbours(self, parameters: Floats) -> Floats:
        """Return what reaches each unit and week from the others, with derivatives in the weights' parameters.

        Returns
        -------
        ndarray, shape (units, weeks, 1 + k + k (k + 1) / 2)
        """
        return self._spread(parameters) if self.design.weight_count else self._fixed_neighbours

    def _spread(self, parameters: Floats) -> Floats:
        weights = self.design.weights
        if weights is None:
            return np.empty((*self.data.past.shape, 0))
        return np.asarray(
            spread(self.data.past, weights.pairs.start, weights.pairs.receiver, weights.columns(parameters))
        )

    def at(self, point: Point, prior: Prior | None = None, *, expected: bool = False, squared: bool = False) -> Slope:
        """Return value, score and information at a point.

        Parameters
        ----------
        point : Point
        prior : Prior, optional
        expected : bool
            Expected in place of observed information, which is positive everywhere; for the size, which is orthogonal
            to the mean, the square of the score.
        squared : bool
            Weeks enter with the square of their weight: what the variance of the weighted score is made of.
        """
        data, design = self.data, self.design
        units = len(data.counts)
        parts = design.parts(point.shared)
        effect = np.zeros((4, units))
        effect[design.unit_base] = point.own.T
        size = np.exp(np.clip(parts.log_size + effect[3], -20.0, 25.0)) if design.sizes else np.full(units, np.inf)
        value, weekly_score, weekly, own_score, blocks, border = accumulate(
            data.counts,
            data.past,
            self.neighbours(parts.weights),
            data.observed,
            data.week_weight**2 if squared else data.week_weight,
            data.first,
            parts.week,
            design.offset * np.exp(np.clip(effect[:3], -60.0, 60.0)),
            size,
            parts.lag,
            design.cells,
            design.cell_component,
            parts.cell,
            design.weight_count,
            design.weight_count + design.lag_estimated,
            design.regressors,
            *design.members,
            design.unit_base,
            expected,
        )
        score, shared = contract(weekly_score, weekly, design.regressors, design.base)
        information = Arrow(shared, border, blocks)
        if prior is None:
            return Slope(value, value, score, own_score, information, information)
        return _penalised(value, score, own_score, information, point, prior)


def _penalised(value: float, score: Floats, own_score: Floats, plain: Arrow, point: Point, prior: Prior) -> Slope:
    """Add a prior; parameters that are not free get a score of 0 and an information of their own, 1."""
    free, own_free = prior.free, prior.own_free
    shared = plain.shared + np.diag(prior.precision)
    border, blocks = plain.border, plain.blocks
    diagonal = np.arange(blocks.shape[1])
    if len(diagonal):
        blocks = blocks.copy()
        blocks[:, diagonal, diagonal] += prior.own_precision
    if not free.all():
        shared = np.where(np.outer(free, free), shared, np.diag((~free).astype(np.float64)))
        border = border * free
    if not own_free.all():
        border = border * own_free[:, :, None]
        blocks = blocks * (own_free[:, :, None] & own_free[:, None, :])
        blocks[:, diagonal, diagonal] += ~own_free
    return Slope(
        value,
        value + prior.value(point),
        np.where(free, score - prior.precision * (point.shared - prior.centre), 0.0),
        np.where(own_free, own_score - prior.own_precision * (point.own - prior.own_centre), 0.0),
        plain,
        Arrow(shared, border, blocks),
    )
