"""The escalation probabilities of a record as dense arrays, with what came."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from forecast.errors import InputError
from forecast.panel.units import UnitKind
from forecast.panel.weeks import WEEK

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class RiskGrid:
    """Probabilities of one escalation; NaN where there is none or what came is not known.

    Parameters
    ----------
    models, units : list of str
    origins : DatetimeIndex
        Every week from the first to the last.
    probability : ndarray, shape (models, origins, units)
    outcome : ndarray, shape (origins, units)
        1 where the escalation came, 0 where it did not, NaN where no model has a case.
    """

    models: list[str]
    units: list[str]
    origins: pd.DatetimeIndex
    probability: Floats
    outcome: Floats

    @classmethod
    def of(
        cls, risk: pd.DataFrame, escalation: str, models: Sequence[str], unit_kind: UnitKind = "region"
    ) -> RiskGrid | None:
        """Return the probabilities of some models; None if they have no case.

        Parameters
        ----------
        risk : DataFrame
            As in `BacktestRecord`.
        escalation : str
        models : sequence of str
        unit_kind : {"region", "place"}

        Raises
        ------
        InputError
            If a case stands in the table twice.
        """
        chosen = (risk["escalation"] == escalation) & (risk["unit_kind"] == unit_kind) & risk["model"].isin(models)
        rows = risk[chosen].dropna(subset=["probability", "outcome"])
        if rows.empty:
            return None
        names = [name for name in models if (rows["model"] == name).any()]
        unit, units = pd.factorize(rows["unit"].astype(str), sort=True)
        origins = pd.date_range(rows["origin"].min(), rows["origin"].max(), freq=WEEK)
        week = origins.get_indexer(pd.DatetimeIndex(rows["origin"]))
        model = pd.Index(names).get_indexer(pd.Index(rows["model"].astype(str)))
        shape = (len(names), len(origins), len(units))
        cell = np.ravel_multi_index((model, week, unit), shape)
        if len(np.unique(cell)) < len(cell):
            raise InputError(f"escalation {escalation!r} stands twice for a model, origin and unit", where="risk")
        probability, outcome = np.full(shape, np.nan), np.full(shape[1:], np.nan)
        probability.ravel()[cell] = rows["probability"]
        outcome[week, unit] = rows["outcome"]
        return cls(names, list(units), origins, probability, outcome)

    def common(self) -> RiskGrid:
        """Return the same with only the cases that all models have."""
        shared = np.isfinite(self.probability).all(axis=0)
        return RiskGrid(
            self.models,
            self.units,
            self.origins,
            np.where(shared, self.probability, np.nan),
            np.where(shared, self.outcome, np.nan),
        )
