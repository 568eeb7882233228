"""Processes of several nodes with baselines, kernels and marks: rate, compensator, likelihood."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import integrate

from forecast.errors import InputError
from forecast.processes.baseline import Constant, Covariates, Piecewise, Seasonal
from forecast.processes.hawkes import Hawkes
from forecast.processes.history import History
from forecast.processes.kernels import ExponentialKernel, PowerLaw, SumOfExponentials
from forecast.processes.step_kernel import StepKernel

WEEKS = Covariates.of(np.arange(0.0, 71.0, 7.0), np.sin(np.arange(20)).reshape(10, 2), ["rain", "price"])


def history(seed: int = 1, *, tied: bool = False) -> History:
    rng = np.random.default_rng(seed)
    times = np.sort(rng.uniform(0, 60, 90))
    times = np.round(times) if tied else times
    return History.of(times, end=63.0, nodes=rng.integers(0, 2, 90), marks=rng.poisson(2.0, 90))


def process(baseline, kernel) -> Hawkes:
    rng = np.random.default_rng(2)
    coefficients = rng.normal(-1.0, 0.3, (2, len(baseline.names)))
    return Hawkes(baseline, coefficients, np.array([[0.3, 0.2], [0.0, 0.4]]), ((kernel,) * 2,) * 2, 0.5, 1.3)


@pytest.mark.parametrize("baseline", [Constant(), Piecewise((20.0, 45.5)), Seasonal(30.0, 2), WEEKS])
@pytest.mark.parametrize(
    "kernel",
    [
        ExponentialKernel(0.8),
        SumOfExponentials((0.1, 3.0), (1.0, 1.0)),
        PowerLaw(0.5, 1.8, 63.0),
        StepKernel((0.0, 1.0, 5.0), (1.0, 0.1)),
    ],
    ids=lambda kernel: type(kernel).__name__,
)
def test_the_likelihood_is_that_of_all_pairs(baseline, kernel, direct_loglik):
    model = process(baseline, kernel)
    for events in (history(), history(tied=True)):
        assert model.loglik(events) == pytest.approx(direct_loglik(model, events), rel=1e-10)


def test_the_compensator_integrates_the_intensity():
    events, model = history(), process(Piecewise((20.0,)), ExponentialKernel(0.8))
    at = np.array([5.0, 20.0, 50.0, 63.0])
    found = model.compensator(events, at)
    corners = np.concatenate([[0.0, 20.0], events.times, [63.0]])
    for column, end in enumerate(at):
        inner = np.unique(np.clip(corners, 0.0, end))
        nodes, weights = np.polynomial.legendre.leggauss(12)
        middle, half = (inner[1:] + inner[:-1]) / 2, np.diff(inner) / 2
        points = (middle[:, None] + half[:, None] * nodes).ravel()
        area = model.intensity(events, points) @ (half[:, None] * weights).ravel()
        np.testing.assert_allclose(found[:, column], area, rtol=1e-8)


def test_an_event_knows_only_what_was_before_it():
    events, model = history(), process(Constant(), ExponentialKernel(0.8))
    at_events = model.rate_at_events(events)
    for i in (10, 50):
        earlier = History.of(
            events.times[:i], end=63.0, nodes=events.nodes[:i], marks=events.marks[:i], names=events.names
        )
        alone = model.intensity(earlier, [events.times[i]])[events.nodes[i], 0]
        assert alone == pytest.approx(at_events[i], rel=1e-12)


def test_the_background_is_what_the_baseline_explains():
    events = history()
    assert process(Constant(), ExponentialKernel(0.8)).endogenous_share(events) > 0.1
    poisson = Hawkes.exponential([0.5, 0.5], np.zeros((2, 2)), 1.0)
    assert poisson.endogenous_share(events) == 0.0


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Hawkes.exponential(0.5, -0.2, 1.0), "inhibit"),
        (lambda: Hawkes.exponential(0.5, np.nan, 1.0), "missing"),
        (lambda: Hawkes.exponential(-0.5, 0.2, 1.0), "baseline"),
        (lambda: Hawkes.exponential([0.5, 0.5], 0.2, 1.0), "shape"),
        (lambda: process(Constant(), ExponentialKernel(1.0)).intensity(History.of([1.0], end=2.0), [1.0]), "1 nodes"),
        (lambda: Hawkes.exponential(1.0, 0.2, 1.0).intensity(History.of([1.0], end=2.0), [2.0, 1.0]), "ascending"),
        (lambda: WEEKS.over(60.0, 80.0), "no covariates"),
        (lambda: Covariates.of([0.0, 1.0], [[np.nan]], ["x"]), "missing"),
        (lambda: Piecewise((3.0, 2.0)), "breaks"),
        (lambda: Seasonal(-1.0), "period"),
    ],
)
def test_bad_models_are_refused(make, words):
    with pytest.raises(InputError, match=words):
        make()


def test_seasons_lie_at_the_same_places_in_every_window():
    seasonal, coefficients = Seasonal(365.25, 2), np.array([[0.1, 0.5, -0.3, 0.2, 0.1]])
    whole = seasonal.over(0.0, 3000.0)
    part = seasonal.over(1234.5, 1700.0)
    at = np.linspace(1234.6, 1699.9, 400)
    rates, again = whole.rates(coefficients)[0], part.rates(coefficients)[0]
    np.testing.assert_allclose(rates[whole.step_of(at)], again[part.step_of(at)])
    area, _ = integrate.quad(lambda t: again[part.step_of(np.array([t]))[0]], 1234.5, 1300.0, limit=500)
    assert part.integral(again[None], np.array([1300.0]))[0, 0] == pytest.approx(area, rel=1e-3)
