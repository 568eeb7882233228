"""Simulated catalogues, and the likelihood of a process in space and time as its definition has it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from forecast.processes.spacetime.area import Area
from forecast.processes.spacetime.background import Background
from forecast.processes.spacetime.catalogue import Catalogue
from forecast.processes.spacetime.decays import Decay, Exponential, gaussian
from forecast.processes.spacetime.likelihood import RINGS, Likelihood, Parameters
from forecast.processes.spacetime.simulate import simulate


@pytest.fixture(scope="session")
def truth() -> Parameters:
    """Half of the events are triggered, within 10 days and 15 km."""
    return Parameters(np.log([[1.0]]), np.array([[0.5]]), Exponential(10.0, 100.0), gaussian(15.0, 100.0))


@pytest.fixture(scope="session")
def uniform() -> tuple[Background, ...]:
    return (Background.uniform(Area.box(10.0, 0.0, 14.0, 4.0)),)


@pytest.fixture(scope="session")
def simulated(truth: Parameters, uniform: tuple[Background, ...]) -> Catalogue:
    return simulate(truth, uniform, 600.0, np.random.default_rng(1))


@pytest.fixture(scope="session")
def direct_loglik() -> Callable[..., complex]:
    """The sum over all pairs, for real or complex parameters."""
    return _direct


def _direct(likelihood: Likelihood, at: Parameters, density: np.ndarray, x: np.ndarray | None = None) -> complex:
    """The likelihood at logarithms x of the parameters: complex ones give derivatives without differences."""
    x = at.shape if x is None else x
    events, pairs, time = likelihood.catalogue, at.branching.size, len(at.in_time.x)
    n = np.exp(x[:pairs]).reshape(at.branching.shape)
    g, cumulative = _decay(at.in_time, x[pairs : pairs + time])
    f, upto = _decay(at.in_space, x[pairs + time :])
    squares = at.in_space.upto * np.linspace(0.0, 1.0, RINGS + 1) ** 2
    share = events.area.shares(events.cells, squares) @ np.diff(np.array([upto(s) for s in squares]))
    total, counted = 0.0, 0
    for i, (t, k) in enumerate(zip(events.times, events.kinds, strict=True)):
        if t < likelihood.since:
            continue
        step = min(np.searchsorted(likelihood.steps.edges, t, side="right") - 1, len(likelihood.steps) - 1)
        rate = np.exp(at.levels[k, step]) * density[counted]
        counted += 1
        for j in range(i):
            lag = t - events.times[j]
            square = ((events.vectors[i] - events.vectors[j]) ** 2).sum()
            if 0 < lag <= at.in_time.upto and square <= at.in_space.upto:
                rate = rate + n[k, events.kinds[j]] * g(lag) * f(square) / np.pi / share[j]
        total = total + np.log(rate)
    total = total - (np.exp(at.levels) @ np.diff(likelihood.steps.edges)).sum()
    for t, k in zip(events.times, events.kinds, strict=True):
        ages = (min(max(end - t, 0.0), at.in_time.upto) for end in (events.end, likelihood.since))
        total = total - n[:, k].sum() * (cumulative(next(ages)) - cumulative(next(ages)))
    return total


def _decay(form: Decay, x: np.ndarray) -> tuple[Callable, Callable]:
    """Density and cumulative density of a form, from the formulas."""
    if isinstance(form, Exponential):
        rate = np.exp(-x[0])
        whole = 1 - np.exp(-rate * form.upto)
        return lambda v: rate * np.exp(-rate * v) / whole, lambda v: (1 - np.exp(-rate * v)) / whole
    c, p = np.exp(x)

    def mass(v: float) -> complex:
        return c * ((1 + v / c) ** (1 - p) - 1) / (1 - p)

    return lambda v: (1 + v / c) ** -p / mass(form.upto), lambda v: mass(v) / mass(form.upto)
