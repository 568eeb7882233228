"""The likelihood against the sum over all pairs, and its derivatives against those of complex steps."""

from __future__ import annotations

import numpy as np
import pytest

from forecast.processes.spacetime.area import Area
from forecast.processes.spacetime.catalogue import Catalogue
from forecast.processes.spacetime.decays import Exponential, PowerLaw, gaussian, heavy_tailed
from forecast.processes.spacetime.level import Steps
from forecast.processes.spacetime.likelihood import Likelihood, Parameters

FORMS = [
    (Exponential(12.0, 60.0), gaussian(25.0, 90.0)),
    (PowerLaw(3.0, 1.3, 60.0), heavy_tailed(12.0, 1.6, 90.0)),
    (PowerLaw(3.0, 0.7, 60.0), gaussian(25.0, 90.0)),
    (Exponential(2.0, 60.0), heavy_tailed(12.0, 0.8, 90.0)),
]


def case(in_time, in_space, kinds=1, since=0.0, seed=1) -> tuple[Likelihood, Parameters, np.ndarray]:
    """Clustered events near a ragged border, with ties, of some kinds."""
    rng = np.random.default_rng(seed)
    inside = np.ones((20, 20), dtype=bool)
    inside[5:9, :7] = inside[15:, 12:] = False
    area = Area.of_mask(10.0, 0.0, 0.1, inside)
    lat, lon = area.draw_within(rng.integers(0, len(area), 150), rng)
    times = np.sort(rng.uniform(0.0, 200.0, 150))
    times[40] = times[41] = times[42]
    events = Catalogue.of(
        times, lat, lon, area, end=200.0, kinds=rng.integers(0, kinds, 150), names=[str(k) for k in range(kinds)]
    )
    steps = Steps.back_from(200.0, since, 50.0)
    at = Parameters(
        rng.normal(-1.0, 0.3, (kinds, len(steps))), rng.uniform(0.1, 0.5, (kinds, kinds)), in_time, in_space
    )
    density = rng.uniform(0.5, 1.5, int(np.count_nonzero(times >= since))) / area.sizes.sum()
    return Likelihood.of(events, since, steps, in_time, in_space), at, density


@pytest.mark.parametrize(("kinds", "since"), [(1, 0.0), (3, 0.0), (1, 70.0), (2, 70.0)])
@pytest.mark.parametrize(("in_time", "in_space"), FORMS)
def test_the_likelihood_is_the_sum_over_all_pairs(direct_loglik, in_time, in_space, kinds, since):
    likelihood, at, density = case(in_time, in_space, kinds, since)
    assert len(likelihood.neighbours.parent) > 300
    assert likelihood.value(at, density) == pytest.approx(direct_loglik(likelihood, at, density), rel=1e-10)


@pytest.mark.parametrize(("kinds", "since"), [(1, 0.0), (2, 70.0)])
@pytest.mark.parametrize(("in_time", "in_space"), FORMS)
def test_the_gradient_is_that_of_complex_steps(direct_loglik, in_time, in_space, kinds, since):
    likelihood, at, density = case(in_time, in_space, kinds, since)
    gradient, x = likelihood.gradient(at, density), at.shape
    exact = [direct_loglik(likelihood, at, density, x + 1e-30j * unit).imag / 1e-30 for unit in np.eye(len(x))]
    np.testing.assert_allclose(gradient, exact, rtol=1e-7, atol=1e-7)


def test_the_curvature_is_that_of_the_penalised_value():
    likelihood, at, density = case(*FORMS[1], kinds=2)
    sd, size, count = 0.7, 1e-4, at.levels.size
    at_start = np.concatenate([at.levels.ravel(), at.shape])

    def value(z: np.ndarray) -> float:
        there = at.with_shape(z[count:], z[:count].reshape(at.levels.shape))
        return likelihood.penalised(there, density, likelihood.excitation(there), sd)

    matrix = likelihood.curvature(at, density, sd)
    rng = np.random.default_rng(3)
    for _ in range(5):
        along = rng.normal(size=len(at_start))
        bend = -(value(at_start + size * along) - 2 * value(at_start) + value(at_start - size * along)) / size**2
        assert along @ matrix @ along == pytest.approx(bend, rel=1e-4, abs=1e-3)


def test_the_penalty_is_that_of_a_random_walk():
    likelihood, at, density = case(*FORMS[0])
    found, between = likelihood.excitation(at), likelihood.steps.years_between
    penalty = (np.diff(at.levels[0]) ** 2 / between).sum() / (2 * 0.3**2)
    value = likelihood.penalised(at, density, found, 0.3)
    assert value == pytest.approx(likelihood.value(at, density) - penalty, rel=1e-12)


def test_what_is_due_is_counted_within_the_cut_off():
    likelihood, at, _ = case(Exponential(5.0, 20.0), gaussian(25.0, 90.0))
    due, _ = likelihood.exposure(at.in_time)
    times = likelihood.catalogue.times
    assert due[0] == pytest.approx((times <= 180.0).sum() + at.in_time.cumulative(200.0 - times[times > 180.0]).sum())
