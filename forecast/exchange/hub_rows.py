"""A forecast as rows of a forecast hub's model output: quantiles, probabilities, cumulative probabilities, paths."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from forecast.errors import InputError
from forecast.evaluation.record import QUANTILE_LEVELS
from forecast.panel.weeks import WEEK
from forecast.predictive.forecast import TAIL, Forecast

Floats = NDArray[np.float64]
OutputType = Literal["quantile", "pmf", "cdf", "sample"]

OUTPUT_TYPES: tuple[OutputType, ...] = ("quantile", "pmf", "cdf", "sample")
TARGET = "weekly events"
"""What is forecast, as the column `target` says it."""
COLUMNS = (
    "reference_date", "target", "horizon", "location", "target_end_date", "output_type", "output_type_id", "value"
)  # fmt: skip
"""Of model output, in this order: the task ids, then how the forecast is represented."""
PMF_COUNTS = tuple(range(20))
"""Counts with a probability of their own; what lies above is one category, ``20+``."""
REST = f"{len(PMF_COUNTS)}+"
CDF_COUNTS = (*range(21), 25, 30, 40, 50, 75, 100, 150, 200, 300, 500, 1000)
"""Counts of which the probability of at most so many events is given."""


def model_output(
    forecast: Forecast, types: Sequence[OutputType] = ("quantile", "sample"), draws: int = 100
) -> pd.DataFrame:
    """Return a forecast in the columns of model output (https://docs.hubverse.io).

    `reference_date` is the last day that was known, the day before the origin; weeks run Saturday to Friday unless the
    workspace says otherwise, so that it is a Friday, and so is each `target_end_date`, seven days for each week ahead
    later. Paths keep their number over weeks and locations: rows of one `output_type_id` are one joint path.

    Parameters
    ----------
    forecast : Forecast
    types : sequence of {"quantile", "pmf", "cdf", "sample"}
        Quantiles are at the 23 levels of the hubs, probabilities of `PMF_COUNTS` and of more, cumulative ones at
        `CDF_COUNTS`.
    draws : int, default 100
        The first so many sample paths, which are as good as any.

    Returns
    -------
    DataFrame
        `COLUMNS`; output_type_id is text. In order of type, location, horizon and output_type_id.

    Raises
    ------
    InputError
        For a type that there is not, or twice, and for more draws than there are.

    Examples
    --------
    >>> from forecast.panel.units import Units
    >>> weeks = pd.date_range("2026-08-01", periods=1, freq="7D")
    >>> coin = Forecast(np.array([[[0]], [[1]]], "int32"), np.array([[[0.5, 0.5]]]), weeks, Units.of(["Gao"]))
    >>> rows = model_output(coin, ["pmf"])
    >>> rows[["reference_date", "horizon", "location", "target_end_date"]].astype(str).values[0].tolist()
    ['2026-07-31', '1', 'Gao', '2026-08-07']
    >>> rows[["output_type_id", "value"]].values[:3].tolist()
    [['0', 0.5], ['1', 0.5], ['2', 0.0]]
    """
    check_types(types)
    if "sample" in types and not 0 < draws <= forecast.draws:
        raise InputError(f"{draws} sample paths", expected=f"1 to {forecast.draws}, as many as the forecast has")
    return pd.concat([_rows(forecast, kind, *_values(forecast, kind, draws)) for kind in types], ignore_index=True)


def check_types(types: Sequence[str]) -> None:
    """Refuse output types that there are not, or none.

    Raises
    ------
    InputError
    """
    if not types or len(set(types)) < len(types) or not set(types) <= set(OUTPUT_TYPES):
        raise InputError(f"output types {', '.join(types) or '(none)'}", expected=f"of {', '.join(OUTPUT_TYPES)}")


def cdf_of(forecast: Forecast, counts: Sequence[int]) -> Floats:
    """Return the probability of at most so many events, shape (counts, horizon, units).

    Beyond the pmf head, where more than `TAIL` lies there, it is the share of the paths.
    """
    head = np.cumsum(forecast.pmf, axis=2)
    k = head.shape[2]
    far = forecast.tail() > TAIL
    found = np.empty((len(counts), *far.shape))
    for at, count in enumerate(counts):
        if count < k:
            found[at] = head[:, :, count]
        else:
            found[at] = np.where(far, np.maximum((forecast.paths <= count).mean(axis=0), head[:, :, -1]), 1.0)
    return np.minimum(found, 1.0)


def _values(forecast: Forecast, kind: OutputType, draws: int) -> tuple[list[str], NDArray[np.floating]]:
    """Return output_type_ids, and values of shape (ids, horizon, units)."""
    match kind:
        case "quantile":
            return [f"{level:g}" for level in QUANTILE_LEVELS], forecast.quantile(QUANTILE_LEVELS).astype(np.float64)
        case "pmf":
            cdf = cdf_of(forecast, PMF_COUNTS)
            own = np.diff(np.concatenate([np.zeros_like(cdf[:1]), cdf, np.ones_like(cdf[:1])]), axis=0)
            return [*map(str, PMF_COUNTS), REST], own
        case "cdf":
            return [*map(str, CDF_COUNTS)], cdf_of(forecast, CDF_COUNTS)
        case "sample":
            return [str(draw) for draw in range(draws)], forecast.paths[:draws].astype(np.float64)


def _rows(forecast: Forecast, kind: OutputType, ids: list[str], values: NDArray[np.floating]) -> pd.DataFrame:
    horizon, units, n = forecast.horizon, len(forecast.units), len(ids)
    known = forecast.origin - pd.Timedelta(days=1)
    ahead = np.tile(np.repeat(np.arange(1, horizon + 1), n), units)
    ends = (forecast.weeks + WEEK - pd.Timedelta(days=1)).to_numpy()
    names = np.asarray(forecast.units.names, dtype=object)
    return pd.DataFrame(
        {
            "reference_date": known,
            "target": TARGET,
            "horizon": ahead,
            "location": pd.Series(np.repeat(names, horizon * n), dtype="str"),
            "target_end_date": ends[ahead - 1],
            "output_type": kind,
            "output_type_id": pd.Series(ids * (horizon * units), dtype="str"),
            "value": values.transpose(2, 1, 0).ravel(),
        }
    )
