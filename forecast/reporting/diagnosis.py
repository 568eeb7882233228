"""What is wrong with the headline model's forecasts, if anything: a verdict in words, tests, and a table by group."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import pandas as pd

from forecast.evaluation.record import BacktestRecord
from forecast.evaluation.record_diagnosis import RecordDiagnosis, diagnose_record
from forecast.reporting.tables import ACTIVITY_WORDS
from forecast.reporting.words import DASH, MINUS, SPACE, UNKNOWN, frequency, listing, number

CHANCE = 0.05
"""Below this p-value a test speaks against the forecasts."""

_TOO_FEW = "too few weeks to tell"
_FINE = "no fault found"
_KINDS = {"horizon": "weeks ahead", "activity": "activity", "season": "season", "year": "year"}


@dataclass(frozen=True)
class DiagnosisPart:
    """What the report says of the calibration of one model over one record.

    Parameters
    ----------
    verdict : str
        In one or two sentences.
    groups : list of dict
        group, n, cov50, cov80, interval, cov95, verdict: texts.
    tests : list of dict
        supposes, statistic, p, speaks (whether against the forecasts); empty where the record is too short for any.
    """

    verdict: str
    groups: list[dict[str, str]]
    tests: list[dict[str, Any]]


def diagnosis_part(record: BacktestRecord, model: str) -> DiagnosisPart | None:
    """Return what is to be said; None if the record holds no forecast of the model."""
    found = diagnose_record(record, model)
    if found is None:
        return None
    known = found.tests[found.tests["p"].notna()]
    tests = [
        {
            "supposes": f"{row['supposes'][:1].upper()}{row['supposes'][1:]}",
            "statistic": f"{row['statistic']:+.1f}".replace("-", MINUS),
            "p": "<0.01" if row["p"] < 0.01 else f"{row['p']:.2f}",
            "speaks": row["p_holm"] < CHANCE,
        }
        for row in known.to_dict("records")
    ]
    return DiagnosisPart(_verdict(found, tests), [_group(row) for row in found.groups.to_dict("records")], tests)


def group_title(group: str, label: object) -> str:
    """Return what a group of forecasts is called.

    Examples
    --------
    >>> group_title("horizon", 1), group_title("activity", "silent"), group_title("all", "all")
    ('1 week ahead', 'no event in the year before', 'all forecasts')
    """
    if group == "all":
        return "all forecasts"
    if group == "horizon":
        return f"{label} week{'' if label == 1 else 's'} ahead"
    return ACTIVITY_WORDS.get(str(label), str(label))


def _verdict(found: RecordDiagnosis, tests: list[dict[str, Any]]) -> str:
    overall = str(found.groups["verdict"].iloc[0])
    if overall == _TOO_FEW:
        return "This record has fewer than five quarters, too few to tell a fault from chance."
    told = f"Over all forecasts: {overall if overall == _FINE else f'they are {overall}'}."
    parts = found.groups.iloc[1:]
    faulty = parts[~parts["verdict"].isin([_FINE, _TOO_FEW])]
    if len(faulty):
        named = [f"{group_title(row['group'], row['label'])} ({row['verdict']})" for row in faulty.to_dict("records")]
        told += f" By group, a fault was found for: {'; '.join(named)}."
    elif (parts["verdict"] == _FINE).any():
        judged = [_KINDS[str(kind)] for kind in parts.loc[parts["verdict"] == _FINE, "group"].unique()]
        told += f" No group by {listing(judged).replace(' and ', ' or ')} has a fault beyond chance."
    if not tests:
        return told
    against = sum(test["speaks"] for test in tests)
    return f"{told} {against or 'None'} of {len(tests)} tests speak{'' if against > 1 else 's'} against them."


def _group(row: dict[Any, Any]) -> dict[str, str]:
    low, high = float(row["cov80_low"]), float(row["cov80_high"])
    return {
        "group": group_title(str(row["group"]), row["label"]),
        "n": number(row["n"]),
        **{level: _share(row[level]) for level in ("cov50", "cov80", "cov95")},
        "interval": "" if math.isnan(low) or math.isnan(high) else _range(low, high),
        "verdict": UNKNOWN if row["verdict"] == _TOO_FEW else str(row["verdict"]),
    }


def _range(low: float, high: float) -> str:
    return f"{frequency(low).removesuffix(f'{SPACE}%')}{DASH}{frequency(high)}"


def _share(value: Any) -> str:
    return UNKNOWN if pd.isna(value) else frequency(float(value))
