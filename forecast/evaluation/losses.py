"""Losses of several models on the same forecasts: what is common to all, skill, which model wins where and when.

A loss array is (models, weeks, ...): weeks of origin in order, then any further axes, such as horizons and units; NaN
where a model has no forecast. Any negatively oriented score will do.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from forecast.errors import InputError, unknown_name
from forecast.evaluation.resampling import BLOCK_WEEKS, bootstrap_interval

Floats = NDArray[np.float64]


class CommonLosses(NamedTuple):
    """The cells that all models have a loss for.

    Parameters
    ----------
    losses : ndarray, shape (models, weeks, cells)
        NaN in cells that are not common to all.
    missing : dict of str to int
        For each model how many cells that another one has it lacks.
    n : int
        Common cells.
    """

    losses: Floats
    missing: dict[str, int]
    n: int

    def weekly(self) -> tuple[Floats, Floats]:
        """Return sums (models, weeks) and how many common cells each week has (weeks,)."""
        return np.nansum(self.losses, axis=2), np.isfinite(self.losses[0]).sum(axis=1).astype(np.float64)


def common_losses(losses: Floats, models: Sequence[str]) -> CommonLosses:
    """Return what all models have a loss for; only this may be compared.

    Parameters
    ----------
    losses : ndarray, shape (models, weeks, ...)
    models : sequence of str

    Raises
    ------
    InputError
        If names and losses do not fit, or nothing is common.

    Examples
    --------
    >>> found = common_losses(np.array([[[1.0, 2.0]], [[3.0, np.nan]]]), ["a", "b"])
    >>> found.n, found.missing
    (1, {'a': 0, 'b': 1})
    """
    if losses.ndim < 2 or len(losses) != len(models) or len(set(models)) < len(models):
        raise InputError(f"losses of shape {losses.shape} of {len(models)} models", expected="(models, weeks, ...)")
    flat = losses.reshape(*losses.shape[:2], -1)
    known = np.isfinite(flat)
    common = known.all(axis=0)
    lacking = (known.any(axis=0) & ~known).sum(axis=(1, 2))
    missing = {name: int(count) for name, count in zip(models, lacking, strict=True)}
    if not common.any():
        raise InputError("no forecast is common to all models", where=f"lacking: {missing}")
    return CommonLosses(np.where(common, flat, np.nan), missing, int(common.sum()))


def skill_table(
    losses: Floats,
    models: Sequence[str],
    references: Mapping[str, Sequence[str]],
    rng: np.random.Generator,
    *,
    level: float = 0.9,
    block: int = BLOCK_WEEKS,
) -> pd.DataFrame:
    """Return the skill of each model against several references, ``1 - mean loss / mean loss of the reference``.

    Parameters
    ----------
    losses : ndarray, shape (models, weeks, ...)
    models : sequence of str
    references : mapping of what it is to models
        Such as ``{"zero": ["zero"], "best climatology": ["year", "all"]}``: the best of them on the common cells.
    rng : Generator
    level : float, default 0.9
    block : int, default 13
        Weeks of the block bootstrap of the interval.

    Returns
    -------
    DataFrame
        against, reference, model, n, loss, skill, low, high, missing (forecasts that the model lacks).

    Examples
    --------
    >>> losses = np.stack([np.ones((52, 1)), np.full((52, 1), 2.0)])
    >>> table = skill_table(losses, ["good", "zero"], {"zero": ["zero"]}, np.random.default_rng(1))
    >>> table[["model", "skill", "low", "high"]].values.tolist()
    [['good', 0.5, 0.5, 0.5], ['zero', 0.0, 0.0, 0.0]]
    """
    common = common_losses(losses, models)
    sums, _ = common.weekly()
    tables = []
    for label, names in references.items():
        for name in names:
            if name not in models:
                raise unknown_name("model", name, models)
        base = min((list(models).index(name) for name in names), key=lambda at: sums[at].sum())
        under = np.broadcast_to(sums[base][:, None], sums.T.shape)
        low, high = bootstrap_interval(sums.T, under, rng, level=level, block=block)
        total = sums.sum(axis=1)
        skill = 1 - total / total[base] if total[base] > 0 else np.full(len(total), np.nan)
        tables.append(
            pd.DataFrame(
                {
                    "against": label,
                    "reference": models[base],
                    "model": list(models),
                    "n": common.n,
                    "loss": total / common.n,
                    "skill": skill,
                    "low": 1 - high,
                    "high": 1 - low,
                    "missing": list(common.missing.values()),
                }
            )
        )
    return pd.concat(tables, ignore_index=True)


def winners(
    losses: Floats,
    models: Sequence[str],
    labels: Sequence[Any] | NDArray[np.generic] | pd.Index,
    *,
    axis: Literal["time", "unit"],
) -> pd.DataFrame:
    """Return which model was best where (in each unit: for a map) or when (in each span of time: for a timeline).

    Parameters
    ----------
    losses : ndarray, shape (models, weeks, ..., units)
    models : sequence of str
    labels : sequence
        Names of the units, or the span (year, quarter) of each week.
    axis : {"time", "unit"}

    Returns
    -------
    DataFrame
        label, n, best, second, margin (``1 - loss of the best / loss of the second``; 0 where both are 0), then the
        mean loss of each model. Labels without a common forecast have n = 0.

    Examples
    --------
    >>> losses = np.array([[[1.0, 4.0]], [[2.0, 3.0]]])
    >>> winners(losses, ["a", "b"], ["Gao", "Mopti"], axis="unit")[["label", "best", "margin"]].values.tolist()
    [['Gao', 'a', 0.5], ['Mopti', 'b', 0.25]]
    """
    if len(models) < 2:
        raise InputError(f"{len(models)} models", expected="at least 2")
    common_losses(losses, models)
    position = 1 if axis == "time" else losses.ndim - 1
    if losses.shape[position] != len(labels):
        raise InputError(f"{len(labels)} labels for {losses.shape[position]} on the axis of {axis}")
    flat = np.moveaxis(losses, position, 1).reshape(len(models), len(labels), -1)
    common = np.isfinite(flat).all(axis=0)
    sums, n = np.where(common, flat, 0.0).sum(axis=2), common.sum(axis=1)
    rows = []
    names = np.asarray(labels)
    for label in pd.unique(pd.Series(names)):
        within = names == label
        count = int(n[within].sum())
        mean = sums[:, within].sum(axis=1) / count if count else np.full(len(models), np.nan)
        first, second = np.argsort(mean, kind="stable")[:2]
        margin = 1 - mean[first] / mean[second] if mean[second] > 0 else (0.0 if count else np.nan)
        best = (models[first], models[second]) if count else (None, None)
        rows.append([label, count, *best, margin, *mean])
    return pd.DataFrame(rows, columns=["label", "n", "best", "second", "margin", *models])


def without_largest(
    losses: Floats, models: Sequence[str], *, by: Floats | None = None, drop: Sequence[int] = (0, 1, 2, 5, 10)
) -> pd.DataFrame:
    """Return the mean losses without the largest weeks, on a few of which the order of the models may hang.

    Parameters
    ----------
    losses : ndarray, shape (models, weeks, ...)
    models : sequence of str
    by : ndarray, shape (weeks,), optional
        How large each week is, such as the events in it; without it the mean loss over all models.
    drop : sequence of int
        How many weeks to leave out.

    Returns
    -------
    DataFrame
        dropped, model, n, loss, rank; best first within each number dropped. Numbers that leave no week are left out.

    Examples
    --------
    >>> losses = np.array([[[1.0], [1.0], [9.0]], [[2.0], [2.0], [3.0]]])
    >>> without_largest(losses, ["a", "b"], drop=[0, 1])[["dropped", "model"]].values.tolist()
    [[0, 'b'], [0, 'a'], [1, 'a'], [1, 'b']]
    """
    common = common_losses(losses, models)
    sums, n = common.weekly()
    size = sums.sum(axis=0) if by is None else np.asarray(by, dtype=np.float64)
    if size.shape != n.shape:
        raise InputError(f"{size.shape} sizes for {len(n)} weeks")
    order = np.argsort(np.where(n > 0, -size, np.inf), kind="stable")[: int((n > 0).sum())]
    tables = []
    for count in drop:
        kept = order[count:]
        if not len(kept):
            continue
        mean = sums[:, kept].sum(axis=1) / n[kept].sum()
        table = pd.DataFrame({"dropped": count, "model": list(models), "n": int(n[kept].sum()), "loss": mean})
        table = table.sort_values(["loss", "model"], ignore_index=True)
        tables.append(table.assign(rank=np.arange(1, len(table) + 1)))
    return pd.concat(tables, ignore_index=True)
