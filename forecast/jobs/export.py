"""Published runs in the formats of others: a forecast hub, the ViEWS challenge, tables with HXL tags."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import pandas as pd

import forecast
from forecast.errors import InputError, unknown_name
from forecast.evaluation.combined import combined_spec
from forecast.exchange.hdx import risk_rows, tagged_csv, weekly_table
from forecast.exchange.hub_config import HubTeam
from forecast.exchange.hub_folder import FileFormat, HubSettings, write_hub
from forecast.exchange.hub_rows import OutputType
from forecast.exchange.months_of_weeks import monthly
from forecast.exchange.views import level_of, views_rows, write_views
from forecast.families.model import ModelSpec
from forecast.jobs.inputs import Inputs, open_inputs
from forecast.jobs.publish import PATHS
from forecast.panel.units import UnitKind
from forecast.predictive.forecast import Forecast
from forecast.predictive.forecast_file import read_forecasts
from forecast.provenance import generator, hash_file
from forecast.storage import folder_in_progress
from forecast.tabular import read_table
from forecast.workspace import Workspace

Format = Literal["hub", "views", "hdx"]

FORMATS: tuple[Format, ...] = ("hub", "views", "hdx")
NOTE = "export.json"
"""What was exported, from which runs; a folder that has it is replaced by the next export."""
HUB_DRAWS, VIEWS_DRAWS = 100, 1000


@dataclass(frozen=True)
class ExportSettings:
    """What of the runs is exported, and how.

    Parameters
    ----------
    format : {"hub", "views", "hdx"}
    kind : {"region", "place"}
        Places overlap regions and each other, so that they are never in one export.
    types : tuple of {"quantile", "pmf", "cdf", "sample"}
        Of a hub.
    draws : int, optional
        Sample paths: 100 in a hub and 1000 for ViEWS if not given, or as many as there are.
    file_format : {"csv", "parquet"}, optional
        CSV in a hub and parquet for ViEWS if not given.
    team : HubTeam
        Of a hub.
    """

    format: Format
    kind: UnitKind = "region"
    types: tuple[OutputType, ...] = ("quantile", "sample")
    draws: int | None = None
    file_format: FileFormat | None = None
    team: HubTeam = field(default_factory=HubTeam)


@dataclass(frozen=True)
class ExportResult:
    """What was exported.

    Parameters
    ----------
    folder : Path
    origins : tuple of str
        Of the runs.
    files : tuple of str
        Below the folder.
    """

    folder: Path
    origins: tuple[str, ...]
    files: tuple[str, ...]


def export(
    workspace: Workspace,
    settings: ExportSettings,
    folder: Path | None = None,
    *,
    origin: dt.date | None = None,
    every: bool = False,
    report: str | None = None,
) -> ExportResult:
    """Write published runs into a folder, in a format of others; whole or not at all.

    Parameters
    ----------
    workspace : Workspace
    settings : ExportSettings
    folder : Path, optional
        ``out/exports/<format>`` if not given. It must not exist, be empty, or hold an earlier export, which is
        replaced.
    origin : date, optional
        The run from this origin; the newest if not given.
    every : bool
        All runs of the report.
    report : str, optional
        The workspace's own if not given.

    Returns
    -------
    ExportResult

    Raises
    ------
    InputError
        If there is no such run, or it is from an earlier version and has no paths; if the folder holds something else;
        and for whatever the format cannot hold.
    """
    target = folder or workspace.out / "exports" / settings.format
    _check_folder(target)
    name = workspace.report(report).name
    runs = _runs(workspace, name, origin, every=every)
    forecasts = {run: _forecast(run, settings.kind) for run in runs}
    inputs = open_inputs(workspace)
    with folder_in_progress(target) as work:
        if settings.format == "hub":
            _write_hub(work, workspace, settings, list(forecasts.values()), inputs)
        for run, each in forecasts.items():
            if settings.format == "views":
                _write_views(work, workspace, settings, each, inputs)
            if settings.format == "hdx":
                _write_hdx(work, run, each, nested=len(runs) > 1)
        note = _note(workspace, settings, name, forecasts, inputs)
        text = json.dumps(note, indent=2, ensure_ascii=False)
        (work / NOTE).write_text(f"{text}\n", encoding="utf-8", newline="\n")
        files = tuple(sorted(path.relative_to(work).as_posix() for path in work.rglob("*") if path.is_file()))
    return ExportResult(target, tuple(run.name for run in runs), files)


def _check_folder(folder: Path) -> None:
    if folder.is_dir() and any(folder.iterdir()) and not (folder / NOTE).is_file():
        raise InputError(
            "the folder holds something else than an earlier export",
            where=str(folder),
            expected="a new or empty folder",
            hint="--out with another folder",
        )


def _runs(workspace: Workspace, name: str, origin: dt.date | None, *, every: bool) -> list[Path]:
    """Return the folders of the runs that are exported."""
    folder = workspace.out / "runs" / name
    known = sorted(path for path in folder.glob("????-??-??") if (path / "manifest.json").is_file())
    if not known:
        raise InputError(f"no run of report {name!r}", where=str(folder), hint="`forecast run`")
    if origin is None:
        return known if every else known[-1:]
    found = [path for path in known if path.name == f"{origin:%Y-%m-%d}"]
    if not found:
        raise unknown_name("origin", f"{origin:%Y-%m-%d}", [path.name for path in known], where=str(folder))
    return found


def _forecast(run: Path, kind: UnitKind) -> Forecast:
    if not (run / PATHS).is_file():
        hint = f"`forecast run --as-of {run.name}` makes it anew"
        raise InputError(f"the run has no {PATHS}: an earlier version made it", where=str(run), hint=hint)
    found = {each.units.kind: each for each in read_forecasts(run / PATHS)}
    if kind not in found:
        raise InputError(f"the run has no {kind}s", where=str(run), expected=", ".join(f"{each}s" for each in found))
    return found[kind]


def _write_hub(
    work: Path, workspace: Workspace, settings: ExportSettings, forecasts: Sequence[Forecast], inputs: Inputs
) -> None:
    fewest = min(each.draws for each in forecasts)
    hub = HubSettings(
        title=f"{'SIMULATED: ' if inputs.simulated else ''}{workspace.spec.title}",
        version=forecast.__version__,
        team=settings.team,
        types=settings.types,
        draws=min(HUB_DRAWS, fewest) if settings.draws is None else settings.draws,
        file_format=settings.file_format or "csv",
    )
    write_hub(work, forecasts, inputs.panels[settings.kind], hub, _models(workspace))


def _models(workspace: Workspace) -> list[ModelSpec]:
    combination = workspace.spec.combination
    return [*workspace.catalogue.values(), *([combined_spec(combination)] if combination else [])]


def _write_views(work: Path, workspace: Workspace, settings: ExportSettings, each: Forecast, inputs: Inputs) -> None:
    day = f"{each.origin:%Y-%m-%d}"
    rng = generator(workspace.spec.backtest.seed, "months", each.model, settings.kind, day)
    months = monthly(each, inputs.known(settings.kind, each.origin), rng)
    rows = views_rows(months, each.units, settings.draws or VIEWS_DRAWS)
    ending = settings.file_format or "parquet"
    write_views(work / level_of(each.units) / f"window={day}" / f"predictions.{ending}", rows)


def _write_hdx(work: Path, run: Path, each: Forecast, *, nested: bool) -> None:
    folder = work / run.name if nested else work
    folder.mkdir(exist_ok=True)
    table = read_table(run / "risk.csv")
    risk = table.frame.assign(probability=pd.to_numeric(table.frame["probability"]))
    (folder / "risk.csv").write_bytes(tagged_csv(risk_rows(risk, each.units, each.model)))
    (folder / "weekly.csv").write_bytes(tagged_csv(weekly_table(each)))


def _note(
    workspace: Workspace, settings: ExportSettings, report: str, forecasts: dict[Path, Forecast], inputs: Inputs
) -> dict[str, Any]:
    """Return where the export comes from."""
    first = next(iter(forecasts.values()))
    return {
        "format": settings.format,
        "workspace": workspace.spec.title,
        "report": report,
        "units": settings.kind,
        "counts": inputs.panels[settings.kind].source,
        "simulated": inputs.simulated,
        "weeks": f"{first.origin.day_name()} to {(first.origin - pd.Timedelta(days=1)).day_name()}",
        "runs": {
            run.name: {"model": each.model, "manifest": hash_file(run / "manifest.json"), "draws": each.draws}
            for run, each in forecasts.items()
        },
        "version": forecast.__version__,
    }
