"""The headline in plain words: where the next weeks look worse, how sure, and how often that came true before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from forecast.language import say, say_count
from forecast.panel.units import UnitKind
from forecast.predictive.escalation import ENOUGH_ORIGINS, Escalation
from forecast.predictive.risk import ranked
from forecast.reporting.content import RecordsContent, ReportContent
from forecast.reporting.rules import quoted, rule_titles
from forecast.reporting.scale import plain_word
from forecast.reporting.tables import uncalibrated
from forecast.reporting.track import Track, track_of, tracks_by_record
from forecast.reporting.words import (
    central,
    events,
    expected_events,
    frequency,
    listing,
    number,
    percent,
    titles,
    whole_percent,
)

EVEN = 45
"""From this percentage on the plain-language scale speaks of a roughly even chance or more."""
NOTABLE = 20
"""Below this percentage the scale says "very unlikely", however much it is above the base rate."""


@dataclass(frozen=True)
class Statement:
    """One unit of the headline.

    Parameters
    ----------
    unit, title : str
        Name in the panel, and in words.
    unit_kind : {"region", "place"}
    probability, base_rate, previous : float
        NaN where unknown.
    text : str
        Level, expected count, recent count, base rate.
    track : str
        How often such statements came true.
    """

    unit: str
    title: str
    unit_kind: UnitKind
    probability: float
    base_rate: float
    previous: float
    text: str
    track: str

    @property
    def word(self) -> str:
        """The expression of the plain-language scale."""
        return plain_word(self.probability)


def headline_rule(content: RecordsContent) -> Escalation:
    """Return the escalation that the headline is about."""
    return next(rule for rule in content.escalations if rule.name == content.headline_escalation)


def headline_title(content: RecordsContent) -> str:
    """Return the short title of the headline's escalation."""
    return rule_titles(content.escalations)[content.headline_escalation]


def headline_rows(content: ReportContent, unit_kind: UnitKind) -> pd.DataFrame:
    """Return the rows of `risk` that the headline is about, the highest probability first, unknown ones last."""
    risk = content.risk
    chosen = risk[
        (risk["model"] == content.headline_model)
        & (risk["escalation"] == content.headline_escalation)
        & (risk["unit_kind"] == unit_kind)
    ]
    return ranked(chosen)


def lead(content: ReportContent) -> str:
    """Return the one sentence that says how things stand over all regions."""
    rows = headline_rows(content, "region")
    known = rows[rows["probability"].notna()]
    names = titles(content.panels["region"].units)
    rule = quoted(headline_title(content))
    if known.empty:
        return say("For no region is enough known to say how probable this is: {rule}.", rule=rule)
    shown = known["probability"].map(whole_percent)
    likely = int((shown >= EVEN).sum())
    usual = known["base_rate"].notna()
    worse = known[usual & (shown >= NOTABLE) & (known["probability"] >= 1.5 * known["base_rate"])]
    told: list[str] = []
    if likely:
        told.append(
            say_count(
                "{count} of the {regions} regions has a roughly even chance or better of {rule}.",
                "{count} of the {regions} regions have a roughly even chance or better of {rule}.",
                likely,
                count=number(likely),
                regions=number(len(known)),
                rule=rule,
            )
        )
    else:
        told.append(
            say(
                "None of the {regions} regions has a roughly even chance or better of {rule}.",
                regions=number(len(known)),
                rule=rule,
            )
        )
    if not usual.any():
        told.append(say("Too little of the past is known to say what is usual."))
        return " ".join(told)
    if not usual.all():
        told.append(say("What is usual is known for {count} of them.", count=number(usual.sum())))
    named = listing([names[unit] for unit in worse["unit"].head(content.top)]) if len(worse) else ""
    if worse.empty:
        told.append(say("None stands out from what is usual for it."))
    elif len(worse) > content.top:
        told.append(
            say(
                "In {count} of them it is clearly more probable than usual, first of all in {regions}.",
                count=number(len(worse)),
                regions=named,
            )
        )
    else:
        told.append(say("It is clearly more probable than usual in {regions}.", regions=named))
    return " ".join(told)


def statements(content: ReportContent) -> list[Statement]:
    """Return the statements of the headline: the regions with the highest probability, then every place."""
    regions = headline_rows(content, "region").dropna(subset="probability").head(content.top)
    places = headline_rows(content, "place") if "place" in content.panels else regions.head(0)
    found = []
    for frame in (regions, places):
        rows = frame.to_dict("records")
        tracks = tracks_by_record(content, _kind(rows[0]["unit_kind"])) if rows else []
        found += [_statement(content, row, tracks) for row in rows]
    return found


def against_base(probability: float, base: float, origins: int) -> str:
    """Return how a probability compares with the share of past origins at which the rule was met.

    Examples
    --------
    >>> from forecast.reporting.words import SPACE
    >>> against_base(0.36, 0.12, 104).replace(SPACE, " ")
    'The probability is 3 times its base rate of 12 %'
    >>> against_base(0.10, 0.12, 20).replace(SPACE, " ")
    'The probability is about its base rate of 12 %, which rests on 20 spans of the past'
    """
    if np.isnan(base):
        return say("Too little of its past is known for a base rate")
    if base == 0:
        return say("It has not happened in any of the {origins} spans of the past that are known", origins=origins)
    ratio = probability / base
    rate = frequency(base)
    if ratio >= 2.5:
        compared = say("The probability is {times} times its base rate of {rate}", times=f"{ratio:.0f}", rate=rate)
    elif ratio >= 1.75:
        compared = say("The probability is about twice its base rate of {rate}", rate=rate)
    elif ratio >= 1.25:
        compared = say("The probability is above its base rate of {rate}", rate=rate)
    elif ratio > 0.8:
        compared = say("The probability is about its base rate of {rate}", rate=rate)
    else:
        compared = say("The probability is below its base rate of {rate}", rate=rate)
    if origins >= ENOUGH_ORIGINS:
        return compared
    return say("{comparison}, which rests on {origins} spans of the past", comparison=compared, origins=origins)


def _statement(content: ReportContent, row: Mapping[Any, Any], tracks: Sequence[Sequence[Track]]) -> Statement:
    unit, kind = str(row["unit"]), _kind(row["unit_kind"])
    panel = content.panels[kind]
    probability, base, previous = (float(row[key]) for key in ("probability", "base_rate", "previous"))
    if np.isnan(probability):
        compared: str = say("Too little is known of it for a probability.")
        track = ""
    else:
        compared = against_base(probability, base, int(row["base_origins"]))
        before = uncalibrated(row)
        if before:
            compared = say("{comparison} ({before} before recalibration)", comparison=compared, before=before)
        compared += "."
        if np.isfinite(previous):
            compared += " " + say("A week before, it was {probability}.", probability=percent(previous))
        track = track_of(tracks, probability, kind)
    title = titles(panel.units)[unit]
    text = f"{compared} {_counts(content, kind, unit, float(row['level']))}"
    return Statement(unit, title, kind, probability, base, previous, text, track)


def _counts(content: ReportContent, kind: UnitKind, unit: str, level: float) -> str:
    """Return the sentence on the expected count, the recent count and the level."""
    panel, forecast = content.panels[kind], content.forecasts[kind][content.headline_model]
    weeks = headline_rule(content).weeks
    at, column = forecast.units.index(unit), panel.units.index(unit)
    low, high = np.quantile(forecast.paths[:, :weeks, at].sum(axis=1), [0.1, 0.9], method="inverted_cdf")
    mean = float(forecast.mean()[:weeks, at].sum())
    recent, seen = panel.counts[-weeks:, column], panel.observed[-weeks:, column]
    told = say_count(
        "Expected: {expected} in the next week ({range}), after {recent} in the last week",
        "Expected: {expected} in the next {weeks} weeks ({range}), after {recent} in the last {weeks} weeks",
        weeks,
        expected=expected_events(mean),
        range=central(0.8, float(low), float(high)),
        recent=events(int(recent.sum())),
        weeks=weeks,
    )
    if not seen.all():
        gaps = int((~seen).sum())
        told = say_count("{told} ({gaps} not observed)", "{told} ({gaps} not observed)", gaps, told=told, gaps=gaps)
    if np.isfinite(level):
        told = say("{told}; the mark to reach is {level}", told=told, level=f"{level:.0f}")
    return f"{told}."


def _kind(value: object) -> UnitKind:
    return "place" if value == "place" else "region"
