"""What a run is made from: its data, opened, checked and cut, and its models; and what one model says of them."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd

from forecast.families.model import ModelSpec
from forecast.families.nowcasted import predict_as_known
from forecast.jobs.external_forecasts import ExternalForecasts, external_forecasts
from forecast.jobs.inputs import FitPanels, Inputs, fit_panels, open_inputs, origin_of
from forecast.panel.panel import Panel
from forecast.panel.reporting_delay import ReportingDelay
from forecast.predictive.forecast import Forecast
from forecast.provenance import generator
from forecast.storage import check_writable
from forecast.workspace import ReportSpec, Workspace


@dataclass(frozen=True)
class Preparation:
    """All that a run needs, opened and checked; nothing is computed yet.

    Parameters
    ----------
    workspace : Workspace
    definition : ReportSpec
    as_of : date or None
        With which the data were opened.
    inputs : Inputs
        Cut at the origin.
    models : tuple of ModelSpec
    fits : mapping of (dataset name, unit kind) to Panel
    external : ExternalForecasts
        Members of the combination that are made elsewhere.
    """

    workspace: Workspace
    definition: ReportSpec
    as_of: dt.date | None
    inputs: Inputs
    models: tuple[ModelSpec, ...]
    fits: FitPanels
    external: ExternalForecasts

    @property
    def origin(self) -> pd.Timestamp:
        """First day of the first week that is forecast."""
        return self.inputs.regions.origin

    @property
    def folder(self) -> Path:
        """Where the results go."""
        return self.workspace.out / "runs" / self.definition.name / f"{self.origin:%Y-%m-%d}"


def prepare(workspace: Workspace, as_of: dt.date | None = None, report: str | None = None) -> Preparation:
    """Open all that a run needs.

    Parameters
    ----------
    workspace, as_of, report
        As in `forecast.jobs.run.run`.

    Raises
    ------
    InputError
        For whatever is wrong in the workspace or its data, and for a day for which no forecast can be made.
    """
    spec, definition = workspace.spec, workspace.report(report)
    for part in ("backtests", f"runs/{definition.name}"):
        check_writable(workspace.out / part)
    whole = open_inputs(workspace, as_of)
    origin = origin_of(whole.regions, as_of, first_after=spec.backtest.first_after, or_earlier=bool(whole.vintages))
    known, models = whole.until(origin), tuple(workspace.models())
    external = external_forecasts(workspace, known.regions)
    inputs = replace(known, hashes={**known.hashes, **external.hashes})
    fits = fit_panels(workspace, models, inputs.panels)
    return Preparation(workspace, definition, as_of, inputs, models, fits, external)


def forecast_with(
    workspace: Workspace,
    model: ModelSpec,
    panel: Panel,
    fits: FitPanels,
    horizon: int | None = None,
    delay: ReportingDelay | None = None,
) -> Forecast:
    """Return what a model says of the weeks after a panel, with the seed and draws of the workspace.

    Parameters
    ----------
    workspace : Workspace
    model : ModelSpec
    panel : Panel
        What is known at the origin.
    fits : mapping of (dataset name, unit kind) to Panel
        From `forecast.jobs.inputs.fit_panels`.
    horizon : int, optional
        That of the report if not given.
    delay : ReportingDelay, optional
        How late events become known: the forecast goes through a nowcast of the last weeks.
    """
    seed, kind, day = workspace.spec.backtest.seed, panel.units.kind, f"{panel.origin:%Y-%m-%d}"
    fit_panel = fits.get((model.fit_on, kind)) if model.fit_on else None
    fitted = model.fit(panel, generator(seed, "fit", model.name, kind, day), fit_panel=fit_panel)
    rng = generator(seed, "predict", model.name, kind, day)
    horizon, draws = horizon or workspace.spec.report.horizon, workspace.spec.report.draws
    return predict_as_known(fitted, panel, delay, horizon, draws, rng).named(model.name)
