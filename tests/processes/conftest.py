"""The likelihood of a Hawkes process as its definition has it: all pairs of events."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from forecast.processes.hawkes import Hawkes
from forecast.processes.history import History


@pytest.fixture(scope="session")
def direct_loglik() -> Callable[..., float]:
    """The sum over all pairs; density and cumulative kernel can be given as functions of the lag."""
    return _direct_loglik


def _direct_loglik(model: Hawkes, history: History, density=None, cumulative=None) -> float:
    """Sum over all pairs; the kernel can be given as functions of the lag."""
    steps = model.baseline.over(history.start, history.end)
    effect = np.exp(model.mark_exponent * np.log1p(history.marks)) / model.mark_scale
    total = 0.0
    for i, (t, k) in enumerate(zip(history.times, history.nodes, strict=True)):
        step = int(np.searchsorted(steps.edges, t, side="right")) - 1
        rate = np.exp(steps.design[min(step, len(steps.design) - 1)] @ model.coefficients[k])
        for past in range(i):
            if history.times[past] < t:
                j = history.nodes[past]
                phi = density or model.kernels[k][j].density
                rate += model.branching[k, j] * effect[past] * float(phi(t - history.times[past]))
        total += np.log(rate)
    for k in range(model.nodes):
        total -= float(np.exp(steps.design @ model.coefficients[k]) @ np.diff(steps.edges))
        for past, (t, j) in enumerate(zip(history.times, history.nodes, strict=True)):
            share = (cumulative or model.kernels[k][j].cumulative)(history.end - t)
            total -= model.branching[k, j] * effect[past] * float(share)
    return total
