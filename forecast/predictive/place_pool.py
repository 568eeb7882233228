"""What several models say of one place, and what they say together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from forecast.errors import InputError

Floats = NDArray[np.float64]

LEVEL = 0.9
"""Of the central range of a model's own uncertainty."""


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
    """

    name: str
    model: str
    probability: float
    mean: float
    counts: NDArray[np.int64]
    low: float = float("nan")
    high: float = float("nan")
    parts: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Pool:
    """What the models say together: all of them weigh the same.

    Parameters
    ----------
    probability, mean : float
        Means of those of the models.
    low, high : float
        From the lowest to the highest that a model says, the ranges of those that tell one included.
    count_low, count_high : int
        Central 80 % range of the events, of the mixture of the models.
    """

    probability: float
    mean: float
    low: float
    high: float
    count_low: int
    count_high: int


def pooled(views: Sequence[View]) -> Pool:
    r"""Return the linear pool of models, :math:`P = \frac{1}{m} \sum_i P_i`.

    Stone (1961), https://doi.org/10.1214/aoms/1177704873. The range is no confidence interval of any level: it
    shows how far the models and their parameters leave the probability open.

    Raises
    ------
    InputError
        If there is no model.

    Examples
    --------
    >>> one = View("towns", "last", 0.2, 0.3, np.array([0, 0, 0, 0, 1]))
    >>> two = View("space-time", "space-time", 0.4, 0.5, np.array([0, 0, 1, 1, 0]), 0.3, 0.5)
    >>> found = pooled([one, two])
    >>> round(found.probability, 3), found.low, found.high, found.count_high
    (0.3, 0.2, 0.5, 1)
    """
    if not views:
        raise InputError("no model tells of the place")
    said = [view.probability for view in views]
    # Each model has the same weight in the mixture, however many draws it gave.
    counts = np.concatenate([view.counts for view in views])
    weight = np.concatenate([np.full(len(view.counts), 1 / len(view.counts) / len(views)) for view in views])
    low, high = np.quantile(counts, [0.1, 0.9], method="inverted_cdf", weights=weight)
    return Pool(
        float(np.mean(said)),
        float(np.mean([view.mean for view in views])),
        float(np.nanmin([*said, *(view.low for view in views)])),
        float(np.nanmax([*said, *(view.high for view in views)])),
        int(low),
        int(high),
    )
