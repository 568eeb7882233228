"""Relative skill from comparisons of pairs, which models that lack some forecasts can take part in."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from forecast.errors import InputError, unknown_name
from forecast.evaluation.diebold_mariano import diebold_mariano

Floats = NDArray[np.float64]


def pairwise_ratios(losses: Floats, models: Sequence[str], *, horizon: int = 1) -> pd.DataFrame:
    """Return for each two models the ratio of their mean losses over the forecasts that both have.

    Parameters
    ----------
    losses : ndarray, shape (models, weeks, ...)
        NaN where there is none.
    models : sequence of str
    horizon : int, default 1
        The longest of the forecasts, for the Diebold-Mariano test of the pair.

    Returns
    -------
    DataFrame
        model, against, n, ratio (below 1: the first is better; NaN without a common forecast), p. Each pair both ways.

    Examples
    --------
    >>> pairwise_ratios(np.array([[[1.0], [1.0]], [[2.0], [np.nan]]]), ["a", "b"])["ratio"].tolist()
    [0.5, 2.0]
    """
    if losses.ndim < 2 or len(losses) != len(models) or len(set(models)) < len(models):
        raise InputError(f"losses of shape {losses.shape} of {len(models)} models", expected="(models, weeks, ...)")
    flat = losses.reshape(*losses.shape[:2], -1)
    rows: list[tuple[str, str, int, float, float]] = []
    for one, two in combinations(range(len(models)), 2):
        both = np.isfinite(flat[one]) & np.isfinite(flat[two])
        first, second = (np.where(both, flat[at], 0.0).sum() for at in (one, two))
        p = diebold_mariano(flat[one], flat[two], horizon=horizon).p
        n = int(both.sum())
        rows.append((models[one], models[two], n, _ratio(first, second), p))
        rows.append((models[two], models[one], n, _ratio(second, first), p))
    return pd.DataFrame(rows, columns=["model", "against", "n", "ratio", "p"])


def relative_skill(
    losses: Floats, models: Sequence[str], *, baseline: str | None = None, horizon: int = 1
) -> pd.DataFrame:
    """Return the relative skill of each model: the geometric mean of its ratios to all models, itself among them.

    As in scoringutils: ``theta_i = (product over j of ratio_ij)^(1 / models)``; scaled by that of the baseline.

    Parameters
    ----------
    losses : ndarray, shape (models, weeks, ...)
    models : sequence of str
    baseline : str, optional
    horizon : int, default 1

    Returns
    -------
    DataFrame
        model, n (its own forecasts), relative_skill, scaled_relative_skill (NaN without a baseline), missing (forecasts
        that another model has and it lacks); best first. Below 1 is better. Pairs with nothing in common are left out.

    References
    ----------
    Bosse et al. (2022), doi:10.48550/arXiv.2205.07090; Cramer et al. (2022), doi:10.1073/pnas.2113561119.

    Examples
    --------
    >>> found = relative_skill(np.array([[[1.0]], [[4.0]]]), ["a", "b"], baseline="b")
    >>> found[["model", "relative_skill", "scaled_relative_skill"]].values.tolist()
    [['a', 0.5, 0.25], ['b', 2.0, 1.0]]
    """
    if baseline is not None and baseline not in models:
        raise unknown_name("model", baseline, models)
    pairs = pairwise_ratios(losses, models, horizon=horizon)
    known = np.isfinite(losses)
    rows = []
    for at, name in enumerate(models):
        ratios = pairs.loc[(pairs["model"] == name) & pairs["ratio"].notna(), "ratio"].to_numpy()
        with np.errstate(divide="ignore"):
            theta = float(np.exp(np.log(ratios).sum() / (len(ratios) + 1)))
        rows.append((name, int(known[at].sum()), theta, int((known.any(axis=0) & ~known[at]).sum())))
    table = pd.DataFrame(rows, columns=["model", "n", "relative_skill", "missing"])
    scale = np.nan if baseline is None else table.loc[table["model"] == baseline, "relative_skill"].iloc[0]
    table.insert(3, "scaled_relative_skill", table["relative_skill"] / scale)
    return table.sort_values(["relative_skill", "model"], ignore_index=True)


def _ratio(first: float, second: float) -> float:
    return float(first / second) if second > 0 else (np.nan if not first > 0 else np.inf)
