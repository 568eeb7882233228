"""Whether a rate has jumped, risen or fallen over the last weeks, given all counts."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from forecast.errors import InputError
from forecast.families.grid_filter.filtering import Belief, Chain, likelihood
from forecast.families.grid_filter.rates import SPACING, walk
from forecast.panel.panel import Panel

Floats = NDArray[np.float64]

LEAST_WEIGHT = 1e-3
"""Settings of less weight are left out."""


def change_since(chain: Chain, panel: Panel, factors: Floats, weights: Floats, weeks: int, factor: float) -> Floats:
    """Return the probabilities of a jump, a rise and a fall over the last weeks, shape (units, 3).

    The joint distribution of the rate before these weeks and the rate now is carried through them, and beside it the
    part of the mass that has only walked; both are exact.

    Parameters
    ----------
    chain : Chain
    panel : Panel
    factors : ndarray, shape (weeks, units)
        Season.
    weights : ndarray, shape (moves, scatters)
        Of the settings.
    weeks : int
    factor : float
        How much a rise or a fall is.

    Returns
    -------
    ndarray
        NaN for a unit of which nothing was observed before these weeks.

    Raises
    ------
    InputError
        If the panel has not more weeks than these, or the factor is not above 1.
    """
    total = len(panel.weeks)
    if not 1 <= weeks < total:
        raise InputError(f"a change over {weeks} weeks", expected=f"1 to {total - 1}: {total} weeks are known")
    if not factor > 1:
        raise InputError(f"a change by a factor of {factor:g}", expected="a factor above 1")
    recent = range(total - weeks, total)
    belief, _ = Belief.start(chain, len(panel.units)).follow(chain, panel.weeks_between(0, recent[0]), factors)
    before = belief
    resets, given = [], np.ones((weeks, len(panel.units), len(chain.scatters), len(chain.points)))
    for at, week in enumerate(recent):
        resets.append(chain.reset_rows(belief))
        for unit in np.flatnonzero(panel.observed[week]):
            likelihood(panel.counts[week, unit], factors[week, unit], chain.points, chain.scatters, given[at, unit])
        belief, _ = belief.follow(chain, panel.weeks_between(0, week + 1), factors, week)
    kept = np.where(weights >= LEAST_WEIGHT, weights, 0.0)
    out = np.full((len(panel.units), 3), np.nan)
    for unit in np.flatnonzero(before.weeks[0] > 0):
        out[unit] = _of_unit(
            chain, before.states[:, :, unit], np.stack(resets)[:, unit], given[:, unit], kept / kept.sum(), factor
        )
    return out


def _of_unit(chain: Chain, states: Floats, resets: Floats, given: Floats, weights: Floats, factor: float) -> Floats:
    """Probabilities of jump, rise and fall of one unit.

    Parameters
    ----------
    chain : Chain
    states : ndarray, shape (moves, scatters, points)
        Before the weeks.
    resets : ndarray, shape (weeks, points)
    given : ndarray, shape (weeks, scatters, points)
        Likelihood of each week's count.
    weights : ndarray, shape (moves, scatters)
    factor : float
    """
    points = len(chain.points)
    # A hair of slack: the points are whole multiples of the spacing apart.
    higher = SPACING * np.subtract.outer(np.arange(points), np.arange(points)) + 1e-9 >= np.log(factor)
    out = np.zeros(3)
    for d, (scale, jump, reset) in enumerate(chain.moves):
        used = weights[d] > 0
        if not used.any():
            continue
        walking = (1 - jump - reset) * walk(points, scale)
        walked = states[d, used]
        joint = walked[:, :, None] * np.eye(points)
        for row, likelihoods in zip(resets, given, strict=True):
            walked = (walked @ walking) * likelihoods[used]
            joint = (joint @ chain.steps[d] + reset * joint.sum(axis=2, keepdims=True) * row) * likelihoods[used, None]
            mass = joint.sum(axis=(1, 2))
            joint /= mass[:, None, None]
            walked = walked / mass[:, None]
        share = weights[d, used]
        out[0] += share @ (1 - walked.sum(axis=1))
        out[1] += share @ joint[:, higher.T].sum(axis=1)
        out[2] += share @ joint[:, higher].sum(axis=1)
    return np.clip(out, 0.0, 1.0)
