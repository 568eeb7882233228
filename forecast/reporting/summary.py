"""The format of ``summary.json``: what a report says of its headline model, for programs."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from forecast.config import parse
from forecast.errors import InputError
from forecast.language import SOURCE, Language
from forecast.panel.units import UnitKind

SCHEMA: Final = "escalation-forecast/summary/1"
"""Changes with the meaning of a key; keys may be added without."""
FILE = "summary.json"
"""Its name beside the report."""

Share = Annotated[float, Field(ge=0, le=1)]


class _Part(BaseModel):
    # Read back by programs of other versions, which may have added keys.
    model_config = ConfigDict(frozen=True, extra="ignore")


class Rule(_Part):
    """An escalation.

    Parameters
    ----------
    name, title, meaning : str
        As in ``forecast.toml``, in short, and in full.
    weeks : int
    first_day, last_day : date
        Of the weeks that are asked about, both included.
    """

    name: str
    title: str
    meaning: str
    weeks: int
    first_day: dt.date
    last_day: dt.date


class Week(_Part):
    """The forecast of one week.

    Parameters
    ----------
    first_day : date
    mean : float
        Expected number of events.
    quantiles : tuple of int
        At the levels of `Summary.quantile_levels`.
    """

    first_day: dt.date
    mean: float
    quantiles: tuple[int, ...]


class Risk(_Part):
    """The probability of one escalation; null is what is not known.

    Parameters
    ----------
    escalation : str
    probability : float or None
    base_rate : float or None
        How often it was so at the weekly origins of the last two years.
    base_origins : int
        How many of these are known.
    week_before : float or None
        What the same model says of the same question with what was known a week before.
    last_issue : float or None
        What the last issue has said.
    level : float or None
        Events that the weeks must reach.
    expected : float
        Events in the weeks that are asked about.
    low, high : int
        Their central 80 % range.
    recent : int or None
        Events in as many weeks before the origin; null if any of them was not observed.
    """

    escalation: str
    probability: Share | None
    base_rate: Share | None
    base_origins: int
    week_before: Share | None
    last_issue: Share | None
    level: float | None
    expected: float
    low: int
    high: int
    recent: int | None

    @property
    def change(self) -> float | None:
        """The change of the probability since the last issue; without one, since a week before; None if unknown."""
        before = self.last_issue if self.last_issue is not None else self.week_before
        return None if self.probability is None or before is None else self.probability - before


class Unit(_Part):
    """A region or a place.

    Parameters
    ----------
    name, title : str
        In the data, and in words.
    kind : {"region", "place"}
    country : str
        Empty if not known.
    latitude, longitude, radius_km : float or None
        Of a place.
    weeks : tuple of Week
    risks : tuple of Risk
    """

    name: str
    title: str
    kind: UnitKind
    country: str
    latitude: float | None
    longitude: float | None
    radius_km: float | None
    weeks: tuple[Week, ...]
    risks: tuple[Risk, ...]

    def risk(self, escalation: str) -> Risk:
        """Return the risk of an escalation by its name."""
        return next(risk for risk in self.risks if risk.escalation == escalation)


class LastIssue(_Part):
    """The issue that changes are told against: the first week that it forecast, and the day on which it was issued."""

    origin: dt.date
    issued_on: dt.date


class Record(_Part):
    """How the headline model did in a backtest.

    Parameters
    ----------
    name : str
        Dataset or workspace.
    first_origin, last_origin : date or None
    origins : int
    skill, skill_low, skill_high : float or None
        One less the ratio of its CRPS to that of the best reference model, and its interval.
    within_80 : float or None
        Share of counts within the 80 % range.
    brier : dict of escalation to float
    """

    name: str
    first_origin: dt.date | None
    last_origin: dt.date | None
    origins: int
    skill: float | None
    skill_low: float | None
    skill_high: float | None
    within_80: float | None
    brier: dict[str, float]


class Source(_Part):
    """The data, and whom to name."""

    title: str
    attribution: str
    licence: str
    vintage: str


class Summary(_Part):
    """All of ``summary.json``.

    Parameters
    ----------
    schema_name : str
        `SCHEMA`; the key is ``schema``.
    title, report, audience : str
    origin, known_until : date
        First day that is forecast, last day of the data.
    model, model_title : str
        The model that the report speaks for.
    simulated, preliminary : bool
    notices : tuple of str
        That it is a draft, or was issued again.
    warnings : tuple of str
        What a scheduler should see.
    notes : tuple of str
        What a reader must know beside.
    lead : str
        How things stand, in words.
    headline_escalation : str
    escalations : tuple of Rule
    quantile_levels : tuple of float
    units : tuple of Unit
    last_issue : LastIssue or None
    records : tuple of Record
    data : Source
    language : {"en", "fr"}
        Of its texts: the first of the report.
    """

    model_config = ConfigDict(frozen=True, extra="ignore", populate_by_name=True)

    schema_name: Literal["escalation-forecast/summary/1"] = Field(default=SCHEMA, alias="schema")
    title: str
    report: str
    audience: str
    origin: dt.date
    known_until: dt.date
    model: str
    model_title: str
    simulated: bool
    preliminary: bool
    notices: tuple[str, ...]
    warnings: tuple[str, ...]
    notes: tuple[str, ...]
    lead: str
    headline_escalation: str
    escalations: tuple[Rule, ...]
    quantile_levels: tuple[float, ...]
    units: tuple[Unit, ...]
    last_issue: LastIssue | None
    records: tuple[Record, ...]
    data: Source
    language: Language = SOURCE

    def rule(self, name: str) -> Rule:
        """Return an escalation by its name."""
        return next(rule for rule in self.escalations if rule.name == name)


def summary_bytes(summary: Summary) -> bytes:
    """Return the file ``summary.json``."""
    return summary.model_dump_json(indent=1, by_alias=True).encode() + b"\n"


def read_summary(folder: Path) -> Summary:
    """Return the summary of a published run.

    Raises
    ------
    InputError
        If there is none, or it is not one that this version can read.
    """
    path = folder / FILE
    try:
        content = json.loads(path.read_bytes())
    except FileNotFoundError:
        hint = "`forecast run --reissue`: it was published by a version that wrote none"
        raise InputError(f"no {FILE} beside the report", where=str(folder), hint=hint) from None
    except (OSError, ValueError):
        raise InputError(f"{FILE} cannot be read", where=str(folder)) from None
    return parse(Summary, content, where=str(path))
