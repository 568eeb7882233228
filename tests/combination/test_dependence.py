"""Paths of a pool: marginals as wanted, dependence as it was."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import poisson, spearmanr

from forecast.combination.dependence import pooled_paths, with_marginals
from forecast.errors import InputError
from forecast.predictive.forecast import pmf_of_paths

RNG = np.random.default_rng


def dependent(rng, draws=4000):
    level = rng.gamma(1, 1, (draws, 1, 1))
    return rng.poisson(3 * level, (draws, 4, 2)).astype(np.int32)


def test_marginals_are_those_that_are_wanted_and_ranks_stay():
    paths = dependent(RNG(1))
    wanted = np.broadcast_to(poisson.pmf(np.arange(30), 6.0), (4, 2, 30))
    after = with_marginals(paths, wanted, RNG(2))
    got = pmf_of_paths(after)
    np.testing.assert_allclose(got, wanted[..., : got.shape[2]], atol=1 / 4000)
    order = np.argsort(paths[:, 0, 0], kind="stable")
    assert all(
        after[order[: at + 1], 0, 0].max() <= after[order[at + 1 :], 0, 0].min() for at in _steps(paths[order, 0, 0])
    )
    before = spearmanr(paths[:, 0, 0], paths[:, 3, 1])[0]
    assert spearmanr(after[:, 0, 0], after[:, 3, 1])[0] == pytest.approx(before, abs=0.03)


def _steps(ascending):
    return np.flatnonzero(np.diff(ascending))


def test_the_same_marginals_change_nothing():
    paths = dependent(RNG(3), 500)
    assert np.array_equal(with_marginals(paths, pmf_of_paths(paths), RNG(4)), paths)


def test_each_model_gives_its_share_of_whole_paths():
    one, other = np.zeros((1000, 2, 1), np.int32), np.ones((1000, 2, 1), np.int32)
    pooled = pooled_paths([one, other], [0.3, 0.7], RNG(5))
    assert pooled.mean() == pytest.approx(0.7, abs=0.001)
    assert (pooled[:, 0] == pooled[:, 1]).all()
    again = pooled_paths([one, other], [0.3, 0.7], RNG(5))
    assert np.array_equal(pooled, again)


def test_a_model_without_weight_gives_none():
    one, other = np.zeros((100, 1, 1), np.int32), np.ones((100, 1, 1), np.int32)
    assert pooled_paths([one, other], [0.0, 1.0], RNG(6)).all()


def test_shapes_must_fit():
    with pytest.raises(InputError, match="marginals of shape"):
        with_marginals(dependent(RNG(1), 10), np.ones((3, 2, 1)), RNG(1))
