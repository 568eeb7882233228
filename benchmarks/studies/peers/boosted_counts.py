"""scikit-learn's histogram gradient boosting as a careful user would take it for counts: one model a horizon.

Features at the origin: the last four counts, means over 4, 13, 52 and all weeks, the same over adjacent regions (4 and
13), the country and the panel (13), weeks since the last event, and the season of the target week. Loss of the Poisson
distribution; what differs from the defaults is in `SETTINGS`. The variance of the negative binomial is a multiple of
the mean, one a horizon, by moments of the last 52 weeks as forecast by a model that had not seen them.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingRegressor
from study import SEED, Study, mixed
from threadpoolctl import threadpool_limits

from forecast.panel.panel import Panel
from forecast.predictive.forecast import Forecast

Floats = NDArray[np.float64]

SETTINGS = {"learning_rate": 0.03, "max_leaf_nodes": 8, "min_samples_leaf": 200, "l2_regularization": 10.0}
"""The best of five on targets 2014 to 2016; with the defaults the leaves of regions without events run away."""
LONGEST = 52
POISSON_SIZE = 1e12
LEAST_MEAN = 1e-4


def features(panel: Panel) -> Floats:
    """Return what is known when so many weeks are known: shape (weeks + 1, units, features); NaN too early."""
    counts = panel.counts.astype(np.float64)
    weeks, units = counts.shape
    total = np.vstack([np.zeros(units), np.cumsum(counts, axis=0)])
    known = np.arange(weeks + 1)

    def mean_of(span: int) -> Floats:
        out = np.full((weeks + 1, units), np.nan)
        out[span:] = (total[span:] - total[:-span]) / span
        return out

    def lag(back: int) -> Floats:
        return np.vstack([np.full((back, units), np.nan), counts[: weeks + 1 - back]])

    near = panel.neighbours.mean_weights()
    groups = np.asarray(panel.units.groups)
    month, quarter, year = mean_of(4), mean_of(13), mean_of(LONGEST)
    country = np.empty_like(quarter)
    for group in np.unique(groups):
        country[:, groups == group] = quarter[:, groups == group].mean(axis=1, keepdims=True)
    ever = total / np.maximum(known, 1)[:, None]
    last = np.maximum.accumulate(np.where(np.vstack([np.zeros(units), counts]) > 0, known[:, None], 0), axis=0)
    since = np.where(last > 0, known[:, None] - last, np.nan)
    everywhere = np.broadcast_to(quarter.mean(axis=1, keepdims=True), quarter.shape)
    columns = [*(lag(back) for back in range(1, 5)), month, quarter, year, ever]
    columns += [month @ near, quarter @ near, country, everywhere, since]
    out = np.stack(columns, axis=-1)
    out[:LONGEST] = np.nan
    return out


def season(week: NDArray[np.intp]) -> Floats:
    """Sine and cosine of the year at a target week, shape (..., 2)."""
    angle = 2 * np.pi * np.asarray(week, np.float64)[..., None] / 52.18
    return np.concatenate([np.sin(angle), np.cos(angle)], axis=-1)


def forecasts(study: Study, *, negative_binomial: bool) -> Iterator[Forecast]:
    """Give the forecast of each origin."""
    rng = np.random.default_rng(SEED)
    known_features = features(study.panel)
    counts = study.panel.counts

    def rows(known: NDArray[np.intp], ahead: int) -> Floats:
        target = np.broadcast_to((known + ahead - 1)[:, None], (len(known), study.units))
        table = np.concatenate([known_features[known], season(target)], axis=-1)
        return table.reshape(len(known) * study.units, -1)

    def learnt(known: NDArray[np.intp], ahead: int) -> HistGradientBoostingRegressor:
        model = HistGradientBoostingRegressor(loss="poisson", random_state=SEED, **SETTINGS)
        return model.fit(rows(known, ahead), counts[known + ahead - 1].ravel())

    def size_per_mean(known: NDArray[np.intp], ahead: int) -> float:
        # The targets of what is learnt from lie before the origins of what is held out.
        held = known[-52:]
        mean = learnt(known[: -52 - ahead + 1], ahead).predict(rows(held, ahead))
        spread = float(((counts[held + ahead - 1].ravel() - mean) ** 2).sum() / mean.sum())
        return 1 / (spread - 1) if spread > 1 else POISSON_SIZE

    with threadpool_limits(1):
        for fitted in np.unique(study.fitted):
            models, sizes = [], []
            for ahead in range(1, study.horizon + 1):
                past = np.arange(LONGEST, fitted - ahead + 1)
                models.append(learnt(past, ahead))
                sizes.append(size_per_mean(past, ahead) if negative_binomial else POISSON_SIZE)
            for origin in np.flatnonzero(study.fitted == fitted):
                here = study.known[origin : origin + 1]
                mean = np.stack([model.predict(rows(here, 1 + at)) for at, model in enumerate(models)])
                mean = np.maximum(mean, LEAST_MEAN)
                yield mixed(study, origin, mean[None], (mean * np.array(sizes)[:, None])[None], rng)
