"""Levels: steps, their best values, the walk that they make."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import optimize

from forecast.errors import InputError
from forecast.processes.spacetime.level import LEAST_SD, Steps, best_levels, walk_sd


def test_steps_are_whole_at_the_end():
    np.testing.assert_allclose(Steps.back_from(100.0, 0.0, 40.0).edges, [0.0, 20.0, 60.0, 100.0])
    assert len(Steps.back_from(100.0, 0.0, np.inf)) == 1
    assert list(Steps.back_from(100.0, 0.0, 50.0).of(np.array([0.0, 49.9, 50.0, 100.0]))) == [0, 0, 1, 1]
    for days in (0.0, np.nan, -1.0):
        with pytest.raises(InputError, match="steps"):
            Steps.back_from(100.0, 0.0, days)


@pytest.mark.parametrize("triggered", [0.0, 0.02, 3.0])
def test_levels_are_the_maximum(triggered):
    rng, steps = np.random.default_rng(1), Steps.back_from(700.0, 0.0, 91.0)
    step = steps.of(np.sort(rng.uniform(0, 700, 300)))
    density, excited = rng.uniform(0.5, 2.0, 300), triggered * rng.random(300)
    found, bend = best_levels(steps, step, density, excited, np.zeros(len(steps)), 0.5)

    def loss(a):
        rates = np.exp(a[step]) * density + excited
        walk = (np.diff(a) ** 2 / steps.years_between).sum() / (2 * 0.25)
        return -np.log(rates).sum() + np.exp(a) @ steps.lengths + walk

    best = optimize.minimize(loss, found + 0.3, method="BFGS", options={"gtol": 1e-6})
    assert loss(found) <= best.fun + 1e-6
    np.testing.assert_allclose(optimize.approx_fprime(found, loss, 1e-6), 0.0, atol=2e-3)
    along = np.linspace(-1.0, 1.0, len(steps))
    size = 1e-3
    second = (loss(found + size * along) - 2 * loss(found) + loss(found - size * along)) / size**2
    assert along @ bend @ along == pytest.approx(second, rel=1e-3)


def test_the_walk_is_found_again():
    rng, steps = np.random.default_rng(2), Steps.back_from(100 * 91.0, 0.0, 91.0)
    for truth, low, high in ((1.5, 1.1, 2.0), (1e-9, LEAST_SD, 0.15)):
        walk = np.log(3.0) + np.concatenate(
            [[0.0], np.cumsum(truth * np.sqrt(steps.years_between) * rng.normal(size=99))]
        )
        step = np.repeat(np.arange(100), rng.poisson(np.exp(np.clip(walk, -5, 5)) * 91.0))
        ones, none = np.ones(len(step)), np.zeros(len(step))
        a, sd = np.full(100, np.log(3.0)), 0.5
        for _ in range(60):
            a, bend = best_levels(steps, step, ones, none, a, sd)
            sd = walk_sd(steps, a[None], bend[None])
        assert low <= sd <= high
    assert walk_sd(Steps.back_from(10.0, 0.0, np.inf), np.zeros((1, 1)), np.ones((1, 1, 1))) == LEAST_SD
