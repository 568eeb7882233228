"""Tables with HXL tags, as the Humanitarian Data Exchange has them: a second header row says what each column is.

The tags are those of https://hxlstandard.org/standard/1-1final/dictionary/. Readers of this package pass the row over.
"""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from forecast.csv_text import csv_bytes
from forecast.errors import InputError
from forecast.panel.units import Units
from forecast.panel.weeks import WEEK
from forecast.predictive.forecast import Forecast

_DAY = pd.Timedelta(days=1)

TAGS: Mapping[str, str] = {
    "unit": "#meta+id",
    "country": "#country+name",
    "region": "#adm1+name",
    "place": "#loc+name",
    "origin": "#date+origin",
    "target_start": "#date+start",
    "target_end": "#date+end",
    "horizon": "#indicator+horizon+weeks",
    "escalation": "#indicator+name",
    "probability": "#indicator+value+probability",
    "mean": "#indicator+num+mean",
    "any": "#indicator+value+probability+any",
    "model": "#meta+model",
}


def weekly_table(forecast: Forecast) -> pd.DataFrame:
    """Return one row a week and unit: who, when, expected events, quantiles, and the probability of any event.

    `forecast score` reads it.

    Examples
    --------
    >>> import numpy as np
    >>> units, weeks = Units.of(["Mali/Gao"], groups=["Mali"]), pd.date_range("2026-08-01", periods=1, freq="7D")
    >>> coin = Forecast(np.array([[[0]], [[1]]], "int32"), np.array([[[0.5, 0.5]]]), weeks, units, "coin")
    >>> weekly_table(coin)[["country", "region", "q0.9", "any"]].values.tolist()
    [['Mali', 'Gao', 1, 0.5]]
    """
    frame = forecast.to_frame()
    start = frame.pop("week")
    kept = frame.drop(columns=["unit", "unit_kind"])
    when = pd.DataFrame({"origin": forecast.origin, "target_start": start, "target_end": start + WEEK - _DAY})
    any_event = pd.Series((1 - forecast.pmf[:, :, 0]).ravel(), name="any")
    model = pd.Series(forecast.model, index=frame.index, name="model", dtype="str")
    return pd.concat([_who(frame["unit"], forecast.units), when, kept, any_event, model], axis=1)


def risk_rows(risk: pd.DataFrame, units: Units, model: str) -> pd.DataFrame:
    """Return the probability of each escalation in each unit, as `forecast.predictive.risk.risk_table` has them.

    Parameters
    ----------
    risk : DataFrame
        With the columns `RISK_COLUMNS`.
    units : Units
        Of which rows are returned.
    model : str
        The same.
    """
    rows = risk[(risk["model"] == model) & (risk["unit_kind"] == units.kind)].reset_index(drop=True)
    told = rows[["origin", "target_start", "target_end", "escalation", "probability", "model"]]
    return pd.concat([_who(rows["unit"], units), told], axis=1)


def tagged_csv(frame: pd.DataFrame) -> bytes:
    r"""Return a table as CSV with its row of tags.

    Raises
    ------
    InputError
        For a column without a tag.

    Examples
    --------
    >>> tagged_csv(pd.DataFrame({"unit": ["Mali/Gao"], "q0.9": [3]}))
    b'unit,q0.9\n#meta+id,#indicator+num+q0_9\nMali/Gao,3\n'
    """
    return csv_bytes(frame, float_format="%.6g", tags=[_tag(str(column)) for column in frame])


def _tag(column: str) -> str:
    if column.startswith("q0."):
        return f"#indicator+num+{column.replace('.', '_')}"
    if column not in TAGS:
        raise InputError(f"column {column!r} has no HXL tag", expected=f"one of {', '.join(TAGS)}")
    return TAGS[column]


def _who(names: pd.Series, units: Units) -> pd.DataFrame:
    """Return unit, country and the name of the region or place without its country."""
    of = {name: units.index(name) for name in dict.fromkeys(names)}
    country = [units.groups[of[name]] for name in names]
    short = [name.removeprefix(f"{group}/") for name, group in zip(names, country, strict=True)]
    return pd.DataFrame({"unit": list(names), "country": country, units.kind: short}, dtype="str")
