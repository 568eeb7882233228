r"""The nowcast: what the last weeks' counts will be when all reports are in, as sample paths.

Given the final count :math:`N \sim NB(m, r)` of a week, each event of which is known by now with probability
:math:`F`, the events that are still to come, given the :math:`x` that are known, are exactly

.. math:: N - x \mid x \sim NB\left(\frac{(r + x)\, m (1 - F)}{r + m F},\; r + x\right)

(the binomial thinning of a gamma-Poisson). With :math:`m \to \infty, r = 1` this is the flat prior of
baselinenowcast, whose mean is :math:`(x + 1)(1 - F) / F`; a level from the unit's own past keeps a week of which
nothing is known yet from being infinitely uncertain.
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from forecast.errors import InputError
from forecast.panel.panel import Panel
from forecast.panel.reporting_delay import ReportingDelay, later_product
from forecast.predictive import negbin

Floats = NDArray[np.float64]

HALF_LIFE_WEEKS = 10
"""Of the weeks in a unit's level."""
POOLED_EVENTS = 0.5
"""Events at the level of all units that are added to each unit's own."""
POOLED_SPREAD = 50.0
"""Weight of all units' overdispersion in each unit's own, in squared events."""
LARGEST_SIZE = 1e4
TINY = 1e-12
"""Least level and share: where they underflow to nothing, a known event would be impossible."""
CANDIDATES = 8
"""Of level and share of each cell, among which the known count chooses."""


def nowcast(panel: Panel, delay: ReportingDelay, draws: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Draw the final counts of the weeks that are not complete yet.

    Each draw takes delay parameters from their distributions, the same for all weeks and units of a class; deletes
    some of the known events as such events are deleted; draws a level for the unit from the weeks around, each counted
    as far as it is known, and the share of the week's events that is known, which scatters around that of the delay
    where reports come in batches; and adds the events that are still to come. Of several draws of level and share the
    week's own known count chooses: many known events may be a bad week or an early batch, and each is as likely as it
    should be. The known counts do not inform the delay parameters again.

    Parameters
    ----------
    panel : Panel
        As known at its origin.
    delay : ReportingDelay
        Estimated from what was known then.
    draws : int
        At least 1.
    rng : Generator

    Returns
    -------
    ndarray of int64, shape (draws, weeks, units)
        Of the last ``min(delay.max_delay, weeks)`` weeks of the panel; 0 where not observed.

    Raises
    ------
    InputError
        If `draws` is less than 1.

    References
    ----------
    Lawless (1994), doi:10.2307/3315826.n1; Höhle & an der Heiden (2014), doi:10.1111/biom.12194; for the choice among
    draws Smith & Gelfand (1992), doi:10.1080/00031305.1992.10475856.

    Examples
    --------
    >>> from forecast.panel.reporting_delay import estimate_delay
    >>> from forecast.panel.reporting_triangle import triangle_from_vintages
    >>> from forecast.panel.units import Units
    >>> from forecast.simulation.vintages import VintageSettings, simulate_vintages
    >>> import pandas as pd
    >>> weeks = pd.date_range("2024-01-06", periods=104, freq="7D", unit="s", name="week")
    >>> rng = np.random.default_rng(1)
    >>> history = simulate_vintages(VintageSettings(), weeks, Units.of(["A", "B"]), rng)
    >>> delay = estimate_delay(triangle_from_vintages(history.known, max_delay=7))
    >>> nowcast(history.known[max(history.known)], delay, 500, rng).shape
    (500, 7, 2)
    """
    if draws < 1:
        raise InputError(f"{draws} draws", expected="at least 1")
    span = min(delay.max_delay, len(panel.weeks))
    age = np.arange(span)[::-1]  # the last week can have been reported with delay 0 only
    rows = delay.rows(panel.units.names)
    share = later_product(1 - delay.hazard.draw(draws, rng))[:, :, age].swapaxes(1, 2)[:, :, rows]
    kept = later_product(delay.lasting.draw(draws, rng))[:, :, age].swapaxes(1, 2)[:, :, rows]
    known = rng.binomial(panel.counts[-span:], kept)

    level = _Level.of(panel, delay, rows)
    mean, share = _given_the_known(known, level, share, delay.scatter, rng)
    size = level.size + known
    to_come = size * mean * (1 - share) / (level.size + mean * share)
    paths = known + negbin.sample(to_come, size, rng)
    return np.where(panel.observed[-span:], paths, 0)


def with_last_weeks(panel: Panel, path: NDArray[np.integer]) -> Panel:
    """Return the panel with other counts in its last weeks.

    Parameters
    ----------
    panel : Panel
    path : ndarray of int, shape (weeks, units)
        One draw of `nowcast`.

    Raises
    ------
    InputError
        If the panel has other units or fewer weeks.
    """
    if path.ndim != 2 or path.shape[1] != len(panel.units) or not 1 <= len(path) <= len(panel.weeks):
        raise InputError(
            f"nowcast of shape {path.shape}",
            expected=f"at most {len(panel.weeks)} weeks x {len(panel.units)} units",
        )
    counts = panel.counts.copy()
    counts[-len(path) :] = path
    return replace(panel, counts=np.where(panel.observed, counts, 0))


class _Level(NamedTuple):
    """What the weeks around say of each of the last weeks, before its own count: all of shape (weeks, units)."""

    shape: Floats  # of the gamma distribution of the mean
    rate: Floats
    size: Floats  # of the negative binomial around the mean

    @classmethod
    def of(cls, panel: Panel, delay: ReportingDelay, rows: NDArray[np.intp]) -> _Level:
        """Weigh the weeks by age, count each as far as it is known, and leave the week itself out."""
        weeks = len(panel.weeks)
        age = np.minimum(np.arange(weeks)[::-1], delay.max_delay)
        cover = (delay.cdf() / delay.kept())[rows][:, age].T  # expected record / final count
        weight = 0.5 ** (np.arange(weeks)[::-1] / HALF_LIFE_WEEKS)[:, None] * panel.observed
        events, exposure = weight * panel.counts, weight * cover
        overall = (events.sum() + POOLED_EVENTS) / (exposure.sum() + POOLED_EVENTS)
        span = min(delay.max_delay, weeks)
        others = events.sum(axis=0) - events[-span:]
        known = exposure.sum(axis=0) - exposure[-span:]
        shape, rate = others + POOLED_EVENTS, known + POOLED_EVENTS / overall

        # Overdispersion by moments, from the final counts around a level that moves with them.
        complete = panel.observed & (age == delay.max_delay)[:, None]
        mean = _moving_mean(panel.counts, complete)
        square = np.where(complete, mean**2, 0).sum(axis=0)
        excess = np.where(complete, (panel.counts - mean) ** 2 - mean, 0).sum(axis=0)
        pooled = max(excess.sum() / square.sum(), 0.0) if square.sum() > 0 else 1.0
        inverse = (np.maximum(excess, 0) + POOLED_SPREAD * pooled) / (square + POOLED_SPREAD)
        size = 1 / np.maximum(inverse, 1 / LARGEST_SIZE)
        # A week's own level has no more weight than the weeks that make it, which scatter as it does.
        ahead = shape / rate
        shrink = 1 / (1 + ahead / size)
        return cls(shape * shrink, rate * shrink, np.broadcast_to(size, shape.shape))


def _moving_mean(counts: NDArray[np.int64], used: NDArray[np.bool_]) -> Floats:
    """Mean of the used weeks before and after each week but not of itself, weights falling as in the level."""
    distance = np.abs(np.subtract.outer(np.arange(len(counts)), np.arange(len(counts))))
    kernel = np.where(distance > 0, 0.5 ** (distance / HALF_LIFE_WEEKS), 0.0)
    total: Floats = kernel @ np.where(used, counts, 0)
    weight = kernel @ used.astype(np.float64)
    return np.where(weight > 0, total / np.where(weight > 0, weight, 1), 0.0)


def _given_the_known(
    known: NDArray[np.integer], level: _Level, share: Floats, scatter: float, rng: np.random.Generator
) -> tuple[Floats, Floats]:
    """Draw level and known share of each cell given its known count, both of shape (draws, weeks, units).

    Of `CANDIDATES` draws from what was thought before, one is kept with probabilities in proportion to
    ``NB(known; level share, size)``: sampling importance resampling, one candidate in memory at a time.
    """
    mean, part = _candidate(level, share, scatter, rng)
    total = negbin.logpmf(known, mean * part, level.size)
    for _ in range(CANDIDATES - 1):
        other_mean, other_part = _candidate(level, share, scatter, rng)
        weight = negbin.logpmf(known, other_mean * other_part, level.size)
        total = np.logaddexp(total, weight)
        better = np.log(rng.random(share.shape)) < weight - total
        mean, part = np.where(better, other_mean, mean), np.where(better, other_part, part)
    return mean, part


def _candidate(level: _Level, share: Floats, scatter: float, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Draw level and known share from what is thought of them before the week's own count."""
    mean = np.maximum(rng.gamma(level.shape, size=share.shape) / level.rate, TINY)
    if scatter == 0:
        return mean, np.maximum(share, TINY)
    # A part of a Dirichlet vector is Beta distributed.
    concentration = 1 / scatter - 1
    part = rng.beta(np.maximum(concentration * share, 1e-6), np.maximum(concentration * (1 - share), 1e-6))
    return mean, np.maximum(part, TINY)
