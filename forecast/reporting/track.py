"""How often statements like those of the report came true in the backtest records."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pandas as pd
from scipy.stats import binomtest

from forecast.evaluation.record import BacktestRecord
from forecast.language import say
from forecast.panel.units import UnitKind
from forecast.plots.classes import CLASS_EDGES, probability_class, probability_classes
from forecast.reporting.content import RecordsContent, ReportContent
from forecast.reporting.scale import percents
from forecast.reporting.words import DASH, UNKNOWN, apart, frequency, number, percent

ENOUGH = 20
"""With fewer statements in a class their share says little, and the text says so."""
CHANCE = 0.05
"""Below this p-value stated and came true differ by more than chance."""


@dataclass(frozen=True)
class Track:
    """How often statements of one class of probability came true in a record.

    Parameters
    ----------
    record : str
        Title of the record.
    low, high : float
        The class.
    statements, came_true : int
    stated : float
        Mean of the probabilities stated; NaN without any.
    """

    record: str
    low: float
    high: float
    statements: int
    came_true: int
    stated: float

    @property
    def range(self) -> str:
        """The class in whole percents."""
        return percents(self.low, self.high)

    @property
    def share(self) -> str:
        """Share that came true, in whole percents."""
        return frequency(self.came_true / self.statements) if self.statements else UNKNOWN

    @property
    def beyond_chance(self) -> bool:
        """Whether a binomial test tells the share that came true from the mean probability stated.

        It takes statements as independent. Those of successive weeks share weeks to come, so that it finds a
        difference too often rather than too seldom.
        """
        if not self.statements:
            return False
        test = binomtest(self.came_true, self.statements, min(max(self.stated, 0.0), 1.0))
        return bool(test.pvalue < CHANCE)


@dataclass(frozen=True)
class TrackTable:
    """The records side by side for one kind of unit.

    Parameters
    ----------
    unit_kind : {"region", "place"}
    records : tuple of str
        Titles of the records that hold statements, one a column.
    rows : tuple of (class, tuple of Track)
        Only classes that were ever stated.
    verdict : str
        Whether stated and came true differ beyond chance.
    """

    unit_kind: UnitKind
    records: tuple[str, ...]
    rows: tuple[tuple[str, tuple[Track, ...]], ...]
    verdict: str


def record_titles(content: RecordsContent) -> dict[str, str]:
    """Return what the records are called for readers: what they cover, and the years of the weeks forecast."""
    # A record's source is that of its panel, and says after it if it is on final data.
    own = content.panels["region"].source
    return {
        record.name: _record_title(record, own=bool(own) and record.source.startswith(own))
        for record in content.backtests
    }


def records_saw(content: ReportContent) -> str:
    """Return the sentence on what the model could see when it was asked in the past, by record where they differ."""
    titles = record_titles(content)
    labels = {titles[record.name]: record.known_as for record in content.backtests if record.known_as}
    if len(set(labels.values())) > 1:
        told = [say("in “{title}” {label}", title=title, label=_known_as(label)) for title, label in labels.items()]
        return say("It saw only the weeks before: {told}.", told=apart(told))
    return "".join(
        say("It saw only the weeks before ({label}).", label=_known_as(label)) for label in set(labels.values())
    )


def _known_as(label: str) -> str:
    """Return what `BacktestRecord.known_as` says, in the language spoken."""
    if label == "on final data":
        return say("on final data")
    if label == "as it was known at each origin":
        return say("as it was known at each origin")
    late = re.fullmatch(r"as first imported, more than (\d+) days after each origin", label)
    if late:
        return say("as first imported, more than {days} days after each origin", days=late[1])
    some = re.fullmatch(
        r"as it was known at (\d+) of (\d+) origins; for the others, as first imported more than (\d+) days later",
        label,
    )
    if some:
        return say(
            "as it was known at {known} of {origins} origins; for the others, as first imported "
            "more than {days} days later",
            known=some[1],
            origins=some[2],
            days=some[3],
        )
    return label


def track_classes(
    record: BacktestRecord, model: str, escalation: str, unit_kind: UnitKind = "region", *, title: str = ""
) -> list[Track]:
    """Return how often the statements of a model came true, for each class of probability.

    Parameters
    ----------
    record : BacktestRecord
    model, escalation : str
    unit_kind : {"region", "place"}
    title : str
        What the record is called; its name if not given.
    """
    risk = record.risk
    mine = risk[
        (risk["model"] == model) & (risk["escalation"] == escalation) & (risk["unit_kind"] == unit_kind)
    ].dropna(subset=["probability", "outcome"])
    stated, outcome = mine["probability"].to_numpy(np.float64), mine["outcome"].to_numpy(np.int64)
    at = probability_classes(stated)
    return [
        Track(
            title or record.name,
            low,
            high,
            int((at == k).sum()),
            int(outcome[at == k].sum()),
            float(stated[at == k].mean()) if (at == k).any() else float("nan"),
        )
        for k, (low, high) in enumerate(pairwise(CLASS_EDGES))
    ]


def track_tables(content: ReportContent) -> list[TrackTable]:
    """Return the tables of the regions and of the places, as far as the records hold statements on them."""
    kinds: tuple[UnitKind, ...] = ("region", "place")
    return [table for kind in kinds if (table := _table(content, kind)).rows]


def track_of(records: Sequence[Sequence[Track]], probability: float, unit_kind: UnitKind) -> str:
    """Return in words how often statements like this one came true.

    The first record with enough such statements speaks; if none has, the one with most.

    Parameters
    ----------
    records : sequence of sequence of Track
        From `tracks_by_record`, of the same kind of unit.
    probability : float
    unit_kind : {"region", "place"}
    """
    position = probability_class(probability)
    told = [tracks[position] for tracks in records if tracks[position].statements]
    if not told:
        return say("No statement like this one is in the backtest record yet.")
    chosen = next((track for track in told if track.statements >= ENOUGH), max(told, key=lambda t: t.statements))
    values = {
        "range": chosen.range,
        "record": chosen.record,
        "came": number(chosen.came_true),
        "statements": number(chosen.statements),
        "share": chosen.share,
    }
    if unit_kind == "region":
        sentence = say(
            "Of the statements of {range} on regions in the record “{record}”, "
            "{came} of {statements} came true ({share}).",
            **values,
        )
    else:
        sentence = say(
            "Of the statements of {range} on places in the record “{record}”, "
            "{came} of {statements} came true ({share}).",
            **values,
        )
    if chosen.statements >= ENOUGH:
        return sentence
    return " ".join([sentence, say("That is too few to judge by.")])


def tracks_by_record(content: ReportContent, unit_kind: UnitKind) -> list[list[Track]]:
    """Return for each record how often statements of the headline came true, by class of probability."""
    named = record_titles(content)
    return [
        track_classes(record, content.headline_model, content.headline_escalation, unit_kind, title=named[record.name])
        for record in content.backtests
    ]


def _table(content: ReportContent, unit_kind: UnitKind) -> TrackTable:
    columns = [tracks for tracks in tracks_by_record(content, unit_kind) if any(track.statements for track in tracks)]
    rows = [(tracks[0].range, tracks) for tracks in zip(*columns, strict=True)]
    shown = tuple((label, tracks) for label, tracks in rows if any(track.statements for track in tracks))
    records = tuple(tracks[0].record for tracks in columns)
    return TrackTable(unit_kind, records, shown, _verdict(columns, unit_kind))


def _verdict(columns: Sequence[Sequence[Track]], unit_kind: UnitKind) -> str:
    """Return the sentence on whether stated and came true differ beyond chance."""
    parts = []
    for tracks in columns:
        off = [
            say(
                "{range} ({stated} stated, {share} came true)",
                range=track.range,
                stated=percent(track.stated),
                share=track.share,
            )
            for track in tracks
            if track.beyond_chance
        ]
        if off:
            parts.append(say("in “{record}” at {classes}", record=tracks[0].record, classes=", ".join(off)))
    told = apart(parts)
    if unit_kind == "region":
        if not parts:
            return say("For regions, what was stated and what came true differ in no class beyond chance.")
        return say("For regions, what was stated and what came true differ beyond chance {classes}.", classes=told)
    if not parts:
        return say("For places, what was stated and what came true differ in no class beyond chance.")
    return say("For places, what was stated and what came true differ beyond chance {classes}.", classes=told)


def _record_title(record: BacktestRecord, *, own: bool) -> str:
    origins = record.forecasts["origin"]
    years = ""
    if len(origins):
        # A week belongs to the year in which it ends.
        first, last = ((origin + pd.Timedelta(days=6)).year for origin in (origins.min(), origins.max()))
        years = f"{first}" if first == last else f"{first}{DASH}{last}"
    if own:
        return say("{years} (this data)", years=years) if years else say("(this data)")
    words = record.name.replace("_", "-").removesuffix("-weekly").split("-")
    return " ".join([*(word[:1].upper() + word[1:] for word in words), years]).strip()
