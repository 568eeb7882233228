"""The marginal likelihood against sums over all courses of the level, its gradient against differences."""

from __future__ import annotations

from itertools import product

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

from forecast.families.bayes.centred import Centred
from forecast.families.bayes.chain import Chain
from forecast.families.bayes.endemic_epidemic import BayesEndemicEpidemic
from forecast.families.bayes.filtering import Observations, Rates, filtered
from forecast.families.bayes.hawkes import BayesHawkes
from forecast.families.bayes.laplace import find_mode
from forecast.families.bayes.negbin import BayesNegbin
from forecast.families.bayes.state import State
from forecast.panel.neighbours import Neighbours
from forecast.panel.panel import Panel
from forecast.panel.units import Units
from forecast.predictive import negbin

FAMILIES = [
    BayesNegbin(),
    BayesNegbin(zeros="inflated", block_weeks=1),
    BayesNegbin(season=False, block_weeks=3),
    BayesEndemicEpidemic(),
    BayesEndemicEpidemic(zeros="inflated"),
    BayesHawkes(),
    BayesHawkes(zeros="inflated", season=False),
]


def some_panel(weeks: int = 30, countries: int = 2) -> Panel:
    rng = np.random.default_rng(5)
    observed = rng.random((weeks, 4)) > 0.1
    return Panel.of(
        rng.poisson([0.1, 0.5, 2.0, 6.0], (weeks, 4)) * (rng.random((weeks, 4)) > 0.3),
        pd.date_range("2015-01-03", periods=weeks, freq="7D", unit="s", name="week"),
        Units.of(["a", "b", "c", "d"], groups=["ABAB"[at] if countries > 1 else "A" for at in range(4)]),
        observed=observed,
        neighbours=Neighbours.from_pairs(np.array([0, 1]), np.array([1, 2]), np.full(2, 10.0), np.full(2, 20.0), 4),
        exposure=np.array([1.0, 2.0, 1.0, 0.5]),
    )


@pytest.mark.parametrize("family", FAMILIES, ids=lambda f: f"{f.family}-{f.zeros}-{f.block_weeks}")
@pytest.mark.parametrize("countries", [1, 2])
def test_the_gradient_is_that_of_differences(family, countries):
    density = family.density(some_panel(countries=countries))
    z = 0.6 * np.random.default_rng(1).standard_normal(len(density.layout))
    value, gradient = density.log_posterior(z)
    step = 1e-5 * np.eye(len(z))
    numeric = [(density.log_posterior(z + d)[0] - density.log_posterior(z - d)[0]) / 2e-5 for d in step]
    np.testing.assert_allclose(gradient, numeric, rtol=2e-5, atol=2e-5)
    assert density.log_density(z) == pytest.approx(value, abs=1e-9)


@pytest.mark.parametrize("degree", [0.0, 0.6, 1.0])
@pytest.mark.parametrize("countries", [1, 2])
def test_centred_coordinates_change_the_density_by_their_volume(countries, degree):
    density = BayesHawkes().density(some_panel(countries=countries))
    centred = Centred(density, degree)
    w = 0.6 * np.random.default_rng(1).standard_normal(len(centred))
    z = centred.standardised(w)
    np.testing.assert_allclose(centred.of(z), w)
    value, gradient = centred.log_posterior(w)
    step = 1e-5 * np.eye(len(w))
    numeric = [(centred.log_posterior(w + d)[0] - centred.log_posterior(w - d)[0]) / 2e-5 for d in step]
    np.testing.assert_allclose(gradient, numeric, rtol=2e-5, atol=2e-5)
    assert centred.log_density(w) == pytest.approx(value, abs=1e-9)
    moved = np.stack([(centred.standardised(w + d) - centred.standardised(w - d)) / 2e-5 for d in step])
    volume = np.log(abs(np.linalg.det(moved)))
    assert value - density.log_posterior(z)[0] == pytest.approx(volume, abs=1e-6)


def test_countries_are_centred_as_far_as_their_counts_tell():
    few, many = (Centred(BayesNegbin().density(some_panel(weeks=weeks))) for weeks in (2, 300))
    degrees = []
    for centred in (few, many):
        mode = find_mode(centred, np.random.default_rng(1))
        degrees.append(centred.informed(mode.z, np.linalg.inv(mode.covariance)).degree)
    assert 0 <= degrees[0] < 0.5 < degrees[1] <= 1
    alone = Centred(BayesNegbin().density(some_panel(countries=1)))
    assert alone.informed(np.zeros(len(alone)), np.eye(len(alone))).degree == 1


def test_the_likelihood_is_the_sum_over_all_courses_of_the_level():
    chain = Chain(24)
    grid, keep = chain.grid[9:15], slice(9, 15)
    step = np.ascontiguousarray(chain.transition(0.7)[keep, keep])
    start = np.full((1, 6), 1 / 6)
    counts, observed = np.array([[0], [3], [1], [0], [2]]), np.array([[True], [True], [True], [False], [True]])
    rates = Rates(np.log([[0.5], [1.0], [2.0], [1.0], [0.7]]), 1.3, np.full((5, 1), 0.2), 1.7, 0.15, 0.7)
    seen = Observations(counts, observed, np.zeros(1, np.int64), 2)
    evidence = filtered(seen, rates, grid, step, start)[2].sum()
    total = 0.0
    for course in product(range(6), repeat=3):
        chance = start[0, course[0]] * step[course[0], course[1]] * step[course[1], course[2]]
        for week in range(5):
            if observed[week, 0]:
                mean = np.exp(rates.log_level[week, 0] + 1.3 * grid[course[week // 2]]) + 0.2
                chance *= 0.85 * np.exp(negbin.logpmf(counts[week], mean, 1.7))[0] + 0.15 * (counts[week, 0] == 0)
        total += chance
    assert evidence == pytest.approx(np.log(total), abs=1e-10)


@pytest.mark.parametrize("time", [0.005, 0.1, 1.0])
def test_the_chain_is_an_ornstein_uhlenbeck_process(time):
    chain = Chain(48)
    step = chain.transition(time)
    np.testing.assert_allclose(step.sum(axis=1), 1, atol=1e-9)
    np.testing.assert_allclose(chain.stationary @ step, chain.stationary, atol=1e-9)
    inner = np.abs(chain.grid) < 3
    np.testing.assert_allclose((step @ chain.grid)[inner], np.exp(-time) * chain.grid[inner], atol=0.01)
    spread = np.sqrt(np.maximum(step @ chain.grid**2 - (step @ chain.grid) ** 2, 0))
    np.testing.assert_allclose(spread[inner], np.sqrt(1 - np.exp(-2 * time)), rtol=0.02)
    if time == 1.0:
        exact = norm.pdf(chain.grid, np.exp(-1) * chain.grid[20], np.sqrt(1 - np.exp(-2)))
        np.testing.assert_allclose(step[20], exact / exact.sum(), atol=1e-3)


def test_more_points_change_little():
    panel = some_panel()
    z = np.zeros(len(BayesNegbin().layout(panel)))
    coarse, fine = (BayesNegbin(points=points).density(panel).log_density(z) for points in (48, 200))
    assert coarse == pytest.approx(fine, abs=0.1)


@pytest.mark.parametrize("family", FAMILIES, ids=lambda f: f"{f.family}-{f.zeros}-{f.block_weeks}")
def test_filtering_in_steps_ends_in_the_same_bytes(family):
    panel = some_panel()
    whole = family.density(panel)
    theta = whole.layout.natural(0.3 * np.random.default_rng(2).standard_normal((3, len(whole.layout))))
    stepped = State.of(family.density(panel.weeks_between(0, 7)), theta)
    for stop in (8, 9, 15, 30):
        stepped = stepped.followed(family.density(panel.weeks_between(0, stop)), theta)
    once = State.of(family.density(panel.weeks_between(0, 7)), theta).followed(whole, theta)
    assert stepped.points.tobytes() == once.points.tobytes()
    assert stepped.evidence.tobytes() == once.evidence.tobytes()
    fresh = State.of(whole, theta)
    np.testing.assert_allclose(fresh.points, once.points, atol=1e-12)
    np.testing.assert_allclose(fresh.evidence, [whole.log_likelihood(one)[0] for one in theta], rtol=1e-10)
