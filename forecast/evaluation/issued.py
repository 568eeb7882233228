"""Forecasts that were issued against what came: by issue, over time, against the base rate, the best and the worst."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from forecast.evaluation.calibration import shares_within
from forecast.evaluation.control_chart import ControlChart
from forecast.evaluation.drift import Drift
from forecast.evaluation.resampling import bootstrap_interval, sums_by, week_numbers
from forecast.evaluation.scores import brier

Floats = NDArray[np.float64]

BAND = 0.9
REPLICATES = 2000


@dataclass(frozen=True, eq=False)
class IssuedRecord:
    """What reports said, by the model that each spoke for, and what is known of how it turned out.

    Only the first issue of an origin. What stands as it was known *first* is before any correction of the data.

    Parameters
    ----------
    issues : DataFrame
        One row an issue: issue, origin, issued_at, model.
    statements : DataFrame
        One row an issue, unit and escalation that is decided: issue, origin, unit_kind, unit, escalation, weeks,
        probability, base_rate, level, met (0/1), met_first.
    counts : DataFrame
        One row an issue, unit and week that is known: issue, origin, week, horizon, unit_kind, unit, count, crps,
        pit_below, pit_upto, count_first, crps_first.
    weeks : DatetimeIndex
        Of the charts.
    charts : mapping of {"pit", "score"} to ControlChart
        Of the forecasts of regions one week ahead; empty before the first is known.
    undecided : int
        Statements of which it is not known yet whether they came true.
    """

    issues: pd.DataFrame
    statements: pd.DataFrame
    counts: pd.DataFrame
    weeks: pd.DatetimeIndex
    charts: Mapping[Drift, ControlChart]
    undecided: int


def by_issue(record: IssuedRecord, escalation: str) -> pd.DataFrame:
    """Return each issue against what came in the regions.

    Returns
    -------
    DataFrame
        One row an issue, the latest first: issue, origin, issued_at, statements (decided ones about this escalation),
        stated (how many were to come true), came, brier, brier_base (of the base rate), crps, within (share of counts
        within the 80 % range), corrected (counts that have another value than first known); NaN where nothing is known.
    """
    said, counts = _regions(record.statements), _regions(record.counts)
    said = said[said["escalation"] == escalation]
    said = said.assign(brier=brier(said["probability"], said["met"]), brier_base=brier(said["base_rate"], said["met"]))
    found = said.groupby("issue")
    table = record.issues.set_index("issue")
    table["statements"] = found.size().reindex(table.index, fill_value=0)
    table[["stated", "came"]] = found[["probability", "met"]].sum().reindex(table.index)
    table[["brier", "brier_base"]] = found[["brier", "brier_base"]].mean().reindex(table.index)
    inside = shares_within(counts[["pit_below", "pit_upto"]].to_numpy(np.float64), [0.8])[:, 0]
    counts = counts.assign(within=inside, corrected=counts["count"] != counts["count_first"])
    weeks = counts.groupby("issue")
    table[["crps", "within"]] = weeks[["crps", "within"]].mean().reindex(table.index)
    table["corrected"] = weeks["corrected"].sum().reindex(table.index, fill_value=0)
    return table.reset_index().sort_values("origin", ascending=False, ignore_index=True)


def against_base_rate(statements: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Return how much better than the base rate the statements about regions were.

    Parameters
    ----------
    statements : DataFrame
        As in `IssuedRecord`.
    rng : Generator

    Returns
    -------
    DataFrame
        One row an escalation: escalation, n, stated, came (means), brier, brier_base, skill (one less their ratio),
        low, high (90 % interval by resampling quarters of origins; NaN with fewer than two).
    """
    said = _regions(statements).dropna(subset=["base_rate"])
    rows = []
    for name, part in said.groupby("escalation", sort=False):
        week = week_numbers(part["origin"])
        mine, base = (brier(part[column], part["met"]) for column in ("probability", "base_rate"))
        sums = sums_by(week, np.column_stack([mine, base]), int(week.max()) + 1)
        low, high = bootstrap_interval(sums[:, :1], sums[:, 1:], rng, level=BAND)
        ratio = mine.sum() / base.sum() if base.sum() > 0 else np.nan
        rows.append(
            {
                "escalation": name,
                "n": len(part),
                "stated": part["probability"].mean(),
                "came": part["met"].mean(),
                "brier": mine.mean(),
                "brier_base": base.mean(),
                "skill": 1 - ratio,
                "low": 1 - high[0],
                "high": 1 - low[0],
            }
        )
    columns = ["escalation", "n", "stated", "came", "brier", "brier_base", "skill", "low", "high"]
    return pd.DataFrame(rows, columns=columns)


def over_time(statements: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Return how often statements about regions came true in each quarter, with the band of right ones.

    The band holds the share that came true with probability 90 % if the probabilities are right. Statements on one
    region from origins within the span of the escalation share target weeks; they are taken to come true together, as
    far as their probabilities allow. Regions are taken as independent, which makes the band too narrow where one wave
    reaches many.

    Parameters
    ----------
    statements : DataFrame
        As in `IssuedRecord`, of one escalation or several.
    rng : Generator

    Returns
    -------
    DataFrame
        One row an escalation and calendar quarter of origins, in order: escalation, start (first day of the quarter),
        n, stated, came, low, high.
    """
    rows = []
    said = _regions(statements)
    start = said["origin"].dt.to_period("Q").dt.start_time.rename("start")
    for (name, first), part in said.groupby(["escalation", start], sort=True):
        p = part["probability"].to_numpy(np.float64)
        # One draw for a region and span: whoever is more probable than it says has come.
        span = part["origin"].dt.as_unit("s").astype("int64") // (7 * 86400) // part["weeks"]
        _, group = np.unique(part["unit"].astype(str) + " " + span.astype(str), return_inverse=True)
        drawn = rng.random((REPLICATES, int(group.max()) + 1))
        share = (drawn[:, group] < p).mean(axis=1)
        low, high = np.quantile(share, [(1 - BAND) / 2, (1 + BAND) / 2])
        rows.append((name, first, len(part), p.mean(), part["met"].mean(), low, high))
    return pd.DataFrame(rows, columns=["escalation", "start", "n", "stated", "came", "low", "high"])


def calls(statements: pd.DataFrame, count: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the best and the worst calls: the statements about regions that gained and lost most on the base rate.

    The gain is the Brier score of the base rate less that of the statement. Of statements on one region that share
    target weeks only the one that stands out most is returned.

    Parameters
    ----------
    statements : DataFrame
        As in `IssuedRecord`.
    count : int
        The most of each.

    Returns
    -------
    best, worst : DataFrame
        The columns of the statements, and gain: positive in the first, negative in the second.
    """
    said = _regions(statements).dropna(subset=["base_rate"])
    gain = brier(said["base_rate"], said["met"]) - brier(said["probability"], said["met"])
    said = said.assign(gain=gain)
    ordered = said.sort_values(["gain", "origin", "unit", "escalation"], ascending=[False, True, True, True])
    best = _apart(ordered[ordered["gain"] > 0], count)
    worst = _apart(ordered[ordered["gain"] < 0].iloc[::-1], count)
    return best, worst


def corrections(record: IssuedRecord) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return what corrections of the data have changed.

    Returns
    -------
    weeks : DataFrame
        One row a week and region or place whose count was corrected: unit_kind, unit, week, count_first, count,
        crps_first, crps (means over the issues that forecast it), the latest first.
    turned : DataFrame
        Statements that came true, or did not, only by the corrected data; the columns of the statements.
    """
    counts = record.counts
    changed = counts[counts["count"] != counts["count_first"]]
    keys = ["unit_kind", "unit", "week"]
    weeks = changed.groupby(keys, as_index=False)[["count_first", "count", "crps_first", "crps"]].mean()
    weeks = weeks.astype({"count_first": "int64", "count": "int64"})
    weeks = weeks.sort_values(["week", "unit_kind", "unit"], ascending=[False, False, True], ignore_index=True)
    said = record.statements
    return weeks, said[said["met"] != said["met_first"]].reset_index(drop=True)


def _regions(table: pd.DataFrame) -> pd.DataFrame:
    return table[table["unit_kind"] == "region"]


def _apart(ordered: pd.DataFrame, count: int) -> pd.DataFrame:
    """Return the first rows, none of which shares a region and target weeks with one before it."""
    chosen: list[int] = []
    taken: dict[str, list[tuple[pd.Timestamp, pd.Timestamp]]] = {}
    for at, (unit, origin, weeks) in enumerate(zip(ordered["unit"], ordered["origin"], ordered["weeks"], strict=True)):
        if len(chosen) == count:
            break
        end = origin + pd.Timedelta(weeks=int(weeks))
        spans = taken.setdefault(str(unit), [])
        if all(end <= first or origin >= last for first, last in spans):
            chosen.append(at)
            spans.append((origin, end))
    return ordered.iloc[chosen].reset_index(drop=True)
