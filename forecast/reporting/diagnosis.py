"""What is wrong with the headline model's forecasts, if anything: a verdict in words, tests, and a table by group."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import pandas as pd

from forecast.evaluation.record import BacktestRecord
from forecast.evaluation.record_diagnosis import RecordDiagnosis, diagnose_record
from forecast.language import decimal, said, say, say_count
from forecast.reporting.tables import ACTIVITY_WORDS
from forecast.reporting.words import DASH, UNKNOWN, apart, bare, frequency, listing, number, signed_decimal

CHANCE = 0.05
"""Below this p-value a test speaks against the forecasts."""

_TOO_FEW = "too few weeks to tell"
_FINE = "no fault found"
_KINDS = {
    "horizon": say("weeks ahead"),
    "activity": say("activity"),
    "season": say("season"),
    "year": say("year"),
}
_FAULTS = {
    "too few weeks to tell": say("too few weeks to tell"),
    "no fault found": say("no fault found"),
    "too high": say("too high"),
    "too low": say("too low"),
    "too wide": say("too wide"),
    "too narrow": say("too narrow"),
    "slightly too high": say("slightly too high"),
    "slightly too low": say("slightly too low"),
    "slightly too wide": say("slightly too wide"),
    "slightly too narrow": say("slightly too narrow"),
}
_SEASONS = {
    "December to February": say("December to February"),
    "March to May": say("March to May"),
    "June to August": say("June to August"),
    "September to November": say("September to November"),
}
_SUPPOSED = {
    "bias": say("As much came as was forecast (mean of the PIT)"),
    "dispersion": say("Ranges are as wide as they should be (variance of the PIT)"),
    "zeros": say("Weeks without an event came as often as forecast"),
    "rps": say("The CRPS is what the forecasts say it should be (Wei and Held)"),
    "log": say("The log score is what the forecasts say it should be (Wei and Held)"),
    "dss": say("The Dawid-Sebastiani score is what the forecasts say it should be (Wei and Held)"),
    "serial": say("One week ahead, a week's error tells nothing of those of the next four weeks"),
}


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
            "supposes": _SUPPOSED[row["test"]],
            "statistic": signed_decimal(row["statistic"], 1),
            "p": say("<0.01") if row["p"] < 0.01 else decimal(row["p"], 2),
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
        return say("all forecasts")
    if group == "horizon":
        weeks = int(str(label))
        return say_count("{weeks} week ahead", "{weeks} weeks ahead", weeks, weeks=weeks)
    return str(said(ACTIVITY_WORDS.get(str(label)) or _SEASONS.get(str(label), str(label))))


def _verdict(found: RecordDiagnosis, tests: list[dict[str, Any]]) -> str:
    overall = str(found.groups["verdict"].iloc[0])
    if overall == _TOO_FEW:
        return say("This record has fewer than five quarters, too few to tell a fault from chance.")
    if overall == _FINE:
        told: str = say("Over all forecasts: no fault found.")
    else:
        told = say("Over all forecasts: they are {faults}.", faults=_faults(overall))
    parts = found.groups.iloc[1:]
    faulty = parts[~parts["verdict"].isin([_FINE, _TOO_FEW])]
    if len(faulty):
        named = [
            f"{group_title(row['group'], row['label'])} ({_faults(row['verdict'])})"
            for row in faulty.to_dict("records")
        ]
        told += " " + say("By group, a fault was found for: {groups}.", groups=apart(named))
    elif (parts["verdict"] == _FINE).any():
        judged = [_KINDS[str(kind)] for kind in parts.loc[parts["verdict"] == _FINE, "group"].unique()]
        told += " " + say("No group has a fault beyond chance (by {kinds}).", kinds=listing(judged))
    if not tests:
        return told
    against = sum(test["speaks"] for test in tests)
    if not against:
        return " ".join([told, say("None of {tests} tests speaks against them.", tests=len(tests))])
    verdict = say_count(
        "{against} of {tests} tests speaks against them.",
        "{against} of {tests} tests speak against them.",
        against,
        against=against,
        tests=len(tests),
    )
    return f"{told} {verdict}"


def _faults(verdict: object) -> str:
    """Return a verdict of `forecast.evaluation.diagnosis.verdict` in the language spoken."""
    return ", ".join(str(said(_FAULTS.get(part, part))) for part in str(verdict).split(", "))


def _group(row: dict[Any, Any]) -> dict[str, str]:
    low, high = float(row["cov80_low"]), float(row["cov80_high"])
    return {
        "group": group_title(str(row["group"]), row["label"]),
        "n": number(row["n"]),
        **{level: _share(row[level]) for level in ("cov50", "cov80", "cov95")},
        "interval": "" if math.isnan(low) or math.isnan(high) else _range(low, high),
        "verdict": UNKNOWN if row["verdict"] == _TOO_FEW else _faults(row["verdict"]),
    }


def _range(low: float, high: float) -> str:
    return f"{bare(frequency(low))}{DASH}{frequency(high)}"


def _share(value: Any) -> str:
    return UNKNOWN if pd.isna(value) else frequency(float(value))
