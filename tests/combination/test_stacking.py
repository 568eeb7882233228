"""Weights from past forecasts: exact scores of pools, best weights, prior, and online aggregation."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import nbinom, poisson

from forecast.combination.evidence import Evidence
from forecast.combination.online import online_weights
from forecast.combination.pools import linear_pool
from forecast.combination.stacking import crps_stacking, log_stacking

RNG = np.random.default_rng
K = np.arange(40)


def crps(pmf, observed):
    return ((np.cumsum(pmf, axis=-1) - (np.asarray(observed)[:, None] <= np.arange(pmf.shape[-1]))) ** 2).sum(axis=-1)


def cases(rng, n=400):
    """Counts of two sources, and three models: of the first, of the second, and a wrong one."""
    mean = rng.gamma(2, 1, n)
    first, second = poisson.pmf(K, mean[:, None]), nbinom.pmf(K, 1, 1 / (1 + 2 * mean[:, None]))
    observed = np.where(rng.random(n) < 0.7, rng.poisson(mean), rng.negative_binomial(1, 1 / (1 + 2 * mean)))
    wrong = poisson.pmf(K, 3 + mean[:, None])
    return np.stack([first, second, wrong]), np.minimum(observed, 39)


@pytest.fixture(scope="module")
def known():
    pmf, observed = cases(RNG(1), 4000)
    return pmf, observed, Evidence.of(pmf, observed)


def test_scores_of_a_pool_without_the_pool(known):
    pmf, observed, past = known
    for weight in ([1, 0, 0], [0.2, 0.5, 0.3]):
        pooled = linear_pool(pmf, weight)
        np.testing.assert_allclose(past.crps(weight), crps(pooled, observed), atol=1e-12)
        came = pooled[np.arange(len(observed)), observed]
        np.testing.assert_allclose(past.log_score(weight, floor=1e-300), -np.log(came), atol=1e-12)


def test_a_count_beyond_the_distributions():
    past = Evidence.of([[[0.5, 0.5]]], [4])
    assert past.density[0, 0] == 0
    assert past.crps([1.0])[0] == pytest.approx(0.25 + 3)  # |F - 0| at 0 is 0.5, then 1 at 1, 2 and 3
    assert past.log_score([1.0])[0] == pytest.approx(-np.log(1e-6))


@pytest.mark.parametrize(("stacking", "score"), [(log_stacking, "log_score"), (crps_stacking, "crps")])
def test_stacked_weights_are_the_best(known, stacking, score):
    _, _, past = known
    best = stacking(past)
    assert best.sum() == pytest.approx(1)
    assert best[2] < 0.02
    assert best[0] == pytest.approx(0.7, abs=0.12)
    least = getattr(past, score)(best).mean()
    for other in RNG(2).dirichlet(np.ones(3), 200):
        assert getattr(past, score)(other).mean() >= least - 1e-9


@pytest.mark.parametrize("stacking", [log_stacking, crps_stacking])
def test_the_prior_draws_to_equal_weights(known, stacking):
    _, _, past = known
    few = past.where(np.arange(len(past)) < 5)
    assert np.abs(stacking(few, prior=1e6) - 1 / 3).max() < 1e-3
    assert np.abs(stacking(past, prior=1.0) - stacking(past)).max() < 0.02
    assert stacking(past.where(np.zeros(len(past), bool)), prior=1.0).tolist() == [1 / 3] * 3


@pytest.mark.parametrize("stacking", [log_stacking, crps_stacking])
def test_cases_count_by_their_weight(known, stacking):
    _, _, past = known
    half = np.arange(len(past)) % 2 == 0
    np.testing.assert_allclose(stacking(past, cases=half.astype(float)), stacking(past.where(half)), atol=1e-5)


def test_online_weights_lose_little_against_the_best_member():
    """Mean loss of the pool against the best member, below sqrt(log M / T) times the range of the gains."""
    pmf, observed = cases(RNG(4), 2000)
    steps = [Evidence.of(pmf[:, at : at + 1], observed[at : at + 1]) for at in range(2000)]
    weights = online_weights(steps)
    np.testing.assert_allclose(weights.sum(axis=1), 1)
    loss = np.array([step.crps(weight)[0] for step, weight in zip(steps, weights, strict=False)])
    members = np.array([[step.gram[0, m, m] for m in range(3)] for step in steps])
    largest = np.abs(members - loss[:, None]).max()
    assert loss.mean() - members.mean(axis=0).min() < largest * np.sqrt(np.log(3) / 2000)
    assert weights[-1][2] < 0.05


def test_forgetting_follows_a_change():
    pmf, _ = cases(RNG(5), 600)
    rng = RNG(6)
    observed = [
        min(int(rng.choice(40, p=pmf[0 if at < 300 else 2, at] / pmf[0 if at < 300 else 2, at].sum())), 39)
        for at in range(600)
    ]
    steps = [Evidence.of(pmf[:, at : at + 1], observed[at : at + 1]) for at in range(600)]
    slow, quick = online_weights(steps), online_weights(steps, forget=0.05, share=0.01)
    assert quick[300][0] > 0.5
    assert quick[400][2] > 0.7 > slow[400][2]


def test_a_step_without_a_case_changes_nothing():
    pmf, observed = cases(RNG(7), 10)
    step = Evidence.of(pmf, observed)
    empty = step.where(np.zeros(10, bool))
    weights = online_weights([step, empty, step])
    assert weights[1].tolist() == weights[2].tolist()
    assert weights[0].tolist() == [1 / 3] * 3
