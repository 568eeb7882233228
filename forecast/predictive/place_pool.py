"""What several models say of one place, and what they say together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit

from forecast.errors import InputError
from forecast.predictive.odds_map import OddsMap

Floats = NDArray[np.float64]

LEVEL = 0.9
"""Of the central range of a model's own uncertainty."""
FLOOR = 1e-4
"""No model is taken to be surer than this: some thousand paths cannot tell."""


@dataclass(frozen=True, eq=False)
class View:
    """What one model says of the events near a place over some weeks.

    Parameters
    ----------
    name : str
        "space-time", "regions" or "towns".
    model : str
        What it is called in the catalogue, or the same as `name`.
    probability : float
        Of at least one event.
    mean : float
        Expected events.
    counts : ndarray of int, shape (draws,)
        Sample of the number of events.
    low, high : float
        Central range of the probability over what is not known of the parameters; NaN if the model does not tell.
    parts : dict of str to float
        Expected events by where they come from; empty if the model does not tell.
    everywhere : ndarray, shape (places,)
        The same probability of each place of the workspace, this one among them; NaN where the model does not tell.
    """

    name: str
    model: str
    probability: float
    mean: float
    counts: NDArray[np.int64]
    low: float = float("nan")
    high: float = float("nan")
    parts: dict[str, float] = field(default_factory=dict)
    everywhere: Floats = field(default_factory=lambda: np.empty(0))


@dataclass(frozen=True)
class Pool:
    """What the models say together, all of them weighing the same; one distribution of the number of events.

    Parameters
    ----------
    probability : float
        Of at least one event: its odds are the geometric mean of those of the models, recalibrated if that was asked.
    mean : float
        Expected events: the probability times what the models expect if an event comes, so never less than it.
    low, high : float
        Range of the probability, which is within it: from the lowest to the highest that a model says, the ranges of
        those that tell one included, and recalibrated like the probability.
    count_low, count_high : int
        Central 80 % range of the events: of the mixture of the models, weighed so that an event comes with the
        probability.
    """

    probability: float
    mean: float
    low: float
    high: float
    count_low: int
    count_high: int


def mean_odds(probability: ArrayLike) -> Floats:
    r"""Return the probability whose odds are the geometric mean of those of several models.

    .. math:: \operatorname{logit} P = \frac{1}{m} \sum_i \operatorname{logit} P_i

    The mean of probabilities is too timid, even where each of them is right (Ranjan & Gneiting 2010,
    https://doi.org/10.1111/j.1467-9868.2009.00726.x); the mean of logits is sharper (Satopää et al. 2014,
    https://doi.org/10.1016/j.ijforecast.2013.09.009).

    Parameters
    ----------
    probability : array_like, shape (models, ...)
        Taken as at least `FLOOR` from 0 and from 1; NaN where a model does not tell.

    Returns
    -------
    ndarray, shape (...)
        NaN where no model tells.

    Examples
    --------
    >>> mean_odds([[0.1, 0.2], [0.5, np.nan]]).round(3)
    array([0.25, 0.2 ])
    """
    p = np.clip(np.asarray(probability, dtype=np.float64), FLOOR, 1 - FLOOR)
    told = np.isfinite(p)
    logit = np.where(told, np.log(p) - np.log1p(-p), 0.0)
    count = told.sum(axis=0)
    return np.where(count, expit(logit.sum(axis=0) / np.maximum(count, 1)), np.nan)


def pooled(views: Sequence[View], past: OddsMap | None = None) -> Pool:
    """Return what models say together: their probability by `mean_odds`, their counts as a mixture.

    The range is no confidence interval of any level: it shows how far the models, their parameters and, with `past`,
    what is not known of the recalibration leave the probability open.

    Parameters
    ----------
    views : sequence of View
    past : OddsMap, optional
        Learned from past probabilities of the pool; as the models say if not given.

    Raises
    ------
    InputError
        If there is no model.

    Examples
    --------
    >>> one = View("towns", "last", 0.2, 0.3, np.array([0, 0, 0, 0, 1]))
    >>> two = View("space-time", "space-time", 0.4, 0.5, np.array([0, 0, 1, 1, 0]), low=0.3, high=0.5)
    >>> found = pooled([one, two])
    >>> round(found.probability, 3), round(found.mean, 3), found.low, found.high, found.count_high
    (0.29, 0.387, 0.2, 0.5, 1)
    """
    if not views:
        raise InputError("no model tells of the place")
    said = [view.probability for view in views]
    probability = float(mean_odds(said))
    low = min(probability, float(np.nanmin([*said, *(view.low for view in views)])))
    high = max(probability, float(np.nanmax([*said, *(view.high for view in views)])))
    if past is not None:
        probability, (low, high) = float(past(probability)), past.between(low, high, level=LEVEL)
    expected = float(np.mean([view.mean for view in views]))
    if_any = max(1.0, expected / float(np.mean(said))) if max(said) > 0 else 1.0
    count_low, count_high = (_quantile(views, probability, level) for level in (0.1, 0.9))
    return Pool(probability, probability * if_any, low, high, count_low, count_high)


def _quantile(views: Sequence[View], probability: float, level: float) -> int:
    """Return a quantile of the number of events: of their mixture where one comes, which it does with a probability."""
    if level <= 1 - probability:
        return 0
    some = [view.counts[view.counts > 0] for view in views]
    # Each model has the same weight in the mixture, however many draws it gave.
    weight = [np.full(len(one), 1 / len(view.counts)) for one, view in zip(some, views, strict=True)]
    counts = np.concatenate(some)
    if not len(counts):
        return 1
    within = 1 - (1 - level) / probability
    return int(np.quantile(counts, within, method="inverted_cdf", weights=np.concatenate(weight)))
