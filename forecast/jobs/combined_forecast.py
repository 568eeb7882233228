"""The combined forecast of a run: from the forecasts of its members, with what their records have taught by then."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from forecast.combination.dependence import pooled_paths, with_marginals
from forecast.combination.member_forecasts import MemberForecasts
from forecast.combination.pool import marginals
from forecast.combination.surge import surge_traits
from forecast.evaluation.blocks import activity_of, chances_of
from forecast.evaluation.combined import CombinedKind, week_number
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
    """
    members = [forecasts[member] for member in mine.members]
    said = member_forecasts(members, rules, panel)
    step = mine.latest.apply(said)
    share = step.weight[np.minimum(np.arange(said.pmf.shape[1]), len(step.weight) - 1)][:, said.activity]
    mean = share.mean(axis=(0, 1))
    paths = pooled_paths([each.paths for each in members], mean, rng)
    law = step.final / step.final.sum(axis=2, keepdims=True)
    if not np.allclose(share, mean) or (step.final != step.pool).any():
        paths = with_marginals(paths, law, rng)
    last = mine.track.steps[-1]
    known = last.members.week == said.week - 1
    return CombinedForecast(
        Forecast(paths, law, members[0].weeks, panel.units, name),
        step.final_chance,
        step.pool_chance,
        last.final_chance if known else np.full(step.final_chance.shape, np.nan),
    )


def member_forecasts(members: Sequence[Forecast], rules: Sequence[Escalation], panel: Panel) -> MemberForecasts:
    """Return what members say of a panel's next weeks, as a combination takes it.

    Parameters
    ----------
    members : sequence of Forecast
    rules : sequence of Escalation
    panel : Panel
        What is known at the origin.
    """
    laws = [marginals(each) for each in members]
    k = max(law.shape[2] for law in laws)
    pmf = np.stack([np.pad(law, ((0, 0), (0, 0), (0, k - law.shape[2]))) for law in laws])
    return MemberForecasts(
        week=week_number(panel.origin),
        pmf=pmf / pmf.sum(axis=3, keepdims=True),
        activity=activity_of(panel).astype(np.int64),
        chance=np.stack([chances_of(tuple(rules), each, panel).T for each in members]),
        traits=surge_traits(panel.counts, panel.observed),
    )
