"""Forecasts from last weeks that are not known for sure yet: through draws of a nowcast, for any family."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from forecast.errors import InputError
from forecast.families.protocol import Fitted
from forecast.panel.panel import Panel
from forecast.panel.reporting_delay import ReportingDelay
from forecast.predictive.forecast import Forecast
from forecast.predictive.nowcast import nowcast, with_last_weeks

UPDATES = 30
"""Draws of the nowcast that a forecast goes through, if not said otherwise."""


def predict_as_known(
    fitted: Fitted, panel: Panel, delay: ReportingDelay | None, horizon: int, draws: int, rng: np.random.Generator
) -> Forecast:
    """Forecast from a panel, through a nowcast of its last weeks where it is known how late events become known.

    Parameters
    ----------
    fitted : Fitted
        In the state that `panel` leaves it in.
    panel : Panel
    delay : ReportingDelay or None
        None to take the counts as they are.
    horizon, draws : int
        As in `Fitted.predict`.
    rng : Generator
    """
    if delay is None:
        return fitted.predict(horizon, draws, rng)
    return predict_through_nowcast(fitted, panel, nowcast(panel, delay, UPDATES, rng), horizon, draws, rng)


def predict_through_nowcast(
    fitted: Fitted,
    panel: Panel,
    nowcast_paths: NDArray[np.integer],
    horizon: int,
    draws: int,
    rng: np.random.Generator,
    *,
    updates: int = UPDATES,
) -> Forecast:
    """Forecast with nowcast draws in place of the raw last weeks, so that their uncertainty goes through.

    The fitted model is updated with each of some draws of the nowcast and predicts a share of the paths from it:
    the paths are put together and the marginal distributions averaged. The parameters stay as they are.

    Parameters
    ----------
    fitted : Fitted
    panel : Panel
        As known at its origin.
    nowcast_paths : ndarray of int, shape (nowcast draws, weeks, units)
        Of the last weeks of `panel`, from `forecast.predictive.nowcast.nowcast`.
    horizon, draws : int
        As in `Fitted.predict`.
    rng : Generator
        Also chooses the nowcast draws.
    updates : int, default 30
        Nowcast draws to go through, at most all of them and one a path; the time that it takes grows with them.

    Returns
    -------
    Forecast
        Paths of shape (draws, horizon, units).

    Raises
    ------
    InputError
        If there is no nowcast draw, they do not fit the panel, or `draws` or `updates` is less than 1.

    Examples
    --------
    >>> import pandas as pd
    >>> from forecast.families.climatology import Climatology
    >>> from forecast.panel.units import Units
    >>> weeks = pd.date_range("2026-01-03", periods=30, freq="7D", unit="s", name="week")
    >>> rng = np.random.default_rng(1)
    >>> panel = Panel.of(rng.poisson(3, (30, 1)), weeks, Units.of(["Mali/Gao"]))
    >>> nowcast_paths = panel.counts[-2:] + rng.poisson(2, (100, 2, 1))
    >>> fitted = Climatology().fit(panel, rng)
    >>> predict_through_nowcast(fitted, panel, nowcast_paths, 4, 200, rng).paths.shape
    (200, 4, 1)
    """
    if nowcast_paths.ndim != 3 or not len(nowcast_paths):
        raise InputError(f"nowcast of shape {nowcast_paths.shape}", expected="(draws, weeks, units), at least one draw")
    if draws < 1 or updates < 1:
        raise InputError(f"{draws} draws through {updates} updates", expected="at least 1 of each")
    number = min(updates, draws, len(nowcast_paths))
    chosen = rng.choice(len(nowcast_paths), number, replace=False)
    shares = np.diff(np.linspace(0, draws, number + 1).astype(int))
    parts = [
        fitted.update(with_last_weeks(panel, nowcast_paths[at])).predict(horizon, int(share), rng)
        for at, share in zip(chosen, shares, strict=True)
    ]
    longest = max(part.pmf.shape[2] for part in parts)
    pmf = np.zeros((*parts[0].pmf.shape[:2], longest))
    for part, share in zip(parts, shares, strict=True):
        pmf[:, :, : part.pmf.shape[2]] += share / draws * part.pmf
    paths = np.concatenate([part.paths for part in parts])
    return replace(parts[0], paths=paths, pmf=pmf)
