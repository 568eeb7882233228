"""What a backtest does: panels, models, rules, origins."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from forecast.families.model import ModelSpec
from forecast.panel.panel import Panel
from forecast.panel.units import UnitKind
from forecast.predictive.escalation import Escalation


@dataclass(frozen=True)
class BacktestPlan:
    """A rolling-origin backtest, the same protocol for every model.

    Parameters
    ----------
    name : str
        Folder below ``out/backtests``.
    panels : mapping of unit kind to Panel
        Regions, and places if there are any; each model runs on each panel by itself.
    fit_panels : mapping of (dataset name, unit kind) to Panel
        For models with `fit_on`; a model whose `fit_on` is not here is fitted on the panel itself.
    models : tuple of ModelSpec
    escalations : tuple of Escalation
    origins : DatetimeIndex
        First days of the first target weeks, ascending. A target week that the panel does not hold is not scored.
    horizon : int
    refit_every : int
        Weeks between fits; `update` in between.
    draws : int
    seed : int
        Each (model, unit kind, origin) has a generator of its own, derived from it, so that order does not matter.
    """

    name: str
    panels: Mapping[UnitKind, Panel]
    fit_panels: Mapping[tuple[str, UnitKind], Panel]
    models: tuple[ModelSpec, ...]
    escalations: tuple[Escalation, ...]
    origins: pd.DatetimeIndex
    horizon: int
    refit_every: int
    draws: int
    seed: int
