"""Maps of cumulative probabilities: what is wrong is repaired, what is right is left alone."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import nbinom

from forecast.combination.cdf_maps import (
    BernsteinMap,
    BetaMap,
    fit_bernstein_map,
    fit_beta_map,
    fit_empirical_map,
    remap,
)
from forecast.combination.dependence import with_marginals
from forecast.combination.level_map import Composed, Identity, recency
from forecast.combination.mixture_shares import mixture_shares
from forecast.errors import InputError
from forecast.predictive.forecast import pmf_of_paths

FITS = (fit_beta_map, fit_empirical_map, fit_bernstein_map)
SIZE = 1.5
COUNTS = np.arange(120)


def cases(n, seed, *, level=1.0, size=SIZE, quiet=0.5):
    """Return pairs, counts and pmfs of forecasts whose mean is off by a factor, or whose size is not the true one."""
    rng = np.random.default_rng(seed)
    mean = rng.gamma(quiet, 3.0, n) + 0.05
    came = np.minimum(rng.negative_binomial(SIZE, SIZE / (SIZE + mean)), COUNTS[-1])
    pmf = nbinom.pmf(COUNTS, size, size / (size + level * mean)[:, None])
    return pairs_of(pmf, came), came, pmf


def pairs_of(pmf, came):
    cdf = np.minimum(np.cumsum(pmf, axis=1), 1.0)
    row = np.arange(len(came))
    return np.column_stack([np.where(came > 0, cdf[row, came - 1], 0.0), cdf[row, came]])


def coverage(pairs, level):
    """Share of the randomised PIT within the central interval, averaged over its randomness."""
    low, high = (1 - level) / 2, (1 + level) / 2
    below, upto = pairs.T
    inside = np.clip(np.minimum(upto, high) - np.maximum(below, low), 0, None)
    return float((inside / np.maximum(upto - below, 1e-15)).mean())


def log_score(pmf, came):
    return float(-np.log(np.maximum(pmf[np.arange(len(came)), came], 1e-6)).mean())


WRONG = {"too narrow": {"size": 20.0}, "too wide": {"size": 0.4}, "too low": {"level": 0.6}, "too high": {"level": 1.6}}


@pytest.mark.parametrize("fit", FITS)
@pytest.mark.parametrize("wrong", WRONG)
def test_a_wrong_forecaster_is_repaired(fit, wrong):
    past, *_ = cases(8000, 1, **WRONG[wrong])
    pairs, came, pmf = cases(8000, 2, **WRONG[wrong])
    after = remap(pmf, fit(past))
    mended = pairs_of(after, came)
    most = 0.03 if fit is fit_bernstein_map else 0.012  # polynomials are not steep enough at the ends
    for level in (0.5, 0.8, 0.95):
        assert abs(coverage(mended, level) - level) < most
    before = max(abs(coverage(pairs, level) - level) for level in (0.5, 0.8, 0.95))
    assert max(abs(coverage(mended, level) - level) for level in (0.5, 0.8, 0.95)) < 0.6 * before
    assert log_score(after, came) < log_score(pmf, came)
    assert abs(mended.mean() - 0.5) < 0.015


@pytest.mark.parametrize("fit", FITS)
def test_a_calibrated_forecaster_is_left_nearly_alone(fit):
    past, *_ = cases(4000, 3)
    _, came, pmf = cases(8000, 4)
    level_map, grid = fit(past), np.linspace(0, 1, 101)
    assert np.abs(level_map(grid) - grid).max() < 0.04
    assert log_score(remap(pmf, level_map), came) < log_score(pmf, came) + 0.003


@pytest.mark.parametrize("fit", FITS)
def test_zeros_as_often_as_they_were_forecast_change_nothing(fit):
    """A nearly silent region: each zero only says that the PIT was below 0.98."""
    grid = np.linspace(0, 1, 101)
    found = fit([[0.0, 0.98]] * 1960 + [[0.98, 0.9998]] * 40)
    assert np.abs(found(grid) - grid).max() < 0.02
    assert 0.99 < fit([[0.0, 0.98]] * 2000)(0.98) < 0.9999  # none came of 40: rarer, but still possible


@pytest.mark.parametrize("fit", FITS)
def test_the_prior_draws_to_the_identity_and_too_few_cases_are_the_identity(fit):
    past, *_ = cases(1000, 5, size=20.0)
    grid = np.linspace(0, 1, 101)
    off = [np.abs(fit(past, prior=prior)(grid) - grid).max() for prior in (0.0, 100.0, 1000.0, 1e6)]
    assert off == sorted(off, reverse=True)
    assert off[-1] < 0.002
    assert fit(past, least=1001) == Identity()
    assert fit(past, least=400, weight=np.full(1000, 0.3)) == Identity()
    assert fit(np.empty((0, 2))) == Identity()


@pytest.mark.parametrize("fit", FITS)
def test_weights_are_repetitions_and_unknown_cases_do_not_count(fit):
    past, *_ = cases(300, 6, level=0.5)
    grid = np.linspace(0, 1, 21)
    twice = fit(np.repeat(past, 2, axis=0))(grid)
    np.testing.assert_allclose(fit(past, weight=np.full(300, 2.0))(grid), twice, atol=2e-4)
    holes = np.vstack([past, [[np.nan, 0.5], [np.nan, np.nan]]])
    np.testing.assert_allclose(fit(holes)(grid), fit(past)(grid), atol=1e-9)


def test_old_cases_are_forgotten():
    old, *_ = cases(3000, 7, size=20.0)
    new, *_ = cases(3000, 8, size=0.4)
    weight = recency(np.r_[np.full(3000, 520), np.full(3000, 0)], 52)
    found = fit_beta_map(np.vstack([old, new]), weight=weight)
    alone = fit_beta_map(new)
    assert found.a == pytest.approx(alone.a, abs=0.01)
    assert found.b == pytest.approx(alone.b, abs=0.01)


def test_the_beta_map_is_the_maximum_of_the_likelihood():
    rng = np.random.default_rng(9)
    pit = rng.beta(2.0, 0.7, 20_000)
    edges = np.floor(pit * 50) / 50
    found = fit_beta_map(np.column_stack([edges, edges + 0.02]), prior=0.0)
    assert found.a == pytest.approx(2.0, rel=0.04)
    assert found.b == pytest.approx(0.7, rel=0.04)


def test_the_bernstein_map_finds_a_shape_that_no_beta_has():
    rng = np.random.default_rng(10)
    pit = np.where(rng.random(20_000) < 0.5, rng.beta(30, 60, 20_000), rng.beta(60, 30, 20_000))
    found = fit_bernstein_map(np.column_stack([pit, pit]), degree=20)
    assert found(0.5) == pytest.approx(0.5, abs=0.02)
    assert found(2 / 3) - found(0.5) == pytest.approx(0.25, abs=0.06)
    assert found(0.1) < 0.02


@pytest.mark.parametrize("fit", FITS)
def test_what_the_forecast_held_impossible_counts_and_does_not_break_the_fit(fit):
    found = fit([[1.0, 1.0]] * 30 + [[0.3, 0.6]] * 400)
    assert 0 < found(0.999) < 0.9993
    assert found(1.0) == 1.0


MAPS = st.one_of(
    st.builds(BetaMap, st.floats(0.1, 10), st.floats(0.1, 10)),
    arrays(np.float64, 10, elements=st.floats(0, 1)).map(lambda raw: BernsteinMap((raw + 1e-3) / (raw + 1e-3).sum())),
)


@given(level_map=MAPS, levels=arrays(np.float64, 20, elements=st.floats(0, 1)))
def test_a_map_is_monotone_from_0_to_1(level_map, levels):
    after = level_map(np.sort(levels))
    assert (np.diff(after) >= -1e-12).all()
    np.testing.assert_allclose(level_map([0.0, 1.0]), [0, 1], atol=1e-12)


def test_a_sum_of_probabilities_just_above_1_is_1():
    for level_map in (BetaMap(2.0, 0.5), BernsteinMap(np.full(5, 0.2))):
        np.testing.assert_array_equal(level_map([np.nextafter(1.0, 2.0), -1e-17]), [1.0, 0.0])
    assert np.isnan(BetaMap(2.0, 0.5)([np.nan])).all()


@given(
    level_map=MAPS,
    raw=arrays(np.float64, (3, 8), elements=st.floats(0, 1)),
    head=st.floats(0.5, 1.0),
)
def test_a_remapped_distribution_is_one(level_map, raw, head):
    pmf = head * (raw + 1e-3) / (raw + 1e-3).sum(axis=1, keepdims=True)
    after = remap(pmf, level_map)
    assert (after >= 0).all()
    np.testing.assert_allclose(after.sum(axis=1), level_map(pmf.sum(axis=1)), atol=1e-9)
    np.testing.assert_allclose(remap(pmf, Identity()), pmf, atol=1e-12)


def test_paths_keep_their_ranks():
    rng = np.random.default_rng(11)
    paths = rng.poisson(4 * rng.gamma(1, 1, (3000, 1, 1)), (3000, 5, 2)).astype(np.int32)
    wanted = remap(pmf_of_paths(paths), BetaMap(0.6, 0.8))
    after = with_marginals(paths, wanted, np.random.default_rng(12))
    np.testing.assert_allclose(pmf_of_paths(after), wanted[..., : after.max() + 1], atol=1 / 1500)
    for h in range(5):
        one, other = paths[:, h, 0], after[:, h, 0]
        order = np.lexsort((other, one))
        assert (np.diff(other[order]) >= 0).all()


def test_mixture_shares_are_those_that_cannot_be_bettered():
    rng = np.random.default_rng(13)
    density, weight = rng.random((200, 4)), rng.random(200)
    share = mixture_shares(density, weight, 5.0)
    gain = (weight[:, None] * density / (density @ share)[:, None]).sum(axis=0) + 5.0 / 4 / share
    np.testing.assert_allclose(gain, weight.sum() + 5.0, rtol=1e-3)  # the same for all: the maximum on the simplex
    assert mixture_shares(density, np.zeros(200), 0.0).tolist() == [0.25] * 4


def test_maps_follow_each_other():
    grid = np.linspace(0, 1, 11)
    both = Composed(BetaMap(2, 1), BetaMap(1, 2))
    np.testing.assert_allclose(both(grid), BetaMap(1, 2)(BetaMap(2, 1)(grid)))


@pytest.mark.parametrize(
    "pairs", [[0.1, 0.2], [[0.5, 0.2]], [[-0.1, 0.2]], [[0.2, 1.1]]], ids=["shape", "order", "low", "high"]
)
@pytest.mark.parametrize("fit", FITS)
def test_what_is_no_pair_is_refused(fit, pairs):
    with pytest.raises(InputError, match="pairs"):
        fit(pairs)


def test_other_bad_input_is_refused():
    with pytest.raises(InputError, match="weights of shape"):
        fit_beta_map([[0.1, 0.2]], weight=[1.0, 2.0])
    with pytest.raises(InputError, match="weights"):
        fit_beta_map([[0.1, 0.2]], weight=[-1.0])
    with pytest.raises(InputError, match="degree"):
        fit_bernstein_map([[0.1, 0.2]], degree=0)
    with pytest.raises(InputError, match="negative age"):
        recency([-1.0], 52)
    with pytest.raises(InputError, match="half-life"):
        recency([1.0], 0)
