import numpy as np
import pytest
import scoringrules as sr
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from forecast.errors import InputError
from forecast.evaluation.sample_scores import crps_samples, energy_score, twcrps_samples, variogram_score
from forecast.evaluation.scores import crps_pmf, dawid_sebastiani, twcrps_pmf

EXACT = {"rtol": 0, "atol": 1e-10}


def over_pairs(samples, observed):
    x = samples.astype(float)
    return np.abs(x - observed).mean(axis=0) - np.abs(x[:, None] - x[None]).mean(axis=(0, 1)) / 2


@settings(deadline=None, max_examples=50)
@given(
    st.integers(1, 30),
    st.integers(1, 150),
    st.integers(-40, 700),
    st.sampled_from(["int32", "int64"]),
    st.integers(0, 2**32 - 1),
)
def test_counting_is_exact_for_whole_numbers_of_any_size_and_sign(m, n, start, dtype, seed):
    rng = np.random.default_rng(seed)
    samples = (start + rng.integers(0, rng.integers(1, 80), (m, n))).astype(dtype)
    observed = start + rng.integers(-50, 130, n)
    np.testing.assert_allclose(crps_samples(samples, observed), over_pairs(samples, observed), **EXACT)
    np.testing.assert_array_equal(
        crps_samples(np.ascontiguousarray(samples.T).T, observed), crps_samples(samples, observed)
    )


def test_a_few_large_samples_among_small_ones():
    rng = np.random.default_rng(1)
    samples = rng.poisson(2, (50, 300))
    samples[3, ::7] = 511
    samples[4, ::11] = 512
    samples[5, 200] = -1
    samples[6, 100] = 2_000_000
    observed = rng.poisson(2, 300)
    observed[::13] = 900
    np.testing.assert_allclose(crps_samples(samples, observed), over_pairs(samples, observed), rtol=1e-14, atol=1e-10)


def test_floats_and_shapes():
    rng = np.random.default_rng(2)
    samples, observed = rng.normal(0, 3, (40, 3, 4)), rng.normal(0, 3, (3, 4))
    np.testing.assert_allclose(crps_samples(samples, observed), over_pairs(samples, observed), **EXACT)
    with pytest.raises(InputError, match="shape"):
        crps_samples(np.zeros((3, 2), int), np.zeros(3, int))
    with pytest.raises(InputError, match="shape"):
        crps_samples(np.zeros((0, 2), int), np.zeros(2, int))


@pytest.mark.parametrize("threshold", [0, 1, 4, 9, 40])
def test_threshold_weighted_crps_agrees_with_scoringrules_and_with_the_pmf(threshold):
    rng = np.random.default_rng(3)
    samples, observed = rng.poisson(rng.gamma(1, 5, (100, 60))), rng.poisson(5, 60)
    expected = sr.twcrps_ensemble(
        observed.astype(float), samples.T.astype(float), v_func=lambda x: np.maximum(x, threshold), estimator="qd"
    )
    np.testing.assert_allclose(twcrps_samples(samples, observed, threshold), expected, **EXACT)
    width = samples.max() + 1
    pmf = np.stack([np.bincount(column, minlength=width) for column in samples.T]) / len(samples)
    np.testing.assert_allclose(twcrps_pmf(pmf, observed, threshold), expected, **EXACT)
    np.testing.assert_allclose(
        twcrps_samples(samples.astype(float), observed.astype(float), threshold), expected, **EXACT
    )


def test_threshold_weighted_crps_by_hand():
    pmf = np.array([0.2, 0.5, 0.3])
    # F = 0.2, 0.7, 1 against y = 5: counts 0..4 would add 0.04 + 0.49 + 1 + 1 + 1.
    for threshold, expected in ((0, 3.53), (1, 3.49), (2, 3.0), (4, 1.0), (5, 0.0), (9, 0.0)):
        np.testing.assert_allclose(twcrps_pmf(pmf, np.array(5), threshold), expected, **EXACT)
    np.testing.assert_allclose(twcrps_pmf(pmf, np.array(1), -3), crps_pmf(pmf, np.array(1)), **EXACT)


def test_the_crps_of_counts_is_the_ranked_probability_score():
    rng = np.random.default_rng(4)
    pmf = rng.dirichlet(np.ones(7), 50)
    observed = rng.integers(0, 7, 50)
    np.testing.assert_allclose(crps_pmf(pmf, observed), sr.rps_score(observed + 1, pmf), **EXACT)


def test_dawid_sebastiani_agrees_with_scoringrules():
    rng = np.random.default_rng(5)
    samples, observed = rng.poisson(4, (30, 80)).astype(float), rng.poisson(4, 30)
    found = dawid_sebastiani(samples.mean(axis=1), samples.var(axis=1, ddof=1), observed)
    np.testing.assert_allclose(found, sr.dssuv_ensemble(observed, samples), **EXACT)


def test_log_score_of_the_negative_binomial_agrees_with_scoringrules():
    y = np.arange(12)
    law = stats.nbinom(1.5, 0.3)
    np.testing.assert_allclose(-np.log(law.pmf(y)), sr.logs_negbinom(y, 1.5, 0.3), **EXACT)


@pytest.mark.parametrize("d", [1, 2, 8])
def test_energy_and_variogram_scores_agree_with_scoringrules(d):
    rng = np.random.default_rng(6)
    paths, observed = rng.poisson(3, (30, 5, 4, d)), rng.poisson(3, (5, 4, d))
    given_last = np.moveaxis(paths, 0, -2).astype(float)
    np.testing.assert_allclose(
        energy_score(paths, observed), sr.es_ensemble(observed.astype(float), given_last, estimator="nrg"), **EXACT
    )
    for p in (0.5, 1.0, 2.0):
        expected = sr.vs_ensemble(observed.astype(float), given_last, p=p, estimator="nrg")
        np.testing.assert_allclose(variogram_score(paths, observed, p=p), expected, rtol=1e-12, atol=1e-10)


def test_energy_score_of_one_dimension_is_the_crps():
    rng = np.random.default_rng(7)
    samples, observed = rng.poisson(3, (60, 9)), rng.poisson(3, 9)
    np.testing.assert_allclose(
        energy_score(samples[..., None], observed[..., None]), crps_samples(samples, observed), **EXACT
    )


def test_energy_and_variogram_scores_by_hand():
    paths, observed = np.array([[0, 0], [3, 4], [0, 1]]), np.array([0, 0])
    near = (0 + 5 + 1) / 3
    spread = 2 * (5 + 1 + np.hypot(3, 3)) / 9
    np.testing.assert_allclose(energy_score(paths, observed), near - spread / 2, **EXACT)
    np.testing.assert_allclose(variogram_score(paths, observed, p=1), 2 * (0 - 2 / 3) ** 2, **EXACT)
    with pytest.raises(InputError, match="order 0"):
        variogram_score(paths, observed, p=0)
    with pytest.raises(InputError, match="shape"):
        energy_score(paths, np.zeros(3))


def test_the_true_joint_distribution_has_the_best_energy_and_variogram_scores():
    rng = np.random.default_rng(8)

    def joint(size, together):
        own, common = rng.gamma(1, 1, (*size, 4)), rng.gamma(1, 1, (*size, 1))
        return rng.poisson(4 * np.where(together, common, own))

    observed = joint((400,), together=True)
    found = {
        "truth": joint((300, 400), together=True),
        "apart": joint((300, 400), together=False),
        "low": joint((300, 400), together=True) // 2,
    }
    for score in (energy_score, variogram_score):
        mean = {name: score(paths, observed).mean() for name, paths in found.items()}
        assert mean["truth"] < min(mean["apart"], mean["low"]), (score.__name__, mean)


def test_the_truth_minimises_each_score_of_samples():
    rng = np.random.default_rng(9)
    observed = rng.poisson(rng.gamma(1.5, 2, 3000))
    laws = {
        "truth": rng.poisson(rng.gamma(1.5, 2, (400, 3000))),
        "narrow": rng.poisson(3, (400, 3000)),
        "wide": rng.poisson(rng.gamma(0.4, 7.5, (400, 3000))),
        "high": rng.poisson(rng.gamma(1.5, 3, (400, 3000))),
    }
    for score in (crps_samples, lambda x, y: twcrps_samples(x, y, 4)):
        mean = {name: score(samples, observed).mean() for name, samples in laws.items()}
        assert min(mean, key=mean.get) == "truth", mean
