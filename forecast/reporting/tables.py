"""The report's tables as rows of ready texts, with a plain number beside whatever can be sorted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from forecast.evaluation.comparison import breakdown, reference_models
from forecast.evaluation.record import BacktestRecord
from forecast.evaluation.score_grid import Breakdown
from forecast.families.model import ModelSpec
from forecast.language import decimal, decimal_sign, say
from forecast.predictive.escalation import ENOUGH_ORIGINS
from forecast.predictive.risk import ranked
from forecast.reporting.content import ReportContent
from forecast.reporting.rules import rule_titles
from forecast.reporting.scale import plain_word
from forecast.reporting.words import MINUS, UNKNOWN, frequency, number, percent, points, signed_decimal, titles

ACTIVITY_WORDS = {
    "silent": say("no event in the year before"),
    "low": say("1 to 9 events in the year before"),
    "active": say("10 or more events in the year before"),
}

STATISTIC_WORDS = {
    "zeros": say("weeks without an event, share"),
    "maximum": say("largest count of a week"),
    "variance": say("variance of the counts"),
    "lag_one": say("correlation of a region's successive weeks"),
}


@dataclass(frozen=True)
class Cell:
    """What a cell shows, and what it is sorted by (higher first for numbers; unknown last)."""

    text: str
    key: float | str


@dataclass(frozen=True)
class RiskRow:
    """One unit and escalation.

    Parameters
    ----------
    unit, escalation, probability, word, base_rate, change : Cell
    unit_kind : str
    uncalibrated : str
        The probability before recalibration, where it shows as another one; empty otherwise.
    width : float
    base_width : float or None
        Probability and base rate in percent, for the drawn bar.
    """

    unit: Cell
    unit_kind: str
    escalation: Cell
    probability: Cell
    word: Cell
    base_rate: Cell
    change: Cell
    uncalibrated: str
    width: float
    base_width: float | None


def risk_rows(content: ReportContent) -> list[RiskRow]:
    """Return the probabilities of the headline model, the headline escalation first, the highest first.

    Of more regions than the report lists, only those with the highest probability of the headline escalation.
    """
    named = {kind: titles(panel.units) for kind, panel in content.panels.items()}
    called = rule_titles(content.escalations)
    order = {rule.name: position for position, rule in enumerate(content.escalations)}
    order[content.headline_escalation] = -1
    mine = content.risk[content.risk["model"] == content.headline_model].copy()
    mine["order"] = mine["escalation"].map(order)
    if left_out(content):
        asked = mine[(mine["order"] == -1) & (mine["unit_kind"] == "region")]
        shown = ranked(asked)["unit"].head(content.listed)
        mine = mine[(mine["unit_kind"] != "region") | mine["unit"].isin(shown)]
    return [
        _risk_row(row, named[row["unit_kind"]][row["unit"]], called[row["escalation"]])
        for row in ranked(mine, ["order"]).to_dict("records")
    ]


def left_out(content: ReportContent) -> int:
    """Return how many regions the tables do not list."""
    return max(0, len(content.panels["region"].units) - content.listed)


def uncalibrated(row: Mapping[Any, Any]) -> str:
    """Return what a row of `ReportContent.risk` had before recalibration; empty where it shows as the same.

    Examples
    --------
    >>> uncalibrated({"probability": 0.31, "uncalibrated": 0.26}).split()
    ['26', '%']
    >>> uncalibrated({"probability": 0.314, "uncalibrated": 0.313})
    ''
    """
    stated, before = (percent(float(row.get(key, np.nan))) for key in ("probability", "uncalibrated"))
    return "" if before in {stated, UNKNOWN} else before


def breakdown_rows(record: BacktestRecord, models: Sequence[ModelSpec], headline: str) -> list[dict[str, Any]]:
    """Return the scores of the headline model by year of the target week and by how active the regions were."""
    references = reference_models(models)
    keys: tuple[Breakdown, ...] = ("year", "activity")
    frames = [breakdown(record.scores, key, references=references).rename(columns={key: "group"}) for key in keys]
    return [
        {
            "group": ACTIVITY_WORDS.get(str(row["group"]), str(row["group"])),
            **{score: _score(row[score]) for score in ("crps", "log")},
            **{label: _share(row[label]) for label in ("cov50", "cov80", "cov95")},
            "skill": _skill(row["skill"]),
            "n": number(row["n"]),
        }
        for frame in frames
        for row in frame[frame["model"] == headline].to_dict("records")
    ]


def leaderboard_rows(record: BacktestRecord, models: Sequence[ModelSpec], escalation: str) -> list[dict[str, Any]]:
    """Return the leaderboard of a record, best first, as texts by column."""
    known = {model.name: model.title for model in models}
    return [
        {
            "name": row["model"],
            "title": known.get(row["model"], row["model"]),
            "n": number(row["n"]),
            **{score: _score(row.get(score)) for score in ("crps", "log", "wis")},
            "brier": _score(row.get(f"brier_{escalation}")),
            **{label: _share(row.get(label)) for label in ("cov50", "cov80", "cov95")},
            "skill": _skill(row.get("skill")),
            "interval": _interval(row.get("skill_low"), row.get("skill_high")),
        }
        for row in record.leaderboard.to_dict("records")
    ]


def prior_rows(table: pd.DataFrame) -> list[dict[str, str]]:
    """Return what a model's priors make of each statistic, and what the counts have, as texts.

    Examples
    --------
    >>> table = pd.DataFrame([[0.9, 0.2, 0.8, 1.0]], ["zeros"], ["observed", "q5", "median", "q95"])
    >>> prior_rows(table)
    [{'statistic': 'weeks without an event, share', 'observed': '0.9', 'low': '0.2', 'median': '0.8', 'high': '1'}]
    """
    columns = {"observed": "observed", "low": "q5", "median": "median", "high": "q95"}
    return [
        {
            "statistic": STATISTIC_WORDS.get(str(name), str(name)),
            **{key: _two_digits(float(row[column])) for key, column in columns.items()},
        }
        for name, row in table.iterrows()
    ]


def provenance_rows(provenance: Mapping[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    """Return the manifest as pairs of key and value, nested keys joined; lists of objects are told elsewhere.

    Examples
    --------
    >>> provenance_rows({"seed": 1, "versions": {"numpy": "2.4"}, "warnings": []})
    [('seed', '1'), ('versions: numpy', '2.4')]
    """
    rows: list[tuple[str, str]] = []
    for key, value in provenance.items():
        label = f"{prefix}{key}"
        if isinstance(value, Mapping):
            rows += provenance_rows(value, f"{label}: ")
        elif isinstance(value, (list, tuple)):
            items = [str(item) for item in value if not isinstance(item, Mapping)]
            rows += [(label, ", ".join(items))] if items else []
        elif value is not None and value != "":
            rows.append((label, str(value)))
    return rows


def _risk_row(row: dict[Any, Any], title: str, rule: str) -> RiskRow:
    probability, base = float(row["probability"]), float(row["base_rate"])
    change = probability - float(row["previous"])
    few = not np.isnan(base) and row["base_origins"] < ENOUGH_ORIGINS
    rate = frequency(base)
    if few:
        rate = say("{rate} of {origins}", rate=rate, origins=f"{row['base_origins']:.0f}")

    def sortable(value: float) -> float | str:
        return UNKNOWN if np.isnan(value) else round(value, 6)

    return RiskRow(
        unit=Cell(title, title),
        unit_kind=str(row["unit_kind"]),
        escalation=Cell(rule, str(row["escalation"])),
        probability=Cell(percent(probability), sortable(probability)),
        word=Cell(plain_word(probability), sortable(probability)),
        base_rate=Cell(rate, sortable(base)),
        change=Cell(points(change), sortable(change)),
        uncalibrated=uncalibrated(row),
        width=0.0 if np.isnan(probability) else round(100 * probability, 1),
        base_width=None if np.isnan(base) else round(100 * base, 1),
    )


def _two_digits(value: float) -> str:
    return (
        f"{value:.2g}".replace("-", MINUS).replace(".", decimal_sign()) if abs(value) < 99.5 else number(round(value))
    )


def _score(value: Any) -> str:
    return UNKNOWN if value is None or pd.isna(value) else decimal(value, 3)


def _share(value: Any) -> str:
    return UNKNOWN if value is None or pd.isna(value) else frequency(float(value))


def _skill(value: Any) -> str:
    """Return a relative improvement in percent with one decimal; intervals are that narrow on long records."""
    if value is None or pd.isna(value):
        return UNKNOWN
    return signed_decimal(100 * value, 1)


def _interval(low: Any, high: Any) -> str:
    if low is None or high is None or pd.isna(low) or pd.isna(high):
        return ""
    return say("{low} to {high}", low=_skill(low), high=_skill(high))
