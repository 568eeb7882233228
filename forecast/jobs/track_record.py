"""The track record of a workspace: backtests on its own data, and on the longer datasets that it calibrates on."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import pandas as pd

from forecast.combination.track import Track
from forecast.errors import InputError, ModelError, unknown_name
from forecast.evaluation.backtest import backtest_and_combine, finished_models, plan_origins
from forecast.evaluation.blocks_ahead import BlocksAhead
from forecast.evaluation.combined import Combined
from forecast.evaluation.record import BacktestRecord
from forecast.families.model import ModelSpec, choose_models
from forecast.jobs.external_forecasts import ExternalForecasts, external_forecasts
from forecast.jobs.inputs import FitPanels, Inputs, fit_panels, open_inputs, origin_of, related_panels
from forecast.jobs.time_budget import BudgetSpentError, TimeBudget
from forecast.jobs.track_plans import backtest_plan, track_plans
from forecast.panel.panel import Panel
from forecast.panel.units import UnitKind
from forecast.storage import check_writable
from forecast.workspace import BacktestSection, Workspace

Progress = Callable[[str, int, int], None]
"""Told what is being done, how much of it is done and how much there is."""

FEW_ORIGINS = 20
"""A record of fewer origins says little about a model, and a scheduler should know."""
CUSTOM = "-custom"
"""Ending of the name of a record with choices of one's own, so that the one of the reports stays as it is."""


@dataclass(frozen=True)
class TrackRecord:
    """The records of all backtests, and the models that could not take part.

    Parameters
    ----------
    records : tuple of BacktestRecord
        On the workspace's own data first.
    failed : mapping of model name to str
        What went wrong. These models are in no record.
    combined : mapping of unit kind to CombinedKind
        Of the combined model on the workspace's own data, if there is one.
    """

    records: tuple[BacktestRecord, ...]
    failed: Mapping[str, str]
    combined: Combined = field(default_factory=dict)


def track_record(
    workspace: Workspace,
    inputs: Inputs,
    models: Sequence[ModelSpec],
    fits: FitPanels,
    *,
    external: ExternalForecasts | None = None,
    workers: int = 2,
    progress: Progress | None = None,
    budget: TimeBudget | None = None,
    ahead: BlocksAhead | None = None,
) -> TrackRecord:
    """Back-test the models on what is known at the origin, and on each dataset of ``calibrate_on``.

    A model that fails anywhere is left out everywhere, so that all models are compared on the same cells. A record
    of data that were cut at an origin is published in ``<dataset>-<origin>``, so that the whole one stays as it is;
    what is the same in both is computed once. A combined model learns, at each origin of the workspace's own data, from
    the records of `calibrate_on` as well, as far as they were known then.

    Parameters
    ----------
    workspace : Workspace
    inputs : Inputs
        Cut at the origin.
    models : sequence of ModelSpec
    fits : mapping of (dataset name, unit kind) to Panel
        From `forecast.jobs.inputs.fit_panels`.
    external : ExternalForecasts, optional
    workers : int
    progress : callable of (what, done, total), optional
    budget : TimeBudget, optional
        When it is spent, models whose blocks are not all finished are left out, but for the headline model, or one
        member where that is the combined one.
    ahead : BlocksAhead, optional
        From `track_record_ahead`, for the same models.

    Returns
    -------
    TrackRecord

    Raises
    ------
    InputError
        If a dataset of ``calibrate_on`` has nothing in common with the workspace.
    ModelError
        If the headline model fails.
    """
    plans = track_plans(workspace, inputs)
    remaining, failed = list(models), dict[str, str]()
    headline, lasting, spent = workspace.spec.models.headline, workspace.headline_models(), False
    while True:
        planned = [each.applied(workspace, remaining, fits, external) for each in plans]
        records, earlier, combined = list[BacktestRecord](), dict[UnitKind, list[Track]](), Combined()
        try:
            for (plan, blocks), of in zip(planned, plans, strict=True):
                record, combined = backtest_and_combine(
                    plan,
                    of.folder,
                    earlier if of.inputs is not None else {},
                    workers=workers,
                    progress=_within(budget, told(progress, f"back-testing on {plan.name}")),
                    # The blocks of models that were left out for want of time are kept for the next run.
                    blocks=blocks if of.cut or spent else None,
                    first=_quick_first(budget, lasting),
                    ahead=ahead if len(remaining) == len(models) else None,
                )
                records.append(record)
                for kind, found in combined.items():
                    earlier.setdefault(kind, []).append(found.track)
        except BudgetSpentError:
            done = set.intersection(*(finished_models(plan, blocks) for plan, blocks in planned))
            there = [model.name for model in remaining]
            needed = [name for name in lasting if name in there][:1]
            late = [name for name in there if name not in {*done, *needed}]
            failed |= {name: budget.refusal(name) for name in late if budget is not None}
            remaining, budget = [model for model in remaining if model.name not in late], None
            spent = True
        except ModelError as error:
            if error.model == headline:
                raise
            remaining = [model for model in remaining if model.name != error.model]
            failed[error.model] = str(error)
        else:
            return TrackRecord((records[-1], *records[:-1]), failed, combined)


def _within(budget: TimeBudget | None, progress: Callable[[int, int], None]) -> Callable[[int, int], None]:
    """Return the same progress, which stops the work when the time is spent."""

    def report(done: int, total: int) -> None:
        progress(done, total)
        if budget is not None and done < total:
            budget.check()

    return report


def _quick_first(budget: TimeBudget | None, lasting: Sequence[str]) -> list[str]:
    """Return in which order models are back-tested: what the headline rests on, then the quick ones."""
    if budget is None:
        return []
    return sorted(budget.took, key=lambda name: (name != lasting[0], name not in lasting, budget.took[name]))


def backtest_workspace(
    workspace: Workspace,
    *,
    models: Sequence[str] = (),
    start: dt.date | None = None,
    end: dt.date | None = None,
    horizon: int | None = None,
    refit_every: int | None = None,
    data: str | None = None,
    as_of: dt.date | None = None,
    name: str | None = None,
    as_issued: bool = False,
    workers: int = 2,
    progress: Progress | None = None,
) -> tuple[BacktestRecord, Path]:
    """Back-test models of a workspace, and publish the record in ``out/backtests/<name>``.

    Parameters
    ----------
    workspace : Workspace
    models : sequence of str
        Of the catalogue; those that the workspace uses if empty. With all of its members named, the combined model
        is among them.
    start, end : date, optional
        Origins lie within these days, both included. Without `start` they are the latest ones of the protocol.
    horizon, refit_every : int, optional
        Those of the protocol if not given.
    data : str, optional
        Another dataset of the workspace: its regions of the same countries, and the same places.
    as_of : date, optional
        Only what was known on this day, as in `forecast.jobs.run.run`; all that is known if not given.
    name : str, optional
        Of the record. That of the dataset if all is as the workspace says; with any choice of one's own
        ``<dataset>-custom``, so that the record which the report uses stays as it is.
    as_issued : bool
        Forecast each origin as `forecast.jobs.run.run` does: fitted anew, with the horizon and draws of the report.
        The scores are then those of the ledger for the same origins and data. The combined model, which learns from
        the protocol's backtest in each run, is not in it.
    workers : int
    progress : callable of (what, done, total), optional

    Returns
    -------
    BacktestRecord, Path
        The record, and the folder in which it is.

    Raises
    ------
    InputError
        For unknown names, and days between which there is no origin.
    """
    chosen = choose_models(workspace.catalogue, list(models), where="--models") if models else workspace.models()
    protocol = _protocol(workspace, horizon, refit_every, as_issued)
    if name is not None and not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,59}", name):
        raise InputError(f"name {name!r}", where="--name", expected="small letters, digits and hyphens")
    check_writable(workspace.out / "backtests")
    own = bool(models) or as_issued or any(choice is not None for choice in (start, end, horizon, refit_every, as_of))
    inputs = open_inputs(workspace, as_of)
    if as_of is not None:
        first = protocol.first_after
        inputs = inputs.until(origin_of(inputs.regions, as_of, first_after=first, or_earlier=bool(inputs.vintages)))
    dataset, panels = inputs.name, inputs.panels
    if data is not None and data != inputs.name:
        known = sorted(path.parent.name for path in (workspace.root / "data").glob("*/datapackage.json"))
        if data not in known:
            raise unknown_name("dataset", data, known, where="--data")
        dataset, panels = data, related_panels(workspace, data, inputs.panels)
        if "region" not in panels:
            raise InputError(f"dataset {data!r} has none of the countries of the workspace", where="--data")
        panels = {kind: panel.until(inputs.regions.origin) for kind, panel in panels.items()} if as_of else panels
    if not own and name is None and data is None and workspace.spec.combination is not None:
        fits, external = fit_panels(workspace, chosen, inputs.panels), external_forecasts(workspace, inputs.regions)
        track = track_record(  # a combined model learns from the other records too, as in a run
            workspace, inputs, chosen, fits, external=external, workers=workers, progress=progress
        )
        for failed, reason in track.failed.items():
            raise ModelError(reason, failed)
        return track.records[0], workspace.out / "backtests" / dataset
    members = workspace.spec.combination.members if workspace.spec.combination else ()
    whole = {*members} - {*workspace.spec.external} <= {model.name for model in chosen}
    # Of some of its members only, the combined model would be another one under the same name.
    changed = {"backtest": protocol} | ({} if whole and not as_issued else {"combination": None})
    spec = workspace.spec.model_copy(update=changed)
    name = name or (f"{dataset}{CUSTOM}" if own else dataset)
    plan = backtest_plan(
        replace(workspace, spec=spec),
        name,
        panels,
        chosen,
        fit_panels(workspace, chosen, inputs.panels),
        _origins(panels["region"], start, end, origins=protocol.origins, first_after=protocol.first_after),
        inputs=inputs if dataset == inputs.name else None,
        external=external_forecasts(workspace, inputs.regions),
    )
    folder, step = workspace.out / "backtests" / name, told(progress, f"back-testing on {name}")
    return backtest_and_combine(plan, folder, {}, workers=workers, progress=step)[0], folder


def _protocol(workspace: Workspace, horizon: int | None, refit_every: int | None, as_issued: bool) -> BacktestSection:
    """Return the protocol with some choices of one's own."""
    if as_issued and (horizon or refit_every):
        raise InputError("forecasts as they are issued have the horizon of the report and are fitted anew each week")
    issued = {"horizon": workspace.spec.report.horizon, "refit_every": 1, "draws": workspace.spec.report.draws}
    changes = issued if as_issued else {"horizon": horizon, "refit_every": refit_every}
    protocol = workspace.spec.backtest.model_copy(update={key: value for key, value in changes.items() if value})
    needed = max(workspace.spec.escalations, key=lambda rule: rule.weeks)
    if needed.weeks > protocol.horizon:
        raise InputError(
            f"escalation {needed.name!r} looks {needed.weeks} weeks ahead, beyond a horizon of {protocol.horizon}",
            where="--horizon",
            expected=f"at least {needed.weeks}",
        )
    return protocol


def told(progress: Progress | None, what: str) -> Callable[[int, int], None]:
    """Return the same progress for one kind of work."""

    def report(done: int, total: int) -> None:
        if progress is not None:
            progress(what, done, total)

    return report


def _origins(
    panel: Panel, start: dt.date | None, end: dt.date | None, *, origins: int, first_after: int
) -> pd.DatetimeIndex:
    """Return the origins between two days."""
    possible = plan_origins(panel, origins=len(panel.weeks), first_after=first_after)
    first = possible[0] if start is None else pd.Timestamp(start)
    last = possible[-1] if end is None else pd.Timestamp(end)
    chosen = possible[(possible >= first) & (possible <= last)]
    if not len(chosen):
        raise InputError(
            f"no origin lies between {first:%Y-%m-%d} and {last:%Y-%m-%d}",
            where="--start, --end",
            expected=f"days within {possible[0]:%Y-%m-%d} to {possible[-1]:%Y-%m-%d}, start before end",
        )
    return chosen if start is not None else chosen[-origins:]
