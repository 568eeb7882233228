"""Energy and variogram scores of a backtest's sample paths: over units together, and over weeks together."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from forecast.evaluation.losses import skill_table
from forecast.evaluation.sample_scores import energy_score, variogram_score
from forecast.panel.units import UnitKind
from forecast.predictive.forecast import Paths

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

VIEWS = ("units", "weeks")
"""What is joint: the counts of each unit over `JOINT_WEEKS` weeks, or the counts of all units week by week."""
JOINT_SCORES = ("energy", "variogram")
JOINT_WEEKS = 4
JOINT_PATHS = 200
"""Paths that are scored. As many of each model: the energy score of fewer is larger."""
MOST_UNITS = 500
"""With more, of which there are too many pairs, no paths are kept or scored."""


def some_paths(paths: Paths) -> Paths:
    """Return `JOINT_PATHS` of the paths, evenly spaced, or all if there are no more; none of more than `MOST_UNITS`.

    Examples
    --------
    >>> some_paths(np.arange(1000).reshape(1000, 1, 1))[:3].ravel().tolist()
    [0, 5, 10]
    """
    if paths.shape[2] > MOST_UNITS:
        return paths[:0]
    return paths[np.linspace(0, len(paths), min(JOINT_PATHS, len(paths)), endpoint=False).astype(np.int64)]


def joint_scores(paths: Paths, observed: NDArray[np.integer], seen: Bools) -> tuple[Floats, NDArray[np.int64]]:
    """Return the scores of one forecast's joint paths.

    Parameters
    ----------
    paths : ndarray of int, shape (m, horizon, units)
        There may be none.
    observed : ndarray of int, shape (horizon, units)
    seen : ndarray of bool, shape (horizon, units)
        Which of the counts are known. Over units, those count of which the first `JOINT_WEEKS` weeks are known; over
        weeks, those weeks in which all units are.

    Returns
    -------
    scores : ndarray, shape (views, scores)
        In the order of `VIEWS` and `JOINT_SCORES`. NaN without paths, or where fewer than two dimensions are known.
    dimensions : ndarray of int, shape (views,)

    Examples
    --------
    >>> paths = np.array([[[0, 0], [0, 0]], [[3, 4], [0, 0]]])
    >>> scores, dimensions = joint_scores(paths, np.zeros((2, 2), np.int64), np.ones((2, 2), np.bool_))
    >>> scores.round(3).tolist(), dimensions.tolist()
    ([[1.25, 0.5], [1.75, 3.5]], [2, 2])
    """
    known, whole = seen[:JOINT_WEEKS].all(axis=0), seen.all(axis=1)
    vectors = [
        (paths[:, :JOINT_WEEKS].sum(axis=1)[:, known], observed[:JOINT_WEEKS].sum(axis=0)[known]),
        (paths.sum(axis=2)[:, whole], observed.sum(axis=1)[whole]),
    ]
    out = np.full((len(VIEWS), len(JOINT_SCORES)), np.nan)
    for at, (sampled, came) in enumerate(vectors):
        if len(paths) and len(came) > 1:
            out[at] = float(energy_score(sampled, came)), float(variogram_score(sampled, came))
    return out, np.array([len(came) for _, came in vectors])


def joint_skill(
    table: pd.DataFrame, models: Sequence[str], reference: str, unit_kind: UnitKind, rng: np.random.Generator
) -> pd.DataFrame:
    """Return the mean joint scores of models, and their skill, on the origins that all of them have.

    Parameters
    ----------
    table : DataFrame
        As `joint` of `forecast.evaluation.record.BacktestRecord`.
    models : sequence of str
    reference : str
        One of them.
    unit_kind : {"region", "place"}
    rng : Generator
        Of the bootstrap.

    Returns
    -------
    DataFrame
        joint, score, then as `forecast.evaluation.losses.skill_table`: one row a view, score and model; empty where
        the record has none, or a model has no paths.
    """
    rows = table[(table["unit_kind"] == unit_kind) & table["model"].isin(models)]
    parts = []
    for view in VIEWS:
        for score in JOINT_SCORES:
            chosen = rows[(rows["joint"] == view) & (rows["score"] == score)]
            grid = chosen.pivot_table(index="origin", columns="model", values="value", observed=True)
            grid = grid.reindex(columns=list(models))
            if grid.dropna().empty:
                continue
            losses = grid.sort_index().to_numpy(np.float64).T[:, :, None]
            found = skill_table(losses, models, {"reference": [reference]}, rng)
            found.insert(0, "score", score)
            found.insert(0, "joint", view)
            parts.append(found)
    columns = ["joint", "score", "against", "reference", "model", "n", "loss", "skill", "low", "high", "missing"]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=columns)
