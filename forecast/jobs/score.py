"""Scores of forecasts that were made elsewhere, by a table of outcomes or the counts of a workspace."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from forecast.evaluation.forecast_table import read_forecasts, read_outcomes
from forecast.evaluation.table_scores import common_cells, score_tables, summarise
from forecast.jobs.inputs import open_inputs
from forecast.panel.panel import Panel
from forecast.provenance import generator
from forecast.workspace import Workspace


@dataclass(frozen=True)
class FileScores:
    """Scores of the forecasts of a file.

    Parameters
    ----------
    models, horizons : DataFrame
        As `forecast.evaluation.table_scores.summarise`, by model, and by model and horizon; the horizons are empty
        where the file does not tell them.
    first, last : Timestamp
        Last days of the first and of the last week scored.
    unknown : int
        Forecasts of which it is not known what came.
    unknown_units : tuple of str
    skipped : int
        Rows of kinds that are not scored.
    missing : dict of str to int
        How many forecasts that another model has each one lacks; empty if each was scored on its own.
    """

    models: pd.DataFrame
    horizons: pd.DataFrame
    first: pd.Timestamp
    last: pd.Timestamp
    unknown: int
    unknown_units: tuple[str, ...]
    skipped: int
    missing: dict[str, int]


def score_file(
    path: Path, *, outcomes: Path | None = None, workspace: Workspace | None = None, each: bool = False
) -> FileScores:
    """Score the forecasts of a file.

    Parameters
    ----------
    path : Path
        As `forecast.evaluation.forecast_table.read_forecasts`.
    outcomes : Path, optional
        As `forecast.evaluation.forecast_table.read_outcomes`.
    workspace : Workspace, optional
        Whose counts say what came, where there are no `outcomes`.
    each : bool, default False
        Score each model on all that it has, not only on what all of them have.

    Raises
    ------
    InputError
        For whatever is wrong in the files, and if nothing can be scored.
    """
    tables, skipped = read_forecasts(path)
    came = read_outcomes(outcomes) if outcomes is not None else _counts(workspace)
    scored = score_tables(tables, came)
    cells, missing = (scored.cells, {}) if each else common_cells(scored.cells)
    rng = generator(0, "score", path.name)
    ahead = cells[cells["horizon"] > 0]
    return FileScores(
        models=summarise(cells, rng),
        horizons=summarise(ahead, rng, by=("model", "horizon")),
        first=cells["end"].min(),
        last=cells["end"].max(),
        unknown=scored.unknown,
        unknown_units=scored.unknown_units,
        skipped=skipped,
        missing=missing,
    )


def _counts(workspace: Workspace | None) -> pd.DataFrame:
    """Return what is known of the regions and places of a workspace."""
    if workspace is None:
        raise TypeError("either outcomes or a workspace")
    return pd.concat([_observed(panel) for panel in open_inputs(workspace).panels.values()], ignore_index=True)


def _observed(panel: Panel) -> pd.DataFrame:
    week, unit = np.nonzero(panel.observed)
    ends = (panel.weeks + pd.Timedelta(days=6)).to_numpy().astype("datetime64[s]")
    names = np.asarray(panel.units.names, dtype=object)
    return pd.DataFrame({"unit": names[unit], "end": ends[week], "observed": panel.counts[week, unit]})
