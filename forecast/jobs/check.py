"""What can be wrong with a workspace: one function a check, each run whatever the others found."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, ParamSpec

import pandas as pd

from forecast.errors import InputError
from forecast.events.checks.finding import Check as DataCheck
from forecast.events.checks.finding import Finding
from forecast.events.checks.registry import EVENT_CHECKS
from forecast.jobs.external_forecasts import external_forecasts
from forecast.jobs.findings import IN_A_SENTENCE, check_counts, entry, stored_events
from forecast.jobs.inputs import Inputs, fit_panels, open_inputs, origin_of, related_panels
from forecast.jobs.run_notes import other_sources
from forecast.panel.checks.registry import PANEL_CHECKS
from forecast.panel.dataset import Dataset
from forecast.reporting.words import holds
from forecast.storage import check_writable
from forecast.workspace import Workspace

Status = Literal["ok", "warning", "error"]
P = ParamSpec("P")

STALE_DAYS = 14
"""Weekly data that end earlier than this before today say little about the coming weeks, if nothing else is stated."""


@dataclass(frozen=True)
class Check:
    """What one check found.

    Parameters
    ----------
    name : str
    status : {"ok", "warning", "error"}
    found : str
        One or more sentences.
    hint : str
        What to do about it; empty if nothing is to be done.
    findings : tuple of dict
        Of checks of the data: each finding with check, severity, unit and text, which has more examples than `found`.
    """

    name: str
    status: Status
    found: str
    hint: str = ""
    findings: tuple[dict[str, Any], ...] = ()


def check_workspace(workspace: Workspace, today: dt.date) -> list[Check]:
    """Return the results of all checks of an opened workspace.

    Parameters
    ----------
    workspace : Workspace
    today : date
        The day on which a forecast is wanted.
    """
    checks = [
        _guarded("reports", check_reports, workspace),
        check_models(workspace),
        _guarded("results", check_results, workspace),
    ]
    try:
        inputs = open_inputs(workspace, today)
    except InputError as error:
        return [*checks, Check("data", "error", str(error))]
    return [
        *checks,
        check_data(inputs),
        *check_panels(inputs),
        _guarded("history", check_history, workspace, inputs),
        *check_store(workspace, inputs, today),
        *found_by(PANEL_CHECKS, check_counts(inputs.panels)),
        check_age(inputs, today, workspace.spec.data.stale_after_days or STALE_DAYS),
        check_polygons(inputs),
        *(_guarded(f"data {name}", check_related, workspace, inputs, name) for name in _others(workspace)),
        _guarded("fit", check_fit, workspace, inputs),
        *([_guarded("external", check_external, workspace, inputs)] if workspace.external_members() else []),
    ]


def check_store(workspace: Workspace, inputs: Inputs, today: dt.date) -> list[Check]:
    """Return the results of the checks of single events, for a workspace that forecasts from its event store."""
    stored = stored_events(workspace, inputs.regions_file, today)
    if stored is None:
        return []
    return [Check("imports", "ok", stored.as_imported()), *found_by(EVENT_CHECKS, stored.findings())]


def check_reports(workspace: Workspace) -> Check:
    """Check every report definition."""
    names = sorted({path.stem for path in (workspace.root / "reports").glob("*.toml")} | {workspace.spec.report.name})
    for name in names:
        workspace.report(name)
    return Check("reports", "ok", ", ".join(names))


def check_models(workspace: Workspace) -> Check:
    """Name the models; opening the workspace has checked them."""
    used = len(workspace.spec.models.use)
    found = f"{used} of {len(workspace.catalogue)} are used; the report speaks for {workspace.spec.models.headline}"
    return Check("models", "ok", found)


def check_results(workspace: Workspace) -> Check:
    """Check that results can be written."""
    for part in ("backtests", "runs"):
        check_writable(workspace.out / part)
    return Check("results", "ok", f"they go to {workspace.out.name}/")


def check_data(inputs: Inputs) -> Check:
    """Name the data; opening them has checked the hashes of all files."""
    note = inputs.note
    preliminary = " Preliminary." if note.preliminary else ""
    return Check("data", "ok", f"{note.title} ({note.vintage}).{preliminary} All files are as they were.")


def check_panels(inputs: Inputs) -> list[Check]:
    """Check that something happened in each panel."""
    checks = []
    for kind, panel in inputs.panels.items():
        checks.append(Check(f"{kind}s", "ok" if panel.counts.any() else "warning", holds(panel)))
    return checks


def check_history(workspace: Workspace, inputs: Inputs) -> Check:
    """Check that a forecast can be made from what is known."""
    origin = origin_of(inputs.regions, None, first_after=workspace.spec.backtest.first_after)
    return Check("history", "ok", f"the next forecast starts on {origin:%Y-%m-%d}")


def found_by(checks: Mapping[str, DataCheck], findings: Iterable[Finding]) -> list[Check]:
    """Return one result for each check of the data, whether it found anything or not; notes leave it ``ok``.

    Parameters
    ----------
    checks : mapping of name to Check
        `PANEL_CHECKS` or `forecast.events.checks.registry.EVENT_CHECKS`: those that were run.
    findings : iterable of Finding
        What they found, worst first.
    """
    by_check: dict[str, list[Finding]] = {name: [] for name in checks}
    for item in findings:
        by_check[item.check.name].append(item)
    results = []
    for name, items in by_check.items():
        status, found = _status(items), " ".join(item.text(IN_A_SENTENCE) for item in items)
        hint = "" if status == "ok" else checks[name].hint
        results.append(Check(name, status, found or "nothing", hint, tuple(entry(item, item.text()) for item in items)))
    return results


def check_age(inputs: Inputs, today: dt.date, limit: int) -> Check:
    """Check that the data reach to about today; simulated ones need not."""
    if inputs.simulated:
        return Check("age", "ok", "simulated")
    until = inputs.regions.known_until
    days = (pd.Timestamp(today) - until).days
    found = f"known until {until:%Y-%m-%d}, {days} days before {today}"
    if days < 0:
        found = f"known until {until:%Y-%m-%d}, after {today}"
    return Check("age", "warning" if days > limit else "ok", found)


def check_polygons(inputs: Inputs) -> Check:
    """Check that every region can be drawn."""
    without = [name for name in inputs.regions.units.names if name not in inputs.polygons]
    if without:
        return Check("map", "ok", f"{len(without)} regions have no polygon and are not drawn")
    return Check("map", "ok", f"{len(inputs.polygons)} polygons")


def check_related(workspace: Workspace, inputs: Inputs, name: str) -> Check:
    """Check a dataset that lends its experience: its files, and what it has in common with the workspace."""
    dataset = Dataset.open(workspace.data_folder(name))
    dataset.hashes()
    panels = related_panels(workspace, name, inputs.panels)
    if "region" not in panels:
        return Check(f"data {name}", "error", "none of the countries of the workspace are in it")
    units = ", ".join(f"{len(panel.units)} {kind}s" for kind, panel in panels.items())
    return Check(f"data {name}", "ok", f"{units} in common, {len(dataset.weeks)} weeks")


def check_fit(workspace: Workspace, inputs: Inputs) -> Check:
    """Check that models with `fit_on` find what they are to be fitted on."""
    models = [model for model in workspace.models() if model.fit_on]
    fits = fit_panels(workspace, models, inputs.panels)
    if other := other_sources(workspace, fits):
        return Check("fit", "warning", other[0])
    lacking = [model.name for model in models if (str(model.fit_on), "region") not in fits]
    if lacking:
        return Check(
            "fit", "ok", f"fitted on the data itself, as fit_on has none of its countries: {', '.join(lacking)}"
        )
    sets = sorted({str(model.fit_on) for model in models})
    return Check("fit", "ok", f"on {', '.join(sets)}" if sets else "on the data itself")


def check_external(workspace: Workspace, inputs: Inputs) -> Check:
    """Check that the members of the combination which are made elsewhere can be read, and have a forecast now."""
    found = external_forecasts(workspace, inputs.regions)
    warnings, _ = found.notes(inputs.regions.origin, ())
    if warnings:
        return Check("external", "warning", "; ".join(warnings))
    told = ", ".join(f"{name}: {len(each)} forecasts" for name, each in found.by_name.items())
    return Check("external", "ok", told)


def _others(workspace: Workspace) -> list[str]:
    return [name for name in workspace.spec.data.calibrate_on if name != workspace.spec.data.set]


def _status(findings: Iterable[Finding]) -> Status:
    severities = {item.severity for item in findings}
    return "error" if "error" in severities else "warning" if "warning" in severities else "ok"


def _guarded(name: str, check: Callable[P, Check], *args: P.args, **kwargs: P.kwargs) -> Check:
    try:
        return check(*args, **kwargs)
    except InputError as error:
        return Check(name, "error", str(error))
