"""What each step of a combination brought or cost, with intervals, and where it is on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from forecast.combination.kept_steps import KeptStep
from forecast.combination.member_forecasts import CLASSES, StepForecasts
from forecast.combination.steps import Learned
from forecast.combination.track import Track
from forecast.evaluation.blocks import ACTIVITIES
from forecast.evaluation.combined import CombinedKind
from forecast.evaluation.resampling import bootstrap_interval
from forecast.evaluation.scores import brier, crps_pmf, log_score
from forecast.panel.units import UnitKind
from forecast.predictive.escalation import Escalation

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

STEPS = ("pool", "weights", "recalibration", "counts", "events", "escalations")
"""In this order: the equal pool, over the member that turned out best; learned weights everywhere, over equal ones;
recalibration of counts everywhere, over none; what was forecast, over the equal pool; recalibration of escalations
everywhere, over none; what was forecast of them, over none."""
COLUMNS = ("unit_kind", "step", "horizon", "activity", "escalation", "score", "origins", "n", "before", "after")


class _Comparison(NamedTuple):
    """Scores before and after a step, and where the step was taken; NaN where nothing is known."""

    step: str
    score: str
    escalation: str
    before: Floats  # (origins, ahead, units)
    after: Floats
    was_on: Bools  # (origins, ahead, units)
    is_on: Bools  # (ahead, CLASSES)


def step_table(
    combined: Mapping[UnitKind, CombinedKind], rules: Sequence[Escalation], rng: np.random.Generator
) -> pd.DataFrame:
    """Return the mean scores before and after each step of a backtest's combined model.

    Each step is that which would have been taken at each origin, with what was known then.

    Parameters
    ----------
    combined : mapping of unit kind to CombinedKind
    rules : sequence of Escalation
    rng : Generator
        Of the bootstrap.

    Returns
    -------
    DataFrame
        unit_kind, step (`STEPS`), horizon (0 for all), activity ("all", or a class), escalation (for the last two
        steps), score, origins, n, before, after, gain (``1 - after / before``) with gain_low and gain_high, its 90 %
        interval by a circular block bootstrap over the origins, was_on (share of the cases in which the step was
        taken) and is_on (share of the numbers of weeks ahead and classes in which it would be now).
    """
    rows = []
    for kind, mine in combined.items():
        activity = np.stack([step.members.activity for step in mine.track.steps])
        for each in (*_of_counts(mine), *_of_events(mine, rules)):
            rows += list(_rows(kind, each, activity, rng))
    return pd.DataFrame(rows, columns=[*COLUMNS, "gain", "gain_low", "gain_high", "was_on", "is_on"])


def _of_counts(mine: CombinedKind) -> Iterator[_Comparison]:
    steps, latest = mine.track.steps, mine.latest
    counts = mine.track.known(_after(mine.track)).counts
    members, cells = steps[0].members.number, counts.shape
    equal, tried, pool, trial, final = (_Scores(cells) for _ in range(5))
    always = [at for at in range(members) if not any(_lacks(step, at) for step in steps)]
    alone, maps_on = [_Scores(cells) for _ in always], np.empty(cells, dtype=bool)
    for at, kept in enumerate(steps):  # one whole step at a time
        step = kept.whole()
        said, came = step.members.pmf, counts[at]
        equal.add(at, said.mean(axis=0), came)
        tried.add(at, _weighted(step), came)
        for scores, law in ((pool, step.pool), (trial, step.trial), (final, step.final)):
            scores.add(at, law, came)
        for scores, member in zip(alone, always, strict=True):
            scores.add(at, said[member], came)
        maps_on[at] = (step.final != step.pool).any(axis=2)
    kind = np.stack([np.broadcast_to(step.members.activity, cells[1:]) for step in steps])
    ahead = np.arange(cells[1])[None, :, None]
    weights_on = np.stack([~np.isclose(step.weight, 1 / members).all(axis=2) for step in steps])
    everywhere = np.ones_like(latest.maps_on)
    took = weights_on[np.arange(cells[0])[:, None, None], ahead, kind]
    for score in ("crps", "log"):
        best = min((each.by[score] for each in alone), key=lambda values: float(np.nanmean(values)))
        yield _Comparison("pool", score, "", best, equal.by[score], np.ones(cells, bool), everywhere)
        yield _Comparison("weights", score, "", equal.by[score], tried.by[score], took, latest.weights_on)
        yield _Comparison("recalibration", score, "", pool.by[score], trial.by[score], maps_on, latest.maps_on)
        now = latest.weights_on | latest.maps_on
        yield _Comparison("counts", score, "", equal.by[score], final.by[score], took | maps_on, now)


def _of_events(mine: CombinedKind, rules: Sequence[Escalation]) -> Iterator[_Comparison]:
    steps, latest = mine.track.steps, mine.latest
    met = mine.track.known(_after(mine.track)).met
    for at, rule in enumerate(rules):
        came = np.where(met[:, at] >= 0, met[:, at], np.nan)[:, None]
        pool, trial, final = (
            brier(np.stack([getattr(step, f"{name}_chance")[at] for step in steps])[:, None], came)
            for name in ("pool", "trial", "final")
        )
        took = np.stack([step.final_chance[at] != step.pool_chance[at] for step in steps])[:, None]
        now = latest.events_on[at][None]
        yield _Comparison("events", "brier", rule.name, pool, trial, took, now)
        yield _Comparison("escalations", "brier", rule.name, pool, final, took, now)


def _rows(
    kind: UnitKind, each: _Comparison, activity: NDArray[np.int64], rng: np.random.Generator
) -> Iterator[tuple[object, ...]]:
    """Give one row over all, one for each number of weeks ahead, one for each class."""
    known = np.isfinite(each.before) & np.isfinite(each.after)
    ahead = each.before.shape[1]
    scopes: list[tuple[int, str, Bools, Bools]] = [(0, "all", known, np.ones_like(each.is_on))]
    for h in range(ahead if ahead > 1 else 0):
        here = np.arange(ahead) == h
        scopes.append((h + 1, "all", known & here[None, :, None], np.broadcast_to(here[:, None], each.is_on.shape)))
    of_class = np.arange(CLASSES)
    scopes += [
        (0, name, known & (activity == c)[:, None, :], np.broadcast_to(of_class == c, each.is_on.shape))
        for c, name in enumerate(ACTIVITIES)
    ]
    for horizon, of, cells, groups in scopes:
        n = int(cells.sum())
        if not n:
            continue
        before, after = (np.where(cells, values, 0.0).sum(axis=(1, 2)) for values in (each.before, each.after))
        whole = before.sum()
        gain = 1 - after.sum() / whole if whole > 0 else np.nan
        low, high = bootstrap_interval((before - after)[:, None], before[:, None], rng)
        yield (
            *(kind, each.step, horizon, of, each.escalation, each.score),
            *(int(cells.any(axis=(1, 2)).sum()), n, before.sum() / n, after.sum() / n),
            *(gain, float(low[0]), float(high[0]), float(each.was_on[cells].mean()), float(each.is_on[groups].mean())),
        )


def _lacks(step: KeptStep, member: int) -> bool:
    """Tell whether a member said nothing of some week and unit."""
    absent = step.members.absent
    return absent is not None and bool(absent[member].any())


def _after(track: Track) -> int:
    """Return a week in which all is known that ever will be."""
    last = track.steps[-1].members
    return last.week + last.horizon + 1


def _weighted(step: StepForecasts) -> Floats:
    share = step.trial_weight[:, step.members.activity]
    return np.asarray(np.einsum("mhuk,hum->huk", step.members.pmf, share))


class _Scores:
    """CRPS and log score of every cell, shape (origins, horizon, units), NaN where no count is known."""

    def __init__(self, cells: tuple[int, ...]) -> None:
        self.by = {"crps": np.full(cells, np.nan), "log": np.full(cells, np.nan)}

    def add(self, at: int, pmf: NDArray[Any], counts: NDArray[np.int64]) -> None:
        """Score the forecast of one origin."""
        seen = counts >= 0
        came, law = counts[seen], pmf[seen]
        self.by["crps"][at][seen] = crps_pmf(law, came)
        inside = np.minimum(came, law.shape[1] - 1)
        self.by["log"][at][seen] = log_score(np.where(came < law.shape[1], law[np.arange(len(came)), inside], 0.0))


def step_manifest(combined: Mapping[UnitKind, CombinedKind], rules: Sequence[Escalation]) -> dict[str, object]:
    """Return which steps are on now, and the shares of the members, for a manifest.

    Parameters
    ----------
    combined : mapping of unit kind to CombinedKind
    rules : sequence of Escalation
    """
    return {kind: _told(mine.latest, rules, mine.members) for kind, mine in combined.items()}


def _told(latest: Learned, rules: Sequence[Escalation], members: Sequence[str]) -> dict[str, object]:
    def by_class(on: Bools) -> dict[str, list[int]]:
        return {name: [int(h) + 1 for h in np.flatnonzero(on[:, c])] for c, name in enumerate(ACTIVITIES)}

    return {
        "learned_from_origins": latest.origins,
        "weights_on_at_weeks_ahead": by_class(latest.weights_on),
        "recalibration_on_at_weeks_ahead": by_class(latest.maps_on),
        "escalations_recalibrated_in": {
            rule.name: [name for c, name in enumerate(ACTIVITIES) if latest.events_on[at, c]]
            for at, rule in enumerate(rules)
        },
        "learned_weights": {
            name: {
                member: [round(float(w), 6) for w in latest.trial_weight[:, c, m]] for m, member in enumerate(members)
            }
            for c, name in enumerate(ACTIVITIES)
            if latest.weights_on[:, c].any()
        },
    }
