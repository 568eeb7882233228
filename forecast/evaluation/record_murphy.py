"""Murphy diagrams of a record: does one model beat another under every score of its mean or probability, or some."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from forecast.evaluation.murphy import murphy_mean
from forecast.evaluation.record import BacktestRecord
from forecast.evaluation.risk_grid import RiskGrid
from forecast.panel.units import UnitKind

Floats = NDArray[np.float64]

CHANCES = tuple(round(0.025 * step, 3) for step in range(1, 40))
"""Thresholds of probabilities."""
_STEPS = 40
_LEAST_MEAN = 0.02


def record_murphy(
    record: BacktestRecord, models: Sequence[str], escalations: Sequence[str], *, unit_kind: UnitKind = "region"
) -> pd.DataFrame:
    """Return the Murphy diagrams of the mean count and of each escalation, on what all models have.

    Parameters
    ----------
    record : BacktestRecord
    models : sequence of str
    escalations : sequence of str
        Names; those without a case are left out.
    unit_kind : {"region", "place"}

    Returns
    -------
    DataFrame
        of ("mean", or the name of an escalation), model, threshold, score (mean elementary score; lower is better), n.
    """
    tables = [_curves("mean", models, *_means(record, models, unit_kind))]
    for name in escalations:
        grid = RiskGrid.of(record.risk, name, models, unit_kind)
        if grid is None:
            continue
        shared = grid.common()
        known = np.isfinite(shared.outcome)
        tables.append(_curves(name, grid.models, shared.probability[:, known], shared.outcome[known], CHANCES))
    columns = ["of", "model", "threshold", "score", "n"]
    found = [table for table in tables if len(table)]
    return pd.concat(found, ignore_index=True)[columns] if found else pd.DataFrame(columns=columns)


def _means(
    record: BacktestRecord, models: Sequence[str], unit_kind: UnitKind
) -> tuple[Floats, Floats, tuple[float, ...]]:
    """Return the forecasts' means (models, cells), the counts (cells,) and thresholds up to the largest of them."""
    table = record.forecasts
    rows = table[(table["unit_kind"] == unit_kind) & table["model"].isin(models)].dropna(subset=["observed"])
    case = rows.groupby(["origin", "horizon", "unit"], observed=True, sort=False).ngroup().to_numpy()
    size = int(case.max(initial=-1)) + 1
    means, observed = np.full((len(models), size), np.nan), np.full(size, np.nan)
    means[pd.Index(models).get_indexer(pd.Index(rows["model"].astype(str))), case] = rows["mean"]
    observed[case] = rows["observed"].to_numpy(np.float64)
    known = np.isfinite(means).all(axis=0)
    most = max(float(observed[known].max(initial=1.0)), 1.0)
    return means[:, known], observed[known], tuple(np.geomspace(_LEAST_MEAN, most, _STEPS).round(4).tolist())


def _curves(
    of: str, models: Sequence[str], said: Floats, observed: Floats, thresholds: Sequence[float]
) -> pd.DataFrame:
    if not len(observed):
        return pd.DataFrame()
    tables = [
        pd.DataFrame({"model": model, "threshold": thresholds, "score": murphy_mean(values, observed, thresholds)})
        for model, values in zip(models, said, strict=True)
    ]
    return pd.concat(tables, ignore_index=True).assign(of=of, n=len(observed))
