"""What is wrong with the forecasts of one model of a record, if anything: by group, and by tests of all of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from forecast.evaluation.count_tests import (
    Statistic,
    frequency_test,
    pit_moments_test,
    score_moments,
    serial_dependence_test,
    unconditional_test,
)
from forecast.evaluation.diagnosis import diagnose, season
from forecast.evaluation.diebold_mariano import holm
from forecast.evaluation.record import HEAD, BacktestRecord
from forecast.evaluation.score_grid import ScoreGrid
from forecast.panel.units import UnitKind
from forecast.panel.weeks import WEEK
from forecast.provenance import generator

Floats = NDArray[np.float64]

TESTS = {
    "bias": "as much came as was forecast (mean of the PIT)",
    "dispersion": "ranges are as wide as they should be (variance of the PIT)",
    "zeros": "weeks without an event came as often as forecast",
    "rps": "the CRPS is what the forecasts say it should be (Wei and Held)",
    "log": "the log score is what the forecasts say it should be (Wei and Held)",
    "dss": "the Dawid-Sebastiani score is what the forecasts say it should be (Wei and Held)",
    "serial": "one week ahead, a week's error tells nothing of those of the next four weeks",
}
"""What each test supposes; a small p-value speaks against it."""


@dataclass(frozen=True)
class PitCells:
    """The PIT of one model's forecasts with what they were of.

    Parameters
    ----------
    pit : ndarray, shape (cells, 2)
        Cdf at the observed count less one, and at the observed count.
    origin, week : DatetimeIndex, shape (cells,)
        When it was forecast, and the week that was forecast.
    horizon : ndarray of int, shape (cells,)
    activity : ndarray of str, shape (cells,)
    unit : ndarray of int, shape (cells,)
    """

    pit: Floats
    origin: pd.DatetimeIndex
    week: pd.DatetimeIndex
    horizon: NDArray[np.int64]
    activity: NDArray[np.object_]
    unit: NDArray[np.intp]

    def __len__(self) -> int:
        return len(self.pit)

    def where(self, mask: NDArray[np.bool_]) -> PitCells:
        """Return the cells where the mask holds."""
        return PitCells(
            self.pit[mask],
            self.origin[mask],
            self.week[mask],
            self.horizon[mask],
            self.activity[mask],
            self.unit[mask],
        )


@dataclass(frozen=True)
class RecordDiagnosis:
    """How calibrated a model was over a record.

    Parameters
    ----------
    groups : DataFrame
        As `forecast.evaluation.diagnosis.diagnose`: over all cells, by horizon, activity, season and year.
    tests : DataFrame
        test, supposes, statistic, p, p_holm, n: one row for each of `TESTS`. Counts of 10 and more are taken as 10 by
        those that need the whole distribution.
    """

    groups: pd.DataFrame
    tests: pd.DataFrame


def pit_cells(record: BacktestRecord, model: str, unit_kind: UnitKind = "region") -> PitCells:
    """Return the PIT of a model's forecasts of one kind of unit, ordered by origin, horizon and unit."""
    grid = ScoreGrid.of(record.scores[record.scores["model"] == model], unit_kind)
    if not grid.models:
        none = pd.DatetimeIndex([])
        words, whole = np.empty(0, object), np.empty(0, np.int64)
        return PitCells(np.empty((0, 2)), none, none, whole, words, whole.astype(np.intp))
    pit = np.stack([grid.values[bound][0] for bound in ("pit_below", "pit_upto")], axis=-1)
    origin, horizon, unit = np.nonzero(np.isfinite(pit).all(axis=-1))
    ahead = grid.horizons[horizon]
    issued = grid.origins[origin]
    return PitCells(
        pit[origin, horizon, unit],
        issued,
        issued + (ahead - 1) * WEEK,
        ahead,
        grid.activity[origin, unit],
        unit,
    )


def diagnose_record(record: BacktestRecord, model: str, *, unit_kind: UnitKind = "region") -> RecordDiagnosis | None:
    """Return how calibrated a model was over a record; None if the record holds no forecast of it.

    Parameters
    ----------
    record : BacktestRecord
    model : str
    unit_kind : {"region", "place"}
    """
    cells = pit_cells(record, model, unit_kind)
    if not len(cells):
        return None
    groups = {
        "horizon": cells.horizon,
        "activity": cells.activity.astype(str),
        "season": season(cells.week),
        "year": (cells.week + pd.Timedelta(days=6)).year.to_numpy(),  # a week belongs to the year in which it ends
    }
    rng = generator(0, "diagnosis", record.name, model)
    return RecordDiagnosis(diagnose(cells.pit, cells.week, rng, groups=groups), _tests(record, model, unit_kind, cells))


def _tests(record: BacktestRecord, model: str, unit_kind: UnitKind, cells: PitCells) -> pd.DataFrame:
    table = record.forecasts
    rows = table[(table["model"] == model) & (table["unit_kind"] == unit_kind)].dropna(subset=["observed"])
    head = rows[[f"p{count}" for count in range(HEAD)]].to_numpy(np.float64)
    observed, week = rows["observed"].to_numpy(np.int64), pd.DatetimeIndex(rows["week"])
    found: dict[str, Statistic] = {
        "bias": pit_moments_test(cells.pit, cells.week, moment="bias"),
        "dispersion": pit_moments_test(cells.pit, cells.week, moment="dispersion"),
        "zeros": frequency_test(head[:, 0], observed == 0, week),
    }
    for rule in ("rps", "log", "dss"):
        # A forecast of counts is one of counts cut off at 10 as well, and right if the whole one is.
        moments = score_moments(head, np.minimum(observed, HEAD), rule)
        found[rule] = unconditional_test(moments, week)
    found["serial"] = serial_dependence_test(_first_horizon(cells))
    tests = pd.DataFrame([(name, TESTS[name], *found[name]) for name in TESTS])
    tests.columns = pd.Index(["test", "supposes", "statistic", "p", "n"])
    return tests.assign(p_holm=holm(tests["p"].to_numpy()))


def _first_horizon(cells: PitCells) -> Floats:
    """Return the PIT one week ahead, shape (weeks, units, 2)."""
    first = cells.where(cells.horizon == 1)
    shape = (0, 1, 2)
    if not len(first):
        return np.empty(shape)
    weeks = pd.date_range(first.week.min(), first.week.max(), freq=WEEK)
    pit = np.full((len(weeks), int(first.unit.max()) + 1, 2), np.nan)
    pit[weeks.get_indexer(first.week), first.unit] = first.pit
    return pit
