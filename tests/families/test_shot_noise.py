"""Shot noise against the sum that defines it."""

from __future__ import annotations

import numpy as np
import pytest

from forecast.families.shot_noise import excitation

RNG = np.random.default_rng


@pytest.mark.parametrize("longest", [3, 52])
def test_excitation_is_the_sum_over_past_marks(longest):
    marks = np.where(RNG(1).random((80, 3)) < 0.2, RNG(2).random((80, 3)), 0.0)
    shares = RNG(3).random((longest, 2))
    slow = np.zeros((90, 3, 2))
    for t in range(90):
        for lag in range(1, longest + 1):
            if 0 <= t - lag < 80:
                slow[t] += marks[t - lag, :, None] * shares[lag - 1]
    np.testing.assert_allclose(excitation(marks, shares, 0, 90), slow, atol=1e-13)
    np.testing.assert_allclose(excitation(marks, shares, 78, 90), slow[78:], atol=1e-13)
