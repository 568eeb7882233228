"""The risk near a place now and over the past year: three models, their pool, and what was known when."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import joblib
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from forecast.errors import ModelError
from forecast.jobs.place_calibration import past_map
from forecast.jobs.place_models import MODELS, Answers, Question, Regions, SpaceTime, Towns, ask
from forecast.jobs.track_record import Progress, told
from forecast.panel.weeks import WEEK
from forecast.predictive.odds_map import OddsMap
from forecast.predictive.place_pool import Pool, View, mean_odds, pooled
from forecast.predictive.place_record import PastView, spans, usual

Floats = NDArray[np.float64]

TWO_YEARS = 104
"""Weeks, of the origins of the first base rate."""
ORIGINS, REFIT = 52, 13
"""Weekly origins of the history, and weeks between its fits: a quarter."""
DRAWS, PAST_DRAWS = 10_000, 2_000
"""Paths of the space-time model, now and at origins of the past."""

Task = tuple[type[SpaceTime | Regions | Towns], Sequence[pd.Timestamp], int, bool]
"""A model, origins to ask it at, how many paths to draw, and whether to ask about all places."""


@dataclass(frozen=True, eq=False)
class PlaceRisk:
    """What the models say, and said.

    Parameters
    ----------
    views : tuple of View
        Of the models that could tell.
    missing : dict of str to str
        Models that could not, and why.
    pool : Pool
        As the models say.
    calibrated : Pool or None
        Recalibrated by what became of the probabilities of the history, of all places of the workspace; None without a
        history, or where its weeks are over at too few origins.
    history : tuple of PastView
        Origins before the present one, the earliest first; empty if it was not asked for.
    warnings : tuple of str
        What went otherwise than usual.
    remarks : tuple of str
        What the models do not see.
    """

    views: tuple[View, ...]
    missing: dict[str, str]
    pool: Pool
    calibrated: Pool | None
    history: tuple[PastView, ...]
    warnings: tuple[str, ...]
    remarks: tuple[str, ...]


def place_risk(
    question: Question, *, history: bool = True, workers: int = 2, progress: Progress | None = None
) -> PlaceRisk:
    """Ask the three models about a place, now and at the weekly origins before.

    Parameters
    ----------
    question : Question
    history : bool, default True
        Over the last 52 weekly origins, or those since enough weeks are known. Parameters are fitted once a quarter
        and the models updated each week, with nothing that was not known then.
    workers : int, default 2
        Processes; 1 asks in this one. The result does not depend on it.
    progress : callable of (what, done, total), optional

    Returns
    -------
    PlaceRisk
        The same seed and data give the same result, and the same present with the history or without it.

    Raises
    ------
    ModelError
        If no model can tell.
    """
    origins = past_origins(question) if history else []
    # Quarters are counted back from the present, which is fitted anew as well.
    bounds = sorted({0, *range(len(origins), 0, -REFIT)})
    quarters = [origins[start:stop] for start, stop in pairwise(bounds)]
    tasks: list[Task] = [(model, [question.inputs.regions.origin], DRAWS, False) for model in MODELS]
    tasks += [(model, quarter, PAST_DRAWS, True) for quarter in reversed(quarters) for model in MODELS]
    step, answers = told(progress, "asking the models"), []
    step(0, len(tasks))
    for done, answer in enumerate(_answers(question, tasks, workers), start=1):
        answers.append(answer)
        step(done, len(tasks))
    now = answers[: len(MODELS)]
    views = tuple(one.views[0] for one in now if isinstance(one.views[0], View))
    missing = {one.name: one.views[0] for one in now if isinstance(one.views[0], str)}
    if not views:
        raise ModelError("; ".join(f"{name}: {why}" for name, why in missing.items()), "place")
    past: dict[str, list[View | str]] = {model.name: [] for model in MODELS}
    for at in range(len(quarters), 0, -1):  # the latest quarter was asked first
        for one in answers[len(MODELS) * at : len(MODELS) * (at + 1)]:
            past[one.name] += one.views
    warnings, remarks = (
        tuple(f"{one.name}: {text}" for one in now for text in getattr(one, kind)) for kind in ("warnings", "remarks")
    )
    said = _everywhere(question, len(origins), past)
    learned = _past_map(question, origins, said, question.inputs.regions.origin)
    calibrated = None if learned is None else pooled(views, learned)
    record = tuple(
        _recalibrated(view, _past_map(question, origins, said, origin))
        for view, origin in zip(_history(question, origins, past), origins, strict=True)
    )
    return PlaceRisk(views, missing, pooled(views), calibrated, record, warnings, remarks)


def _answers(question: Question, tasks: Sequence[Task], workers: int) -> Iterator[Answers]:
    """Answer tasks in their order."""
    if workers == 1:
        yield from (ask(model, question, origins, draws, everywhere) for model, origins, draws, everywhere in tasks)
        return
    parallel = joblib.Parallel(n_jobs=workers, return_as="generator", batch_size=1, max_nbytes=None)
    call = joblib.delayed(ask)
    yield from parallel(
        call(model, question, origins, draws, everywhere) for model, origins, draws, everywhere in tasks
    )


def past_origins(question: Question) -> list[pd.Timestamp]:
    """Return the weekly origins of the history, the earliest first."""
    panel, first_after = question.inputs.panels["place"], question.workspace.spec.backtest.first_after
    earliest = panel.weeks[0] + (first_after + 1) * WEEK
    found = [panel.origin - back * WEEK for back in range(ORIGINS, 0, -1)]
    return [origin for origin in found if origin >= earliest]


def _history(
    question: Question, origins: Sequence[pd.Timestamp], said: Mapping[str, Sequence[View | str]]
) -> tuple[PastView, ...]:
    """Put what the models said beside what was usual then, and what came."""
    place, at = question.inputs.panels["place"], question.at
    came = spans(place.counts[:, at], place.observed[:, at], question.weeks)
    found = []
    for number, origin in enumerate(origins):
        known = question.panel("place", origin)
        before = spans(known.counts[:, at], known.observed[:, at], question.weeks)
        week = int(place.weeks.searchsorted(origin))
        views = [view for each in said.values() if isinstance(view := each[number], View)]
        outcome = float(came[week]) if week < len(came) else float("nan")
        found.append(_past(origin, views, usual(before, TWO_YEARS), outcome))
    return tuple(found)


def _past(origin: pd.Timestamp, views: Sequence[View], base: float, came: float) -> PastView:
    nothing = float("nan")
    pool = pooled(views) if views else None
    return PastView(
        f"{origin:%Y-%m-%d}",
        pool.probability if pool else nothing,
        pool.low if pool else nothing,
        pool.high if pool else nothing,
        {view.name: view.probability for view in views},
        base,
        int(came) if np.isfinite(came) else None,
    )


def _recalibrated(view: PastView, past: OddsMap | None) -> PastView:
    return view if past is None else replace(view, calibrated=float(past(view.probability)))


def _everywhere(question: Question, origins: int, said: Mapping[str, Sequence[View | str]]) -> Floats:
    """Return what the models together said of each place of the workspace, shape (origins, places)."""
    nothing = np.full(len(question.places), np.nan)
    rows = [
        [view.everywhere if isinstance(view := each[number], View) else nothing for each in said.values()]
        for number in range(origins)
    ]
    return mean_odds(np.array(rows).swapaxes(0, 1)) if rows else np.empty((0, len(nothing)))


def _past_map(
    question: Question, origins: Sequence[pd.Timestamp], said: Floats, origin: pd.Timestamp
) -> OddsMap | None:
    """Return the recalibration by what was known at an origin of earlier ones; None if that is too little."""
    panel = question.panel("place", origin)
    earlier = [at for at, day in enumerate(origins) if day + question.weeks * WEEK <= origin]
    if not earlier:
        return None
    came = np.stack(
        [
            spans(counts, observed, question.weeks)
            for counts, observed in zip(panel.counts.T, panel.observed.T, strict=True)
        ]
    )
    week = panel.weeks.get_indexer(pd.DatetimeIndex([origins[at] for at in earlier]))
    known = np.where(np.isfinite(came[:, week]), came[:, week] > 0, np.nan).T
    of = np.repeat(week, known.shape[1])
    return past_map(of, said[earlier].ravel(), known.ravel(), weeks=question.weeks, at=len(panel.weeks))
