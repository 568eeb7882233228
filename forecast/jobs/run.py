"""The main job: from a workspace to the forecast of the coming weeks, its risks, its track record and the report."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import threadpoolctl

from forecast.errors import ModelError
from forecast.evaluation.combined import combined_spec
from forecast.evaluation.record import HEAD, QUANTILE_LEVELS, BacktestRecord
from forecast.evaluation.step_table import step_manifest
from forecast.families.model import ModelSpec
from forecast.families.nowcasted import predict_as_known
from forecast.jobs.combined_forecast import CombinedForecast, combined_forecast
from forecast.jobs.findings import DataFindings, find_in
from forecast.jobs.inputs import FitPanels, Inputs, fit_panels, open_inputs, origin_of
from forecast.jobs.prior_checks import prior_checks
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
from forecast.jobs.track_record import Progress, TrackRecord, told, track_record
from forecast.panel.dataset import Dataset
from forecast.panel.panel import Panel
from forecast.panel.reporting_delay import ReportingDelay
from forecast.panel.units import UnitKind
from forecast.panel.weeks import WEEK
from forecast.predictive.forecast import Forecast
from forecast.predictive.risk import RISK_COLUMNS, risk_table
from forecast.provenance import generator, hash_file, hash_files, hash_json, versions
from forecast.reporting.content import ReportContent
from forecast.reporting.html import render_report
from forecast.storage import check_writable, folder_in_progress
from forecast.workspace import CONFIG_NAME, ReportSpec, Workspace

Forecasts = dict[UnitKind, dict[str, Forecast]]


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
    """Forecast, check the past, and publish the report.

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
        ``index.html``, ``forecast.parquet``, ``risk.csv`` and ``manifest.json`` are in its folder, whole. The same
        inputs give the same bytes.

    Raises
    ------
    InputError
        For whatever is wrong in the workspace or its data, and for a day for which no forecast can be made.
    ModelError
        If the headline model fails. Another one that fails is left out, with a warning.
    """
    spec, definition = workspace.spec, workspace.report(report)
    for part in ("backtests", f"runs/{definition.name}"):
        check_writable(workspace.out / part)
    whole = open_inputs(workspace, as_of)
    origin = origin_of(whole.regions, as_of, first_after=spec.backtest.first_after, or_earlier=bool(whole.vintages))
    inputs = whole.until(origin)
    models = workspace.models()
    fits = fit_panels(workspace, models, inputs.panels)

    with threadpoolctl.threadpool_limits(1):  # how many threads there are can change the last bits of a sum
        forecasts, failed = _forecast_all(workspace, models, inputs, fits, progress)
        able = [model for model in models if model.name not in failed]
        track = track_record(workspace, inputs, able, fits, workers=workers, progress=progress)
        failed |= track.failed
        able = [model for model in able if model.name not in failed]
        forecasts = {kind: {model.name: by_model[model.name] for model in able} for kind, by_model in forecasts.items()}
        checked = prior_checks(able, inputs.regions, fits, spec.backtest.seed)
        combined = _combine(workspace, inputs, track, forecasts)
        risk, borrowed = with_borrowed_base_rates(
            workspace, inputs, _risk(workspace, inputs, fits, forecasts, combined)
        )

    found = find_in(workspace, inputs, as_of)
    warnings = (
        *found.warnings(),
        *untold_countries(inputs),
        *without_nowcast(inputs),
        *left_out(failed),
        *remarks(forecasts),
        *short_records(track.records),
        *other_sources(workspace, fits),
        *refuted(workspace, models, track.records[0]),
    )
    manifest = _manifest(workspace, definition, inputs, models, fits, track, warnings, found) | fitted_by(forecasts)
    content = ReportContent(
        name=definition.name,
        title=f"{spec.title}: {definition.title}",
        audience=definition.audience,
        origin=origin,
        data=inputs.note,
        panels=inputs.panels,
        forecasts=forecasts,
        models=(*able, *([combined_spec(spec.combination)] if spec.combination and combined else [])),
        headline_model=spec.models.headline,
        headline_escalation=definition.headline_escalation,
        escalations=spec.escalations,
        top=definition.top,
        risk=risk,
        polygons=inputs.polygons,
        backtests=track.records,
        warnings=(*warnings, *notes(workspace, inputs, models, fits), *borrowed),
        provenance=manifest,
        findings=(*filter(None, [found.imports]), *found.sentences()),
        prior_checks=checked,
    )
    told(progress, "writing the report")(0, 1)
    folder = workspace.out / "runs" / definition.name / f"{origin:%Y-%m-%d}"
    _publish(content, folder)
    told(progress, "writing the report")(1, 1)
    return RunResult(folder, warnings, content)


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


def _forecast_all(
    workspace: Workspace,
    models: Sequence[ModelSpec],
    inputs: Inputs,
    fits: FitPanels,
    progress: Progress | None,
) -> tuple[Forecasts, dict[str, str]]:
    """Return the forecasts by unit kind and model, and what went wrong with the models that failed."""
    forecasts: Forecasts = {kind: {} for kind in inputs.panels}
    failed: dict[str, str] = {}
    step = told(progress, "fitting")
    for done, model in enumerate(models):
        step(done, len(models))
        try:
            found = {
                kind: forecast_with(workspace, model, panel, fits, delay=inputs.delay(kind, panel.origin))
                for kind, panel in inputs.panels.items()
            }
        except Exception as error:
            reason = f"model {model.name!r} failed: {type(error).__name__}: {error}"
            if model.name == workspace.spec.models.headline:
                raise ModelError(reason, model.name) from error
            failed[model.name] = reason
            continue
        for kind, forecast in found.items():
            forecasts[kind][model.name] = forecast
    step(len(models), len(models))
    return forecasts, failed


def _combine(
    workspace: Workspace, inputs: Inputs, track: TrackRecord, forecasts: Forecasts
) -> dict[UnitKind, CombinedForecast]:
    """Add the combined forecast to the others, if the workspace has one."""
    combination, spec = workspace.spec.combination, workspace.spec
    if combination is None:
        return {}
    if not track.combined and spec.models.headline == combination.name:
        raise ModelError(f"no member of {combination.name!r} could be forecast and back-tested", combination.name)
    found = {}
    for kind, mine in track.combined.items():
        panel = inputs.panels[kind]
        rng = generator(spec.backtest.seed, "combine", combination.name, kind, f"{panel.origin:%Y-%m-%d}")
        found[kind] = combined_forecast(combination.name, mine, forecasts[kind], spec.escalations, panel, rng)
        forecasts[kind][combination.name] = found[kind].forecast
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


def _manifest(
    workspace: Workspace,
    definition: ReportSpec,
    inputs: Inputs,
    models: Sequence[ModelSpec],
    fits: FitPanels,
    track: TrackRecord,
    warnings: Sequence[str],
    found: DataFindings,
) -> dict[str, Any]:
    """Return where the forecast comes from; neither the clock nor the machine is in it."""
    root, spec = workspace.root, workspace.spec
    own = [root / CONFIG_NAME, root / "reports" / f"{definition.name}.toml"]
    own += [root / "models" / f"{model.name}.toml" for model in models]
    hashes = {**hash_files(own, root), **inputs.hashes}
    for name in sorted({*spec.data.calibrate_on, *(dataset for dataset, _ in fits)}):
        files = Dataset.open(workspace.data_folder(name)).hashes()
        hashes |= {f"data/{name}/{path}": digest for path, digest in files.items()}
    return {
        "report": definition.name,
        "workspace": spec.title,
        "origin": f"{inputs.regions.origin:%Y-%m-%d}",
        "known_until": f"{inputs.regions.known_until:%Y-%m-%d}",
        "data": {
            "name": inputs.name,
            "title": inputs.note.title,
            "vintage": inputs.note.vintage,
            "preliminary": inputs.note.preliminary,
            "simulated": inputs.simulated,
        },
        "horizon": spec.report.horizon,
        "draws": spec.report.draws,
        "seed": spec.backtest.seed,
        "headline_model": spec.models.headline,
        "models": {model.name: hash_json(model.model_dump(mode="json")) for model in models},
        **_combination(workspace, track),
        "backtests": {record.name: _origins(record) for record in track.records},
        "warnings": list(warnings),
        "findings": found.entries(),
        "versions": versions(),
        "inputs": dict(sorted(hashes.items())),
    }


def _combination(workspace: Workspace, track: TrackRecord) -> dict[str, Any]:
    combination = workspace.spec.combination
    if combination is None or not track.combined:
        return {}
    steps = step_manifest(track.combined, workspace.spec.escalations)
    return {"combination": combination.model_dump(mode="json") | {"steps": steps}}


def _origins(record: BacktestRecord) -> dict[str, Any]:
    origins = record.forecasts["origin"]
    return {
        "origins": int(origins.nunique()),
        "first": f"{origins.min():%Y-%m-%d}",
        "last": f"{origins.max():%Y-%m-%d}",
        "known_as": record.known_as,
        "models": list(record.leaderboard["model"]),
    }


def _publish(content: ReportContent, folder: Path) -> None:
    page = render_report(content)
    with folder_in_progress(folder) as work:
        (work / "index.html").write_text(page, encoding="utf-8", newline="\n")
        table = pa.Table.from_pandas(_forecast_frame(content), preserve_index=False).replace_schema_metadata(None)
        pq.write_table(table, work / "forecast.parquet", compression="zstd")
        stated = [*RISK_COLUMNS, *(["uncalibrated"] if "combination" in content.provenance else [])]
        content.risk[stated].to_csv(
            work / "risk.csv", index=False, float_format="%.6f", date_format="%Y-%m-%d", lineterminator="\n"
        )
        files = {path.name: hash_file(path) for path in sorted(work.iterdir())}
        text = json.dumps({**content.provenance, "files": files}, indent=2, ensure_ascii=False)
        (work / "manifest.json").write_text(f"{text}\n", encoding="utf-8", newline="\n")


def _forecast_frame(content: ReportContent) -> pd.DataFrame:
    """Return one row a model, unit and week: mean, quantiles, and the probabilities of 0 to 9 events."""
    tables = []
    for by_model in content.forecasts.values():
        for model, forecast in by_model.items():
            frame = forecast.to_frame(QUANTILE_LEVELS)
            head = np.zeros((len(frame), HEAD))
            known = forecast.pmf.reshape(len(frame), -1)[:, :HEAD]
            head[:, : known.shape[1]] = known
            frame[[f"p{count}" for count in range(HEAD)]] = head
            frame.insert(0, "model", model)
            frame.insert(1, "origin", content.origin)
            tables.append(frame)
    return pd.concat(tables, ignore_index=True)
