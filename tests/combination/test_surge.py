"""Corrections of escalation probabilities by what came before: what they find, what they leave, what they refuse."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.special import expit, logit

from forecast.combination.surge import TRAITS, SurgeMaps, fit_surge_maps, surge_traits
from forecast.errors import InputError

CLASSES = 3


def cases(n, seed, effect=0.0, effect_of_active=0.0):
    """Return what was said, whether it came, class and traits; a surge has effects that were not said."""
    rng = np.random.default_rng(seed)
    said, kind, traits = rng.beta(0.8, 2.0, n), rng.integers(0, CLASSES, n), rng.normal(size=(n, 2))
    true = expit(logit(said) + (effect + effect_of_active * (kind == 2)) * traits[:, 0])
    return said, (rng.random(n) < true).astype(float), kind, traits, true


def test_effects_are_recovered_by_class():
    said, came, kind, traits, _ = cases(40_000, 1, -0.6, -0.4)
    found = fit_surge_maps(said, came, kind, traits, classes=CLASSES, precision=1.0).parameters
    effect = found[0] + found[1:]
    np.testing.assert_allclose(effect[:, 2], [-0.6, -0.6, -1.0], atol=0.12)
    np.testing.assert_allclose(effect[:, [0, 1, 3]], 0, atol=0.12)


def test_new_cases_are_repaired_and_right_ones_left_nearly_alone():
    for effect, most in ((-0.8, 0.2), (0.0, np.inf)):
        maps = fit_surge_maps(*cases(6000, 2, effect)[:4], classes=CLASSES)
        said, _, kind, traits, true = cases(6000, 3, effect)
        after = maps.at(kind, traits.T)(said)
        assert np.mean((after - true) ** 2) < max(most * np.mean((said - true) ** 2), 0.0004)


def test_the_prior_draws_to_no_correction_and_few_cases_make_none():
    past = cases(2000, 4, -0.8)[:4]
    size = [
        np.abs(fit_surge_maps(*past, classes=CLASSES, precision=k).parameters).max() for k in (1.0, 100.0, 1e4, 1e7)
    ]
    assert size == sorted(size, reverse=True)
    assert size[-1] < 1e-3
    for few in (
        fit_surge_maps(*past, classes=CLASSES, least=2001),
        fit_surge_maps(*past, classes=CLASSES, weight=np.full(2000, 0.05)),
        fit_surge_maps([], [], [], np.empty((0, 2)), classes=CLASSES, least=0),
    ):
        assert not any(few.changes(kind) for kind in range(CLASSES))
        np.testing.assert_allclose(few.at([0, 2], np.ones((2, 2)))([0.2, 0.7]), [0.2, 0.7])


def test_without_traits_it_is_a_calibration_of_the_logit_by_class():
    said, came, kind, _, _ = cases(20_000, 5)
    bold = expit(2 * logit(said))
    maps = fit_surge_maps(bold, came, kind, np.empty((len(said), 0)), classes=CLASSES, precision=1.0)
    np.testing.assert_allclose(
        maps.at([0, 1, 2], np.empty((0, 3)))(expit([2.0, -2.0, 1.0])), expit([1, -1, 0.5]), atol=0.03
    )


def test_cases_that_are_not_known_are_left_out_and_weights_are_copies():
    said, came, kind, traits, _ = cases(1000, 6, -0.5)
    gap = np.arange(1000) < 100
    without = fit_surge_maps(said[~gap], came[~gap], kind[~gap], traits[~gap], classes=CLASSES)
    unknown = fit_surge_maps(said, np.where(gap, np.nan, came), kind, traits, classes=CLASSES)
    np.testing.assert_allclose(unknown.parameters, without.parameters)
    twice = fit_surge_maps(*(np.concatenate([part] * 2) for part in (said, came, kind, traits)), classes=CLASSES)
    heavy = fit_surge_maps(said, came, kind, traits, classes=CLASSES, weight=np.full(1000, 2.0))
    np.testing.assert_allclose(twice.parameters, heavy.parameters, atol=1e-6)


@given(
    arrays(np.float64, (1 + CLASSES, 4), elements=st.floats(-5, 5)),
    arrays(np.float64, (2, 1), elements=st.floats(-3, 3)),
    st.integers(0, CLASSES - 1),
)
def test_maps_keep_the_order_and_stay_probabilities(parameters, traits, kind):
    level = np.linspace(0, 1, 21)
    maps = SurgeMaps(parameters).at(np.full(21, kind), np.repeat(traits, 21, axis=1))
    found = maps(level)
    assert ((found >= 0) & (found <= 1)).all()
    assert (np.diff(found) >= -1e-12).all()


def test_bad_cases_are_refused():
    with pytest.raises(InputError, match="traits"):
        fit_surge_maps([0.5], [1], [0], [[1.0], [2.0]], classes=1)
    with pytest.raises(InputError, match="classes that there are not"):
        fit_surge_maps([0.5], [1], [1], [[1.0]], classes=1)


def test_traits_by_hand_and_with_weeks_that_are_not_observed():
    counts = np.zeros((60, 4), int)
    counts[-4:, 0], counts[-12:, 1], counts[0, 2], counts[-52:, 3] = 2, 1, 9, 1
    seen = np.ones(counts.shape, bool)
    found = surge_traits(counts, seen)
    assert found.shape == (len(TRAITS), 4)
    year = np.array([8 / 13, 12 / 13, 0, 4]) + 0.5
    np.testing.assert_allclose(found[0], np.log((np.array([8, 4, 0, 4]) + 0.5) / year))
    np.testing.assert_allclose(found[1], np.log((np.array([8 / 3, 4, 0, 4]) + 0.5) / year))
    np.testing.assert_allclose(found[2], np.log1p([8, 12, 0, 52]) - 1)
    seen[-4:, 0] = False  # the surge is not seen, and the rest of the year is silent
    np.testing.assert_allclose(surge_traits(counts, seen)[:, 0], [0, 0, -1])
    np.testing.assert_allclose(surge_traits(counts, np.zeros_like(seen))[:, 3], [0, 0, -1])
    np.testing.assert_allclose(surge_traits(counts[:0], seen[:0])[:, 3], [0, 0, -1])
    changed = counts.copy()
    changed[:-52] += 7
    np.testing.assert_array_equal(surge_traits(changed, seen), surge_traits(counts, seen))
