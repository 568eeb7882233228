"""The scores of a record as dense arrays, so that models can be compared cell by cell."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from forecast.errors import InputError
from forecast.evaluation.scores import SCORES
from forecast.panel.units import UnitKind
from forecast.panel.weeks import WEEK

Floats = NDArray[np.float64]
Breakdown = Literal["horizon", "year", "activity"]


@dataclass(frozen=True)
class ScoreGrid:
    """Scores as dense arrays; NaN where there is none.

    Parameters
    ----------
    models, units : list of str
    origins : DatetimeIndex
    horizons : ndarray of int
    values : dict of score to ndarray, shape (models, origins, horizons, units)
    activity : ndarray of str, shape (origins, units)
    """

    models: list[str]
    units: list[str]
    origins: pd.DatetimeIndex
    horizons: NDArray[np.int64]
    values: dict[str, Floats]
    activity: NDArray[np.object_]  # (origins, units)

    @classmethod
    def of(cls, scores: pd.DataFrame, unit_kind: UnitKind = "region") -> ScoreGrid:
        """Return the scores of one kind of unit, columns as in `BacktestRecord`.

        Raises
        ------
        InputError
            If a score stands in the table twice.
        """
        columns = ["model", "origin", "horizon", "unit", "activity", "score", "value"]
        rows = scores.loc[(scores["unit_kind"] == unit_kind).to_numpy(), columns]
        (model, models), (origin, origins), (horizon, horizons), (unit, units) = (
            pd.factorize(rows[name], sort=True) for name in ("model", "origin", "horizon", "unit")
        )
        shape = (len(models), len(origins), len(horizons), len(units))
        cell = np.ravel_multi_index((model, origin, horizon, unit), shape) if len(rows) else np.empty(0, np.intp)
        label, labels = pd.factorize(rows["score"])
        number = {name: at for at, name in enumerate(labels)}
        value = rows["value"].to_numpy(np.float64)
        values = {}
        for score in SCORES:
            chosen = label == number.get(score, -1)
            at = cell[chosen]
            if len(at) and np.bincount(at).max() > 1:
                raise InputError(f"score {score!r} stands twice for a model, origin, horizon and unit", where="scores")
            values[score] = np.full(shape, np.nan)
            values[score].ravel()[at] = value[chosen]
        kind, kinds = pd.factorize(rows["activity"])
        found = np.full((len(origins), len(units)), -1)
        found[origin, unit] = kind
        activity = np.array([*kinds, ""], dtype=object)[found]
        return cls(
            list(models), list(units), pd.DatetimeIndex(origins), np.asarray(horizons, np.int64), values, activity
        )

    def common(self) -> NDArray[np.bool_]:
        """Tell which cells every model has, shape (origins, horizons, units)."""
        return np.asarray(np.isfinite(self.values["crps"]).all(axis=0))

    def groups(self, by: Breakdown) -> NDArray[np.generic]:
        """Return the group of each cell, shape (origins, horizons, units)."""
        shape = self.values["crps"].shape[1:]
        if by == "horizon":
            return np.broadcast_to(self.horizons[None, :, None], shape)
        if by == "activity":
            return np.broadcast_to(self.activity[:, None, :], shape)
        years = [[(origin + (int(h) - 1) * WEEK).year for h in self.horizons] for origin in self.origins]
        return np.broadcast_to(np.asarray(years).reshape(*shape[:2], 1), shape)
