"""A small frame for each chart, with what it must hold and what it may hold."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from forecast import plots

WEEKS = pd.date_range("2026-08-01", periods=4, freq="7D")
PAST = pd.date_range("2026-05-02", "2026-07-25", freq="7D")
LEVELS = (0.025, 0.1, 0.25, 0.5, 0.75, 0.9, 0.975)
UNITS = ("Mali/Mopti", "Niger/Diffa")


def quantiles() -> pd.DataFrame:
    rows = [
        (unit, week, level, float(round(5 * level * (2 - at) + step)), 2.5 + step)
        for at, unit in enumerate(UNITS)
        for step, week in enumerate(WEEKS)
        for level in LEVELS
    ]
    return pd.DataFrame(rows, columns=["unit", "week", "quantile", "value", "mean"])


def counts() -> pd.DataFrame:
    rows = [(unit, week, float((3 * k + at) % 7)) for at, unit in enumerate(UNITS) for k, week in enumerate(PAST)]
    frame = pd.DataFrame(rows, columns=["unit", "week", "events"])
    frame.loc[4, "events"] = np.nan
    return frame


def probabilities() -> pd.DataFrame:
    return pd.DataFrame({"unit": ["Mali/Mopti", "Niger/Diffa", "Bamako 100 km"], "probability": [0.83, np.nan, 0.2]})


def shapes() -> dict[str, Any]:
    def square(west: float, south: float, side: float = 4.0) -> dict[str, Any]:
        ring = [(0, 0), (side, 0), (side, side), (0, side), (0, 0)]
        return {"type": "Polygon", "coordinates": [[(west + x, south + y) for x, y in ring]]}

    return {"Mali/Mopti": square(-6, 13), "Niger/Diffa": square(-2, 13), "Niger/Agadez": square(-2, 17)}


def bars() -> pd.DataFrame:
    edges = np.linspace(0, 1, 6)
    one = pd.DataFrame({"left": edges[:-1], "right": edges[1:], "density": [0.8, 1.0, 1.1, 1.0, 1.1]})
    banded = one.assign(low=0.7, high=1.3, group="all regions")
    return pd.concat([banded, one.assign(density=1.0, group="active regions")], ignore_index=True)


def curve() -> pd.DataFrame:
    p = np.array([0.02, 0.1, 0.3, 0.45, 0.8])
    y = [0.0, 0.1, 0.1, 0.6, 0.7]
    n = [400, 80, 20, 9, 3]
    return pd.DataFrame({"probability": p, "recalibrated": y, "low": p / 2, "high": np.minimum(1, 1.5 * p), "n": n})


def skill() -> pd.DataFrame:
    rows = [
        (model, horizon, gain - 0.01 * horizon, gain - 0.04, gain + 0.02)
        for model, gain in (("pool", 0.06), ("hawkes", 0.02), ("window", 0.0))
        for horizon in (1, 2, 3)
    ]
    return pd.DataFrame(rows, columns=["model", "horizon", "skill", "low", "high"])


def pmf() -> pd.DataFrame:
    rows = [
        ("Mali/Mopti", week, count, probability)
        for step, week in enumerate(WEEKS)
        for count, probability in enumerate((0.5 - 0.1 * step, 0.2, 0.15, 0.1 + 0.1 * step, 0.045))
    ]
    return pd.DataFrame(rows, columns=["unit", "week", "count", "probability"])


def components() -> pd.DataFrame:
    rows = [
        ("Mali/Mopti", week, name, float(value + k % 3))
        for k, week in enumerate(PAST)
        for name, value in (("own", 2), ("neighbour", 1), ("endemic", 1))
    ]
    return pd.DataFrame(rows, columns=["unit", "week", "component", "value"])


def excitation() -> pd.DataFrame:
    lag = np.linspace(0, 14, 15)
    rate = 0.5 * 0.5 * np.exp(-0.5 * lag)
    return pd.DataFrame({"lag": lag, "rate": rate, "low": 0.8 * rate, "high": 1.2 * rate})


def years() -> pd.DataFrame:
    weeks = pd.date_range("2024-12-28", "2026-07-25", freq="7D")
    events = [float(k % 12) for k in range(len(weeks))]
    events[3] = np.nan
    return pd.DataFrame({"unit": "Mali/Mopti", "week": weeks, "events": events})


def statements() -> pd.DataFrame:
    rows = [
        (origin, unit, 0.1 + 0.2 * k + 0.3 * at, float((k + at) % 2) if k < 3 else np.nan)
        for k, origin in enumerate(WEEKS)
        for at, unit in enumerate(("Niger/Diffa", "Mali/Mopti"))
        if (k, at) != (1, 0)
    ]
    frame = pd.DataFrame(rows, columns=["origin", "unit", "probability", "outcome"])
    return frame.assign(escalation="any_event", model="pool")


@dataclass(frozen=True)
class Case:
    """One chart, how it is drawn of its frame, and the columns that it cannot do without."""

    name: str
    frame: Callable[[], pd.DataFrame]
    draw: Callable[..., Any]
    needed: tuple[str, ...]


CASES = (
    Case(
        "fan",
        quantiles,
        lambda frame, **look: plots.fan(frame, counts(), unit="Mali/Mopti", **look),
        ("unit", "week", "quantile", "value"),
    ),
    Case(
        "risk_map",
        probabilities,
        lambda frame, **look: plots.risk_map(frame, shapes(), **look),
        ("unit", "probability"),
    ),
    Case(
        "small_multiples",
        quantiles,
        lambda frame, **look: plots.small_multiples(frame, counts(), **look),
        ("unit", "week", "quantile", "value"),
    ),
    Case("pit", bars, plots.pit, ("left", "right", "density")),
    Case("reliability", curve, plots.reliability, ("probability", "recalibrated")),
    Case(
        "skill_by_horizon",
        skill,
        lambda frame, **look: plots.skill_by_horizon(frame, reference="window", **look),
        ("model", "horizon", "skill"),
    ),
    Case("ridge", pmf, plots.ridge, ("unit", "week", "count", "probability")),
    Case("component_shares", components, plots.component_shares, ("week", "component", "value")),
    Case("excitation_kernel", excitation, plots.excitation_kernel, ("lag", "rate")),
    Case("calendar", years, plots.calendar, ("week", "events")),
    Case("track_record", statements, plots.track_record, ("origin", "unit", "probability", "outcome")),
)
