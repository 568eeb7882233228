"""How the probability near a place went over the past weeks, and what then happened."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from forecast.predictive.escalation import FEWEST_ORIGINS

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class PastView:
    """What was said at one origin of the past, from what was known then.

    Parameters
    ----------
    origin : str
        ISO 8601 day.
    probability, low, high : float
        Of the pool; NaN if no model could tell.
    calibrated : float
        The same after recalibration by what had come true by then; NaN where that was too little.
    models : dict of str to float
        Probability by model, of those that could tell.
    usual : float
        Base rate of the two years before, as known then; NaN if unknown.
    events : int or None
        How many came; None where that is not known yet.
    """

    origin: str
    probability: float
    low: float
    high: float
    models: dict[str, float]
    usual: float
    events: int | None
    calibrated: float = float("nan")


@dataclass(frozen=True)
class PastScores:
    """How well the past views did, at every origin of which it is known what came.

    Parameters
    ----------
    origins : int
        Their weeks overlap, so that they are fewer cases than that.
    first, last : str
        The earliest and the latest of them.
    said, came : float
        Mean probability, and share of the origins after which an event came.
    brier : float
        Mean squared error of the pool.
    brier_calibrated : float
        Of the recalibrated pool; where it was not recalibrated the pool's own counts.
    compared : int
        At how many of the origins the base rate was known as well: not at the first ones of a short record.
    brier_compared, brier_usual : float
        Of the pool and of that base rate, at those origins alone; NaN without any.
    """

    origins: int
    first: str
    last: str
    said: float
    came: float
    brier: float
    brier_calibrated: float
    compared: int
    brier_compared: float
    brier_usual: float


def spans(counts: NDArray[np.integer], observed: NDArray[np.bool_], weeks: int) -> Floats:
    """Return the sum of each span of weeks, by the week that it begins with; NaN where a week of it is not known.

    Parameters
    ----------
    counts, observed : ndarray, shape (all weeks,)
    weeks : int

    Returns
    -------
    ndarray, shape (all weeks - weeks + 1,); empty if no span fits

    Examples
    --------
    >>> spans(np.array([1, 0, 2, 0]), np.array([True, True, True, False]), 2)
    array([ 1.,  2., nan])
    """
    known = np.where(observed, counts.astype(np.float64), np.nan)
    if len(known) < weeks:
        return np.empty(0)
    return np.asarray(np.lib.stride_tricks.sliding_window_view(known, weeks).sum(axis=1))


def usual(totals: Floats, window: int) -> float:
    """Return the share of the last spans with an event; NaN where fewer than `FEWEST_ORIGINS` are known.

    Examples
    --------
    >>> usual(np.tile([0.0, 3.0], 20), 104)
    0.5
    """
    known = totals[-window:][np.isfinite(totals[-window:])]
    return float((known > 0).mean()) if len(known) >= FEWEST_ORIGINS else float("nan")


def past_scores(views: Sequence[PastView]) -> PastScores | None:
    """Return how well past views did, over all whose outcome is known; None without any.

    Examples
    --------
    >>> one = PastView("2026-01-03", 0.8, 0.7, 0.9, {}, float("nan"), 0)
    >>> two = PastView("2026-01-10", 0.8, 0.7, 0.9, {}, 0.5, 2)
    >>> found = past_scores([one, two])
    >>> found.origins, found.came, round(found.brier, 3)
    (2, 0.5, 0.34)
    >>> found.compared, round(found.brier_compared, 3), found.brier_usual
    (1, 0.04, 0.25)
    """
    known = [view for view in views if view.events is not None and np.isfinite(view.probability)]
    if not known:
        return None
    said, calibrated, base = (
        np.array([getattr(view, name) for view in known]) for name in ("probability", "calibrated", "usual")
    )
    came = np.array([bool(view.events) for view in known], dtype=np.float64)
    wrong, wrong_usual = (said - came) ** 2, (base - came) ** 2
    wrong_calibrated = (np.where(np.isfinite(calibrated), calibrated, said) - came) ** 2
    both = np.isfinite(base)
    return PastScores(
        origins=len(known),
        first=known[0].origin,
        last=known[-1].origin,
        said=float(said.mean()),
        came=float(came.mean()),
        brier=float(wrong.mean()),
        brier_calibrated=float(wrong_calibrated.mean()),
        compared=int(both.sum()),
        brier_compared=float(wrong[both].mean()) if both.any() else float("nan"),
        brier_usual=float(wrong_usual[both].mean()) if both.any() else float("nan"),
    )
