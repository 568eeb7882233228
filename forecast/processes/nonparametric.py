"""Kernels of any shape: piecewise constant, found by EM and finished by Newton's method."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from forecast.errors import InputError
from forecast.processes.baseline import Baseline, Constant, Piecewise
from forecast.processes.excitation import step_counts, step_exposure
from forecast.processes.hawkes import Hawkes
from forecast.processes.history import History
from forecast.processes.row import Row, derivatives, expectation_maximisation, maximise, start_of
from forecast.processes.step_kernel import StepKernel

Floats = NDArray[np.float64]

EM_STEPS = 30
"""Enough to come near the maximum, where Newton's method is faster."""


@dataclass(frozen=True, eq=False)
class StepFit:
    """A process with piecewise constant kernels.

    Parameters
    ----------
    model : Hawkes
    loglik : float
    offspring : DataFrame
        target, source, lag_from, lag_to, offspring (direct ones expected within that range of lags), error (its
        standard error; missing where the estimate is 0, the bound).
    remarks : tuple of str
    """

    model: Hawkes
    loglik: float
    offspring: pd.DataFrame
    remarks: tuple[str, ...]


def fit_steps(history: History, edges: ArrayLike, *, baseline: Baseline | None = None) -> StepFit:
    """Return the process of the highest likelihood whose kernels are constant between the edges.

    The likelihood is concave in the level and in the offspring of each range: its maximum is the only one. EM (Lewis &
    Mohler 2011; Veen & Schoenberg 2008, https://doi.org/10.1198/016214508000000148) comes near it, also where many
    ranges have no offspring, and Newton's method reaches it. Costs O(events * ranges * log events), never all pairs.

    Parameters
    ----------
    history : History
    edges : array, shape (ranges + 1,)
        Ascending lags from 0.
    baseline : Baseline, optional
        Constant by default. EM is left out for baselines that are not levels.

    Raises
    ------
    InputError
        If the edges do not ascend from 0, or there are fewer events than parameters.

    Examples
    --------
    >>> from forecast.processes.simulate import simulate_clusters
    >>> truth = Hawkes.exponential(0.5, 0.6, 1.0)
    >>> found = fit_steps(simulate_clusters(truth, 5000.0, np.random.default_rng(1)), [0.0, 0.5, 1.0, 2.0, 4.0, 8.0])
    >>> found.offspring["offspring"].round(2).tolist()
    [0.24, 0.14, 0.12, 0.07, 0.01]
    """
    form = baseline or Constant()
    edge = np.array(
        StepKernel(tuple(np.asarray(edges, dtype=np.float64).tolist()), (1.0,) * (np.size(edges) - 1)).edges
    )
    nodes, ranges = len(history.names), len(edge) - 1
    parameters = nodes * (len(form.names) + nodes * ranges)
    if len(history.times) < parameters:
        raise InputError(f"{len(history.times)} events", where="history", expected=f"at least {parameters}")
    steps, width, ones = form.over(history.start, history.end), np.diff(edge), np.ones(len(history.times))
    sources = [history.of_node(j) for j in range(nodes)]
    exposure = [step_exposure(edge, times, ones[: len(times)], np.array([history.end]))[0] for times in sources]
    coefficients, offspring, tables, loglik = [], np.empty((nodes, nodes, ranges)), [], 0.0
    for k, at in enumerate(sources):
        counts = [step_counts(edge, times, ones[: len(times)], at) / width for times in sources]
        expected = np.concatenate([each / width for each in exposure])
        row = Row(steps.design, steps.lengths, steps.step_of(at), np.concatenate(counts, axis=1), expected)
        b, theta = start_of(row, form.start(max(len(at), 0.5) / history.duration))
        if isinstance(form, Constant | Piecewise):
            b, theta = expectation_maximisation(row, b, theta, EM_STEPS)
        found = maximise(row, b, theta)
        loglik += found.loglik
        coefficients.append(found.b)
        offspring[k] = found.theta.reshape(nodes, ranges)
        hessian = derivatives(row, found.b, found.theta)[1][np.ix_(found.free, found.free)]
        error = np.full(len(found.free), np.nan)
        error[found.free] = np.sqrt(np.maximum(np.diag(np.linalg.pinv(-hessian, hermitian=True)), 0.0))
        tables.append(_table(history, k, edge, found.theta, error[len(b) :]))
    branching = offspring.sum(axis=2)
    kernels = tuple(
        tuple(StepKernel(tuple(edge), tuple(heights if heights.sum() > 0 else np.ones(ranges))) for heights in row)
        for row in offspring / width
    )
    model = Hawkes(form, np.array(coefficients), branching, kernels)
    remarks = list(history.remarks)
    if model.radius >= 1:
        remarks.append(f"explosive: spectral radius {model.radius:.3g}, forecasts grow without bound")
    return StepFit(model, float(loglik), pd.concat(tables, ignore_index=True), tuple(remarks))


def _table(history: History, target: int, edges: Floats, theta: Floats, error: Floats) -> pd.DataFrame:
    nodes, ranges = len(history.names), len(edges) - 1
    return pd.DataFrame(
        {
            "target": history.names[target],
            "source": np.repeat(history.names, ranges),
            "lag_from": np.tile(edges[:-1], nodes),
            "lag_to": np.tile(edges[1:], nodes),
            "offspring": theta,
            "error": error,
        }
    )
