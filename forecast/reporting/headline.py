"""The headline in plain words: where the next weeks look worse, how sure, and how often that came true before."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from forecast.evaluation.record import BacktestRecord
from forecast.panel.units import UnitKind
from forecast.predictive.escalation import Escalation
from forecast.reporting.content import ReportContent
from forecast.reporting.scale import plain_word
from forecast.reporting.words import (
    DASH,
    SPACE,
    UNKNOWN,
    central,
    events,
    expected,
    frequency,
    listing,
    number,
    percent,
    titles,
)

CLASS_EDGES = (0.0, 0.05, 0.10, 0.20, 0.30, 0.50, 0.70, 0.90, 1.0)
"""Statements of the record are counted between these probabilities."""
EVEN = 0.45
"""From here on the plain-language scale speaks of a roughly even chance or more."""
NOTABLE = 0.20
"""Below this the scale says "very unlikely", however much it is above the base rate."""
ENOUGH = 20
"""With fewer statements in a class their share says little, and the text says so."""


@dataclass(frozen=True)
class Track:
    """How often statements of one class of probability came true in a record.

    Parameters
    ----------
    record : str
        Name of the record.
    low, high : float
        The class.
    statements, came_true : int
    """

    record: str
    low: float
    high: float
    statements: int
    came_true: int

    @property
    def range(self) -> str:
        """The class in whole percents."""
        return f"{100 * self.low:.0f}{DASH}{100 * self.high:.0f}{SPACE}%"

    @property
    def share(self) -> str:
        """Share that came true, in whole percents."""
        return frequency(self.came_true / self.statements) if self.statements else UNKNOWN


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


def headline_rows(content: ReportContent, unit_kind: UnitKind) -> pd.DataFrame:
    """Return the rows of `risk` that the headline is about, the highest probability first, unknown ones last."""
    risk = content.risk
    chosen = risk[
        (risk["model"] == content.headline_model)
        & (risk["escalation"] == content.headline_escalation)
        & (risk["unit_kind"] == unit_kind)
    ]
    return chosen.sort_values(["probability", "unit"], ascending=[False, True], na_position="last", kind="stable")


def lead(content: ReportContent) -> str:
    """Return the one sentence that says how things stand over all regions."""
    rows = headline_rows(content, "region")
    known = rows[rows["probability"].notna()]
    names = titles(content.panels["region"].units)
    rule = headline_rule(content).sentence()
    if known.empty:
        return f"For no region is enough known to say how probable this is: {rule}."
    likely = int((known["probability"] >= EVEN).sum())
    worse = known[(known["probability"] >= NOTABLE) & (known["probability"] >= 1.5 * known["base_rate"].fillna(0.0))]
    chance = f"a roughly even chance or better of {rule}"
    if likely:
        verb = "has" if likely == 1 else "have"
        start = f"{number(likely)} of the {number(len(known))} regions {verb} {chance}."
    else:
        start = f"None of the {number(len(known))} regions has {chance}."
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


def track_classes(record: BacktestRecord, model: str, escalation: str, unit_kind: UnitKind = "region") -> list[Track]:
    """Return how often the statements of a model came true, for each class of probability."""
    risk = record.risk
    mine = risk[
        (risk["model"] == model) & (risk["escalation"] == escalation) & (risk["unit_kind"] == unit_kind)
    ].dropna(subset=["probability", "outcome"])
    at = np.clip(np.searchsorted(CLASS_EDGES, mine["probability"], side="right") - 1, 0, len(CLASS_EDGES) - 2)
    outcome = mine["outcome"].to_numpy(dtype=np.int64)
    return [
        Track(record.name, CLASS_EDGES[k], CLASS_EDGES[k + 1], int((at == k).sum()), int(outcome[at == k].sum()))
        for k in range(len(CLASS_EDGES) - 1)
    ]


def track_of(content: ReportContent, probability: float, unit_kind: UnitKind) -> str:
    """Return in words how often statements like this one came true.

    The first record with enough such statements speaks; if none has, the one with most.
    """
    position = min(int(np.searchsorted(CLASS_EDGES, probability, side="right")) - 1, len(CLASS_EDGES) - 2)
    tracks = [
        track_classes(record, content.headline_model, content.headline_escalation, unit_kind)[position]
        for record in content.backtests
    ]
    told = [track for track in tracks if track.statements]
    if not told:
        return "No statement like this one is in the backtest record yet."
    chosen = next((track for track in told if track.statements >= ENOUGH), max(told, key=lambda t: t.statements))
    few = "" if chosen.statements >= ENOUGH else " That is too few to judge by."
    return (
        f"Of the statements of {chosen.range} in the record “{chosen.record}”, {number(chosen.came_true)} of "
        f"{number(chosen.statements)} came true ({chosen.share}).{few}"
    )


def against_base(probability: float, base: float) -> str:
    """Return how a probability compares with the share of the past in which the rule was met.

    Examples
    --------
    >>> against_base(0.36, 0.12).replace(SPACE, " ")
    'The probability is 3 times its base rate of 12 %'
    >>> against_base(0.10, 0.12).replace(SPACE, " ")
    'The probability is about its base rate of 12 %'
    """
    if np.isnan(base):
        return "Too little of its past is known for a base rate"
    if base == 0:
        return "The probability compares with a base rate of zero (so at no past origin)"
    ratio = probability / base
    if ratio >= 2.5:
        compared = f"{ratio:.0f} times"
    elif ratio >= 1.75:
        compared = "about twice"
    elif ratio >= 1.25:
        compared = "above"
    else:
        compared = "about" if ratio > 0.8 else "below"
    return f"The probability is {compared} its base rate of {frequency(base)}"


def _statement(content: ReportContent, row: Mapping[Any, Any]) -> Statement:
    unit, kind = str(row["unit"]), _kind(row["unit_kind"])
    panel = content.panels[kind]
    probability, base, previous = (float(row[key]) for key in ("probability", "base_rate", "previous"))
    if np.isnan(probability):
        compared = "Too little is known of it for a probability."
        track = ""
    else:
        compared = against_base(probability, base)
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
    noun = "event" if expected(mean) == "1.0" else "events"
    mark = f"; the mark to reach is {level:.0f}" if np.isfinite(level) else ""
    return (
        f"Expected: {expected(mean)} {noun} in the next {span} ({central(0.8, float(low), float(high))}), "
        f"after {events(int(recent.sum()))} in the last {span}{gaps}{mark}."
    )


def _kind(value: object) -> UnitKind:
    return "place" if value == "place" else "region"
