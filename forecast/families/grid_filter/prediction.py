"""From what is believed of the rates to counts: exact marginals, and paths of the latent chain."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from forecast.compiled import compiled
from forecast.families.grid_filter.filtering import Belief, Chain, size_of
from forecast.predictive.negbin import mixture_pmf, sample_one

Floats = NDArray[np.float64]

LEAST_WEIGHT = 1e-13
"""Rates that are less probable for every unit and week are left out of the marginals."""


def marginals(chain: Chain, belief: Belief, weights: Floats, reset: Floats, factors: Floats) -> Floats:
    """Return the exact pmf of each coming week, shape (horizon, units, k).

    Parameters
    ----------
    chain : Chain
    belief : Belief
    weights : ndarray, shape (moves, scatters)
        Of the settings; they sum to 1.
    reset : ndarray, shape (units, points)
    factors : ndarray, shape (horizon, units)
        Season.
    """
    rates = rates_ahead(chain, belief, weights, reset, len(factors))
    used = rates.max(axis=(2, 3)) > LEAST_WEIGHT
    mean = np.exp(chain.points)[None, :, None, None] * factors
    shape, excess = chain.scatters.T[..., None, None, None]
    size = 1.0 / (1.0 / shape + excess / mean)
    return mixture_pmf(np.broadcast_to(mean, size.shape)[used], size[used], rates[used])


def rates_ahead(chain: Chain, belief: Belief, weights: Floats, reset: Floats, horizon: int) -> Floats:
    """Return the probability of each way to scatter and each rate, shape (scatters, points, horizon, units)."""
    _, kinds, units, size = belief.states.shape
    out = np.zeros((kinds, size, horizon, units))
    for d, (transition, share) in enumerate(zip(chain.steps, chain.resets, strict=True)):
        # Over the scatters of one way to move the steps are the same, so that the weights can be taken in first.
        state, mass = weights[d, :, None, None] * belief.states[d], weights[d, :, None, None]
        for h in range(horizon):
            state = state @ transition + mass * share * reset
            out[:, :, h] += state.swapaxes(1, 2)
    return out


def paths(
    chain: Chain,
    belief: Belief,
    weights: Floats,
    reset: Floats,
    factors: Floats,
    draws: int,
    rng: np.random.Generator,
) -> NDArray[np.int32]:
    """Simulate rates and counts, each path with one combination of settings; shape (draws, horizon, units)."""
    # Systematic draws: every combination gets its share of the paths but for one; then shuffled.
    position = (np.arange(draws) + rng.random()) / draws
    chosen = np.minimum(np.searchsorted(np.cumsum(weights), position), weights.size - 1)
    move, scatter = np.divmod(rng.permutation(chosen), weights.shape[1])
    return _paths(
        _cumulative(belief.states), _cumulative(chain.steps), _cumulative(reset), chain.resets, chain.scatters,
        np.exp(chain.points), move, scatter, factors, rng,
    )  # fmt: skip


def _cumulative(probability: Floats) -> Floats:
    """Cumulative shares along the last axis, which end at 1."""
    total = np.cumsum(probability, axis=-1)
    return np.asarray(total / total[..., -1:])


@compiled
def _draw(cumulative: Floats, rng: np.random.Generator) -> int:
    """Draw a position from cumulative shares that end at 1."""
    return int(np.searchsorted(cumulative, rng.random()))


@compiled
def _paths(
    states: Floats,
    transitions: Floats,
    reset: Floats,
    resets: Floats,
    scatters: Floats,
    rates: Floats,
    move: NDArray[np.int64],
    scatter: NDArray[np.int64],
    factors: Floats,
    rng: np.random.Generator,
) -> NDArray[np.int32]:
    """Paths of the chain; `states`, `transitions` and `reset` are cumulative."""
    horizon, units = factors.shape
    out = np.empty((len(move), horizon, units), dtype=np.int32)
    for p in range(len(move)):
        d, z = move[p], scatter[p]
        for u in range(units):
            at = _draw(states[d, z, u], rng)
            for h in range(horizon):
                row = reset[u] if rng.random() < resets[d] else transitions[d, at]
                at = _draw(row, rng)
                mean = rates[at] * factors[h, u]
                out[p, h, u] = min(sample_one(mean, size_of(mean, scatters[z, 0], scatters[z, 1]), rng), 2147483647)
    return out
