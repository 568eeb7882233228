"""Frames of counts with weeks down and units across, as pandas users keep them."""

from __future__ import annotations

import numpy as np
import pandas as pd

from forecast.errors import InputError
from forecast.panel.panel import Panel
from forecast.panel.units import Units
from forecast.panel.weeks import WEEK


def panel_from_wide(frame: pd.DataFrame, *, like: Panel | None = None, source: str = "a table") -> Panel:
    """Make a panel of a frame with a row a week and a column a unit, as `Panel.to_frame` gives it.

    Parameters
    ----------
    frame : DataFrame
        Index: first days of weeks, ascending; a week that is left out is unknown. Values: whole numbers >= 0; missing
        ones are unknown. What stands before the slash of a name, as in ``"Mali/Gao"``, is the group of the unit.
    like : Panel, optional
        One with these units: groups, neighbours and exposure are taken from there.
    source : str

    Returns
    -------
    Panel

    Raises
    ------
    InputError
        If the index holds no weeks, or a value is no count.

    Examples
    --------
    >>> days = pd.DatetimeIndex(["2026-01-03", "2026-01-17"])
    >>> panel = panel_from_wide(pd.DataFrame({"Mali/Gao": [1, 2]}, index=days))
    >>> panel.counts[:, 0].tolist(), panel.observed[:, 0].tolist(), panel.units.groups
    ([1, 0, 2], [True, False, True], ('Mali',))
    """
    if not isinstance(frame.index, pd.DatetimeIndex) or not len(frame):
        raise InputError(
            "a frame without weeks down its side", where=source, expected="an index of dates, first days of weeks"
        )
    plain = frame.index.tz_localize(None) if frame.index.tz is not None else frame.index
    days = pd.DatetimeIndex(plain.to_numpy().astype("datetime64[s]"))
    steps = np.diff(days.to_numpy()).astype("timedelta64[D]").astype(np.int64)
    if (days != days.normalize()).any() or (steps <= 0).any() or (steps % 7).any():
        raise InputError(
            "the index is not of weeks",
            where=source,
            expected="ascending days, seven days (or a multiple) apart",
            hint='frame.resample("W-FRI").sum() counts days by week; its labels are last days',
        )
    try:
        values = frame.astype("Float64").to_numpy(dtype=np.float64, na_value=np.nan)
    except (TypeError, ValueError):
        raise InputError("a value is no number", where=source, expected="whole numbers >= 0") from None
    wrong = np.argwhere(np.isfinite(values) & ((values < 0) | (values != np.floor(values))) | np.isinf(values))
    if len(wrong):
        week, unit = wrong[0]
        raise InputError(
            f"{values[week, unit]:g} is no count",
            where=f"{source}, week {days[week]:%Y-%m-%d}, {frame.columns[unit]!r}",
            expected="a whole number >= 0",
        )
    weeks = pd.date_range(days[0], days[-1], freq=WEEK, unit="s", name="week")
    whole = np.full((len(weeks), values.shape[1]), np.nan)
    whole[weeks.get_indexer(days)] = values
    names = [str(name) for name in frame.columns]
    if like is not None:
        known = like.select(names)
        units, neighbours, exposure = known.units, known.neighbours, known.exposure
    else:
        groups = [name.partition("/")[0] if "/" in name else "" for name in names]
        units, neighbours, exposure = Units.of(names, groups=groups), None, None
    return Panel.of(
        np.nan_to_num(whole).astype(np.int64),
        weeks,
        units,
        observed=np.isfinite(whole),
        neighbours=neighbours,
        exposure=exposure,
        source=source,
    )
