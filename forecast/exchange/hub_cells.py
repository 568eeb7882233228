"""The rows of one output type of model output, arranged by location, week and level, and what they say of each week."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from forecast.errors import InputError, unknown_name
from forecast.evaluation.forecast_table import ForecastTable, Kind
from forecast.exchange.count_distribution import LARGEST, pmf_of_cdf, pmf_of_head, pmf_of_quantiles
from forecast.panel.units import Units
from forecast.panel.weeks import WEEK
from forecast.predictive.forecast import Paths, pmf_of_paths

Floats = NDArray[np.float64]

SEPARATE = "the dependence over weeks and units is not known: paths are drawn for each by itself"
BY_UNIT = "the dependence over units is not known: each has paths of its own"


@dataclass(frozen=True, eq=False)
class HubCells:
    """The values of one output type, arranged.

    Parameters
    ----------
    kind : {"quantile", "pmf", "cdf", "sample"}
    units : Units
        Those that there are.
    keys : ndarray, shape (units, horizon, values)
        Levels, counts, or names of samples; ascending.
    values : ndarray of float, shape (units, horizon, values)
    ends : DatetimeIndex, shape (horizon,)
        Last days of the weeks.
    name : str
        Of the file.
    """

    kind: Kind
    units: Units
    keys: NDArray[np.object_]
    values: Floats
    ends: pd.DatetimeIndex
    name: str

    @classmethod
    def of(cls, table: ForecastTable, units: Units, origin: pd.Timestamp, name: str) -> HubCells:
        """Arrange rows of weeks ahead.

        Raises
        ------
        InputError
            For locations that are no units, and for rows that some week and location lacks.
        """
        rows, kind = table.rows, table.kind
        at = {unit: position for position, unit in enumerate(units.names)}
        for unit in rows["unit"].unique():
            if unit not in at:
                raise unknown_name("location", unit, units.names, where=f"{name}, column 'location'")
        position = rows["unit"].map(at).to_numpy(np.intp)
        ahead = rows["horizon"].to_numpy(np.int64) - 1
        there, place = np.unique(position, return_inverse=True)
        mine, horizon = units.take(there.tolist()), int(ahead.max()) + 1
        ends = pd.date_range(origin + WEEK - pd.Timedelta(days=1), periods=horizon, freq=WEEK, unit="s")
        key = rows["key"].astype(str if kind == "sample" else float).to_numpy(object)
        length = rows["key"].astype(str).str.len().to_numpy() if kind == "sample" else np.zeros(len(rows), np.int64)
        order = np.lexsort((key.astype(str) if kind == "sample" else key.astype(float), length, ahead, place))
        size = np.bincount(place * horizon + ahead, minlength=len(there) * horizon)
        wanted = sorted(set(key)) if kind != "sample" else []
        number = len(wanted) or int(size.max())
        if (size != number).any():
            cell = int(np.flatnonzero(size != number)[0])
            of = f"{mine.names[cell // horizon]!r}, week until {ends[cell % horizon]:%Y-%m-%d}"
            own = set(key[place * horizon + ahead == cell])
            lacking = [f"{each:g}" for each in wanted if each not in own]
            what = f"no {kind} {', '.join(lacking[:3])}" if lacking and own else f"{size[cell]} {kind} rows of {number}"
            raise InputError(f"{what}, of {of}", where=name, expected="the same for all weeks and locations")
        shape = (len(there), horizon, number)
        values = rows["value"].to_numpy(np.float64)[order].reshape(shape)
        return cls(kind, mine, key[order].reshape(shape), values, ends, name)

    @property
    def shape(self) -> tuple[int, int]:
        """Weeks and units."""
        return self.values.shape[1], self.values.shape[0]

    def pmf(self) -> Floats:
        """Return the marginals, shape (horizon, units, counts)."""
        horizon, units = self.shape
        rows = self.values.transpose(1, 0, 2).reshape(horizon * units, -1)
        # Quiet regions say the same week after week: each distinct row is worked out once.
        _, first, row = np.unique(rows, axis=0, return_index=True, return_inverse=True)
        laws = {at: self._law(at % units, at // units) for at in sorted(first.tolist())}  # the first fault is told
        pmf = np.zeros((len(first), max(map(len, laws.values()))))
        for number, at in enumerate(first.tolist()):
            pmf[number, : len(laws[at])] = laws[at]
        return np.asarray(pmf[row.ravel()].reshape(horizon, units, -1))

    def _law(self, unit: int, ahead: int) -> Floats:
        keys, values = self.keys[unit, ahead].astype(np.float64), self.values[unit, ahead]
        try:
            if self.kind == "quantile":
                return pmf_of_quantiles(keys.tolist(), values)
            if self.kind == "cdf":
                return pmf_of_cdf(keys, values)
            return pmf_of_head(keys, values)
        except InputError as error:
            week = f"{self.units.names[unit]!r}, week until {self.ends[ahead]:%Y-%m-%d}"
            raise InputError(error.what, where=f"{self.name}, {week}", expected=error.expected) from None

    def paths(self, rng: np.random.Generator) -> tuple[Paths, tuple[str, ...]]:
        """Return paths, shape (draws, horizon, units), and what must be remarked of their dependence."""
        if self.values.max() > LARGEST:
            raise InputError(f"a sample of {self.values.max():g} events", where=self.name, expected=f"0 to {LARGEST}")
        over_weeks = (self.keys == self.keys[:, :1]).all()
        over_units = (self.keys[:, 0] == self.keys[0, 0]).all()
        values = self.values.astype(np.int32)
        remarks: tuple[str, ...] = ()
        if not over_weeks:
            values, remarks = rng.permuted(values, axis=2), (SEPARATE,)
        elif not over_units:
            values, remarks = np.stack([mine[:, rng.permutation(mine.shape[1])] for mine in values]), (BY_UNIT,)
        return np.ascontiguousarray(values.transpose(2, 1, 0)), remarks

    def shares(self) -> Floats:
        """Return the share of samples at each count, shape (horizon, units, counts)."""
        return pmf_of_paths(self.values.astype(np.int32).transpose(2, 1, 0))
