"""A plan cut into blocks: a model on a panel, over origins between two refits."""

from __future__ import annotations

from functools import cache

import numpy as np
import pandas as pd

from forecast.errors import ForecastError, InputError
from forecast.evaluation.blocks import Block, block_key, delay_hash
from forecast.evaluation.plan import BacktestPlan
from forecast.panel.panel import Panel
from forecast.panel.panel_hash import panel_hash
from forecast.panel.reporting_delay import ReportingDelay
from forecast.panel.units import UnitKind
from forecast.panel.weeks import WEEK

_EPOCH = pd.Timestamp("1970-01-01")


def plan_blocks(plan: BacktestPlan) -> list[Block]:
    """Return the blocks of a plan in the order of its models, panels and origins.

    Borders lie at fixed weeks, counted from 1970, so that a plan that grows keeps those that it had.

    Raises
    ------
    InputError
        If an origin lacks its vintage, or a vintage does not fit the final panel.
    ForecastError
        If a dataset that a model is fitted on begins after an origin.
    """
    number = (plan.origins - _EPOCH).days.to_numpy() // 7 // plan.refit_every
    spans = [plan.origins[number == value] for value in np.unique(number)]
    # A block is fitted at its border even where the plan begins within it, so that the forecasts of an origin stay
    # the same as the plan moves on.
    borders = [span[0] - ((span[0] - _EPOCH).days // 7 % plan.refit_every) * WEEK for span in spans]

    @cache
    def fit_origin(kind: UnitKind, at: int) -> pd.Timestamp:
        """Return the border, or the first origin where too little is known at the border."""
        enough = plan.weeks_known(kind, borders[at]) >= plan.refit_every
        return borders[at] if enough else pd.Timestamp(spans[at][0])

    @cache
    def cut(kind: UnitKind, at: int) -> tuple[Panel, str]:
        last = spans[at][-1] + plan.horizon * WEEK
        panel = plan.panels[kind].until(last)
        return panel, panel_hash(panel)

    @cache
    def vintages(kind: UnitKind, at: int) -> tuple[dict[pd.Timestamp, Panel] | None, dict[str, str] | None]:
        found = plan.vintages(kind, [fit_origin(kind, at), *spans[at]])
        seen = {f"{origin:%Y-%m-%d}": panel_hash(panel) for origin, panel in (found or {}).items()}
        return found, seen or None

    @cache
    def delays(kind: UnitKind, at: int) -> tuple[dict[pd.Timestamp, ReportingDelay], dict[str, str] | None]:
        found = plan.delays(kind, spans[at])
        seen = {f"{origin:%Y-%m-%d}": delay_hash(delay) for origin, delay in found.items()}
        return found, seen or None

    @cache
    def fit_cut(dataset: str, kind: UnitKind, at: int) -> tuple[Panel, str]:
        origin = fit_origin(kind, at)
        try:
            panel = plan.fit_panels[dataset, kind].until(origin)
        except InputError as error:
            raise ForecastError(f"no fit on {dataset!r} ({kind} panel) at origin {origin:%Y-%m-%d}: {error}") from error
        return panel, panel_hash(panel)

    blocks = []
    for model in plan.models:
        for kind in plan.panels:
            for at, origins in enumerate(spans):
                panel, seen = cut(kind, at)
                known, known_seen = vintages(kind, at)
                late, late_seen = delays(kind, at)
                own = model.fit_on is not None and (model.fit_on, kind) in plan.fit_panels
                fit_panel, fit_seen = fit_cut(str(model.fit_on), kind, at) if own else (None, None)
                fitted_at = fit_origin(kind, at)
                content = {
                    "kind": kind,
                    "fit_origin": f"{fitted_at:%Y-%m-%d}",
                    "panel": seen,
                    "fit_panel": fit_seen,
                    "vintages": known_seen,
                    "delays": late_seen,
                    "origins": [f"{origin:%Y-%m-%d}" for origin in origins],
                    "escalations": [rule.model_dump(mode="json") for rule in plan.escalations],
                    "horizon": plan.horizon,
                    "draws": plan.draws,
                    "seed": plan.seed,
                }
                key = block_key(content, model)
                blocks.append(
                    Block(
                        model=model,
                        kind=kind,
                        panel=panel,
                        fit_panel=fit_panel,
                        fit_origin=fitted_at,
                        origins=origins,
                        escalations=plan.escalations,
                        horizon=plan.horizon,
                        draws=plan.draws,
                        seed=plan.seed,
                        key=key,
                        vintages=known,
                        delays=late,
                    )
                )
    return blocks
