"""Estimates with their standard errors, and what is done where the search does not end."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from forecast.families.endemic_epidemic.design import COMPONENTS, SIZE, Design
from forecast.families.endemic_epidemic.likelihood import Likelihood
from forecast.families.endemic_epidemic.prior import Point, Prior
from forecast.families.endemic_epidemic.random_effects import Mixed, maximise_mixed

Floats = NDArray[np.float64]

OTHER_STARTS = ((-2.0, -2.0, 0.5), (0.7, -1.0, -1.0), (-0.5, 1.5, -0.5))
"""Moves of the three intercepts from where the search began, where it did not end."""
SIZED_WEEKS = 10


@dataclass(frozen=True, eq=False)
class Estimates:
    """Result of a fit.

    Parameters
    ----------
    point : Point
    covariance : ndarray, shape (shared, shared)
        Of the shared parameters: inverse information; with weights in the likelihood, that of a weighted score.
    own_error : ndarray, shape (units, block)
        Standard errors of the parameters of units, from the inverse information.
    sd : ndarray, shape (block,)
        Standard deviations of random effects; NaN for others.
    log_likelihood : float
        Weighted, without any penalty.
    penalised : float
        With the penalties: weak priors and random effects, without their constants.
    marginal : float
        Laplace approximation with the random effects integrated out, up to a constant; NaN without random effects.
    parameters : int
        How many were estimated.
    observations : int
        Unit-weeks in the likelihood.
    converged : bool
    iterations : int
        Evaluations of the likelihood at the last variances.
    """

    point: Point
    covariance: Floats
    own_error: Floats
    sd: Floats
    log_likelihood: float
    penalised: float
    marginal: float
    parameters: int
    observations: int
    converged: bool
    iterations: int

    @property
    def aic(self) -> float:
        """Akaike's criterion; NaN with random effects, whose number of parameters is not defined."""
        return np.nan if np.isfinite(self.sd).any() else 2 * self.parameters - 2 * self.log_likelihood

    @property
    def bic(self) -> float:
        """Schwarz's criterion; NaN with random effects."""
        return self.aic + (float(np.log(self.observations)) - 2) * self.parameters

    def std_errors(self) -> Floats:
        """Return the standard errors of the shared parameters."""
        return np.sqrt(np.maximum(np.diag(self.covariance), 0.0))


def estimate(
    likelihood: Likelihood, prior: Prior, start: Point | None = None, sd: Floats | None = None, *, near: bool = False
) -> Estimates:
    """Maximise the penalised likelihood; `converged` says whether that was reached.

    Parameters
    ----------
    likelihood : Likelihood
    prior : Prior
        `Prior.none` or `Prior.flat` for maximum likelihood.
    start : Point, optional
        The centres of the prior if not given.
    sd : ndarray, shape (block,), optional
        Where the standard deviations of random effects start.
    near : bool
        The start is an earlier optimum.
    """
    found = maximise_mixed(likelihood, prior, start or prior.start(), sd, near=near)
    return _described(likelihood, found)


def estimate_patiently(
    likelihood: Likelihood, prior: Prior, weak: Prior, start: Point | None = None, sd: Floats | None = None
) -> tuple[Estimates, tuple[str, ...]]:
    """Maximise as `estimate` does; from other starts, and then with weak priors, where that does not converge.

    Returns
    -------
    Estimates
    remarks : tuple of str
        What was done, in plain words.
    """
    first = estimate(likelihood, prior, start, sd, near=start is not None)
    if start is not None and not first.converged:
        first = estimate(likelihood, prior)
    if first.converged:
        return first, ()
    tries = [first]
    for moves in OTHER_STARTS:
        tries.append(estimate(likelihood, prior, _moved(likelihood.design, prior, moves)))
        if tries[-1].converged:
            return tries[-1], ("the search did not end from its usual start, and was repeated from another one",)
    if not prior.precision.any():
        found = estimate(likelihood, weak)
        if found.converged:
            return found, ("maximum likelihood did not converge; weak priors were added to it",)
        tries.append(found)
    best = max(tries, key=lambda item: item.log_likelihood if np.isfinite(item.log_likelihood) else -np.inf)
    return best, ("the estimates did not converge; the best ones that were found are used",)


def _moved(design: Design, prior: Prior, moves: tuple[float, float, float]) -> Point:
    start = prior.start()
    for at, move in enumerate(moves):
        for place, (name, base) in enumerate(zip(design.names, design.base, strict=True)):
            if base == at and name.endswith(".intercept"):
                start.shared[place] += move
        for place, base in enumerate(design.unit_base):
            if base == at and not design.random[place]:
                start.own[:, place] += move
    return start


def _described(likelihood: Likelihood, mixed: Mixed) -> Estimates:
    """Put numbers and standard errors together."""
    found, prior = mixed.optimum, mixed.prior
    data = likelihood.data
    bread = found.information
    covariance = bread.covariance()
    weights = data.week_weight[data.first :]
    if not np.isin(weights, (0.0, 1.0)).all():
        # The score's variance has squared weights; the penalties stand for themselves, as prior knowledge.
        squared = likelihood.at(found.point, prior, expected=True, squared=True).penalised
        covariance = bread.sandwich(squared)
    frozen = ~prior.free
    covariance[frozen], covariance[:, frozen] = 0.0, 0.0
    error = np.einsum("nbb->nb", bread.own_covariance())
    seen = data.observed[:, data.first :] & (weights > 0)
    return Estimates(
        found.point,
        covariance,
        np.where(prior.own_free, np.sqrt(np.maximum(error, 0.0)), 0.0),
        mixed.sd,
        found.slope.log_likelihood,
        found.slope.value,
        mixed.marginal,
        int(prior.free.sum() + prior.own_free.sum()),
        int(seen.sum()),
        mixed.converged and bool(np.isfinite(covariance).all()),
        found.iterations,
    )


def pool_the_unidentified(likelihood: Likelihood, prior: Prior, weak: Prior) -> tuple[Prior, tuple[str, ...]]:
    """Return a prior under which what a unit's counts cannot tell is pooled.

    A unit without any event, or without one that a component could have fed, has no finite intercept of that component
    of its own: it gets the weak prior. Units with events in fewer than `SIZED_WEEKS` weeks share one size.

    Returns
    -------
    Prior
    remarks : tuple of str
    """
    data, design = likelihood.data, likelihood.design
    precision, own_free, free = prior.own_precision.copy(), prior.own_free.copy(), prior.free.copy()
    shared = prior.precision.copy()
    events = data.observed & (data.counts > 0) & (data.week_weight > 0)
    events[:, : data.first] = False
    remarks = []
    for at, base in enumerate(design.unit_base):
        if base == SIZE:
            pooled = events.sum(axis=1) < SIZED_WEEKS
            own_free[:, at] = ~pooled
            common = design.base == SIZE
            free[common] = pooled.any()
            shared[common] = weak.precision[common]
            what = "own size"
        elif not design.random[at]:
            fed = _fed(likelihood, int(base))
            pooled = ~(events & fed).any(axis=1)
            precision[pooled, at] = weak.own_precision[pooled, at]
            what = f"own intercept of the {COMPONENTS[base]} component"
        else:
            continue
        if pooled.any():
            remarks.append(f"{pooled.sum()} of {len(pooled)} units have too few events for an {what}")
    return replace(prior, precision=shared, own_precision=precision, own_free=own_free, free=free), tuple(remarks)


def _fed(likelihood: Likelihood, base: int) -> NDArray[np.bool_]:
    """Tell for which unit-weeks a component is above 0."""
    data, order = likelihood.data, likelihood.design.lags.order
    if base == 2:
        return np.ones(data.counts.shape, dtype=bool)
    weights = likelihood.design.weights
    source = data.past if base == 0 or weights is None else likelihood.neighbours(weights.start)[..., 0]
    fed = np.zeros(source.shape, dtype=bool)
    for d in range(1, order + 1):
        fed[:, d:] |= source[:, :-d] > 0
    return fed
