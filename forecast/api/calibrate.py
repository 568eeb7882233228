"""Recalibration: learn from a backtest how a model's probabilities are off, and mend a forecast by it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from forecast.api.backtest import Backtest
from forecast.api.forecast import Forecast
from forecast.combination.cdf_maps import fit_bernstein_map, fit_beta_map, remap
from forecast.combination.dependence import with_marginals
from forecast.combination.level_map import LEAST, LevelMap
from forecast.combination.pool import marginals
from forecast.errors import InputError
from forecast.predictive import forecast as core
from forecast.provenance import generator


@dataclass(frozen=True)
class Calibrator:
    """A map of cumulative probabilities that was learned from a model's past forecasts.

    Parameters
    ----------
    model : str
    level_map : callable
        From what was said to how often it was so.
    known_until : Timestamp
        End of the last week that it has learned from.
    n : int
        How many forecasts it has learned from.
    """

    model: str
    level_map: LevelMap
    known_until: pd.Timestamp
    n: int

    def __call__(self, forecast: core.Forecast, *, seed: int = 1) -> Forecast:
        """Return the forecast with its marginals recalibrated, and its paths in the same order.

        Parameters
        ----------
        forecast : Forecast
            Of the same model, from an origin after all that was learned from.
        seed : int

        Returns
        -------
        Forecast

        Raises
        ------
        InputError
            If the map knows weeks that come after the origin of the forecast.
        """
        if forecast.origin <= self.known_until:
            raise InputError(
                f"a calibrator that knows weeks until {self.known_until:%Y-%m-%d} for a forecast from "
                f"{forecast.origin:%Y-%m-%d}",
                expected="one that knows nothing after the origin",
                hint="calibrate(record, model, before=forecast.origin)",
            )
        pmf = remap(marginals(forecast), self.level_map)
        paths = with_marginals(forecast.paths, pmf, generator(seed, "calibrate", self.model))
        history = forecast.history if isinstance(forecast, Forecast) else None
        return Forecast.of(core.Forecast(paths, pmf, forecast.weeks, forecast.units, forecast.model), history)


def calibrate(
    record: Backtest,
    model: str,
    *,
    before: pd.Timestamp | str | None = None,
    method: Literal["beta", "bernstein"] = "beta",
) -> Calibrator:
    """Learn from a record how the probabilities of a model are to be mended.

    Parameters
    ----------
    record : Backtest
    model : str
    before : Timestamp or str, optional
        Only forecasts of weeks that were over by then are used; all of the record if not given.
    method : {"beta", "bernstein"}
        A map of two parameters, or a smooth monotone one of several.

    Returns
    -------
    Calibrator

    Raises
    ------
    InputError
        If the model is not in the record, or fewer of its forecasts than
        `forecast.combination.level_map.LEAST` have come true by then.

    References
    ----------
    Beta map: Gneiting & Ranjan (2013), doi:10.1214/13-EJS823; from past PITs: Rumack, Tibshirani & Rosenfeld (2022),
    doi:10.1371/journal.pcbi.1010771. Bernstein: Leblanc (2012), doi:10.1007/s10463-011-0339-4.

    Examples
    --------
    >>> import forecast as fc
    >>> panel = fc.load("west-africa-weekly", countries=["Mali"])
    >>> record = fc.backtest(["climatology-52"], panel, end="2018-12-29", origins=26, draws=100)
    >>> mend = fc.calibrate(record, "climatology-52", before="2019-01-05")
    >>> ahead = fc.model("climatology-52").fit(panel.until("2019-01-05")).predict(4)
    >>> mend(ahead).paths.shape
    (1000, 4, 9)
    """
    cells = record.pit(model)
    ends = cells["week"] + pd.Timedelta(days=6)
    if before is not None:
        cells = cells[ends < pd.Timestamp(before)]
    if len(cells) < LEAST:
        raise InputError(
            f"{len(cells)} forecasts of {model!r} have come true", expected=f"{LEAST} or more to learn from"
        )
    pairs = cells[["pit_below", "pit_upto"]].to_numpy(np.float64)
    learned = fit_beta_map(pairs) if method == "beta" else fit_bernstein_map(pairs)
    return Calibrator(model, learned, cells["week"].max() + pd.Timedelta(days=6), len(cells))
