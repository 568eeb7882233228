"""Charts of how well a self-exciting process fits its history, beside a Poisson process of the same baseline."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from numpy.typing import NDArray
from scipy import stats

from forecast.plots.theme import BAND_95, CONTRAST, FORECAST, INK, MUTED, OTHERS, figure, literal
from forecast.processes.fit import FittedHawkes
from forecast.processes.goodness import poisson_of, residual_quantiles, residuals, superthinned
from forecast.processes.history import History
from forecast.reporting.figure import Figure

Floats = NDArray[np.float64]

COLOURS = (FORECAST, *OTHERS)
LEAST_EVENTS = 10
"""Of a node, fewer show nothing."""
LAGS = 10
LEVEL = 0.95


def goodness_figures(found: FittedHawkes, rng: np.random.Generator, *, anchor: str = "process") -> tuple[Figure, ...]:
    """Return the charts of the residuals of a fit.

    Parameters
    ----------
    found : FittedHawkes
    rng : Generator
        For the superthinned points.
    anchor : str
        What the ids of the figures start with.

    Returns
    -------
    tuple of Figure
        Quantiles of the gaps in the time of the compensator against the exponential, with those of the Poisson
        process; the count of events against the compensator, with the band of a Kolmogorov-Smirnov test; correlation
        of neighbouring gaps; and the superthinned points. Nodes with fewer than 10 events are left out; no figure if
        all are.

    Examples
    --------
    >>> from forecast.processes.fit import fit
    >>> from forecast.processes.hawkes import Hawkes
    >>> from forecast.processes.simulate import simulate_clusters
    >>> rng = np.random.default_rng(1)
    >>> history = simulate_clusters(Hawkes.exponential(0.5, 0.6, 1.0), 300.0, rng)
    >>> [chart.anchor for chart in goodness_figures(fit(history), rng)]
    ['process-quantiles', 'process-time', 'process-correlation', 'process-superthinned']
    """
    mine = _of_enough(residuals(found.model, found.history))
    if not len(mine):
        return ()
    other = _of_enough(residuals(poisson_of(found)[0], found.history))
    return (
        _quantiles(mine, other, anchor),
        _changed_time(mine, anchor),
        _correlation(mine, anchor),
        _superthinned(found, rng, anchor),
    )


def _of_enough(table: pd.DataFrame) -> pd.DataFrame:
    return table[table.groupby("node")["gap"].transform("size") >= LEAST_EVENTS]


def _nodes(table: pd.DataFrame) -> list[tuple[str, str, pd.DataFrame]]:
    """Return name, colour and rows of each node."""
    each = table.groupby("node", sort=False)
    return [(str(node), COLOURS[at % len(COLOURS)], rows) for at, (node, rows) in enumerate(each)]


def _quantiles(mine: pd.DataFrame, other: pd.DataFrame, anchor: str) -> Figure:
    found, poisson = residual_quantiles(mine, level=LEVEL), residual_quantiles(other, level=LEVEL)
    most = float(found["expected"].max())
    traces: list[Any] = [_line([0, most], [0, most], MUTED, dash="dot", name="as it should be")]
    for node, colour, rows in _nodes(found):
        traces += _band(rows["expected"], rows["low"], rows["high"])
        traces.append(_points(rows["expected"], rows["observed"], colour, literal(node)))
    for node, _, rows in _nodes(poisson):
        traces.append(_line(rows["expected"], rows["observed"], CONTRAST, name=f"{literal(node)}, Poisson"))
    plot = figure(
        traces, height=340, x={"title": "gap of an exponential"}, y={"title": "gap in the time of the compensator"}
    )
    return Figure(
        f"{anchor}-quantiles",
        "Quantiles of the gaps between events in the time of the compensator against those of an exponential.",
        "Points on the dotted line: the gaps are as the process says. Shaded: where 95 % of such points lie, each for "
        "itself. Orange: the same for a Poisson process of the same baseline, without excitation.",
        plot,
    )


def _changed_time(mine: pd.DataFrame, anchor: str) -> Figure:
    traces: list[Any] = []
    for node, colour, rows in _nodes(mine):
        time = rows["gap"].cumsum().to_numpy()
        share = time / time[-1]
        off = np.arange(1, len(time) + 1) / len(time) - share
        bound = float(stats.kstwo.ppf(LEVEL, len(time)))
        traces += _band(np.array([0.0, 1.0]), np.full(2, -bound), np.full(2, bound))
        traces.append(_line(share, off, colour, name=literal(node)))
    plot = figure(
        traces,
        height=280,
        x={"title": "share of the compensator", "range": [0, 1]},
        y={"title": "events more than expected, share"},
    )
    return Figure(
        f"{anchor}-time",
        "How far the share of events runs ahead of the share of the compensator, from the start to the end.",
        "A rise: more events than the process expected there. A line that leaves the shaded band refutes the process "
        "at the 5 % level (Kolmogorov-Smirnov).",
        plot,
    )


def _correlation(mine: pd.DataFrame, anchor: str) -> Figure:
    traces: list[Any] = []
    for node, colour, rows in _nodes(mine):
        score = stats.norm.ppf(np.clip(rows["uniform"].to_numpy(), 1e-12, 1 - 1e-12))
        score = (score - score.mean()) / score.std()
        lags = np.arange(1, min(LAGS, len(score) // 5) + 1)
        values = [float(score[lag:] @ score[:-lag]) / len(score) for lag in lags]
        bound = float(stats.norm.ppf((1 + LEVEL) / 2)) / np.sqrt(len(score))
        traces += _band(np.array([0.5, lags[-1] + 0.5]), np.full(2, -bound), np.full(2, bound))
        traces.append(_points(lags, values, colour, literal(node), size=8))
    plot = figure(traces, height=260, x={"title": "lag, events", "dtick": 1}, y={"title": "correlation"})
    return Figure(
        f"{anchor}-correlation",
        "Correlation of the gap of each event with those of events before, as normal scores.",
        "Shaded: where 95 % of the correlations of independent gaps lie. Points above it at short lags: events follow "
        "each other in runs that the process does not know.",
        plot,
    )


def _superthinned(found: FittedHawkes, rng: np.random.Generator, anchor: str) -> Figure:
    history: History = found.history
    traces: list[Any] = []
    for node, name in enumerate(history.names):
        if len(history.of_node(node)) < LEAST_EVENTS:
            continue
        points = superthinned(found.model, history, rng, node=node)
        share = (points - history.start) / history.duration
        off = np.arange(1, len(points) + 1) / len(points) - share
        bound = float(stats.kstwo.ppf(LEVEL, len(points)))
        traces += _band(np.array([history.start, history.end], dtype=np.float64), np.full(2, -bound), np.full(2, bound))
        traces.append(_line(points, off, COLOURS[node % len(COLOURS)], name=literal(name)))
    plot = figure(traces, height=280, x={"title": "time"}, y={"title": "points more than even, share"})
    return Figure(
        f"{anchor}-superthinned",
        "How evenly the superthinned points lie over the window.",
        "Events are thinned where the process expects many, and points are added where it expects few: what is left "
        "should be even in time. A line outside of the shaded band says where it is not.",
        plot,
    )


def _band(x: Floats | pd.Series, low: Floats | pd.Series, high: Floats | pd.Series) -> list[go.Scatter]:
    edge: dict[str, Any] = {"mode": "lines", "line": {"width": 0}, "hoverinfo": "skip"}
    return [
        go.Scatter(x=list(x), y=list(low), **edge),
        go.Scatter(x=list(x), y=list(high), fill="tonexty", fillcolor=BAND_95, **edge),
    ]


def _line(x: Any, y: Any, colour: str, *, name: str, dash: str = "solid") -> go.Scatter:
    return go.Scatter(x=list(x), y=list(y), mode="lines", name=name, line={"color": colour, "width": 1.5, "dash": dash})


def _points(x: Any, y: Any, colour: str, name: str, *, size: int = 4) -> go.Scatter:
    return go.Scatter(
        x=list(x),
        y=list(y),
        mode="markers",
        name=name,
        marker={"color": colour, "size": size, "line": {"width": 0, "color": INK}},
    )
