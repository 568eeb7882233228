"""Poisson hidden Markov models of the earthquake counts of Zucchini, MacDonald & Langrock (2016), doi:10.1201/b20790.

Major earthquakes (magnitude 7 and above) in the world, 1900 to 2006, table 1.1. The stationary models with two and
three states are those of its chapter 3 (direct maximisation), to the digits that are printed there.
"""

import numpy as np
import pytest
from scipy.optimize import minimize

from forecast.families.hidden_markov.coordinates import Coordinates
from forecast.families.hidden_markov.likelihood import Cases
from forecast.families.hidden_markov.regimes import Regimes

EARTHQUAKES = np.array([
    13, 14, 8, 10, 16, 26, 32, 27, 18, 32, 36, 24, 22, 23, 22, 18, 25, 21, 21, 14, 8, 11, 14, 23, 18,
    17, 19, 20, 22, 19, 13, 26, 13, 14, 22, 24, 21, 22, 26, 21, 23, 24, 27, 41, 31, 27, 35, 26, 28, 36,
    39, 21, 17, 22, 17, 19, 15, 34, 10, 15, 22, 18, 15, 20, 15, 22, 19, 16, 30, 27, 29, 23, 20, 16, 21,
    21, 25, 16, 18, 15, 18, 14, 10, 15, 8, 15, 6, 11, 8, 7, 18, 16, 13, 12, 13, 20, 15, 16, 12, 18,
    15, 16, 13, 15, 16, 11, 11,
])  # fmt: skip
PUBLISHED = {2: ((15.472, 26.125), -342.3183), 3: ((13.146, 19.721, 29.714), -329.4603)}
"""Means of the states, log likelihood."""
MATRIX_OF_THREE = np.array([[0.955, 0.024, 0.021], [0.050, 0.899, 0.051], [0.000, 0.197, 0.803]])


def cases() -> Cases:
    weeks = len(EARTHQUAKES)
    return Cases(
        EARTHQUAKES[:, None], np.ones((weeks, 1), bool), np.ones((weeks, 1)), np.zeros((weeks, 2)), np.ones(weeks)
    )


def maximum(states: int) -> tuple[Regimes, float]:
    """Return the maximum of the likelihood alone."""
    free, known = Coordinates(states, True, False, False, 0.9, 1e-9), cases()

    def loss(vector):
        (value, slope), (prior, by_prior) = known.loss(vector, free), free.log_prior(vector)
        return value + prior, slope + by_prior

    start = free.vector(Regimes.of_persistence(np.linspace(10, 30, states), np.full(states, np.inf), 0.0, 0.9))
    found = minimize(loss, start, jac=True, method="L-BFGS-B", options={"ftol": 1e-14, "gtol": 1e-7})
    return free.regimes_of(found.x).ordered(), -float(found.fun)


@pytest.mark.parametrize("states", [2, 3])
def test_the_maximum_of_the_likelihood_is_the_published_one(states):
    regimes, value = maximum(states)
    means, log_likelihood = PUBLISHED[states]
    assert regimes.ratio.round(3) == pytest.approx(means, abs=2e-3)
    assert value == pytest.approx(log_likelihood, abs=5e-5)


def test_the_transitions_of_three_states_are_the_published_ones():
    regimes, _ = maximum(3)
    assert regimes.matrix().round(3) == pytest.approx(MATRIX_OF_THREE, abs=1e-3)


def test_the_likelihood_at_the_published_values_is_all_but_the_published_one():
    matrix = np.maximum(MATRIX_OF_THREE, 1e-6)
    means, log_likelihood = PUBLISHED[3]
    regimes = Regimes.of_matrix(np.array(means), np.full(3, np.inf), 0.0, matrix)
    assert cases().log_likelihood(regimes) == pytest.approx(log_likelihood, abs=0.02)
