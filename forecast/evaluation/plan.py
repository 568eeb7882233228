"""What a backtest does: panels, models, rules, origins."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from forecast.combination.settings import Combination
from forecast.errors import InputError
from forecast.evaluation.external_members import ExternalForecast
from forecast.families.model import ModelSpec
from forecast.panel.panel import Panel
from forecast.panel.reporting_delay import ReportingDelay
from forecast.panel.units import UnitKind
from forecast.panel.vintage_panels import VintagePanels
from forecast.predictive.escalation import Escalation

Vintages = Mapping[pd.Timestamp, Panel] | VintagePanels
"""The panel as it was known at an origin."""
LATE_DAYS = 91
"""What became known later than that after its origin was no forecast any more."""


@dataclass(frozen=True)
class BacktestPlan:
    """A rolling-origin backtest, the same protocol for every model.

    Parameters
    ----------
    name : str
        Folder below ``out/backtests``.
    panels : mapping of unit kind to Panel
        Regions, and places if there are any; each model runs on each panel by itself. Outcomes are those of these
        panels.
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
    known : mapping of unit kind to Vintages, optional
        For each origin the panel as it was known then, with the units of the final one: all that a model sees of
        this kind of unit. A kind without vintages is back-tested on final data, and the record says so. The
        `fit_panels` are as they are.
    nowcast_weeks : int, optional
        Forecasts go through a nowcast of so many last weeks, where `known` are `VintagePanels`.
    combination : Combination, optional
        One more model, made of the forecasts of others.
    external : mapping of name to mapping of origin to ExternalForecast
        Of members of the combination that are no models: forecasts of regions made elsewhere, at origins where there
        is one.
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
    known: Mapping[UnitKind, Vintages] = field(default_factory=dict)
    nowcast_weeks: int | None = None
    combination: Combination | None = None
    external: Mapping[str, Mapping[pd.Timestamp, ExternalForecast]] = field(default_factory=dict)

    def weeks_known(self, kind: UnitKind, origin: pd.Timestamp) -> int:
        """Return how many weeks are known at an origin, 0 where its vintage is wanted but not there."""
        try:
            found = self.vintages(kind, [origin])
        except InputError:
            return 0
        return int(np.count_nonzero(self.panels[kind].weeks < origin)) if found is None else len(found[origin].weeks)

    def vintages(self, kind: UnitKind, origins: Sequence[pd.Timestamp]) -> dict[pd.Timestamp, Panel] | None:
        """Return what was known at each origin, cut there so that nothing later is let through.

        Returns
        -------
        dict of origin to Panel, or None
            None for a kind of unit that has final data only.

        Raises
        ------
        InputError
            If an origin has no vintage, or one ends before its origin or has other units than the final panel.
        """
        if kind not in self.known:
            return None
        found = {}
        for origin in sorted(set(origins)):
            known, where = self.known[kind], f"vintage of the {kind} panel at origin {origin:%Y-%m-%d}"
            if isinstance(known, Mapping) and origin not in known:
                raise InputError("there is no vintage", where=where, expected="one for each origin")
            panel = (known[origin] if isinstance(known, Mapping) else known.at(origin)).until(origin)
            if panel.origin != origin:
                raise InputError(f"it ends on {panel.known_until:%Y-%m-%d}", where=where, expected="the day before")
            if panel.units.names != self.panels[kind].units.names:
                raise InputError("it has other units than the final panel", where=where, expected="the same, in order")
            found[origin] = panel
        return found

    def delays(self, kind: UnitKind, origins: Sequence[pd.Timestamp]) -> dict[pd.Timestamp, ReportingDelay]:
        """Return how late events had become known by each origin, where that can be told and is asked for."""
        known = self.known.get(kind)
        if self.nowcast_weeks is None or not isinstance(known, VintagePanels):
            return {}
        found = {origin: known.delay(origin, self.nowcast_weeks) for origin in origins}
        return {origin: delay for origin, delay in found.items() if delay is not None}

    def known_as(self) -> str:
        """Return in words what the forecasts could see: final data, or what was known then."""
        if not all(kind in self.known for kind in self.panels):
            return "on final data"
        days = [known for kind, known in self.known.items() if kind in self.panels and isinstance(known, VintagePanels)]
        late = {
            origin
            for known in days
            for origin in self.origins
            if pd.Timestamp(known.day(origin)) - origin > pd.Timedelta(days=LATE_DAYS)
        }
        if not late:
            return "as it was known at each origin"
        if len(late) == len(self.origins):
            return f"as first imported, more than {LATE_DAYS} days after each origin"
        return (
            f"as it was known at {len(self.origins) - len(late)} of {len(self.origins)} origins; for the others, as "
            f"first imported more than {LATE_DAYS} days later"
        )
