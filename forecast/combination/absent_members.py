"""What takes the place of a member of a combination that said nothing: the mean of those that did."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


def with_absent_filled(pmfs: Sequence[Floats], chances: Sequence[Floats]) -> tuple[Floats, Floats, Bools | None]:
    """Return the forecasts of members with those that are absent filled.

    In a linear pool with any weights this is as if the weight of an absent member went to the others in equal parts.

    Parameters
    ----------
    pmfs : sequence of ndarray, each of shape (horizon, units, k)
        Of each member; k may differ; NaN in all k where it said nothing. Somebody said something everywhere.
    chances : sequence of ndarray, each of shape (escalations, units)
        NaN where a member said nothing, or where nobody can.

    Returns
    -------
    ndarray of shape (members, horizon, units, k), ndarray of shape (members, escalations, units), ndarray or None
        The last tells where a member said nothing of counts, shape (members, horizon, units); None if nowhere.

    Examples
    --------
    >>> one, two, none = np.array([[[0.5, 0.5]]]), np.array([[[1.0]]]), np.array([[[np.nan]]])
    >>> pmf, chance, absent = with_absent_filled([one, two, none], [np.array([[p]]) for p in (0.5, 0.0, np.nan)])
    >>> pmf[2].tolist(), chance[2].tolist(), absent.ravel().tolist()
    ([[[0.75, 0.25]]], [[0.25]], [False, False, True])
    """
    k = max(law.shape[2] for law in pmfs)
    pmf = np.stack([np.pad(law, ((0, 0), (0, 0), (0, k - law.shape[2]))) for law in pmfs])
    chance = np.stack(list(chances))
    absent: Bools = np.asarray(np.isnan(pmf).any(axis=3))
    untold = np.isnan(chance) & ~np.isnan(chance).all(axis=0)
    if untold.any():
        chance = np.where(untold, _mean_of_others(chance, ~np.isnan(chance)), chance)
    if not absent.any():
        return pmf, chance, None
    return np.where(absent[..., None], _mean_of_others(pmf, ~absent[..., None]), pmf), chance, absent


def _mean_of_others(values: Floats, told: Bools) -> Floats:
    number = np.maximum(told.sum(axis=0), 1)
    return np.asarray(np.where(told, values, 0.0).sum(axis=0) / number)
