"""Counts near places from counts of regions: each event of a region falls within a ring with a known share."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from forecast.errors import InputError
from forecast.predictive.forecast import Paths

Floats = NDArray[np.float64]


def thinned_probability(paths: Paths, shares: Floats) -> Floats:
    r"""Return the probability of at least one event near each place, from the origin to the end of each week.

    .. math:: P_{ph} = 1 - E \prod_r (1 - s_{pr})^{Y_{r1} + \dots + Y_{rh}}

    Parameters
    ----------
    paths : ndarray of int, shape (draws, horizon, regions)
        Sample paths of the regions' counts, joint.
    shares : ndarray, shape (places, regions)
        As from `forecast.panel.rings.ring_shares`.

    Returns
    -------
    ndarray, shape (horizon, places)

    Raises
    ------
    InputError
        If the shapes do not fit or a share is none.

    Examples
    --------
    >>> thinned_probability(np.array([[[0], [2]], [[1], [0]]], dtype=np.int32), np.array([[0.5]]))
    array([[0.25 ],
           [0.625]])
    """
    none = _none(paths, shares)
    return np.asarray(1.0 - none.mean(axis=0))


def thinned_mean(paths: Paths, shares: Floats) -> Floats:
    """Return the expected count near each place in each week, shape (horizon, places)."""
    _check(paths, shares)
    return np.asarray(paths.mean(axis=0) @ shares.T)


def _none(paths: Paths, shares: Floats) -> Floats:
    """Return the probability of no event on each path up to each week, shape (draws, horizon, places)."""
    _check(paths, shares)
    gone = np.log1p(-np.minimum(shares, 1 - 1e-12))
    return np.asarray(np.exp(np.cumsum(paths, axis=1, dtype=np.float64) @ gone.T))


def _check(paths: Paths, shares: Floats) -> None:
    if paths.ndim != 3 or shares.ndim != 2 or shares.shape[1] != paths.shape[2]:
        raise InputError(
            f"paths of shape {paths.shape} and shares of shape {shares.shape}",
            expected="(draws, horizon, regions) and (places, regions)",
        )
    if not ((shares >= 0) & (shares <= 1)).all():
        raise InputError("shares of a region's events", expected="numbers from 0 to 1")
