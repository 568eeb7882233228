"""Scores of forecasts that were made elsewhere: cell by cell, and by model and horizon with a verdict."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from forecast.errors import InputError
from forecast.evaluation.calibration import central_coverage
from forecast.evaluation.count_tests import MOMENTS, pit_moments, pit_moments_test
from forecast.evaluation.diagnosis import coverage, verdict
from forecast.evaluation.forecast_table import ForecastTable
from forecast.evaluation.quantile_scores import pit_of_quantiles
from forecast.evaluation.record import QUANTILE_LEVELS
from forecast.evaluation.sample_scores import crps_samples
from forecast.evaluation.scores import crps_pmf, dawid_sebastiani, log_score, weighted_interval_score

Floats = NDArray[np.float64]

CELL = ["model", "unit", "origin", "end", "horizon"]
SCORED = ("crps", "log", "dss", "wis")
FEWEST_LEVELS = 7
"""With fewer quantiles nothing is said of calibration: the distribution between them is guessed."""


@dataclass(frozen=True)
class ScoredTable:
    """Scores of forecasts, and what could not be scored.

    Parameters
    ----------
    cells : DataFrame
        One row a forecast: model, unit, origin, end, horizon, kind, observed, crps, log, dss, wis, pit_below, pit_upto.
        NaN where the kind of forecast does not tell: quantiles have no CRPS, log or DSS; samples no log score.
    unknown : int
        Forecasts of which it is not known what came.
    unknown_units : tuple of str
        Units of which nothing is known.
    """

    cells: pd.DataFrame
    unknown: int
    unknown_units: tuple[str, ...]


def score_tables(tables: Sequence[ForecastTable], outcomes: pd.DataFrame) -> ScoredTable:
    """Score forecasts by what came, each once: by the kind that tells most of it, if there are several.

    Parameters
    ----------
    tables : sequence of ForecastTable
        A pmf tells more than samples, and these tell more than quantiles.
    outcomes : DataFrame
        unit, end (last day of the week), observed.

    Raises
    ------
    InputError
        If of no forecast it is known what came; if quantiles cross, or probabilities sum to more than 1.
    """
    known = outcomes.set_index(["unit", "end"])["observed"]
    parts, without = [], []
    units = sorted({str(unit) for table in tables for unit in table.rows["unit"].unique()})
    for table in tables:
        cells, codes = _cells(table.rows)
        observed = known.reindex(pd.MultiIndex.from_frame(cells[["unit", "end"]])).to_numpy(np.float64)
        here = np.isfinite(observed)
        without.append(cells[~here])
        if not here.any():
            continue
        position = np.cumsum(here) - 1
        rows = table.rows[here[codes]].assign(case=position[codes[here[codes]]])
        cells = cells[here].reset_index(drop=True).assign(kind=table.kind, observed=observed[here].astype(np.int64))
        scorer = {"quantile": _score_quantiles, "sample": _score_samples, "pmf": _score_pmf}[table.kind]
        parts.append(scorer(rows, cells))
    unknown = sum(~pd.concat(without).duplicated(CELL)) if without else 0
    absent = tuple(unit for unit in units if unit not in set(outcomes["unit"]))
    if not parts:
        raise InputError(
            f"of none of the {unknown} forecasts it is known what came",
            where=f"units {', '.join(map(repr, units[:3]))}{' ...' if len(units) > 3 else ''}",
            expected=_expected(outcomes),
        )
    return ScoredTable(_one_kind_each(pd.concat(parts, ignore_index=True)), unknown, absent)


def summarise(cells: pd.DataFrame, rng: np.random.Generator, *, by: Sequence[str] = ("model",)) -> pd.DataFrame:
    """Return mean scores, coverage and a verdict in words of each group.

    Parameters
    ----------
    cells : DataFrame
        As in `ScoredTable`.
    rng : Generator
        Of the bootstrap of coverage.
    by : sequence of str
        Columns, such as model and horizon.

    Returns
    -------
    DataFrame
        The columns of `by`, n, crps, log, dss, wis, cov50, cov80, cov95, cov80_low, cov80_high, bias, dispersion,
        verdict. A score that not all cells of a group have is NaN.
    """
    rows = []
    for label, group in cells.groupby(list(by), sort=True, observed=True):
        row = dict(zip(by, label if isinstance(label, tuple) else (label,), strict=True))
        row["n"] = len(group)
        row |= {score: float(group[score].to_numpy(np.float64).mean()) for score in SCORED}
        pit, end = group[["pit_below", "pit_upto"]].to_numpy(np.float64), group["end"]
        row |= dict(zip(("cov50", "cov80", "cov95"), central_coverage(pit), strict=True))
        row |= _judged(pit, end, rng)
        rows.append(row)
    return pd.DataFrame(rows)


def common_cells(cells: pd.DataFrame) -> tuple[pd.DataFrame, dict[str, int]]:
    """Return the forecasts that all models have, and how many that another one has each model lacks.

    Raises
    ------
    InputError
        If no forecast is common to all.
    """
    models = sorted(cells["model"].unique())
    case = cells.groupby(["unit", "origin", "end", "horizon"], dropna=False, observed=True).ngroup()
    have = cells.groupby(case)["model"].transform("nunique") == len(models)
    total = case.nunique()
    missing = {model: int(total - case[cells["model"] == model].nunique()) for model in models}
    if not have.any():
        lacking = ", ".join(f"{model} lacks {count}" for model, count in missing.items())
        raise InputError(
            "no forecast is common to all models", where=lacking, hint="score each on its own: --each, or fewer models"
        )
    return cells[have].reset_index(drop=True), missing


def _one_kind_each(cells: pd.DataFrame) -> pd.DataFrame:
    """Return one row a forecast, of the kind that tells most."""
    telling = cells["kind"].map({"pmf": 0, "sample": 1, "quantile": 2}).sort_values(kind="stable")
    return cells.drop(index=telling.index[cells.loc[telling.index].duplicated(CELL)]).reset_index(drop=True)


def _cells(rows: pd.DataFrame) -> tuple[pd.DataFrame, NDArray[np.integer]]:
    """Return one row a forecast, and of which each row of the table is."""
    codes = rows.groupby(CELL, sort=False, dropna=False).ngroup().to_numpy(np.intp)
    first = np.unique(codes, return_index=True)[1]
    return rows.iloc[first][CELL].reset_index(drop=True), codes


def _score_quantiles(rows: pd.DataFrame, cells: pd.DataFrame) -> pd.DataFrame:
    wide = rows.pivot_table(index="case", columns="key", values="value")
    scored = []
    # Forecasts may have levels of their own; those that share theirs are scored together.
    pattern = wide.notna().to_numpy()
    _, kind = np.unique(pattern, axis=0, return_inverse=True)
    for each in range(int(kind.max()) + 1):
        at = np.flatnonzero(kind == each)
        have = pattern[at[0]]
        levels = [float(level) for level in wide.columns[have]]
        values = wide.to_numpy(np.float64)[at][:, have].T
        part = cells.iloc[at]
        crossing = (np.diff(values, axis=0) < 0).any(axis=0)
        if crossing.any():
            first = int(np.argmax(crossing))
            named, told = part.iloc[first], ", ".join(f"{value:g}" for value in values[:, first])
            raise InputError(
                f"quantiles that cross: {told}",
                where=f"model {named['model']!r}, unit {named['unit']!r}, week until {named['end']:%Y-%m-%d}",
                expected="none lower than one of a lower level",
            )
        observed = part["observed"].to_numpy(np.int64)
        wis = weighted_interval_score(values, levels, observed)
        pit = pit_of_quantiles(values, levels, observed)
        if len(levels) < FEWEST_LEVELS:
            pit = np.full_like(pit, np.nan)
        scored.append(_with_scores(part, {"wis": wis}, pit))
    return pd.concat(scored).sort_index()


def _score_samples(rows: pd.DataFrame, cells: pd.DataFrame) -> pd.DataFrame:
    ordered = rows.sort_values("case", kind="stable")
    count = np.bincount(ordered["case"])
    value = ordered["value"].to_numpy(np.int64)
    scored = []
    for size in np.unique(count):
        at = np.flatnonzero(count == size)
        start = np.concatenate([[0], np.cumsum(count)])[at]
        samples = value[start[None, :] + np.arange(size)[:, None]]
        part = cells.iloc[at]
        y = part["observed"].to_numpy(np.int64)
        quantiles = np.quantile(samples, QUANTILE_LEVELS, axis=0, method="inverted_cdf")
        scores = {
            "crps": crps_samples(samples, y),
            "dss": dawid_sebastiani(samples.mean(axis=0), samples.var(axis=0), y),
            "wis": weighted_interval_score(quantiles, QUANTILE_LEVELS, y),
        }
        pit = np.column_stack([(samples < y).mean(axis=0), (samples <= y).mean(axis=0)])
        scored.append(_with_scores(part, scores, pit))
    return pd.concat(scored).sort_index()


def _score_pmf(rows: pd.DataFrame, cells: pd.DataFrame) -> pd.DataFrame:
    pmf = np.zeros((len(cells), int(rows["key"].max()) + 1))
    pmf[rows["case"], rows["key"].to_numpy(np.int64)] = rows["value"]
    total = pmf.sum(axis=1)
    if (total > 1 + 1e-3).any():
        first = cells.iloc[int(np.argmax(total))]
        raise InputError(
            f"probabilities of {first['unit']!r}, week until {first['end']:%Y-%m-%d}, sum to {total.max():.3f}",
            expected="at most 1; what is missing to 1 lies above the largest count",
        )
    pmf /= np.maximum(total, 1.0)[:, None]
    y, k = cells["observed"].to_numpy(np.int64), pmf.shape[1]
    count = np.arange(k + 1, dtype=np.float64)
    whole = np.column_stack([pmf, 1 - pmf.sum(axis=1)]).clip(0, 1)  # the rest lies at k
    mean = whole @ count
    cdf = np.minimum(np.cumsum(whole, axis=1), 1.0)
    at, case = np.minimum(y, k), np.arange(len(y))
    upto = np.where(y > k, 1.0, cdf[case, at])
    below = np.where(y > k, 1.0, upto - whole[case, at])
    scores = {
        "crps": crps_pmf(pmf, y),
        "log": log_score(np.where(y > k, 0.0, whole[case, at])),
        "dss": dawid_sebastiani(mean, whole @ count**2 - mean**2, y),
        "wis": weighted_interval_score(_quantiles_of(cdf), QUANTILE_LEVELS, y),
    }
    return _with_scores(cells, scores, np.column_stack([below, upto]))


def _quantiles_of(cdf: Floats) -> NDArray[np.int64]:
    """Return the smallest count whose cdf reaches each of the hubs' levels, shape (levels, cases)."""
    return np.stack([(cdf < level - 1e-12).sum(axis=1) for level in QUANTILE_LEVELS])


def _with_scores(cells: pd.DataFrame, scores: dict[str, Floats], pit: Floats) -> pd.DataFrame:
    known = {score: scores.get(score, np.full(len(cells), np.nan)) for score in SCORED}
    return cells.assign(**known, pit_below=pit[:, 0], pit_upto=pit[:, 1])


def _judged(pit: Floats, end: pd.Series, rng: np.random.Generator) -> dict[str, object]:
    known = np.isfinite(pit).all(axis=1)
    if not known.all():
        unknown = dict.fromkeys(("cov80_low", "cov80_high", "bias", "dispersion"), np.nan)
        return {**unknown, "verdict": "too few quantiles to tell"}
    held = coverage(pit, end, rng, levels=[0.8]).iloc[0]
    value: dict[str, float] = {moment: float(pit_moments(pit, moment).mean()) for moment in MOMENTS}
    p = {moment: pit_moments_test(pit, end, moment=moment).p for moment in MOMENTS}
    told = verdict(value["bias"], p["bias"], value["dispersion"], p["dispersion"])
    return {"cov80_low": held["low"], "cov80_high": held["high"], **value, "verdict": told}


def _expected(outcomes: pd.DataFrame) -> str:
    units = ", ".join(repr(str(unit)) for unit in sorted(outcomes["unit"].unique())[:3])
    first, last = outcomes["end"].min(), outcomes["end"].max()
    return f"units such as {units}, weeks that end from {first:%Y-%m-%d} to {last:%Y-%m-%d}"
