"""What came, as forecast hubs keep it: the time series of counts, and the output of an oracle to score against."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from forecast.exchange.hub_rows import CDF_COUNTS, PMF_COUNTS, REST, TARGET, OutputType
from forecast.panel.panel import Panel
from forecast.panel.weeks import WEEK
from forecast.predictive.forecast import Forecast


def time_series(panel: Panel) -> pd.DataFrame:
    """Return the observed counts: target_end_date, target, location, observation. Unknown weeks have no row.

    Examples
    --------
    >>> from forecast.panel.units import Units
    >>> weeks = pd.date_range("2026-07-25", periods=1, freq="7D")
    >>> time_series(Panel.of(np.array([[3]]), weeks, Units.of(["Gao"]))).astype(str).values.tolist()
    [['2026-07-31', 'weekly events', 'Gao', '3']]
    """
    week, unit = np.nonzero(panel.observed)
    return pd.DataFrame(
        {
            "target_end_date": (panel.weeks + WEEK - pd.Timedelta(days=1))[week],
            "target": TARGET,
            "location": pd.Series(np.asarray(panel.units.names, dtype=object)[unit], dtype="str"),
            "observation": panel.counts[week, unit],
        }
    )


def oracle_output(panel: Panel, forecasts: Sequence[Forecast], types: Sequence[OutputType]) -> pd.DataFrame:
    """Return what an oracle would have forecast of the weeks and locations that are forecast, where they are known.

    Columns are target_end_date, target, location, output_type, output_type_id and oracle_value: the count for quantiles
    and samples, whatever their id, which is missing; 0 or 1 for each category of a pmf and each count of a cdf.
    """
    last_day = WEEK - pd.Timedelta(days=1)
    wanted = {(week + last_day, name) for each in forecasts for week in each.weeks for name in each.units.names}
    came = time_series(panel)
    came = came[pd.MultiIndex.from_frame(came[["target_end_date", "location"]]).isin(sorted(wanted))]
    count = came.pop("observation").to_numpy(np.int64)
    parts = []
    for kind in types:
        ids, value = _oracle(kind, count)
        rows = came.loc[came.index.repeat(len(ids))].reset_index(drop=True)
        names = pd.Series(ids * len(came), dtype="str")
        parts.append(rows.assign(output_type=kind, output_type_id=names, oracle_value=value.ravel()))
    return pd.concat(parts, ignore_index=True)


def _oracle(kind: OutputType, count: np.ndarray) -> tuple[list[str | None], np.ndarray]:
    """Return output_type_ids, and the oracle's values of each count, shape (counts, ids)."""
    if kind == "pmf":
        known = np.minimum(count, len(PMF_COUNTS))[:, None] == np.arange(len(PMF_COUNTS) + 1)
        return [*map(str, PMF_COUNTS), REST], known.astype(np.int64)
    if kind == "cdf":
        return [*map(str, CDF_COUNTS)], (count[:, None] <= np.asarray(CDF_COUNTS)).astype(np.int64)
    return [None], count[:, None]
