"""The tables of the track record of issued forecasts: by issue, against the base rate, calls, corrections."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from forecast.evaluation.issued import IssuedRecord, corrections
from forecast.language import decimal, say
from forecast.reporting.rules import quoted
from forecast.reporting.words import MINUS, UNKNOWN, day, number, percent

_LATEST = 20
"""So many corrected weeks are told; the ledger has them all."""


@dataclass(frozen=True)
class Table:
    """A table of texts.

    Parameters
    ----------
    title : str
    columns : list of (str, bool)
        Headings, and whether numbers stand below them.
    rows : list of list of str
    """

    title: str
    columns: list[tuple[str, bool]]
    rows: list[list[str]]


def issue_table(issues: pd.DataFrame, title: str) -> Table:
    """Return each issue against what came, from `forecast.evaluation.issued.by_issue`."""
    columns = [
        say("Forecast from"),
        say("Issued"),
        say("Statements"),
        say("Stated"),
        say("Came"),
        say("Brier"),
        say("Base rate"),
        say("CRPS"),
        say("In 80\u00a0%"),
        say("Corrected"),
    ]
    rows = [
        [
            day(row["origin"]),
            f"{row['issued_at']:%Y-%m-%d}",
            number(row["statements"]),
            _decimal(row["stated"], 1),
            _decimal(row["came"], 0),
            _decimal(row["brier"], 3),
            _decimal(row["brier_base"], 3),
            _decimal(row["crps"], 3),
            percent(row["within"]),
            number(row["corrected"]),
        ]
        for row in issues.to_dict("records")
    ]
    caption = say(
        "Each issue against what came, regions only: statements about {title} that are decided, "
        "how many of them were to come true and did, their Brier score and that of the base rate; "
        "the CRPS of weekly counts, the share of them within the 80 % range, and how many counts "
        "were corrected since",
        title=quoted(title),
    )
    return Table(caption, [(column, at > 1) for at, column in enumerate(columns)], rows)


def base_table(found: pd.DataFrame, titles: Mapping[str, str]) -> Table:
    """Return the escalations against their base rates, from `forecast.evaluation.issued.against_base_rate`."""
    columns = [
        say("Escalation"),
        say("Statements"),
        say("Stated"),
        say("Came true"),
        say("Brier"),
        say("Base rate"),
        say("Gain, %"),
        say("90 % interval"),
    ]
    rows = [
        [
            titles[row["escalation"]],
            number(row["n"]),
            percent(row["stated"]),
            percent(row["came"]),
            _decimal(row["brier"], 3),
            _decimal(row["brier_base"], 3),
            _signed(100 * row["skill"]),
            UNKNOWN
            if pd.isna(row["low"])
            else say("{low} to {high}", low=_signed(100 * row["low"]), high=_signed(100 * row["high"])),
        ]
        for row in found.to_dict("records")
    ]
    caption = say("Against the base rate of the two years before each issue, regions only")
    return Table(caption, [(column, at > 0) for at, column in enumerate(columns)], rows)


def call_table(caption: str, found: pd.DataFrame, titles: Mapping[str, str], called: Mapping[str, str]) -> Table:
    """Return statements that stand out, from `forecast.evaluation.issued.calls`."""
    columns = [say("Region"), say("From"), say("Escalation"), say("Stated"), say("Usual"), say("It came")]
    rows = [
        [
            called.get(row["unit"], row["unit"]),
            day(row["origin"]),
            titles[row["escalation"]],
            percent(row["probability"]),
            percent(row["base_rate"]),
            say("yes") if row["met"] else say("no"),
        ]
        for row in found.to_dict("records")
    ]
    return Table(caption, [(column, at in {3, 4}) for at, column in enumerate(columns)], rows)


def correction_tables(record: IssuedRecord, titles: Mapping[str, str], called: Mapping[str, str]) -> list[Table]:
    """Return the counts that were corrected, and the statements that turned with them."""
    weeks, turned = corrections(record)
    rows = [
        [
            called.get(row["unit"], row["unit"]),
            day(row["week"]),
            number(row["count_first"]),
            number(row["count"]),
            _decimal(row["crps_first"], 2),
            _decimal(row["crps"], 2),
        ]
        for row in weeks.head(_LATEST).to_dict("records")
    ]
    columns = [
        say("Region or place"),
        say("Week of"),
        say("First known"),
        say("Now"),
        say("CRPS then"),
        say("CRPS now"),
    ]
    title = say("Counts that were corrected since they were first known")
    if len(weeks) > _LATEST:
        title = say(
            "Counts that were corrected since they were first known, the latest {latest} of {weeks}",
            latest=_LATEST,
            weeks=number(len(weeks)),
        )
    corrected = Table(title, _headings(columns, 2), rows)
    turned = turned[turned["escalation"].isin(list(titles))]
    answers = [
        [
            called.get(row["unit"], row["unit"]),
            day(row["origin"]),
            titles[row["escalation"]],
            percent(row["probability"]),
            say("yes") if row["met_first"] else say("no"),
            say("yes") if row["met"] else say("no"),
        ]
        for row in turned.sort_values(["origin", "unit"], ascending=[False, True]).head(_LATEST).to_dict("records")
    ]
    columns = [
        say("Region or place"),
        say("From"),
        say("Escalation"),
        say("Stated"),
        say("It came, first known"),
        say("It came, now"),
    ]
    flipped = Table(say("Statements that a correction has made come true, or not"), _headings(columns, 3, 4), answers)
    return [corrected, flipped]


def _headings(columns: Sequence[str], first: int, end: int | None = None) -> list[tuple[str, bool]]:
    """Return headings, with numbers below those from one position to another."""
    return [(column, first <= at < (len(columns) if end is None else end)) for at, column in enumerate(columns)]


def _decimal(value: float, digits: int) -> str:
    return UNKNOWN if pd.isna(value) else decimal(value, digits)


def _signed(value: float) -> str:
    return UNKNOWN if pd.isna(value) else f"{value:+.0f}".replace("-", MINUS)
