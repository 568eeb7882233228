"""The page of one place: how probable an event near it is, why, how that went lately, and what it does not mean."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from forecast.panel.dataset import DataNote
from forecast.panel.units import Units
from forecast.plots.theme import DARK
from forecast.predictive.place_pool import LEVEL, Pool, View
from forecast.predictive.place_record import PastScores, PastView
from forecast.processes.spacetime.outlook import PARTS
from forecast.reporting.figure import Figure
from forecast.reporting.map import map_aspect
from forecast.reporting.page import render_page
from forecast.reporting.place_history import COLOURS, history_chart, history_rows
from forecast.reporting.place_map import KM_PER_DEGREE, Recent, place_map
from forecast.reporting.scale import SCALE, SOURCE, plain_word
from forecast.reporting.tables import provenance_rows
from forecast.reporting.words import (
    DASH,
    SPACE,
    UNKNOWN,
    central,
    day,
    events,
    expected,
    frequency,
    number,
    percent,
)

KNOWS = {
    "space-time": "Single events: where they always happened, and where they happened lately and set off others.",
    "regions": "The weekly counts of the regions that the ring touches, and what part of their events falls within it.",
    "towns": "The weekly counts within the ring, drawn towards those around the other towns.",
}
"""What each of the models goes by."""
CAUSES = {
    "background": "where events happen anyway",
    "recent events": "set off by events that have happened",
    "further events": "set off by events that are yet to come",
}
"""The parts of the expected count, in words."""


@dataclass(frozen=True, eq=False)
class PlaceContent:
    """All that the page shows.

    Parameters
    ----------
    workspace : str
        Title of the workspace.
    place : Units
        One place, with coordinates and radius.
    origin : Timestamp
        First day that is forecast.
    weeks : int
    known_until : Timestamp
    pool : Pool
        As the models say.
    calibrated : Pool or None
        After recalibration, where there is one.
    uncalibrated : str
        Why there is none.
    views : tuple of View
        Of the models that could tell.
    titles : mapping of str to str
        Title of the catalogue's model behind a view.
    missing : mapping of str to str
        Models that could not tell, and why.
    contributions : mapping of str to float
        Shares of the expected events; empty where no model tells.
    base_rates : tuple of (weeks, share)
        How often an event came from the last so many origins: of two years, and of all that is known.
    history : tuple of PastView
    scores : PastScores, optional
    polygons : mapping of region name to GeoJSON geometry
    regions : Units
    recent : Recent
        Numbers of events of the last 52 weeks, as far as they are known.
    data : DataNote
    warnings : tuple of str
        What went otherwise than usual: told before anything else.
    remarks : tuple of str
        What the models do not see.
    simulated : bool
    provenance : mapping
    """

    workspace: str
    place: Units
    origin: pd.Timestamp
    weeks: int
    known_until: pd.Timestamp
    pool: Pool
    calibrated: Pool | None
    uncalibrated: str
    views: tuple[View, ...]
    titles: Mapping[str, str]
    missing: Mapping[str, str]
    contributions: Mapping[str, float]
    base_rates: tuple[tuple[int, float], tuple[int, float]]
    history: tuple[PastView, ...]
    scores: PastScores | None
    polygons: Mapping[str, Mapping[str, Any]]
    regions: Units
    recent: Recent
    data: DataNote
    warnings: tuple[str, ...]
    remarks: tuple[str, ...]
    simulated: bool
    provenance: Mapping[str, Any]

    @property
    def said(self) -> Pool:
        """What the page says: recalibrated where there is enough to learn from, otherwise as the models say."""
        return self.calibrated or self.pool

    @property
    def probability(self) -> float:
        """Its probability of at least one event."""
        return self.said.probability

    @property
    def radius(self) -> str:
        """The radius with its unit."""
        return f"{self.place.radius_km[0]:g}{SPACE}km"

    @property
    def name(self) -> str:
        """The place without its radius."""
        return self.place.names[0].removesuffix(f" {self.place.radius_km[0]:g} km")

    @property
    def past(self) -> str:
        """How far back the history goes."""
        return f"the past {number(len(self.history))}{SPACE}weeks"

    @property
    def span(self) -> str:
        """How many weeks are asked about."""
        return "the next week" if self.weeks == 1 else f"the next {self.weeks}{SPACE}weeks"


def render_place(content: PlaceContent) -> str:
    """Return the page as one HTML document, as `forecast.reporting.page.render_page`."""
    chart = _map(content)
    figures = [chart]
    line = _line(content) if content.history else None
    if line is not None:
        figures.append(line)
    names = [view.name for view in content.views]
    last = content.origin + pd.Timedelta(days=7 * content.weeks - 1)
    return render_page(
        "place.html.j2",
        figures,
        content=content,
        banner=_banner(content),
        facts=[
            ("Data known until", day(content.known_until, weekday=True)),
            ("Weeks asked about", f"{day(content.origin)} to {day(last)}"),
            *_usual(*content.base_rates),
        ],
        lead=_lead(content),
        left_open=_left_open(content),
        verdict=_verdict(content),
        word=plain_word(content.probability),
        usual=content.base_rates[0][1],
        models=[_model(content, view) for view in content.views],
        missing=[(name, KNOWS[name], why) for name, why in content.missing.items()],
        causes=[(CAUSES[part], content.contributions[part]) for part in PARTS if part in content.contributions],
        map=chart,
        line=line,
        keys=[(name, COLOURS[name], DARK[COLOURS[name]]) for name in names],
        names=names,
        rows=history_rows(content.history, names),
        record=_record(content.scores),
        level=percent(LEVEL),
        scale=SCALE,
        scale_source=SOURCE,
        provenance=provenance_rows(content.provenance),
    )


def _banner(content: PlaceContent) -> list[str]:
    notes = []
    if content.simulated:
        notes.append("Simulated events: nothing on this page describes a real place.")
    if content.data.preliminary:
        notes.append("Preliminary data: events of the latest weeks are still being found and corrected.")
    if content.missing:
        notes.append(
            f"{len(content.views)} of three models could tell; the other "
            f"{'one is' if len(content.missing) == 1 else 'ones are'} listed with the reason."
        )
    return [*notes, *(f"{warning[:1].upper()}{warning[1:]}." for warning in content.warnings)]


def _lead(content: PlaceContent) -> str:
    pool = content.said
    return (
        f"At least one event within {content.radius} of {content.name} over {content.span}: "
        f"{percent(content.probability)}, {plain_word(content.probability)}. {_left_open(content)} "
        f"{expected(pool.mean)} expected, {central(0.8, pool.count_low, pool.count_high)}."
    )


def _left_open(content: PlaceContent) -> str:
    """Tell the range of the probability, and whose it is."""
    said, alone = content.said, len(content.views) == 1
    low, high = percent(said.low), percent(said.high)
    if low == high:
        return "One model alone could tell, and no range of it is known." if alone else "The models agree."
    if content.calibrated:
        return f"The models, and what is known of how such forecasts came out, leave open {low} to {high}."
    return f"The model{' that could tell leaves' if alone else 's leave'} open {low} to {high}."


def _verdict(content: PlaceContent) -> str:
    """Compare with what is usual."""
    (_, lately), (weeks, always) = content.base_rates
    base, when = (lately, "over the last two years") if weeks > content.base_rates[0][0] else (always, "in these data")
    if math.isnan(base):
        return "What is usual here is not known: too few weeks are."
    if base == 0:
        return f"No such span had an event {when}: quiet, or not covered by the data?"
    ratio, told = content.probability / base, f"{frequency(base)} of such spans had an event {when}"
    if 0.8 <= ratio <= 1.25:
        return f"That is about as usual: {told}."
    return f"That is {ratio:.1f} times the usual: {told}."


def _usual(lately: tuple[int, float], always: tuple[int, float]) -> list[tuple[str, str]]:
    """Return the base rates; one where all weeks that are known lie within two years."""

    def told(weeks: int, share: float) -> str:
        return f"{UNKNOWN} (too few weeks)" if math.isnan(share) else f"{frequency(share)} ({weeks}{SPACE}weeks)"

    every = ("Usual, all weeks known", told(*always))
    return [("Usual, last two years", told(*lately)), every] if always[0] > lately[0] else [every]


def _model(content: PlaceContent, view: View) -> dict[str, Any]:
    own = f"{percent(view.low)}{DASH}{percent(view.high)}" if math.isfinite(view.low) else UNKNOWN
    return {
        "name": view.name,
        "title": content.titles.get(view.name, "Self-excitation in space and time"),
        "knows": KNOWS[view.name],
        "probability": view.probability,
        "range": own,
        "mean": expected(view.mean),
    }


def _map(content: PlaceContent) -> Figure:
    plot, most = place_map(content.place, content.polygons, content.regions, content.recent)
    recent = content.recent
    over = f"the last {number(recent.weeks)} weeks" if recent.weeks != 1 else "the one week known"
    wide = recent.cell * KM_PER_DEGREE
    what = (
        f"the events of a whole region over {over}, drawn where it shows on the map"
        if recent.names
        else f"the events over {over} in a cell of {recent.cell:g} degrees, {wide:.0f}{SPACE}km, drawn in its middle"
    )
    small = f" Those too small for their number are {'one event' if most == 1 else f'up to {most}'}." if most else ""
    caption = (
        f"The dashed ring is {content.radius} around {content.name}: {events(recent.inside)} in it over {over}. Each "
        f"disc is {what}; its number is how many.{small} Light lines are borders of regions, dark ones of countries."
    )
    return Figure("map-figure", f"Map. {caption}", caption, plot, map_aspect(plot))


def _line(content: PlaceContent) -> Figure:
    base = content.base_rates[0][1]
    said = {view.name: view.probability for view in content.views}
    pool = content.pool
    now = PastView(f"{content.origin:%Y-%m-%d}", pool.probability, pool.low, pool.high, said, base, None)
    caption = (
        f"Each point is what the models would have said then of the {content.weeks}{SPACE}weeks that followed, from "
        "what was known then, before recalibration. Filled dots above: an event came in those weeks; open ones: none "
        "did. The weeks of neighbouring points overlap."
    )
    last = content.history[-1]
    label = f"Line of the probability at {len(content.history)} weekly origins up to {last.origin}. {caption}"
    return Figure("history-figure", label, caption, history_chart(content.history, now))


def _record(scores: PastScores | None) -> str:
    """Tell how well the past views did, every origin counted whose outcome is known."""
    if scores is None:
        return "Of none of these origins it is known yet what came."
    told = [
        f"Over the {number(scores.origins)} origins whose weeks are over, from {scores.first} to {scores.last}, the "
        f"mean probability was {percent(scores.said)} and an event came after {frequency(scores.came)} of them. "
        f"Brier score {scores.brier:.3f} (0 is perfect); recalibrated week by week, as far as enough was known, it was "
        f"{scores.brier_calibrated:.3f}."
    ]
    if scores.compared == scores.origins:
        told.append(f"That of the two-year base rate known then was {scores.brier_usual:.3f}.")
    elif scores.compared:
        told.append(
            f"The base rate was known before only {number(scores.compared)} of them: there it had "
            f"{scores.brier_usual:.3f}, and the models {scores.brier_compared:.3f}."
        )
    told.append("One place over one year is few cases: it can embarrass a model, not prove it.")
    return " ".join(told)
