"""The combined forecast of a run: from the forecasts of its members, with what their records have taught by then."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from forecast.combination.absent_members import with_absent_filled
from forecast.combination.member_forecasts import MemberForecasts
from forecast.combination.pool import marginals
from forecast.combination.surge import surge_traits
from forecast.evaluation.blocks import activity_of, chances_of
from forecast.evaluation.combined import CombinedKind, week_number
from forecast.evaluation.external_members import ExternalForecast, external_paths, external_said
from forecast.panel.panel import Panel
from forecast.predictive.escalation import Escalation
from forecast.predictive.forecast import Forecast

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class CombinedForecast:
    """A combined forecast, with the probabilities of escalations that are stated beside it.

    Parameters
    ----------
    forecast : Forecast
    chance, uncalibrated, previous : ndarray, shape (escalations, units)
        Probabilities as stated; of the pool, before recalibration; and as stated one week before, NaN if they are not
        known.
    """

    forecast: Forecast
    chance: Floats
    uncalibrated: Floats
    previous: Floats


def combined_forecast(
    name: str,
    mine: CombinedKind,
    forecasts: Mapping[str, Forecast],
    rules: Sequence[Escalation],
    panel: Panel,
    rng: np.random.Generator,
    external: Mapping[str, ExternalForecast | None] | None = None,
) -> CombinedForecast:
    """Combine the forecasts of one kind of unit.

    Paths are whole paths of the members, each of which gives its mean share; where the marginals are other than those
    of such a pool, they keep their ranks and get these marginals. Probabilities of escalations are those of the
    members, pooled and recalibrated for themselves: shares of the paths would be the same but for chance where nothing
    is recalibrated.

    Parameters
    ----------
    name : str
        Of the combined model.
    mine : CombinedKind
        The backtest of the same panel.
    forecasts : mapping of model name to Forecast
        Of the members at least.
    rules : sequence of Escalation
    panel : Panel
        What is known at the origin.
    rng : Generator
    external : mapping of member to ExternalForecast or None, optional
        Of members that are made elsewhere; None for one that is absent. Its paths are taken where they are joint and
        whole; otherwise those of the other members, with its marginals.
    """
    models = [forecasts[member] for member in mine.members if member in forecasts]
    elsewhere = external or {}
    said = member_forecasts(mine.members, forecasts, rules, panel, elsewhere)
    step = mine.latest.apply(said)
    of_models = [each.paths for each in models]
    taken = [
        forecasts[member].paths
        if member in forecasts
        else external_paths(
            elsewhere.get(member), law, None if said.absent is None else said.absent[at], of_models, rng
        )
        for at, (member, law) in enumerate(zip(mine.members, said.pmf, strict=True))
    ]
    paths, law = step.joint(taken, rng)
    last = mine.track.steps[-1]
    known = last.members.week == said.week - 1
    return CombinedForecast(
        Forecast(paths, law, models[0].weeks, panel.units, name),
        step.final_chance,
        step.pool_chance,
        last.final_chance if known else np.full(step.final_chance.shape, np.nan),
    )


def member_forecasts(
    names: Sequence[str],
    forecasts: Mapping[str, Forecast],
    rules: Sequence[Escalation],
    panel: Panel,
    external: Mapping[str, ExternalForecast | None] | None = None,
) -> MemberForecasts:
    """Return what members say of a panel's next weeks, as a combination takes it.

    Parameters
    ----------
    names : sequence of str
        Of the members.
    forecasts : mapping of model name to Forecast
        Of those that are models of the workspace.
    rules : sequence of Escalation
    panel : Panel
        What is known at the origin.
    external : mapping of member to ExternalForecast or None, optional
        Of the others.
    """
    elsewhere = external or {}
    horizon = next(forecasts[name] for name in names if name in forecasts).horizon
    every = [
        (marginals(forecasts[name]), chances_of(tuple(rules), forecasts[name], panel).T)
        if name in forecasts
        else external_said(elsewhere.get(name), panel, horizon, rules)
        for name in names
    ]
    pmf, chance, absent = with_absent_filled(*zip(*every, strict=True))
    return MemberForecasts(
        week=week_number(panel.origin),
        pmf=pmf / pmf.sum(axis=3, keepdims=True),
        activity=activity_of(panel).astype(np.int64),
        chance=chance,
        traits=surge_traits(panel.counts, panel.observed),
        absent=absent,
    )
