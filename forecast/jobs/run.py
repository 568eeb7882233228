"""The main job: from a workspace to the forecast of the coming weeks, its risks, its track record and the report."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import threadpoolctl

from forecast.errors import ModelError
from forecast.evaluation.combined import Combined, combined_spec
from forecast.evaluation.issued import IssuedRecord
from forecast.evaluation.stopwatch import Stopwatch
from forecast.families.model import ModelSpec
from forecast.jobs.combined_forecast import CombinedForecast, combined_forecast
from forecast.jobs.findings import find_in
from forecast.jobs.inputs import FitPanels, Inputs
from forecast.jobs.manifest import run_manifest
from forecast.jobs.preparation import Preparation, forecast_with, prepare
from forecast.jobs.prior_checks import prior_checks
from forecast.jobs.publish import Record, parts_ahead, printers_woken, publish
from forecast.jobs.run_notes import (
    fitted_by,
    left_out,
    notes,
    other_sources,
    refuted,
    remarks,
    short_records,
    untold_countries,
    with_borrowed_base_rates,
    without_nowcast,
)
from forecast.jobs.time_budget import TimeBudget
from forecast.jobs.track_plans import track_record_ahead
from forecast.jobs.track_record import Progress, TrackRecord, told, track_record
from forecast.language import say
from forecast.panel.units import UnitKind
from forecast.panel.weeks import WEEK
from forecast.predictive.forecast import Forecast
from forecast.predictive.risk import risk_table
from forecast.provenance import generator
from forecast.reporting.changes import Changes
from forecast.reporting.content import RecordsContent, ReportContent
from forecast.workspace import Workspace

Forecasts = dict[UnitKind, dict[str, Forecast]]
Explain = Callable[[Combined, Forecasts, pd.DataFrame], Changes]
"""What the combined model rests on, all forecasts, and the risk by the headline model, to what has changed."""


@dataclass(frozen=True)
class RunResult:
    """What a run has published.

    Parameters
    ----------
    folder : Path
        ``out/runs/<report>/<origin>``.
    warnings : tuple of str
        What a scheduler should see; empty if all is well.
    content : ReportContent
        All that the report shows.
    """

    folder: Path
    warnings: tuple[str, ...]
    content: ReportContent


def run(
    workspace: Workspace,
    as_of: dt.date | None = None,
    report: str | None = None,
    workers: int = 2,
    progress: Progress | None = None,
) -> RunResult:
    """Forecast, check the past, and publish the report; the ledger knows nothing of it.

    Parameters
    ----------
    workspace : Workspace
    as_of : date, optional
        The forecast uses only weeks that are over by the first day of the week that contains this day. The day after
        the data's last week if not given.
    report : str, optional
        A definition in ``reports/``; the workspace's own if not given.
    workers : int
        Processes; the result does not depend on it.
    progress : callable of (what, done, total), optional

    Returns
    -------
    RunResult
        ``index.html``, ``forecast.parquet``, ``paths.parquet``, ``risk.csv``, ``summary.json`` and ``manifest.json``
        are in its folder, whole, with ``brief.pdf`` and the pictures unless the report does without them. The same
        inputs give the same bytes.

    Raises
    ------
    InputError
        For whatever is wrong in the workspace or its data, and for a day for which no forecast can be made.
    ModelError
        If the headline model fails. Another one that fails is left out, with a warning.
    """
    return carry_out(prepare(workspace, as_of, report), workers=workers, progress=progress)


def carry_out(
    ready: Preparation,
    *,
    workers: int = 2,
    progress: Progress | None = None,
    budget: TimeBudget | None = None,
    folder: Path | None = None,
    notices: Sequence[str] = (),
    pressing: Sequence[str] = (),
    issued: IssuedRecord | None = None,
    explain: Explain | None = None,
    record: Record | None = None,
    watch: Stopwatch | None = None,
    cost: bool = False,
) -> RunResult:
    """Do what was prepared.

    Parameters
    ----------
    ready : Preparation
    workers : int
    progress : callable of (what, done, total), optional
    budget : TimeBudget, optional
        When it is spent, models other than the headline are left out, with a warning for each.
    folder : Path, optional
        Where the results go; that of `ready` if not given.
    notices : sequence of str
        What stands on top of the report, before everything else.
    pressing : sequence of str
        Warnings that go before all others.
    issued : IssuedRecord, optional
        How earlier issues have turned out.
    explain : callable of (Combined, Forecasts, DataFrame), optional
        Tells what has changed since the last issue. Passed over when the budget is spent.
    record : callable of (ReportContent, file hashes), optional
        Called when the results are written and before they appear, with what they show and the hashes of all files;
        what it returns goes into the manifest. If it fails, nothing appears.
    watch : Stopwatch, optional
        Told what each model and each part of the work cost. Blocks are not measured under a `budget`.
    cost : bool
        Whether what was spent until the report is written goes into the manifest and so into the footer of the report,
        which are then not the same bytes in the next run.

    Returns
    -------
    RunResult

    Raises
    ------
    ModelError
        If the headline model fails. Another one that fails is left out, with a warning.
    """
    workspace, inputs, models, fits = ready.workspace, ready.inputs, ready.models, ready.fits
    spec, definition = workspace.spec, ready.definition
    lap = watch.lap if watch is not None else _unmeasured
    begin = partial(
        track_record_ahead, workspace, inputs, models, fits, external=ready.external, workers=workers, watch=watch
    )
    with threadpoolctl.threadpool_limits(1):  # how many threads there are can change the last bits of a sum
        # Against a budget the models are worked on one after the other, as far as it reaches.
        with begin() if budget is None else nullcontext() as ahead:
            lap("preparation")
            forecasts, failed = _forecast_all(workspace, models, inputs, fits, progress, budget, lap)
            able = [model for model in models if model.name not in failed]
            track = track_record(
                workspace,
                inputs,
                able,
                fits,
                external=ready.external,
                workers=workers,
                progress=progress,
                budget=budget,
                ahead=None if failed else ahead,
            )
        lap("records")
        failed |= track.failed
        able = [model for model in able if model.name not in failed]
        forecasts = {kind: {model.name: by_model[model.name] for model in able} for kind, by_model in forecasts.items()}
        combined = _combine(ready, track, forecasts)
        told_of = RecordsContent(
            panels=inputs.panels,
            models=(*able, *([combined_spec(spec.combination)] if spec.combination and combined else [])),
            headline_model=spec.models.headline,
            headline_escalation=definition.headline_escalation,
            escalations=spec.escalations,
            polygons=inputs.polygons,
            backtests=track.records,
            languages=definition.languages,
        )
        with parts_ahead(told_of, workers, watch) as parts:
            with printers_woken(definition, workers):
                checked = prior_checks(able, inputs.regions, fits, spec.backtest.seed)
                risk, borrowed = with_borrowed_base_rates(
                    workspace, inputs, _risk(workspace, inputs, fits, forecasts, combined)
                )
                late = budget is not None and budget.spent
                changes, untold = (
                    (None, ()) if explain is None or late else _explained(workspace, explain, track, forecasts, risk)
                )
            lap("risks")
            found = find_in(workspace, inputs, ready.as_of)
            absent, elsewhere = ready.external.notes(ready.origin, track.records[0].forecasts["origin"].unique())
            warnings = (
                *pressing,
                *found.warnings(),
                *untold_countries(inputs),
                *without_nowcast(inputs),
                *left_out(failed),
                *absent,
                *remarks(forecasts),
                *short_records(track.records),
                *other_sources(workspace, fits),
                *refuted(workspace, models, track.records[0]),
                *untold,
            )
            manifest = run_manifest(workspace, definition, inputs, models, fits, track, warnings, found) | fitted_by(
                forecasts
            )
            if cost and watch is not None:
                manifest["core_seconds"] = watch.rounded()
            content = ReportContent(
                **vars(told_of),
                name=definition.name,
                title=f"{spec.title}: {definition.title}",
                audience=definition.audience,
                origin=ready.origin,
                data=inputs.note,
                forecasts=forecasts,
                top=definition.top,
                risk=risk,
                warnings=(*warnings, *notes(workspace, inputs, models, fits), *elsewhere, *borrowed),
                provenance=manifest,
                findings=(*filter(None, [found.imports]), *found.sentences()),
                prior_checks=checked,
                notices=tuple(notices),
                issued=issued,
                changes=changes,
                brief=definition.brief,
                pictures=definition.pictures,
                listed=definition.listed,
            )
            told(progress, "writing the report")(0, 1)
            publish(content, folder or ready.folder, record, workers, watch, parts)
            lap("report")
    told(progress, "writing the report")(1, 1)
    return RunResult(folder or ready.folder, warnings, content)


def _unmeasured(what: str) -> None:
    """Take no time."""


def _forecast_all(
    workspace: Workspace,
    models: Sequence[ModelSpec],
    inputs: Inputs,
    fits: FitPanels,
    progress: Progress | None,
    budget: TimeBudget | None,
    lap: Callable[[str], None],
) -> tuple[Forecasts, dict[str, str]]:
    """Return the forecasts by unit kind and model, and what went wrong with the models that failed."""
    headline, lasting = workspace.spec.models.headline, workspace.headline_models()
    found: dict[str, dict[UnitKind, Forecast]] = {}
    failed: dict[str, str] = {}
    step = told(progress, "fitting")
    # First what the headline rests on: no budget may cost all of it.
    rank = {name: at for at, name in enumerate(lasting)}
    for done, model in enumerate(sorted(models, key=lambda model: rank.get(model.name, len(rank)))):
        step(done, len(models))
        needed = model.name in lasting and not any(name in found for name in lasting)
        if budget is not None and not needed and budget.spent:
            failed[model.name] = budget.refusal(model.name)
            continue
        began = budget.now() if budget is not None else 0.0
        try:
            found[model.name] = {
                kind: forecast_with(workspace, model, panel, fits, delay=inputs.delay(kind, panel.origin))
                for kind, panel in inputs.panels.items()
            }
        except Exception as error:
            reason = say("model {name!r} failed: {error}", name=model.name, error=f"{type(error).__name__}: {error}")
            if model.name == headline:
                raise ModelError(reason, model.name) from error
            failed[model.name] = reason
        lap(model.name)
        if budget is not None:
            budget.took[model.name] = budget.now() - began
    step(len(models), len(models))
    able = [model.name for model in models if model.name in found]
    return {kind: {name: found[name][kind] for name in able} for kind in inputs.panels}, failed


def _explained(
    workspace: Workspace, explain: Explain, track: TrackRecord, forecasts: Forecasts, risk: pd.DataFrame
) -> tuple[Changes | None, tuple[str, ...]]:
    """Return what has changed since the last issue, or a warning: a forecast does not wait for its explanation."""
    combination, headline = workspace.spec.combination, workspace.spec.models.headline
    combined = track.combined if combination is not None and headline == combination.name else {}
    try:
        return explain(combined, forecasts, risk[risk["model"] == headline]), ()
    except Exception as error:
        return None, (
            say(
                "what has changed since the last issue cannot be told: {error}",
                error=f"{type(error).__name__}: {error}",
            ),
        )


def _combine(ready: Preparation, track: TrackRecord, forecasts: Forecasts) -> dict[UnitKind, CombinedForecast]:
    """Add the combined forecast to the others, if the workspace has one."""
    spec, inputs = ready.workspace.spec, ready.inputs
    combination, elsewhere = spec.combination, ready.external.at(ready.origin)
    if combination is None:
        return {}
    if not track.combined and spec.models.headline == combination.name:
        raise ModelError(f"no member of {combination.name!r} could be forecast and back-tested", combination.name)
    found = {}
    for kind, mine in track.combined.items():
        panel, by_model = inputs.panels[kind], forecasts[kind]
        rng = generator(spec.backtest.seed, "combine", combination.name, kind, f"{panel.origin:%Y-%m-%d}")
        found[kind] = combined_forecast(combination.name, mine, by_model, spec.escalations, panel, rng, elsewhere)
        by_model[combination.name] = found[kind].forecast
    return found


def _risk(
    workspace: Workspace,
    inputs: Inputs,
    fits: FitPanels,
    forecasts: Forecasts,
    combined: Mapping[UnitKind, CombinedForecast],
) -> pd.DataFrame:
    """Return the risks of all units, with what the headline model said of the same rules one week before."""
    rules, headline = workspace.spec.escalations, workspace.spec.models.headline
    tables = []
    for kind, panel in inputs.panels.items():
        table = risk_table(rules, forecasts[kind], panel)
        table["uncalibrated"], table["previous"] = table["probability"], np.nan
        tables.append(table)
        # The rows of a model are in the order of the rules and units, both times.
        if kind in combined:
            said = combined[kind]
            mine = table["model"] == said.forecast.model
            table.loc[mine, "probability"] = said.chance.ravel()
            table.loc[mine, "uncalibrated"] = said.uncalibrated.ravel()
            table.loc[mine, "previous"] = said.previous.ravel()
            if headline == said.forecast.model:
                continue
        spec = workspace.catalogue[headline]
        before = inputs.known(kind, panel.origin - WEEK)
        late = inputs.delay(kind, before.origin)
        earlier = risk_table(rules, {headline: forecast_with(workspace, spec, before, fits, delay=late)}, before)
        table.loc[table["model"] == headline, "previous"] = earlier["probability"].to_numpy()
    return pd.concat(tables, ignore_index=True)
