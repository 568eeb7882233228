from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from forecast.families.horizon_copula import USUAL, HorizonCopula, far_quantile
from forecast.predictive.negbin import mixture_pmf

TRUTH = HorizonCopula(0.6, 0.8)


def moments(mean: float, size: float, cases: int, horizon: int = 8) -> tuple[np.ndarray, np.ndarray]:
    """Return the same negative binomial for all weeks of all cases, shape (1, cases, horizon)."""
    return np.full((1, cases, horizon), mean), np.full((1, cases, horizon), size)


def runs_of(copula: HorizonCopula, mean: float, size: float, cases: int, seed: int) -> tuple[np.ndarray, ...]:
    """Return counts drawn from a copula, and the moments of what they were drawn from."""
    means, sizes = moments(mean, size, cases)
    paths, _ = copula.sample(means.transpose(0, 2, 1), sizes.transpose(0, 2, 1), 1, np.random.default_rng(seed))
    return paths[0].T, means, sizes


def test_the_correlation_is_one_of_normals():
    for copula in (HorizonCopula(), TRUTH, HorizonCopula(0.98, 0.98), HorizonCopula(0.0, 0.5)):
        correlation = copula.correlation(26)
        assert np.allclose(np.diag(correlation), 1)
        assert np.linalg.eigvalsh(correlation).min() > 0


def test_each_week_keeps_its_own_distribution():
    mean = np.array([[[0.1, 3.0]], [[0.4, 6.0]]]).repeat(3, axis=1)
    size = np.array([[[0.3, 2.0]], [[1.0, 9.0]]]).repeat(3, axis=1)
    paths, pmf = TRUTH.sample(mean, size, 20_000, np.random.default_rng(1))
    assert np.array_equal(pmf, mixture_pmf(mean, size))
    share = (paths[..., None] == np.arange(12)).mean(axis=0)
    assert np.abs(share - pmf[..., :12]).max() < 5 * np.sqrt(0.25 / 20_000)


def test_weeks_depend_on_each_other_as_the_normals_do():
    mean, size = np.full((1, 4, 1), 400.0), np.full((1, 4, 1), 50.0)
    paths, _ = TRUTH.sample(mean, size, 20_000, np.random.default_rng(1))
    ranks = stats.rankdata(paths[:, :, 0], axis=0)
    normal = 2 * np.sin(np.pi / 6 * np.corrcoef(ranks.T))
    assert np.allclose(normal, TRUTH.correlation(4), atol=0.03)


def test_units_are_independent():
    mean, size = np.full((1, 1, 2), 5.0), np.full((1, 1, 2), 2.0)
    paths, _ = TRUTH.sample(mean, size, 20_000, np.random.default_rng(1))
    assert abs(np.corrcoef(paths[:, 0].T)[0, 1]) < 0.03


@pytest.mark.parametrize(("mean", "size"), [(0.3, 0.5), (4.0, 1.0), (60.0, 3.0)])
def test_the_copula_is_found_again(mean, size):
    found = HorizonCopula.estimate(*_with_all_known(runs_of(TRUTH, mean, size, 1000, seed=5)))
    assert found.common == pytest.approx(TRUTH.common, abs=0.15)
    assert found.persistence == pytest.approx(TRUTH.persistence, abs=0.06)
    # What matters: how much weeks one and four apart have in common.
    expected, got = TRUTH.correlation(5)[0], found.correlation(5)[0]
    assert got[[1, 4]] == pytest.approx(expected[[1, 4]], abs=0.06)


@pytest.mark.slow
def test_the_copula_is_found_again_without_bias_from_a_hundred_panels_of_rare_counts():
    """95 % of the counts are 0; randomised integral transforms would see a correlation near 0."""
    found = [
        HorizonCopula.estimate(*_with_all_known(runs_of(TRUTH, 0.1, 0.3, 1500, seed))).correlation(8)[0]
        for seed in range(100)
    ]
    assert np.abs(np.mean(found, axis=0) - TRUTH.correlation(8)[0]).max() < 0.03
    assert np.std(found, axis=0).max() < 0.08


def test_independent_weeks_are_found_to_be_so():
    found = HorizonCopula.estimate(*_with_all_known(runs_of(HorizonCopula(0.0, 0.0), 0.5, 1.0, 1000, seed=2)))
    assert found.correlation(2)[0, 1] < 0.04


def test_a_count_that_is_not_known_is_not_read():
    counts, mean, size = runs_of(TRUTH, 1.0, 1.0, 500, seed=3)
    known = np.random.default_rng(1).random(counts.shape) < 0.7
    other = np.where(known, counts, 99)
    assert HorizonCopula.estimate(counts, known, mean, size) == HorizonCopula.estimate(other, known, mean, size)


@pytest.mark.parametrize("case", ["no case", "one week", "nothing known", "all far"])
def test_without_anything_to_go_by_it_is_the_usual_one(case):
    cases, horizon = (0, 8) if case == "no case" else (20, 1) if case == "one week" else (20, 8)
    mean, size = moments(1e6 if case == "all far" else 1.0, 1.0, cases, horizon)
    counts = np.ones((cases, horizon), dtype=np.int64)
    known = np.full(counts.shape, case != "nothing known")
    found = HorizonCopula.estimate(counts, known, mean, size)
    assert (found.common, found.persistence) == pytest.approx(USUAL)


@pytest.mark.parametrize(("mean", "size"), [(10_000.0, 50.0), (10_000.0, 0.2), (10_000.0, np.inf), (3000.0, 3000.0)])
def test_quantiles_of_large_counts_are_those_of_scipy(mean, size):
    levels = np.array([0.01, 0.3, 0.5, 0.9, 0.999])
    exact = stats.poisson.ppf(levels, mean) if np.isinf(size) else stats.nbinom.ppf(levels, size, size / (size + mean))
    found = far_quantile(levels, np.array([mean]), np.array([size]))
    spread = np.sqrt(mean + mean**2 / size)
    assert (np.abs(found - exact) < 0.01 * spread + 0.005 * exact + 1).all()


def test_quantiles_of_a_mixture_of_large_counts():
    rng = np.random.default_rng(1)
    drawn = np.r_[rng.negative_binomial(9, 9 / (9 + 5000), 40_000), rng.poisson(20_000, 40_000)]
    levels = np.array([0.05, 0.25, 0.45, 0.6, 0.95])
    found = far_quantile(levels, np.array([5000.0, 20_000.0]), np.array([9.0, np.inf]))
    assert np.allclose(found, np.quantile(drawn, levels), rtol=0.03)


def test_paths_of_large_counts_have_the_right_moments():
    mean, size = np.full((1, 2, 1), 20_000.0), np.full((1, 2, 1), 4.0)
    paths, pmf = TRUTH.sample(mean, size, 4000, np.random.default_rng(1))
    assert (pmf.sum(axis=2) < 0.9).all()
    assert np.allclose(paths.mean(axis=0), 20_000, rtol=0.04)
    assert np.allclose(paths.std(axis=0), 10_000, rtol=0.06)


def _with_all_known(runs: tuple[np.ndarray, ...]) -> tuple[np.ndarray, ...]:
    counts, mean, size = runs
    return counts, np.ones(counts.shape, dtype=bool), mean, size
