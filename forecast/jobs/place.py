"""The outlook for one place: a town with a radius, or any point where single events are known."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass

import numpy as np
import pandas as pd

from forecast.errors import InputError
from forecast.jobs.inputs import origin_of
from forecast.jobs.place_calibration import LEAST_ORIGINS
from forecast.jobs.place_events import place_events, since_1970
from forecast.jobs.place_inputs import open_with_place, position_of
from forecast.jobs.place_models import Question
from forecast.jobs.place_points import is_point, town_as_known
from forecast.jobs.place_risk import TWO_YEARS, PlaceRisk, place_risk
from forecast.jobs.track_record import Progress
from forecast.predictive.escalation import base_rate
from forecast.predictive.place_record import PastScores, PastView, past_scores
from forecast.provenance import versions
from forecast.reporting.place_map import recent_in_cells, recent_of_regions
from forecast.reporting.place_page import PlaceContent, render_place
from forecast.storage import check_writable, folder_in_progress
from forecast.workspace import CONFIG_NAME, Workspace

LEAST_RADIUS_KM, MOST_RADIUS_KM = 10, 500
USUAL_WEEKS = 4
"""What is asked if nothing else is: its page has the plain name of the place."""
LATELY_WEEKS = 52
"""Whose events the map shows."""


@dataclass(frozen=True)
class ModelOutlook:
    """What one of the three models says; as `forecast.predictive.place_pool.View`, without the sample.

    Its own range of the probability is None where it does not tell one.
    """

    name: str
    model: str
    probability: float
    mean: float
    probability_low: float | None
    probability_high: float | None


@dataclass(frozen=True)
class PlaceOutlook:
    """The risk near one place, beside how often an event came before.

    Parameters
    ----------
    place : str
        As the unit of a panel is called.
    origin, target_start, target_end : str
        ISO 8601 days; the last one is the last day of the last week.
    weeks : int
    probability : float
        Of at least one event. Recalibrated by what became of the probabilities of the history, of all places of the
        workspace; as the models say without a history, or where its weeks are over at too few origins.
    recalibrated : bool
        Which of the two it is.
    uncalibrated : str
        Why it is not; empty if it is.
    probability_raw : float
        As the models say: the odds are the geometric mean of theirs.
    probability_low, probability_high : float
        From the lowest to the highest that a model says, the space-time model's own 90 % range included; recalibrated
        like the probability, and then widened by the 90 % range of what is not known of the recalibration.
    mean : float
        Expected events; as `low` and `high` with the probability, see `forecast.predictive.place_pool.Pool`.
    low, high : int
        Central 80 % range of the events.
    models : tuple of ModelOutlook
        Those that could tell.
    missing : dict of str to str
        Models that could not, and why.
    contributions : dict of str to float
        Shares of the expected events by where they come from: background, recent events nearby, events yet to come
        that these or others trigger. Of the space-time model; empty without it.
    base_rate_two_years, base_rate_all : float
        Share of past origins (of the last 104 weeks, of all) from which at least one event came; NaN if unknown.
    ratio_two_years, ratio_all : float
        Probability over base rate; NaN if that is 0 or unknown.
    weeks_known : int
        How many weeks of counts there are before the origin; with up to two years of them both base rates are the same.
    history : tuple of PastView
        What was said at the weekly origins before, the earliest first.
    scores : PastScores, optional
        How well that did.
    warnings : tuple of str
        What went otherwise than usual when the models were fitted.
    remarks : tuple of str
        What the models do not see.
    simulated : bool
    page : str
        Where the page of the place is.
    """

    place: str
    origin: str
    target_start: str
    target_end: str
    weeks: int
    probability: float
    recalibrated: bool
    uncalibrated: str
    probability_raw: float
    probability_low: float
    probability_high: float
    mean: float
    low: int
    high: int
    models: tuple[ModelOutlook, ...]
    missing: dict[str, str]
    contributions: dict[str, float]
    base_rate_two_years: float
    base_rate_all: float
    ratio_two_years: float
    ratio_all: float
    weeks_known: int
    history: tuple[PastView, ...]
    scores: PastScores | None
    warnings: tuple[str, ...]
    remarks: tuple[str, ...]
    simulated: bool
    page: str


def place_outlook(
    workspace: Workspace,
    where: str,
    radius_km: int,
    *,
    weeks: int = USUAL_WEEKS,
    as_of: dt.date | None = None,
    history: bool = True,
    workers: int = 2,
    progress: Progress | None = None,
) -> PlaceOutlook:
    """Tell the risk near a place and write its page, ``out/places/<name>-<radius>/index.html``.

    A question that is not the usual one, of other than `USUAL_WEEKS` weeks, as of a day or without the history, has a
    folder of its own: ``<name>-<radius>-8w``, ``-as-of-2026-06-06`` (the origin), ``-no-history``.

    A place of the workspace has, by the model of the towns, the figures of the report; another one is forecast together
    with those of the workspace, so that there is something to pool with.

    Parameters
    ----------
    workspace : Workspace
    where : str
        A town that the data know, in whatever case and with or without accents, or ``LAT,LON`` in degrees.
    radius_km : int
        10 to 500: this tool is for towns and regions, not for houses.
    weeks : int
    as_of : date, optional
        As in `forecast.jobs.run.run`.
    history : bool, default True
    workers : int, default 2
        As in `forecast.jobs.place_risk.place_risk`.
    progress : callable of (what, done, total), optional

    Raises
    ------
    InputError
        If the data cannot answer: no such town or radius; a point where only counts around towns are known (the
        nearest towns are offered); or one outside of all regions near which no event is known.
    ModelError
        If no model can tell.
    """
    if not LEAST_RADIUS_KM <= radius_km <= MOST_RADIUS_KM:
        raise InputError(
            f"a radius of {radius_km} km",
            where="--radius-km",
            expected=f"{LEAST_RADIUS_KM} to {MOST_RADIUS_KM} km: forecasts are for towns and regions",
        )
    if workspace.spec.data.table is not None:
        raise InputError(
            "a table of region counts does not tell what happened near a place",
            where=f"{CONFIG_NAME} [data]",
            expected="a dataset with counts around places or with events, or an event store",
        )
    name = where.replace(" ", "") if is_point(where) else town_as_known(workspace, where.strip())
    whole = open_with_place(workspace, name, radius_km, as_of)
    first_after, vintaged = workspace.spec.backtest.first_after, bool(whole.vintages)
    at = position_of(whole.panels["place"], f"{name} {radius_km} km")
    origin = origin_of(whole.regions, as_of, first_after=first_after, or_earlier=vintaged)
    inputs = whole.until(origin)
    units = inputs.panels["place"].units
    events = place_events(
        workspace, inputs, float(units.latitude[at]), float(units.longitude[at]), float(units.radius_km[at])
    )
    question = Question(workspace, inputs, events, at, weeks)
    folder = workspace.out / "places" / _folder(name, radius_km, weeks, None if as_of is None else origin, history)
    check_writable(folder)
    risk = place_risk(question, history=history, workers=workers, progress=progress)
    outlook = _outlook(question, risk, _uncalibrated(risk, history), (folder / "index.html").as_posix())
    page = render_place(_content(question, risk, outlook))
    with folder_in_progress(folder) as work:
        (work / "index.html").write_text(page, encoding="utf-8", newline="\n")
    return outlook


def _outlook(question: Question, risk: PlaceRisk, uncalibrated: str, page: str) -> PlaceOutlook:
    panel, at, weeks, pool = question.inputs.panels["place"], question.at, question.weeks, risk.pool
    lately = float(base_rate(question.rule, panel, window=TWO_YEARS)[at])
    always = float(base_rate(question.rule, panel, window=len(panel.weeks))[at])
    parts = next((view.parts for view in risk.views if view.parts), {})
    expected = sum(parts.values())
    said = risk.calibrated or pool
    return PlaceOutlook(
        place=panel.units.names[at],
        origin=f"{panel.origin:%Y-%m-%d}",
        target_start=f"{panel.origin:%Y-%m-%d}",
        target_end=f"{panel.origin + pd.Timedelta(days=7 * weeks - 1):%Y-%m-%d}",
        weeks=weeks,
        probability=said.probability,
        recalibrated=risk.calibrated is not None,
        uncalibrated=uncalibrated,
        probability_raw=pool.probability,
        probability_low=said.low,
        probability_high=said.high,
        mean=said.mean,
        low=said.count_low,
        high=said.count_high,
        models=tuple(
            ModelOutlook(
                view.name,
                view.model,
                view.probability,
                view.mean,
                *((view.low, view.high) if np.isfinite(view.low) else (None, None)),
            )
            for view in risk.views
        ),
        missing=risk.missing,
        contributions={name: value / expected for name, value in parts.items()} if expected > 0 else {},
        base_rate_two_years=lately,
        base_rate_all=always,
        ratio_two_years=said.probability / lately if lately > 0 else float("nan"),
        ratio_all=said.probability / always if always > 0 else float("nan"),
        weeks_known=len(panel.weeks),
        history=risk.history,
        scores=past_scores(risk.history),
        warnings=risk.warnings,
        remarks=risk.remarks,
        simulated=panel.simulated,
        page=page,
    )


def _folder(name: str, radius_km: int, weeks: int, origin: pd.Timestamp | None, history: bool) -> str:
    """Return the name of the folder of a question: different questions do not overwrite each other."""
    parts = [
        _file_name(name),
        str(radius_km),
        *([f"{weeks}w"] if weeks != USUAL_WEEKS else []),
        *([f"as-of-{origin:%Y-%m-%d}"] if origin is not None else []),
        *([] if history else ["no-history"]),
    ]
    return "-".join(parts)


def _uncalibrated(risk: PlaceRisk, history: bool) -> str:
    """Return why the probability is not recalibrated; empty if it is."""
    if risk.calibrated is not None:
        return ""
    if not history:
        return "the history, from which that is learned, was left out (--no-history)"
    return f"that needs {LEAST_ORIGINS} past origins whose weeks are over"


def _content(question: Question, risk: PlaceRisk, outlook: PlaceOutlook) -> PlaceContent:
    """Return all that the page shows."""
    inputs, origin = question.inputs, question.inputs.regions.origin
    seen, panel = question.events.seen(origin), inputs.regions
    ring = inputs.panels["place"]
    inside = int(ring.counts[-LATELY_WEEKS:, question.at].sum())
    weeks = int(panel.observed[-LATELY_WEEKS:].any(axis=1).sum())
    if seen is None:
        recent = recent_of_regions(
            panel.units.names, panel.counts[-LATELY_WEEKS:].sum(axis=0), weeks=weeks, inside=inside
        )
    else:
        since = since_1970(origin) - 7 * LATELY_WEEKS
        lately = seen.where(seen.precise & (seen.day >= since))
        radius = float(question.place.radius_km[0])
        recent = recent_in_cells(lately.latitude, lately.longitude, radius, weeks=weeks, inside=inside)
    specs = {view.name: question.workspace.catalogue.get(view.model) for view in risk.views}
    return PlaceContent(
        workspace=question.workspace.spec.title,
        place=question.place,
        origin=origin,
        weeks=question.weeks,
        known_until=panel.known_until,
        pool=risk.pool,
        calibrated=risk.calibrated,
        uncalibrated=outlook.uncalibrated,
        views=risk.views,
        titles={name: spec.title for name, spec in specs.items() if spec is not None},
        missing=risk.missing,
        contributions=outlook.contributions,
        base_rates=((TWO_YEARS, outlook.base_rate_two_years), (outlook.weeks_known, outlook.base_rate_all)),
        history=risk.history,
        scores=outlook.scores,
        polygons=inputs.polygons,
        regions=panel.units,
        recent=recent,
        data=inputs.note,
        warnings=risk.warnings,
        remarks=risk.remarks,
        simulated=panel.simulated,
        provenance={
            "seed": question.workspace.spec.backtest.seed,
            "origin": outlook.origin,
            "versions": versions(),
            "inputs": dict(sorted(inputs.hashes.items())),
        },
    )


def _file_name(name: str) -> str:
    """Return a place's name as that of a folder: what could mean something else to a system is a hyphen."""
    return re.sub(r"[^\w.,+-]+|^\.+", "-", name)
