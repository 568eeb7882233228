"""Maps of event probabilities: what is wrong is repaired, what is right is left alone."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.special import expit, logit

from forecast.combination.event_maps import LogMap, fit_beta_calibration, fit_isotonic_map, fit_logit_map
from forecast.combination.level_map import Identity
from forecast.errors import InputError

FITS = (fit_isotonic_map, fit_beta_calibration, fit_logit_map)
GRID = np.linspace(0.02, 0.6, 59)


def cases(n, seed, said):
    """Return what was said, whether the event came, and how probable it truly was."""
    rng = np.random.default_rng(seed)
    true = rng.beta(0.6, 3.0, n)
    return np.clip(said(true), 0, 1), (rng.random(n) < true).astype(float), true


WRONG = {
    "too bold": lambda p: expit(2.0 * logit(p)),
    "too timid": lambda p: expit(0.5 * logit(p)),
    "too high": lambda p: expit(logit(p) + 1.0),
    "too low": lambda p: 0.4 * p,
}


@pytest.mark.parametrize("fit", FITS)
@pytest.mark.parametrize("wrong", WRONG)
def test_a_wrong_forecaster_is_repaired(fit, wrong):
    said, came, _ = cases(6000, 1, WRONG[wrong])
    new, _, true = cases(6000, 2, WRONG[wrong])
    after = fit(said, came)(new)
    assert np.mean((after - true) ** 2) < 0.15 * np.mean((new - true) ** 2)


@pytest.mark.parametrize("fit", FITS)
def test_a_calibrated_forecaster_is_left_nearly_alone(fit):
    said, came, _ = cases(6000, 3, lambda p: p)
    new, _, _ = cases(6000, 4, lambda p: p)
    assert np.sqrt(np.mean((fit(said, came)(new) - new) ** 2)) < 0.03


@pytest.mark.parametrize("fit", FITS)
def test_the_prior_draws_to_the_identity_and_too_few_cases_are_the_identity(fit):
    said, came, _ = cases(1000, 5, WRONG["too high"])
    off = [np.abs(fit(said, came, prior=prior)(GRID) - GRID).max() for prior in (0.0, 300.0, 3000.0, 1e6)]
    assert off == sorted(off, reverse=True)
    assert off[-1] < 0.01
    assert fit(said, came, least=1001) == Identity()
    assert fit(said, came, least=400, weight=np.full(1000, 0.3)) == Identity()
    assert fit([], []) == Identity()
    assert fit([], [], least=0) == Identity()


@pytest.mark.parametrize("fit", FITS)
def test_weights_are_repetitions_and_unknown_cases_do_not_count(fit):
    said, came, _ = cases(400, 6, WRONG["too bold"])
    twice = fit(np.repeat(said, 2), np.repeat(came, 2))(GRID)
    np.testing.assert_allclose(fit(said, came, weight=np.full(400, 2.0))(GRID), twice, atol=1e-4)
    holes = fit(np.r_[said, 0.5, np.nan], np.r_[came, np.nan, 1.0])(GRID)
    np.testing.assert_allclose(holes, fit(said, came)(GRID), atol=1e-6)


def test_the_log_maps_are_the_maximum_of_the_likelihood():
    rng = np.random.default_rng(7)
    said = rng.random(100_000)
    came = (rng.random(100_000) < LogMap(0.6, 1.4, -0.3)(said)).astype(float)
    found = fit_beta_calibration(said, came, prior=0.0)
    np.testing.assert_allclose([found.a, found.b, found.c], [0.6, 1.4, -0.3], atol=0.05)
    logits = fit_logit_map(said, came, prior=0.0)
    assert logits.a == logits.b
    assert logits(said).mean() == pytest.approx(came.mean(), abs=1e-5)


def test_the_isotonic_map_without_prior_has_the_least_brier_score_of_all_monotone_ones():
    said, came, _ = cases(3000, 8, WRONG["too high"])
    best = np.mean((fit_isotonic_map(said, came, prior=0.0)(said) - came) ** 2)
    for fit in FITS:
        for prior in (0.0, 100.0):
            assert best <= np.mean((fit(said, came, prior=prior)(said) - came) ** 2) + 1e-12


@pytest.mark.parametrize("fit", FITS)
def test_nothing_possible_becomes_impossible(fit):
    found = fit(np.full(500, 0.3), np.zeros(500))
    assert 0 < found(0.3) < 0.1
    found = fit(np.r_[np.full(300, 0.1), np.full(300, 0.9)], np.r_[np.zeros(300), np.ones(300)])
    assert 0 < found(0.1) < 0.1
    assert 0.9 < found(0.9) < 1


@pytest.mark.parametrize("fit", FITS)
@given(data=st.data())
def test_a_map_is_monotone_and_a_probability(fit, data):
    said = data.draw(arrays(np.float64, 30, elements=st.floats(0, 1)))
    came = data.draw(arrays(np.float64, 30, elements=st.sampled_from([0.0, 1.0])))
    prior = data.draw(st.sampled_from([1.0, 100.0]))
    after = fit(said, came, prior=prior, least=0)(np.linspace(0, 1, 101))
    assert (np.diff(after) >= -1e-9).all()
    assert ((after >= 0) & (after <= 1)).all()


@pytest.mark.parametrize("fit", FITS)
def test_bad_input_is_refused(fit):
    with pytest.raises(InputError, match="outcomes of"):
        fit([0.1, 0.2], [1])
    with pytest.raises(InputError, match="outside"):
        fit([1.1], [1])
    with pytest.raises(InputError, match="outside"):
        fit([0.1], [2])
    with pytest.raises(InputError, match="weights of shape"):
        fit([0.1], [1], weight=[1, 1])
