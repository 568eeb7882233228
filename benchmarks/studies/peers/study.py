"""What every peer is asked to forecast, and how its answer is scored: by the code that scores our own models."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from forecast.evaluation.blocks import ACTIVE_FROM, ACTIVITIES, ACTIVITY_WEEKS
from forecast.evaluation.scores import SCORES, score_forecast
from forecast.panel.dataset import Dataset
from forecast.panel.panel import Panel
from forecast.panel.weeks import WEEK
from forecast.predictive import negbin
from forecast.predictive.forecast import Forecast, pmf_of_paths

sys.path.insert(0, str(Path(__file__).parents[1]))
from embedded_protocol import HORIZON, ROOT, TRIALS, Targets

REFIT_EVERY = 13
DRAWS = 1000
SEED = 1
_EPOCH = pd.Timestamp("1970-01-01")
NO_PMF = ("log", "dss")
"""Scores that quantiles alone do not have."""


@dataclass(frozen=True)
class Study:
    """Forecasts to make.

    Parameters
    ----------
    panel : Panel
        All weeks, the targets' too: nothing after the known ones may be shown to a model.
    known : ndarray of int, shape (origins,)
        Weeks that are known at each origin; ascending.
    fitted : ndarray of int, shape (origins,)
        Weeks that were known when the model was fitted last, as in our own backtest.
    horizon : int
    """

    panel: Panel
    known: NDArray[np.intp]
    fitted: NDArray[np.intp]
    horizon: int = HORIZON

    @classmethod
    def of(cls, targets: Targets = TRIALS) -> Study:
        """Return the protocol of `embedded_protocol`."""
        panel = Dataset.open(ROOT / "data" / "west-africa-weekly").region_panel(countries=targets.countries)
        panel = panel.until(targets.last + WEEK)
        known = np.arange(panel.weeks.searchsorted(targets.first) - HORIZON + 1, len(panel.weeks))
        return cls(panel, known, known - (panel.weeks[known] - _EPOCH).days.to_numpy() // 7 % REFIT_EVERY)

    @property
    def units(self) -> int:
        """Number of regions."""
        return len(self.panel.units)

    def target_weeks(self, origin: int) -> pd.DatetimeIndex:
        """First days of the target weeks of the origin at a position."""
        first = self.panel.weeks[0] + int(self.known[origin]) * WEEK
        return pd.date_range(first, periods=self.horizon, freq="7D", unit="s")


def mixed(
    study: Study, origin: int, mean: NDArray[np.floating], size: NDArray[np.floating], rng: np.random.Generator
) -> Forecast:
    """Return a mixture of negative binomials as a forecast.

    Parameters
    ----------
    mean : ndarray, shape (draws, horizon, units)
        Of the conditional distributions on each path.
    size : ndarray that broadcasts with `mean`
    """
    means = mean.astype(np.float64)
    sizes = np.broadcast_to(size, means.shape)
    draws = means if len(means) >= DRAWS else np.repeat(means, DRAWS // len(means), axis=0)
    paths = negbin.sample(draws, np.broadcast_to(sizes[:1], draws.shape), rng)
    pmf = negbin.mixture_pmf(means, sizes)
    return Forecast(paths.astype(np.int32), pmf, study.target_weeks(origin), study.panel.units)


def of_quantiles(study: Study, origin: int, quantiles: NDArray[np.floating]) -> Forecast:
    """Return a forecast that holds quantiles at evenly spaced levels as if they were draws.

    Parameters
    ----------
    quantiles : ndarray, shape (levels, horizon, units)
        At levels (1/2, 3/2, ..) / count; drawn up to 0 and rounded to counts, as their user has to.
    """
    counts = np.rint(np.clip(quantiles, 0, 1e6)).astype(np.int32)
    return Forecast(counts, pmf_of_paths(counts), study.target_weeks(origin), study.panel.units)


def scores_of(study: Study, name: str, forecasts: Iterable[Forecast], *, has_pmf: bool = True) -> pd.DataFrame:
    """Score the forecast of each origin; a table as in `BacktestRecord.scores`."""
    counts, tables = study.panel.counts, []
    for origin, found in enumerate(forecasts):
        known = int(study.known[origin])
        if found.origin != study.target_weeks(origin)[0]:
            raise ValueError(f"{name}: a forecast of {found.origin} stands at the place of another origin")
        seen = min(study.horizon, len(counts) - known)
        observed = np.zeros((study.horizon, study.units), np.int64)
        observed[:seen] = counts[known : known + seen]
        values = score_forecast(found, observed)
        recent = counts[max(known - ACTIVITY_WEEKS, 0) : known].sum(axis=0)
        activity = np.array(ACTIVITIES)[(recent > 0).astype(int) + (recent >= ACTIVE_FROM)]
        table = pd.DataFrame(
            {
                "origin": found.origin,
                "horizon": np.repeat(np.arange(1, seen + 1), study.units),
                "unit": np.tile(np.array(study.panel.units.names, dtype=object), seen),
                "activity": np.tile(activity, seen),
                **{score: values[score][:seen].ravel() for score in SCORES},
            }
        )
        if not has_pmf:
            table[list(NO_PMF)] = np.nan
        tables.append(table)
    if len(tables) != len(study.known):
        raise ValueError(f"{name}: {len(tables)} forecasts for {len(study.known)} origins")
    wide = pd.concat(tables, ignore_index=True).assign(model=name, unit_kind="region")
    keys = ["model", "origin", "horizon", "unit", "unit_kind", "activity"]
    return wide.melt(id_vars=keys, value_vars=list(SCORES), var_name="score", value_name="value")
