"""The section on the combined model: what each of its steps brought or cost, and which are taken now."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from forecast.evaluation.blocks import ACTIVITIES
from forecast.evaluation.record import BacktestRecord
from forecast.language import decimal, say, say_count
from forecast.reporting.content import ReportContent
from forecast.reporting.rules import quoted, rule_titles
from forecast.reporting.track import record_titles
from forecast.reporting.words import UNKNOWN, listing, percent_sign, signed_decimal

STEP_TITLES = {
    "pool": say("Equal pool, over its best member"),
    "weights": say("Learned shares, over equal ones"),
    "recalibration": say("Recalibration of counts, over none"),
    "counts": say("What was forecast, over the equal pool"),
    "events": say("Recalibration, over none"),
    "escalations": say("What was stated, over no recalibration"),
}
_SCORES = {"crps": "CRPS", "log": say("log score"), "brier": say("Brier score")}
_REGIONS = {
    "all": say("all regions"),
    "silent": say("silent regions"),
    "low": say("regions with few events"),
    "active": say("active regions"),
}


@dataclass(frozen=True)
class StepsPart:
    """What the report says of the steps in one record.

    Parameters
    ----------
    title : str
        Of the record.
    rows : list of dict of str to str
        step, scope (all regions, or those of a class), score, before, after, gain, interval, taken.
    """

    title: str
    rows: list[dict[str, str]]


def steps_taken(content: ReportContent) -> list[str]:
    """Return in sentences which steps the combined forecast of the regions has taken; nothing without one."""
    told: Mapping[str, Any] = content.provenance.get("combination", {}).get("steps", {}).get("region", {})
    if not told:
        return []
    called = rule_titles(content.escalations)
    events: Mapping[str, list[str]] = told["escalations_recalibrated_in"]
    recalibrated = [f"{quoted(called[rule])} ({_classes(kinds)})" for rule, kinds in events.items() if kinds]
    return [
        say("Learned shares are taken {where}.", where=_where(told["weights_on_at_weeks_ahead"])),
        say("Counts are recalibrated {where}.", where=_where(told["recalibration_on_at_weeks_ahead"])),
        say("Probabilities are recalibrated of {recalibrated}.", recalibrated=listing(recalibrated))
        if recalibrated
        else say("Probabilities of escalations are not recalibrated."),
    ]


def steps_parts(content: ReportContent) -> list[StepsPart]:
    """Return the table of each record that has a combined model, over all weeks ahead."""
    titles, called = record_titles(content), rule_titles(content.escalations)
    return [
        StepsPart(titles[record.name], _rows(record, called))
        for record in content.backtests
        if record.steps is not None and len(record.steps)
    ]


def _rows(record: BacktestRecord, called: Mapping[str, str]) -> list[dict[str, str]]:
    steps = record.steps if record.steps is not None else pd.DataFrame()
    shown = steps[(steps["unit_kind"] == "region") & (steps["horizon"] == 0)]
    return [
        {
            "step": say("{step}: {rule}", step=STEP_TITLES[row["step"]], rule=quoted(called[row["escalation"]]))
            if row["escalation"]
            else STEP_TITLES[row["step"]],
            "scope": _REGIONS[row["activity"]],
            "score": _SCORES[row["score"]],
            "before": decimal(row["before"], 4),
            "after": decimal(row["after"], 4),
            "gain": _percents(row["gain"]),
            "interval": _interval(row["gain_low"], row["gain_high"]),
            "taken": percent_sign(f"{100 * row['was_on']:.0f}"),
        }
        for row in shown.to_dict("records")
    ]


def _where(by_class: Mapping[str, list[int]]) -> str:
    """Return weeks ahead by class in words.

    Examples
    --------
    >>> _where({"silent": [], "low": [1, 2], "active": [8]})
    'in regions with few events at 1 and 2 weeks ahead, in active regions at 8 weeks ahead'
    """
    found = [
        say_count(
            "in {regions} at {ahead} week ahead",
            "in {regions} at {ahead} weeks ahead",
            ahead[-1],  # "1 and 2 weeks", but "1 week"
            regions=_REGIONS[kind],
            ahead=listing([str(weeks) for weeks in ahead]),
        )
        for kind, ahead in by_class.items()
        if ahead
    ]
    return ", ".join(found) or say("nowhere")


def _classes(kinds: list[str]) -> str:
    return _REGIONS["all"] if len(kinds) == len(ACTIVITIES) else listing([_REGIONS[kind] for kind in kinds])


def _percents(gain: float) -> str:
    if pd.isna(gain):
        return UNKNOWN
    return signed_decimal(100 * gain, 1)


def _interval(low: float, high: float) -> str:
    return (
        UNKNOWN if pd.isna(low) or pd.isna(high) else say("{low} to {high}", low=_percents(low), high=_percents(high))
    )
