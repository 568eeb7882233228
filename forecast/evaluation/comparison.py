"""Which model was better, where, and how sure that is; always on the cells that all models have forecast."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from forecast.evaluation.calibration import COVERAGE_LEVELS, central_coverage
from forecast.evaluation.resampling import bootstrap_interval
from forecast.evaluation.score_grid import Breakdown, ScoreGrid
from forecast.evaluation.scores import LOG_CAP, SCORES
from forecast.families.model import ModelSpec
from forecast.language import decimal, say
from forecast.panel.units import UnitKind

Floats = NDArray[np.float64]

MEANS = tuple(score for score in SCORES if not score.startswith("pit"))
COVERAGES = tuple(f"cov{level * 100:g}" for level in COVERAGE_LEVELS)
SKILL_LEVEL = 0.9
OFTEN_CAPPED = 0.05
"""Share of log scores at their cap above which their mean tells little but how often that is so."""
ROUNDING = 1e-12
"""A mean CRPS of no more is 0 but for rounding: that of a forecast that was always right."""


def reference_models(models: Iterable[ModelSpec]) -> tuple[str, ...]:
    """Return the models that skill may be measured against: the climatologies; without any, "zero" models."""
    specs = list(models)
    for family in ("climatology", "zero"):
        found = tuple(spec.name for spec in specs if spec.family == family)
        if found:
            return found
    return ()


def leaderboard(
    scores: pd.DataFrame,
    risk: pd.DataFrame,
    *,
    references: Sequence[str],
    rng: np.random.Generator,
    unit_kind: UnitKind = "region",
) -> pd.DataFrame:
    """Return the mean scores of each model over the common cells, best CRPS first.

    A common cell is an (origin, horizon, unit) that every model has a score for; `missing_cells` counts the others.

    Parameters
    ----------
    scores, risk : DataFrame
        As in `BacktestRecord`.
    references : sequence of str
        Skill is measured against the one of these with the lowest CRPS; NaN if there is none.
    rng : Generator
        Of the bootstrap.
    unit_kind : {"region", "place"}

    Returns
    -------
    DataFrame
        model, n (common cells), crps, log, dss, wis, brier_<escalation>, cov50, cov80, cov95, skill
        (``1 - CRPS / CRPS of the reference``), skill_low, skill_high: its 90 % interval from
        `forecast.evaluation.resampling.bootstrap_interval` over the origins, NaN with fewer than two blocks of 13;
        log_capped, the share of the cells whose log score is `forecast.evaluation.scores.LOG_CAP`.

    Raises
    ------
    InputError
        If a score stands in the table twice.
    """
    grid = ScoreGrid.of(scores, unit_kind)
    common = grid.common()
    rows = [_means(grid, at, common) for at in range(len(grid.models))]
    board = pd.DataFrame(rows, columns=["n", *MEANS, *COVERAGES])
    board.insert(0, "model", pd.Series(grid.models, dtype="str"))
    for offset, (rule, means) in enumerate(_briers(risk, grid.models, unit_kind).items()):
        board.insert(2 + len(MEANS) + offset, f"brier_{rule}", means)

    by_origin = np.where(common, grid.values["crps"], 0.0).sum(axis=(2, 3))[:, common.any(axis=(1, 2))]
    base = _best(grid.models, board["crps"].to_numpy(), references)
    board["skill"], board["skill_low"], board["skill_high"] = _skill(by_origin, base, rng)
    capped = grid.values["log"] >= LOG_CAP - 1e-4
    board["log_capped"] = [float(capped[at][common].mean()) if common.any() else np.nan for at in range(len(capped))]
    return board.sort_values(["crps", "model"], ignore_index=True)


def log_note(board: pd.DataFrame) -> str:
    """Return a warning of log scores that are at their cap too often to rank by; empty if there are none.

    Examples
    --------
    >>> log_note(pd.DataFrame({"model": ["a", "zero"], "log_capped": [0.02, 0.6]}))
    'the log score is at its cap of 13.8 in 60 % of the cells of zero: go by the CRPS there'
    """
    often = board[board["log_capped"] > OFTEN_CAPPED]
    if often.empty:
        return ""
    shares = [
        say("{share} % of the cells of {model}", share=f"{100 * share:.0f}", model=model)
        for model, share in zip(often["model"], often["log_capped"].astype(float), strict=True)
    ]
    return say(
        "the log score is at its cap of {cap} in {shares}: go by the CRPS there",
        cap=decimal(LOG_CAP, 1),
        shares=", ".join(shares),
    )


def breakdown(
    scores: pd.DataFrame, by: Breakdown, *, references: Sequence[str] = (), unit_kind: UnitKind = "region"
) -> pd.DataFrame:
    """Return the mean scores of each model within groups of the common cells.

    Parameters
    ----------
    scores : DataFrame
        As in `BacktestRecord`.
    by : {"horizon", "year", "activity"}
        Weeks ahead, year of the target week, or how much happened in the year before the origin.
    references : sequence of str
        Skill is measured against the one with the lowest CRPS over all groups.
    unit_kind : {"region", "place"}

    Returns
    -------
    DataFrame
        `by`, model, n, crps, log, dss, wis, cov50, cov80, cov95, skill; groups ascending, best CRPS first in each.

    Examples
    --------
    >>> week = pd.Timestamp("2026-01-03")
    >>> rows = [("a", week, h, "Mali/Gao", "region", "low", s, 0.5) for h in (1, 2) for s in SCORES]
    >>> columns = ["model", "origin", "horizon", "unit", "unit_kind", "activity", "score", "value"]
    >>> breakdown(pd.DataFrame(rows, columns=columns), "horizon")[["horizon", "model", "n", "crps"]].values.tolist()
    [[1, 'a', 1, 0.5], [2, 'a', 1, 0.5]]
    """
    grid = ScoreGrid.of(scores, unit_kind)
    common = grid.common()
    overall = np.asarray([_means(grid, at, common)[1] for at in range(len(grid.models))])
    base = _best(grid.models, overall, references)
    labels = grid.groups(by)
    tables = []
    for label in np.unique(labels[common]):
        within = common & (labels == label)
        rows = [_means(grid, at, within) for at in range(len(grid.models))]
        table = pd.DataFrame(rows, columns=["n", *MEANS, *COVERAGES])
        table.insert(0, by, label)
        table.insert(1, "model", grid.models)
        crps = table["crps"].to_numpy()
        table["skill"] = np.nan if base is None else _one_less_ratio(crps, crps[base])
        tables.append(table.sort_values(["crps", "model"], ignore_index=True))
    if not tables:
        return pd.DataFrame(columns=[by, "model", "n", *MEANS, *COVERAGES, "skill"])
    return pd.concat(tables, ignore_index=True)


def missing_cells(scores: pd.DataFrame, unit_kind: UnitKind = "region") -> dict[str, int]:
    """Return, for each model, how many cells that another model has a score for it has none for."""
    grid = ScoreGrid.of(scores[(scores["score"] == "crps").to_numpy()], unit_kind)
    known = np.isfinite(grid.values["crps"])
    lacking = (known.any(axis=0) & ~known).sum(axis=(1, 2, 3))
    return {name: int(count) for name, count in zip(grid.models, lacking, strict=True)}


def _means(grid: ScoreGrid, model: int, cells: NDArray[np.bool_]) -> list[float]:
    """Return n, the mean of each score and the coverages of one model over the cells."""
    n = int(cells.sum())
    means = [float(grid.values[score][model][cells].mean()) if n else np.nan for score in MEANS]
    pit = np.stack([grid.values[bound][model][cells] for bound in ("pit_below", "pit_upto")], axis=-1)
    return [n, *means, *central_coverage(pit)]


def _briers(risk: pd.DataFrame, models: list[str], unit_kind: UnitKind) -> dict[str, Floats]:
    """Return the mean Brier score of each model for each escalation, over the cases that all models have."""
    rows = risk[(risk["unit_kind"] == unit_kind) & risk["model"].isin(models)]
    position = {name: at for at, name in enumerate(models)}
    found = {}
    for rule in rows["escalation"].unique():
        cases = rows[rows["escalation"] == rule]
        case = cases.groupby(["origin", "unit"], observed=True).ngroup().to_numpy()
        score = np.full((len(models), case.max() + 1), np.nan)
        score[cases["model"].astype(object).map(position).to_numpy(np.intp), case] = cases["brier"]
        common = np.isfinite(score).all(axis=0)
        found[str(rule)] = score[:, common].mean(axis=1) if common.any() else np.full(len(models), np.nan)
    return found


def _best(models: list[str], crps: Floats, references: Sequence[str]) -> int | None:
    """Return the position of the reference model with the lowest CRPS."""
    among = [at for at, name in enumerate(models) if name in references and np.isfinite(crps[at])]
    return min(among, key=lambda at: crps[at]) if among else None


def _skill(by_origin: Floats, base: int | None, rng: np.random.Generator) -> tuple[Floats, Floats, Floats]:
    """Return skill with its interval from the sums of CRPS, shape (models, origins)."""
    if base is None or not by_origin.shape[1]:
        nothing = np.full(len(by_origin), np.nan)
        return nothing, nothing, nothing
    totals = by_origin.sum(axis=1)
    low, high = bootstrap_interval(
        by_origin.T, np.broadcast_to(by_origin[base], by_origin.shape).T, rng, level=SKILL_LEVEL
    )
    return _one_less_ratio(totals, totals[base]), 1 - high, 1 - low


def _one_less_ratio(values: Floats, base: Floats | float) -> Floats:
    """Return ``1 - values / base``; NaN where the base is 0 but for rounding."""
    under = np.broadcast_to(base, values.shape)
    ratio: Floats = np.divide(values, under, out=np.full(values.shape, np.nan), where=under > ROUNDING)
    return 1 - ratio
