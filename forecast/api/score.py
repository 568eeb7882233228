"""Scores of a forecast against what came."""

from __future__ import annotations

import numpy as np
import pandas as pd

from forecast.errors import InputError
from forecast.evaluation.scores import score_forecast
from forecast.panel.panel import Panel
from forecast.predictive.forecast import Forecast


def score(forecast: Forecast, outcomes: Panel) -> pd.DataFrame:
    """Score a forecast by the counts that came, week by week and unit by unit.

    Parameters
    ----------
    forecast : Forecast
    outcomes : Panel
        With the same units, and weeks that were forecast; those that it does not know are left out.

    Returns
    -------
    DataFrame
        A row a week and unit: week, horizon, unit, observed, crps, log, dss, wis (lower is better), pit_below,
        pit_upto.

    Raises
    ------
    InputError
        If a unit is not among the outcomes, or no week is.

    References
    ----------
    CRPS and log score: Gneiting & Raftery (2007), doi:10.1198/016214506000001437. Dawid-Sebastiani: Czado et al.
    (2009), doi:10.1111/j.1541-0420.2009.01191.x. Weighted interval score: Bracher et al. (2021),
    doi:10.1371/journal.pcbi.1008618.

    Examples
    --------
    >>> import forecast as fc
    >>> panel = fc.load("west-africa-weekly", countries=["Mali"])
    >>> ahead = fc.model("climatology-52").fit(panel.until("2019-01-05")).predict(2)
    >>> fc.score(ahead, panel)[["horizon", "unit", "observed"]].head(2).to_numpy().tolist()
    [[1, 'Mali/Bamako', 0], [1, 'Mali/Gao', 0]]
    """
    if getattr(forecast, "weeks_per_step", 1) > 1:
        raise InputError("a forecast of totals over several weeks", expected="one by week, or by week and country")
    known = outcomes.select(forecast.units.names)
    at = known.weeks.get_indexer(forecast.weeks)
    if (at < 0).all():
        raise InputError(
            f"none of the weeks from {forecast.origin:%Y-%m-%d} is among the outcomes",
            expected=f"weeks from {known.weeks[0]:%Y-%m-%d} to {known.weeks[-1]:%Y-%m-%d}",
        )
    there = at >= 0
    observed = np.where(there[:, None], known.counts[at], 0)
    seen = there[:, None] & known.observed[at]
    scores = score_forecast(forecast, observed)
    step, unit = np.nonzero(seen)
    columns: dict[str, object] = {
        "week": forecast.weeks[step],
        "horizon": step + 1,
        "unit": np.asarray(forecast.units.names, dtype=object)[unit],
        "observed": observed[seen],
    }
    return pd.DataFrame(columns | {name: values[seen] for name, values in scores.items()})
