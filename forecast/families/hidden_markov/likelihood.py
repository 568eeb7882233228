"""The weighted predictive likelihood of regimes, with its exact gradient."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from forecast.families.hidden_markov.coordinates import Coordinates
from forecast.families.hidden_markov.filtering import forward, gradient
from forecast.families.hidden_markov.regimes import Regimes, stationary

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]
Observed = NDArray[np.bool_]
Arguments = tuple[Counts, Observed, Floats, Floats, Floats, float, Floats, Floats]
"""What the kernels of `filtering` take: counts, observed, base, ratio, size, excess, transition, start."""


@dataclass(frozen=True, eq=False)
class Cases:
    """The counts of all units, and what is expected of them at ratio 1.

    Parameters
    ----------
    counts, observed : ndarray, shape (weeks, units)
    base : ndarray, shape (weeks, units)
        Level times season times exposure.
    wave : ndarray, shape (weeks, 2)
        Sine and cosine of the time of the year.
    weight : ndarray, shape (weeks,)
        Of the weeks in the likelihood.
    """

    counts: Counts
    observed: Observed
    base: Floats
    wave: Floats
    weight: Floats

    def filtered(self, regimes: Regimes) -> tuple[Floats, Floats]:
        """Return filtered probabilities (weeks, units, regimes) and log predictive probabilities (weeks, units)."""
        return forward(*self.arguments(regimes))

    def arguments(self, regimes: Regimes) -> Arguments:
        """Return what the kernels take: the counts first, then the regimes."""
        return (
            self.counts,
            self.observed,
            self.base,
            regimes.ratio,
            regimes.size,
            regimes.excess,
            regimes.transitions(self.wave),
            regimes.stationary(),
        )

    def log_likelihood(self, regimes: Regimes) -> float:
        """Return the weighted log likelihood."""
        return float(self.weight @ self.filtered(regimes)[1].sum(axis=1))

    def loss(self, vector: Floats, free: Coordinates) -> tuple[float, Floats]:
        """Return minus the weighted log likelihood and log prior, and its gradient."""
        regimes = free.regimes_of(vector)
        arguments = self.arguments(regimes)
        filtered, score = forward(*arguments)
        by_ratio, by_size, by_excess, by_transition, by_start = gradient(arguments, self.weight, filtered)
        matrix = regimes.matrix()
        delta = stationary(matrix)
        # The chain starts in its stationary distribution: d delta = delta dGamma (1 - Gamma + U)^-1.
        by_matrix = np.outer(delta, np.linalg.solve(np.eye(len(delta)) - matrix + 1, by_start))
        by_logit = _by_logit(arguments[6], by_transition)
        prior, slope = free.log_prior(vector)
        at = free.slices
        slope[at["ratio"]] += by_ratio
        if not free.poisson:
            slope[at["size"]] += by_size
            if free.excess:
                slope[at["excess"]] += by_excess
        total = by_logit.sum(axis=0) + _by_logit(matrix, by_matrix)
        slope[at["transition"]] += total[free.off_diagonal]
        if free.seasonal:
            slope[at["wave"]] += (by_logit.sum(axis=1).T @ self.wave)[1:].ravel()
        return -float(self.weight @ score.sum(axis=1)) - prior, -slope


def _by_logit(share: Floats, by_share: Floats) -> Floats:
    """Return the derivative in the logits of a softmax along the last axis."""
    return np.asarray(share * (by_share - (share * by_share).sum(axis=-1, keepdims=True)))
