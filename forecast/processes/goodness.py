"""Does a process fit its history: change of time, superthinning, and what it adds to a Poisson process."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from forecast.errors import InputError
from forecast.processes.fit import FittedHawkes
from forecast.processes.hawkes import Hawkes
from forecast.processes.history import History
from forecast.processes.row import maximise, start_of, without_excitation

Floats = NDArray[np.float64]


def residuals(model: Hawkes, history: History) -> pd.DataFrame:
    r"""Return the gaps between each node's events in the time of its own compensator.

    By the random time change :math:`\Lambda_k(t_i) - \Lambda_k(t_{i-1})` are independent and exponential with mean 1
    if the model is right. Ogata (1988), https://doi.org/10.1080/01621459.1988.10478560; multivariate: Bowsher (2007),
    https://doi.org/10.1016/j.jeconom.2006.11.007.

    Returns
    -------
    DataFrame
        node, time, gap (exponential), uniform (``1 - exp(-gap)``); one row an event. The first gap of a node is that
        from the start of the window.

    Examples
    --------
    >>> residuals(Hawkes.exponential(0.5, 0.6, 1.0), History.of([1.0, 2.0], end=4.0)).round(3)
      node  time    gap  uniform
    0    0   1.0  0.500    0.393
    1    0   2.0  0.879    0.585
    """
    tables = []
    for k, name in enumerate(history.names):
        times = history.of_node(k)
        if not len(times):
            continue
        gap = np.diff(model.compensator(history, times)[k], prepend=0.0)
        tables.append(pd.DataFrame({"node": name, "time": times, "gap": gap, "uniform": -np.expm1(-gap)}))
    return pd.concat(tables, ignore_index=True)


def residual_tests(found: pd.DataFrame, *, lags: int = 10) -> pd.DataFrame:
    """Test whether residuals are uniform and independent.

    Kolmogorov-Smirnov on the uniforms; the correlation of neighbours and Ljung-Box on their normal scores. Parameters
    estimated from the same events make the first slightly too lenient.

    Parameters
    ----------
    found : DataFrame
        From `residuals`.
    lags : int, default 10
        Of Ljung-Box; at most a fifth of the events.

    Returns
    -------
    DataFrame
        Index node; events, ks, ks_p, lag1, lag1_p, ljung_box, ljung_box_p. Missing for fewer than 10 events.
    """
    rows = {str(node): _tests(mine["uniform"].to_numpy(), lags) for node, mine in found.groupby("node", sort=False)}
    return pd.DataFrame(rows).T.rename_axis("node").astype({"events": int})


def _tests(uniform: Floats, lags: int) -> dict[str, float]:
    n = len(uniform)
    if n < 10:
        missing = dict.fromkeys(("ks", "ks_p", "lag1", "lag1_p", "ljung_box", "ljung_box_p"), np.nan)
        return {"events": n, **missing}
    ks = stats.kstest(uniform, "uniform")
    score = stats.norm.ppf(np.clip(uniform, 1e-12, 1 - 1e-12))
    score = (score - score.mean()) / score.std()
    most = max(1, min(lags, n // 5))
    correlation = np.array([score[lag:] @ score[:-lag] / n for lag in range(1, most + 1)])
    box = n * (n + 2) * float((correlation**2 / (n - np.arange(1, most + 1))).sum())
    return {
        "events": n,
        "ks": float(ks.statistic),
        "ks_p": float(ks.pvalue),
        "lag1": float(correlation[0]),
        "lag1_p": float(2 * stats.norm.sf(abs(correlation[0]) * np.sqrt(n))),
        "ljung_box": box,
        "ljung_box_p": float(stats.chi2.sf(box, most)),
    }


def residual_quantiles(found: pd.DataFrame, *, level: float = 0.95) -> pd.DataFrame:
    """Return what a Q-Q plot shows: ordered gaps, where an exponential has them, and its pointwise band.

    Returns
    -------
    DataFrame
        node, expected, observed, low, high; one row an event.
    """
    tables = []
    for node, mine in found.groupby("node", sort=False):
        n = len(mine)
        rank = np.arange(1, n + 1)
        low, high = (stats.beta.ppf(share, rank, n + 1 - rank) for share in ((1 - level) / 2, (1 + level) / 2))
        table = {"node": node, "expected": -np.log1p(-(rank - 0.5) / n), "observed": np.sort(mine["gap"].to_numpy())}
        tables.append(pd.DataFrame(table | {"low": -np.log1p(-low), "high": -np.log1p(-high)}))
    return pd.concat(tables, ignore_index=True)


def superthinned(
    model: Hawkes, history: History, rng: np.random.Generator, *, node: int = 0, rate: float | None = None
) -> Floats:
    r"""Return points that are a homogeneous Poisson process if the model is right.

    An event is kept with probability :math:`\min(1, c / \lambda)`, and points of the rate :math:`\max(0, c - \lambda)`
    are added. Where the result is too dense or too thin, the model is wrong. Clements, Schoenberg & Veen (2012),
    https://doi.org/10.1002/env.2168.

    Parameters
    ----------
    model : Hawkes
    history : History
    rng : Generator
    node : int, default 0
    rate : float, optional
        :math:`c`; the mean rate of the node's events by default.

    Returns
    -------
    array, shape (points,)
        Ascending times.

    Examples
    --------
    >>> history = History.of([1.0, 2.0, 2.5], end=4.0)
    >>> points = superthinned(Hawkes.exponential(0.5, 0.6, 1.0), history, np.random.default_rng(1))
    >>> bool(((points >= 0) & (points <= 4)).all())
    True
    """
    if not 0 <= node < len(history.names):
        raise InputError(f"node {node}", expected=f"0 to {len(history.names) - 1}")
    events = history.of_node(node)
    c = len(events) / history.duration if rate is None else rate
    if not (np.isfinite(c) and c > 0):
        raise InputError(f"rate {c}", expected="a positive number")
    kept = events
    if len(events):
        kept = events[rng.random(len(events)) * model.intensity(history, events)[node] < c]
    points = np.sort(rng.uniform(history.start, history.end, rng.poisson(c * history.duration)))
    if len(points):
        points = points[rng.random(len(points)) * c >= model.intensity(history, points)[node]]
    return np.sort(np.concatenate([kept, points]))


def poisson_of(found: FittedHawkes) -> tuple[Hawkes, float]:
    """Return the Poisson process with the baseline of a fit, fitted to the same events, and its log-likelihood."""
    history, form, nodes = found.history, found.model.baseline, found.model.nodes
    coefficients, loglik = [], 0.0
    for at in found.profile.slopes(found.x):
        row = without_excitation(at.row)
        start, none = start_of(row, form.start(max(len(row.step), 0.5) / history.duration))
        best = maximise(row, start, none)
        coefficients.append(best.b)
        loglik += best.loglik
    return Hawkes(form, np.array(coefficients), np.zeros((nodes, nodes)), found.model.kernels), loglik


def against_poisson(found: FittedHawkes) -> pd.DataFrame:
    """Compare a fit with a Poisson process of the same baseline, fitted to the same events.

    Returns
    -------
    DataFrame
        Index poisson and hawkes; loglik, parameters, aic, loglik_per_event, and of the residuals the lowest p-value
        over the nodes of each test: ks_p, ljung_box_p.

    Examples
    --------
    >>> from forecast.processes.fit import fit
    >>> from forecast.processes.simulate import simulate_clusters
    >>> truth = Hawkes.exponential(0.5, 0.6, 1.0)
    >>> table = against_poisson(fit(simulate_clusters(truth, 500.0, np.random.default_rng(1))))
    >>> table["aic"].idxmin()
    'hawkes'
    """
    history = found.history
    poisson, loglik = poisson_of(found)
    rows = {
        "poisson": (poisson, loglik, poisson.nodes * len(poisson.baseline.names)),
        "hawkes": (found.model, found.loglik, found.parameters),
    }
    table = {}
    for name, (model, value, parameters) in rows.items():
        tests = residual_tests(residuals(model, history))
        table[name] = {
            "loglik": value,
            "parameters": parameters,
            "aic": 2 * (parameters - value),
            "loglik_per_event": value / len(history.times),
            "ks_p": tests["ks_p"].min(),
            "ljung_box_p": tests["ljung_box_p"].min(),
        }
    return pd.DataFrame(table).T
