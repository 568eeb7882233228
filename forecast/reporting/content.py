"""What a report is made of: everything that is shown, and nothing that has to be computed from data again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from forecast.evaluation.issued import IssuedRecord
from forecast.evaluation.record import BacktestRecord
from forecast.families.model import ModelSpec
from forecast.language import SOURCE, Language
from forecast.panel.dataset import DataNote
from forecast.panel.panel import Panel
from forecast.panel.units import UnitKind
from forecast.predictive.escalation import Escalation
from forecast.predictive.forecast import Forecast
from forecast.reporting.changes import Changes


@dataclass(frozen=True, kw_only=True)
class RecordsContent:
    """What the parts of a report on its backtest records show: known before the risks are.

    Parameters
    ----------
    panels, models, headline_model, headline_escalation, escalations, polygons, backtests, languages
        As those of `ReportContent`.
    """

    panels: Mapping[UnitKind, Panel]
    models: tuple[ModelSpec, ...]
    headline_model: str
    headline_escalation: str
    escalations: tuple[Escalation, ...]
    polygons: Mapping[str, Mapping[str, Any]]
    backtests: tuple[BacktestRecord, ...]
    languages: tuple[Language, ...] = (SOURCE,)


@dataclass(frozen=True, kw_only=True)
class ReportContent(RecordsContent):
    """All that a report shows.

    Parameters
    ----------
    name, title, audience : str
    origin : Timestamp
        First day of the first week forecast.
    data : DataNote
    panels : mapping of unit kind to Panel
        Counts up to the origin; "region" always, "place" if there are any.
    forecasts : mapping of unit kind to (mapping of model name to Forecast)
    models : tuple of ModelSpec
    headline_model, headline_escalation : str
    escalations : tuple of Escalation
    top : int
        How many regions the headline names.
    risk : DataFrame
        unit, unit_kind, origin, target_start, target_end, escalation, probability, model (as ``risk.csv``), and
        base_rate (share of the origins of the last two years at which the rule was met), base_origins (how many these
        are), level (count that the sum of the weeks must reach), previous (probability of the same rule from one week
        before; NaN if unknown), uncalibrated (the probability before recalibration, if there is any).
    polygons : mapping of region name to GeoJSON geometry
        Polygon or MultiPolygon in degrees; may be empty.
    backtests : tuple of BacktestRecord
        The record on the data itself first, then on the datasets named in ``calibrate_on``.
    warnings : tuple of str
        What a reader must know before the numbers (missing weeks, a fallback, simulated data).
    provenance : mapping
        The manifest: versions, hashes, seed.
    findings : tuple of str
        What the checks found in the data, one or two sentences each, the worst first.
    prior_checks : mapping of model name to DataFrame
        How the counts compare with what a model's priors alone make; of models with priors, as
        `Family.prior_check` returns it.
    notices : tuple of str
        What must be known before everything else: that this is a draft, that it was issued again.
    issued : IssuedRecord, optional
        How the issues before this one have turned out, as far as it could be known at the origin.
    changes : Changes, optional
        What has changed since the last of them.
    brief, pictures : bool
        Whether these are made beside the page.
    languages : tuple of Language
        Those of the pages.
    listed : int
        How many regions the tables list at most.
    """

    name: str
    title: str
    audience: str
    origin: pd.Timestamp
    data: DataNote
    forecasts: Mapping[UnitKind, Mapping[str, Forecast]]
    top: int
    risk: pd.DataFrame
    warnings: tuple[str, ...]
    provenance: Mapping[str, Any]
    findings: tuple[str, ...] = ()
    prior_checks: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    notices: tuple[str, ...] = ()
    issued: IssuedRecord | None = None
    changes: Changes | None = None
    brief: bool = True
    pictures: bool = True
    listed: int = 400
