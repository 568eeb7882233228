"""Thinned counts of regions: against simulation, and in limits."""

from __future__ import annotations

import numpy as np
import pytest

from forecast.errors import InputError
from forecast.predictive.thinning import thinned_mean, thinned_probability


def test_as_when_each_event_is_placed_at_random():
    rng = np.random.default_rng(1)
    paths = rng.poisson([0.5, 3.0], (40_000, 3, 2)).astype(np.int32)
    shares = np.array([[0.3, 0.1], [0.0, 0.02]])
    placed = rng.binomial(paths[:, :, None, :], shares[None, None]).sum(axis=3)
    any_event = (np.cumsum(placed, axis=1) > 0).mean(axis=0)
    np.testing.assert_allclose(thinned_probability(paths, shares), any_event, atol=0.01)
    np.testing.assert_allclose(thinned_mean(paths, shares), placed.mean(axis=0), atol=0.02)


def test_a_ring_around_all_and_one_around_nothing():
    paths = np.array([[[0, 2]], [[0, 0]]], dtype=np.int32)
    np.testing.assert_allclose(thinned_probability(paths, np.array([[1.0, 1.0], [0.0, 0.0]])), [[0.5, 0.0]], atol=1e-9)


@pytest.mark.parametrize(("shares", "text"), [(np.ones((1, 3)), "shape"), (np.full((1, 2), 1.5), "from 0 to 1")])
def test_shares_that_do_not_fit(shares, text):
    with pytest.raises(InputError, match=text):
        thinned_probability(np.zeros((2, 1, 2), np.int32), shares)
