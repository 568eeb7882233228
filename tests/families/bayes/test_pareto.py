"""Pareto smoothing against ArviZ, and against distributions of known tails."""

from __future__ import annotations

import numpy as np
import pytest

from forecast.families.bayes.pareto import effective_draws, fit_pareto, smoothed_weights


@pytest.mark.parametrize("shape", [0.2, 0.5, 1.0])
def test_the_shape_of_a_pareto_tail_is_found(shape):
    rng = np.random.default_rng(1)
    excess = np.sort(2.0 * (rng.random(4000) ** -shape - 1) / shape)
    k, scale = fit_pareto(excess)
    assert k == pytest.approx(shape, abs=0.08)
    assert scale == pytest.approx(2.0, rel=0.1)


@pytest.mark.parametrize("spread", [0.3, 1.0, 3.0])
def test_weights_are_those_of_arviz(spread):
    arviz = pytest.importorskip("arviz")
    log_ratio = spread * np.random.default_rng(2).standard_normal(500)
    weights, k = smoothed_weights(log_ratio)
    theirs, their_k = arviz.psislw(log_ratio)
    np.testing.assert_allclose(weights, np.exp(theirs) / np.exp(theirs).sum(), rtol=1e-6, atol=1e-12)
    assert k == pytest.approx(float(their_k), abs=1e-6)


def test_few_draws_cannot_be_judged():
    weights, k = smoothed_weights(np.arange(5.0))
    assert k == np.inf
    assert weights.sum() == pytest.approx(1)
    assert effective_draws(np.full(7, 1 / 7)) == pytest.approx(7)


def test_weights_of_one_draw_alone_are_finite():
    log_ratio = np.r_[np.linspace(-9000, -4000, 199), 0.0]
    weights, k = smoothed_weights(log_ratio)
    assert k > 0.7
    assert np.isfinite(weights).all()
    assert weights.sum() == pytest.approx(1)
