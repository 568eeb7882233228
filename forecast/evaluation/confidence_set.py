"""The models among which the best one lies: the model confidence set."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from forecast.evaluation.losses import common_losses
from forecast.evaluation.resampling import BLOCK_WEEKS, block_bootstrap

Floats = NDArray[np.float64]


def model_confidence_set(
    losses: Floats,
    models: Sequence[str],
    rng: np.random.Generator,
    *,
    level: float = 0.9,
    replicates: int = 2000,
    block: int = BLOCK_WEEKS,
) -> pd.DataFrame:
    """Return the model confidence set: with probability `level` it holds the model of the lowest mean loss.

    As long as the models left differ, by the statistic ``T_max = max over i of t_i`` with ``t_i`` the studentised
    difference of a model's mean loss from the mean of all that are left, the one of the largest ``t_i`` goes. p-values
    are by a circular block bootstrap over weeks, and never fall on the way.

    Parameters
    ----------
    losses : ndarray, shape (models, weeks, ...)
        Weeks in order; NaN where there is none.
    models : sequence of str
    rng : Generator
    level : float, default 0.9
    replicates : int, default 2000
    block : int, default 13
        Weeks that are drawn together.

    Returns
    -------
    DataFrame
        model, n, loss, p, inside, missing; in the order in which they would go, last the one that stays to the end.

    References
    ----------
    Hansen, Lunde and Nason (2011), doi:10.3982/ECTA5771.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> losses = rng.random((3, 156, 1)) + np.array([0.0, 0.0, 0.4])[:, None, None]
    >>> found = model_confidence_set(losses, ["a", "b", "poor"], rng)
    >>> found["model"].iloc[0], bool(found["inside"].iloc[0])
    ('poor', False)
    """
    common = common_losses(losses, models)
    sums, n = common.weekly()
    sums, n = sums[:, n > 0], n[n > 0]
    drawn = block_bootstrap(len(n), replicates, rng, block=block)
    # einsum, not a matrix product: the same bytes whatever the number of threads.
    resampled = np.einsum("rw,mw->mr", drawn, sums) / np.einsum("rw,w->r", drawn, n)
    mean = sums.sum(axis=1) / n.sum()

    left, rows, highest = list(range(len(models))), [], 0.0
    while len(left) > 1:
        difference = mean[left] - mean[left].mean()
        noise = resampled[left] - resampled[left].mean(axis=0) - difference[:, None]
        error = np.sqrt((noise**2).mean(axis=1))
        positive = error > 1e-15 * np.abs(mean).max()
        scale = np.where(positive, error, 1.0)
        t = np.where(
            positive, difference / scale, np.sign(difference) * np.where(np.abs(difference) > 1e-12, np.inf, 0)
        )
        largest = np.where(positive[:, None], noise / scale[:, None], 0.0).max(axis=0)
        highest = max(highest, float((largest >= t.max()).mean()))
        worst = left[int(np.argmax(t))]
        rows.append((worst, highest))
        left.remove(worst)
    rows.append((left[0], 1.0))
    return pd.DataFrame(
        {
            "model": [models[at] for at, _ in rows],
            "n": common.n,
            "loss": [mean[at] for at, _ in rows],
            "p": [p for _, p in rows],
            "inside": [p >= 1 - level for _, p in rows],
            "missing": [common.missing[models[at]] for at, _ in rows],
        }
    )
