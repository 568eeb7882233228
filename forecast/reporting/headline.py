"""The headline in plain words: where the next weeks look worse, how sure, and how often that came true before."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from forecast.panel.units import UnitKind
from forecast.predictive.escalation import ENOUGH_ORIGINS, Escalation
from forecast.predictive.risk import ranked
from forecast.reporting.content import ReportContent
from forecast.reporting.rules import quoted, rule_titles
from forecast.reporting.scale import plain_word
from forecast.reporting.tables import uncalibrated
from forecast.reporting.track import track_of
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


def headline_rule(content: ReportContent) -> Escalation:
    """Return the escalation that the headline is about."""
    return next(rule for rule in content.escalations if rule.name == content.headline_escalation)


def headline_title(content: ReportContent) -> str:
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
        return f"For no region is enough known to say how probable this is: {rule}."
    shown = known["probability"].map(whole_percent)
    likely = int((shown >= EVEN).sum())
    usual = known["base_rate"].notna()
    worse = known[usual & (shown >= NOTABLE) & (known["probability"] >= 1.5 * known["base_rate"])]
    chance = f"a roughly even chance or better of {rule}"
    if likely:
        verb = "has" if likely == 1 else "have"
        start = f"{number(likely)} of the {number(len(known))} regions {verb} {chance}."
    else:
        start = f"None of the {number(len(known))} regions has {chance}."
    if not usual.any():
        return f"{start} Too little of the past is known to say what is usual."
    if not usual.all():
        start += f" What is usual is known for {number(usual.sum())} of them."
    if worse.empty:
        return f"{start} None stands out from what is usual for it."
    named = listing([names[unit] for unit in worse["unit"].head(content.top)])
    if len(worse) > content.top:
        return (
            f"{start} In {number(len(worse))} of them it is clearly more probable than usual, first of all in {named}."
        )
    return f"{start} It is clearly more probable than usual in {named}."


def statements(content: ReportContent) -> list[Statement]:
    """Return the statements of the headline: the regions with the highest probability, then every place."""
    regions = headline_rows(content, "region").dropna(subset="probability").head(content.top)
    places = headline_rows(content, "place") if "place" in content.panels else regions.head(0)
    return [_statement(content, row) for frame in (regions, places) for row in frame.to_dict("records")]


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
        return "Too little of its past is known for a base rate"
    if base == 0:
        return f"It has not happened in any of the {origins} spans of the past that are known"
    ratio = probability / base
    if ratio >= 2.5:
        compared = f"{ratio:.0f} times"
    elif ratio >= 1.75:
        compared = "about twice"
    elif ratio >= 1.25:
        compared = "above"
    else:
        compared = "about" if ratio > 0.8 else "below"
    rests = "" if origins >= ENOUGH_ORIGINS else f", which rests on {origins} spans of the past"
    return f"The probability is {compared} its base rate of {frequency(base)}{rests}"


def _statement(content: ReportContent, row: Mapping[Any, Any]) -> Statement:
    unit, kind = str(row["unit"]), _kind(row["unit_kind"])
    panel = content.panels[kind]
    probability, base, previous = (float(row[key]) for key in ("probability", "base_rate", "previous"))
    if np.isnan(probability):
        compared = "Too little is known of it for a probability."
        track = ""
    else:
        compared = against_base(probability, base, int(row["base_origins"]))
        before = uncalibrated(row)
        compared += f" ({before} before recalibration)" if before else ""
        compared += f". A week before, it was {percent(previous)}." if np.isfinite(previous) else "."
        track = track_of(content, probability, kind)
    title = titles(panel.units)[unit]
    text = f"{compared} {_counts(content, kind, unit, float(row['level']))}"
    return Statement(unit, title, kind, probability, base, previous, text, track)


def _counts(content: ReportContent, kind: UnitKind, unit: str, level: float) -> str:
    """Return the sentence on the expected count, the recent count and the level."""
    panel, forecast = content.panels[kind], content.forecasts[kind][content.headline_model]
    weeks = headline_rule(content).weeks
    span = "week" if weeks == 1 else f"{weeks} weeks"
    at, column = forecast.units.index(unit), panel.units.index(unit)
    low, high = np.quantile(forecast.paths[:, :weeks, at].sum(axis=1), [0.1, 0.9], method="inverted_cdf")
    mean = float(forecast.mean()[:weeks, at].sum())
    recent, seen = panel.counts[-weeks:, column], panel.observed[-weeks:, column]
    gaps = "" if seen.all() else f" ({int((~seen).sum())} not observed)"
    mark = f"; the mark to reach is {level:.0f}" if np.isfinite(level) else ""
    return (
        f"Expected: {expected_events(mean)} in the next {span} ({central(0.8, float(low), float(high))}), "
        f"after {events(int(recent.sum()))} in the last {span}{gaps}{mark}."
    )


def _kind(value: object) -> UnitKind:
    return "place" if value == "place" else "region"
