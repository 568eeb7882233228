"""The models of a record against each other: how much better, how sure that is, where and when, on what it hangs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from forecast.errors import InputError, unknown_name
from forecast.evaluation.confidence_set import model_confidence_set
from forecast.evaluation.diebold_mariano import diebold_mariano, diebold_mariano_by_horizon
from forecast.evaluation.joint import joint_skill
from forecast.evaluation.losses import CommonLosses, common_losses, skill_table, winners, without_largest
from forecast.evaluation.record import BacktestRecord
from forecast.evaluation.relative_skill import pairwise_ratios, relative_skill
from forecast.evaluation.resampling import BLOCK_WEEKS, bootstrap_interval
from forecast.evaluation.score_grid import ScoreGrid
from forecast.panel.units import UnitKind
from forecast.panel.weeks import WEEK
from forecast.provenance import generator

Floats = NDArray[np.float64]
Loss = Literal["crps", "log", "wis"]

LOSSES: tuple[Loss, ...] = ("crps", "log", "wis")
"""Scores by which models are compared: those that are at least 0, so that their ratio means something."""

DROPPED = (0, 1, 2, 5, 10)
"""How many of the largest weeks are left out."""


@dataclass(frozen=True)
class RecordComparison:
    """The models of a record against each other, on the forecasts that all of them have.

    Parameters
    ----------
    record, score, reference : str
    unit_kind : {"region", "place"}
    models : tuple of str
        The lowest mean loss first.
    n : int
        Forecasts (origin, horizon and unit) that all models have.
    missing : dict of str to int
        How many forecasts that another model has each one lacks.
    first, last : Timestamp
        Origins.
    origins, units : int
    skill : DataFrame
        As `forecast.evaluation.losses.skill_table`; `against` is "zero", "best climatology" or "reference".
    horizons : DataFrame
        model, horizon, n, loss, skill, low, high (against the reference, with a block-bootstrap interval), difference,
        error, statistic, p, p_holm (Diebold and Mariano's test against the reference; Holm's p over the horizons).
    confidence_set : DataFrame
        As `forecast.evaluation.confidence_set.model_confidence_set`; with fewer than two blocks of 13 origins all
        models are inside and p is NaN: so short a record rules out none.
    relative : DataFrame
        As `forecast.evaluation.relative_skill.relative_skill`, scaled by the reference.
    pairs : DataFrame
        As `forecast.evaluation.relative_skill.pairwise_ratios`.
    where : DataFrame
        label (the unit), n, events (in the weeks forecast), best, second, margin, p (of Diebold and Mariano's test
        between the two), and the mean loss of each model.
    when : DataFrame
        The same for each quarter of the weeks forecast, label such as "2019 Q3".
    joint : DataFrame
        Skill on joint paths, as `forecast.evaluation.joint.joint_skill`.
    largest : DataFrame
        As `forecast.evaluation.losses.without_largest`; large are the weeks with most events.
    course : DataFrame
        week, model, total: the sum, up to this week, of the reference's losses less those of the model.
    """

    record: str
    score: Loss
    reference: str
    unit_kind: UnitKind
    models: tuple[str, ...]
    n: int
    missing: dict[str, int]
    first: pd.Timestamp
    last: pd.Timestamp
    origins: int
    units: int
    skill: pd.DataFrame
    horizons: pd.DataFrame
    confidence_set: pd.DataFrame
    relative: pd.DataFrame
    pairs: pd.DataFrame
    where: pd.DataFrame
    when: pd.DataFrame
    joint: pd.DataFrame
    largest: pd.DataFrame
    course: pd.DataFrame


def compare_record(
    record: BacktestRecord,
    reference: str,
    *,
    usual: Mapping[str, Sequence[str]] | None = None,
    models: Sequence[str] = (),
    score: Loss = "crps",
    unit_kind: UnitKind = "region",
    seed: int = 0,
) -> RecordComparison:
    """Compare the models of a record.

    Parameters
    ----------
    record : BacktestRecord
    reference : str
        The model that the others are held against.
    usual : mapping of what it is to models, optional
        Further references, such as ``{"zero": ["zero"], "best climatology": ["climatology-52"]}``: the best of each.
    models : sequence of str
        All of the record if empty; the reference is among them in any case.
    score : {"crps", "log", "wis"}
    unit_kind : {"region", "place"}
    seed : int
        Of the bootstraps.

    Returns
    -------
    RecordComparison

    Raises
    ------
    InputError
        If a model is not in the record, fewer than two are compared, or no forecast is common to all.
    """
    grid = _chosen(ScoreGrid.of(record.scores, unit_kind), record, reference, models)
    losses = grid.values[score]
    common = common_losses(losses, grid.models)
    shared = np.where(np.isfinite(losses).all(axis=0), losses, np.nan)
    mean = np.nansum(shared, axis=(1, 2, 3)) / common.n
    order = np.argsort(mean, kind="stable")
    names = [grid.models[at] for at in order]
    losses, shared, base = losses[order], shared[order], names.index(reference)
    among = {label: known for label, of in (usual or {}).items() if (known := [name for name in of if name in names])}
    longest = int(grid.horizons.max())

    def rng(task: str) -> np.random.Generator:
        return generator(seed, "compare", record.name, score, task)

    by_week, weeks = _by_target_week(shared, grid)
    events = _events(record, unit_kind, weeks, grid.units)
    quarters = (weeks + pd.Timedelta(days=6)).to_period("Q")
    return RecordComparison(
        record=record.name,
        score=score,
        reference=reference,
        unit_kind=unit_kind,
        models=tuple(names),
        n=common.n,
        missing={name: common.missing[name] for name in names},
        first=grid.origins[0],
        last=grid.origins[-1],
        origins=len(grid.origins),
        units=len(grid.units),
        skill=skill_table(losses, names, {**among, "reference": [reference]}, rng("skill")),
        horizons=_by_horizon(shared, names, base, grid.horizons, rng("horizons")),
        confidence_set=_confidence_set(losses, names, rng("set")),
        relative=relative_skill(losses, names, baseline=reference, horizon=longest),
        pairs=pairwise_ratios(losses, names, horizon=longest),
        where=_where(shared, names, grid, events.sum(axis=0)),
        when=_when(by_week, names, [f"{quarter.year} Q{quarter.quarter}" for quarter in quarters], events.sum(axis=1)),
        joint=joint_skill(record.joint, names, reference, unit_kind, rng("joint")),
        largest=without_largest(by_week, names, by=events.sum(axis=1), drop=DROPPED),
        course=_course(common_losses(by_week, names), names, base, weeks),
    )


def _chosen(grid: ScoreGrid, record: BacktestRecord, reference: str, models: Sequence[str]) -> ScoreGrid:
    """Return the scores of the models that are compared."""
    where = f"the record {record.name}"
    if not grid.models:
        raise InputError("no forecast of this kind of unit", where=where)
    for name in (*models, reference):
        if name not in grid.models:
            raise unknown_name("model", name, grid.models, where=where)
    wanted = [name for name in grid.models if not models or name in {*models, reference}]
    if len(wanted) < 2:
        raise InputError("one model alone cannot be compared", where=where, expected="at least 2 models")
    at = [grid.models.index(name) for name in wanted]
    return replace(grid, models=wanted, values={score: values[at] for score, values in grid.values.items()})


def _confidence_set(losses: Floats, models: Sequence[str], rng: np.random.Generator) -> pd.DataFrame:
    found = model_confidence_set(losses, models, rng)
    return found if losses.shape[1] >= 2 * BLOCK_WEEKS else found.assign(p=np.nan, inside=True)


def _by_horizon(
    shared: Floats, models: Sequence[str], base: int, horizons: NDArray[np.int64], rng: np.random.Generator
) -> pd.DataFrame:
    sums, n = np.nansum(shared, axis=3), np.isfinite(shared[0]).sum(axis=(0, 2))
    tables = []
    for at, model in enumerate(models):
        total, under = sums[at].sum(axis=0), sums[base].sum(axis=0)
        low, high = bootstrap_interval(sums[at], sums[base], rng)
        table = diebold_mariano_by_horizon(shared[at], shared[base], horizons=horizons)
        table = table.drop(columns="n").assign(
            model=model,
            n=n,
            loss=np.divide(total, n, out=np.full(len(n), np.nan), where=n > 0),
            skill=1 - np.divide(total, under, out=np.full(len(n), np.nan), where=under > 0),
            low=1 - high,
            high=1 - low,
        )
        tables.append(table)
    columns = ["model", "horizon", "n", "loss", "skill", "low", "high"]
    return pd.concat(tables, ignore_index=True)[[*columns, "difference", "error", "statistic", "p", "p_holm"]]


def _by_target_week(values: Floats, grid: ScoreGrid) -> tuple[Floats, pd.DatetimeIndex]:
    """Return values (models, weeks forecast, horizons, units) from those by origin, and the weeks."""
    weeks = pd.date_range(
        grid.origins[0] + (int(grid.horizons[0]) - 1) * WEEK,
        grid.origins[-1] + (int(grid.horizons[-1]) - 1) * WEEK,
        freq=WEEK,
    )
    found = np.full((len(values), len(weeks), *values.shape[2:]), np.nan)
    for at, horizon in enumerate(grid.horizons):
        found[:, weeks.get_indexer(grid.origins + (int(horizon) - 1) * WEEK), at] = values[:, :, at]
    return found, weeks


def _events(record: BacktestRecord, unit_kind: UnitKind, weeks: pd.DatetimeIndex, units: Sequence[str]) -> Floats:
    """Return how many events came in each week and unit, shape (weeks, units)."""
    table = record.forecasts
    rows = table.loc[table["unit_kind"] == unit_kind, ["week", "unit", "observed"]].dropna()
    rows = rows[~rows.duplicated(["week", "unit"])]
    found = np.zeros((len(weeks), len(units)))
    week = weeks.get_indexer(pd.DatetimeIndex(rows["week"]))
    unit = pd.Index(units).get_indexer(pd.Index(rows["unit"].astype(str)))
    inside = (week >= 0) & (unit >= 0)
    found[week[inside], unit[inside]] = rows["observed"].to_numpy(np.float64)[inside]
    return found


def _where(shared: Floats, models: Sequence[str], grid: ScoreGrid, events: Floats) -> pd.DataFrame:
    table = winners(shared, models, grid.units, axis="unit")
    p = []
    for at, row in enumerate(table.to_dict("records")):
        if not row["n"]:
            p.append(np.nan)
            continue
        first, second = (shared[models.index(name), :, :, at] for name in (row["best"], row["second"]))
        p.append(diebold_mariano(first, second, horizon=int(grid.horizons.max())).p)
    table.insert(2, "events", events.astype(np.int64))
    table.insert(6, "p", p)
    return table


def _when(by_week: Floats, models: Sequence[str], labels: Sequence[str], events: Floats) -> pd.DataFrame:
    table = winners(by_week, models, labels, axis="time")
    table.insert(2, "events", pd.Series(events).groupby(np.asarray(labels)).sum()[table["label"]].to_numpy(np.int64))
    return table[table["n"] > 0].reset_index(drop=True)


def _course(common: CommonLosses, models: Sequence[str], base: int, weeks: pd.DatetimeIndex) -> pd.DataFrame:
    sums, _ = common.weekly()
    total = np.cumsum(sums[base] - sums, axis=1)
    return pd.DataFrame(
        {"week": np.tile(weeks, len(models)), "model": np.repeat(list(models), len(weeks)), "total": total.ravel()}
    )
